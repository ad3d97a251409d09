#include "core/policy/ContractFile.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/Error.hpp"
#include "core/io/Checks.hpp"
#include "core/io/JsonAttribute.hpp"
#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {
namespace {

/// A force and a torque.
constexpr std::size_t max_acting_width = 6;

Normalization read_normalization(const hdf5::File& file, std::size_t observation_size) {
  Normalization normalization;
  if (!file.exists("normalization")) return normalization;
  hdf5::refuse_unknown_attributes(file, "normalization", {"epsilon", "clip"});
  hdf5::refuse_unknown_members(file, "normalization", {"mean", "variance"});
  const std::array<std::size_t, 1> shape{observation_size};
  normalization.mean = file.read<double>("normalization/mean", shape);
  normalization.variance = file.read<double>("normalization/variance", shape);
  normalization.epsilon =
      hdf5::read_double_or(file, "normalization", "epsilon", normalization.epsilon);
  normalization.clip = hdf5::read_double_or(file, "normalization", "clip", normalization.clip);
  return normalization;
}

std::vector<ObservationComponent> read_observation(const hdf5::File& file,
                                                   std::size_t observation_size) {
  hdf5::refuse_unknown_attributes(file, "observation", {"components"});
  hdf5::refuse_unknown_members(file, "observation", {});
  auto components =
      components_from_json(hdf5::read_json(file, "observation", "components"), file.name());
  std::size_t width = 0;
  std::vector<std::string> terms;
  for (const ObservationComponent& component : components) {
    width += component.width();
    terms.push_back(fmt::format("{} {}", name_of(component.kind), component.width()));
  }
  if (width != observation_size) {
    fail(
        "'{}': the observation components are {} wide ({}) but the model takes {} (they must add "
        "up) correct the components",
        file.name(), width, excerpt(fmt::format("{}", fmt::join(terms, " + ")), 400),
        observation_size);
  }
  return components;
}

std::vector<float> read_table(const hdf5::File& file, const ModelSpec& model) {
  if (!file.exists("action/table")) return {};
  if (!model.discrete) {
    fail("'{}': '/action/table' with continuous actions (they act by themselves) remove it",
         file.name());
  }
  const std::vector<std::size_t> found = file.shape("action/table");
  if (found.size() != 2 || found[0] != model.action_size || found[1] < 1 ||
      found[1] > max_acting_width) {
    fail(
        "'{}': '/action/table' has shape ({}) (a row of 1 to {} numbers for each of the {} "
        "actions is needed) correct it",
        file.name(), fmt::join(found, ", "), max_acting_width, model.action_size);
  }
  std::vector<float> table = file.read<float>("action/table", found);
  if (!std::all_of(table.begin(), table.end(), [](float x) { return std::isfinite(x); })) {
    fail("'{}': '/action/table' holds a number that is not finite (it is a force) correct it",
         file.name());
  }
  return table;
}

void check_acting_width(const Contract& contract, const std::string& source) {
  const std::size_t width = contract.acting_width();
  if (contract.model.discrete && contract.action.table.empty()) return;
  bool fits = false;
  const char* expected = "";
  switch (contract.action.target) {
    case ActionTarget::force:
      fits = width == 2 || width == 3;
      expected = "a force takes 2 or 3";
      break;
    case ActionTarget::torque:
      fits = width == 1 || width == 3;
      expected = "a torque 1 or 3";
      break;
    case ActionTarget::force_and_torque:
      fits = width == 3 || width == 6;
      expected = "both take 3 in the plane, or 6";
      break;
    case ActionTarget::thrust:
      fits = width == 1;
      expected = "a thrust takes 1";
      break;
    case ActionTarget::thrust_and_turn:
      fits = width == 2 || width == 4;
      expected = "it takes 2 in the plane, or 4";
      break;
    case ActionTarget::velocity:
      fits = width == 2 || width == 3;
      expected = "a velocity takes 2 or 3";
      break;
  }
  if (fits) return;
  fail("'{}': {} actions cannot be a {} ({}) choose another target", source, width,
       name_of(contract.action.target), expected);
}

/// What a previous action in the observation is must be known.
void check_previous_action(const Contract& contract, const std::string& source) {
  for (const ObservationComponent& component : contract.observation) {
    const auto entries = static_cast<std::size_t>(component.dimensions);
    if (component.kind != ComponentKind::previous_action || entries == contract.acting_width())
      continue;
    fail("'{}': the previous action is observed with {} entries (an action has {}) correct it",
         source, entries, contract.acting_width());
  }
}

/// What only some targets have.
void read_target_arguments(const hdf5::File& file, ActionSpec& action) {
  if (is_thrust(action.target)) {
    if (file.has_attribute("action", "axis")) {
      action.axis =
          static_cast<int>(std::clamp<std::int64_t>(file.read_integer("action", "axis"), -1, 3));
    }
    if (action.axis < 0 || action.axis > 2) {
      fail("'{}': attribute 'axis' of '/action' is no axis (0, 1 and 2 are x, y and z) correct it",
           file.name());
    }
    if (action.frame == Frame::body) {
      fail(
          "'{}': '/action' has target {} and frame body (a thrust turns with the body anyway) "
          "leave the frame out",
          file.name(), name_of(action.target));
    }
  } else if (file.has_attribute("action", "axis")) {
    fail("'{}': '/action' has an axis (only a thrust has one; the target is {}) remove it",
         file.name(), name_of(action.target));
  }
  if (action.target == ActionTarget::velocity) {
    action.bind = file.has_attribute("action", "bind") ? file.read_string("action", "bind")
                                                       : std::string("target_velocity");
    if (action.bind.empty() || excerpt(action.bind) != action.bind) {
      fail(
          "'{}': attribute 'bind' of '/action' is no name (1 to 80 printable characters are "
          "needed) correct it",
          file.name());
    }
  } else if (file.has_attribute("action", "bind")) {
    fail("'{}': '/action' binds a name (only a target velocity does; the target is {}) remove it",
         file.name(), name_of(action.target));
  }
}

ActionSpec read_action(const hdf5::File& file, const ModelSpec& model) {
  hdf5::refuse_unknown_attributes(
      file, "action", {"target", "frame", "scale", "drag", "angular_drag", "axis", "bind"});
  hdf5::refuse_unknown_members(file, "action", {"table"});
  ActionSpec action;
  action.target = target_from_name(file.read_string("action", "target"), file.name());
  if (file.has_attribute("action", "frame")) {
    action.frame = frame_from_name(file.read_string("action", "frame"), file.name());
  }
  read_target_arguments(file, action);
  action.scale = hdf5::read_double_or(file, "action", "scale", 1.0);
  action.drag = hdf5::read_double_or(file, "action", "drag", 0.0);
  action.angular_drag = hdf5::read_double_or(file, "action", "angular_drag", 0.0);
  action.table = read_table(file, model);
  return action;
}

Timing read_timing(const hdf5::File& file) {
  Timing timing;
  if (!file.exists("timing")) return timing;
  hdf5::refuse_unknown_attributes(file, "timing", {"time_step", "decision_interval"});
  hdf5::refuse_unknown_members(file, "timing", {});
  timing.time_step = hdf5::read_double_or(file, "timing", "time_step", 0.0);
  if (file.has_attribute("timing", "decision_interval")) {
    timing.decision_interval = file.read_integer("timing", "decision_interval");
  }
  if (timing.time_step < 0 || timing.decision_interval < 0) {
    fail("'{}': '/timing' holds a negative number (time_step {}, decision_interval {}) correct it",
         file.name(), timing.time_step, timing.decision_interval);
  }
  return timing;
}

Units read_units(const hdf5::File& file) {
  Units units;
  if (!file.exists("units")) return units;
  hdf5::refuse_unknown_attributes(file, "units", {"length", "time", "mass"});
  hdf5::refuse_unknown_members(file, "units", {});
  const auto read = [&](const char* name) {
    const double value = hdf5::read_double_or(file, "units", name, 0.0);
    if (!file.has_attribute("units", name) || value > 0) return value;
    fail("'{}': attribute '{}' of '/units' is {} (a positive number expected) correct it",
         file.name(), name, value);
  };
  units.length = read("length");
  units.time = read("time");
  units.mass = read("mass");
  return units;
}

void write_normalization(hdf5::File& file, const Normalization& normalization) {
  if (normalization.mean.empty()) return;
  file.create_group("normalization");
  const std::array<std::size_t, 1> shape{normalization.mean.size()};
  file.write<double>("normalization/mean", shape, normalization.mean);
  file.write<double>("normalization/variance", shape, normalization.variance);
  file.write_double("normalization", "epsilon", normalization.epsilon);
  if (std::isfinite(normalization.clip)) {
    file.write_double("normalization", "clip", normalization.clip);
  }
}

void write_action(hdf5::File& file, const Contract& contract) {
  const ActionSpec& action = contract.action;
  file.create_group("action");
  file.write_string("action", "target", name_of(action.target));
  file.write_string("action", "frame", name_of(action.frame));
  if (is_thrust(action.target)) file.write_integer("action", "axis", action.axis);
  if (action.target == ActionTarget::velocity) file.write_string("action", "bind", action.bind);
  file.write_double("action", "scale", action.scale);
  file.write_double("action", "drag", action.drag);
  file.write_double("action", "angular_drag", action.angular_drag);
  if (action.table.empty()) return;
  const std::array<std::size_t, 2> shape{contract.model.action_size, contract.acting_width()};
  file.write<float>("action/table", shape, action.table);
}

void write_units(hdf5::File& file, const Units& units) {
  if (units == Units{}) return;
  file.create_group("units");
  if (units.length > 0) file.write_double("units", "length", units.length);
  if (units.time > 0) file.write_double("units", "time", units.time);
  if (units.mass > 0) file.write_double("units", "mass", units.mass);
}

}  // namespace

Contract read_contract(const hdf5::File& file) {
  Contract contract;
  contract.model = model_from_metadata(file.read_string("", "model"),
                                       hdf5::read_json(file, "", "metadata"), file.name());
  contract.model.normalization = read_normalization(file, contract.model.observation_size);
  check_size(contract.model, file.name());
  if (file.has_attribute("", "provenance")) {
    contract.provenance = file.read_string("", "provenance");
  }
  const bool observes = file.exists("observation");
  if (observes != file.exists("action")) {
    fail("'{}': '/{}' without '/{}' (a particle needs both, a model alone neither) add the other",
         file.name(), observes ? "observation" : "action", observes ? "action" : "observation");
  }
  if (observes) {
    contract.observation = read_observation(file, contract.model.observation_size);
    contract.action = read_action(file, contract.model);
    check_acting_width(contract, file.name());
    check_previous_action(contract, file.name());
  }
  contract.timing = read_timing(file);
  contract.units = read_units(file);
  return contract;
}

void write_contract(hdf5::File& file, const Contract& contract) {
  file.write_string("", "model", name_of(contract.model.kind));
  file.write_string("", "metadata", metadata_of(contract.model).dump());
  if (!contract.provenance.empty()) file.write_string("", "provenance", contract.provenance);
  write_normalization(file, contract.model.normalization);
  if (!contract.observation.empty()) {
    file.create_group("observation");
    file.write_string("observation", "components", components_to_json(contract.observation).dump());
    write_action(file, contract);
  }
  file.create_group("timing");
  file.write_double("timing", "time_step", contract.timing.time_step);
  file.write_integer("timing", "decision_interval", contract.timing.decision_interval);
  write_units(file, contract.units);
}

}  // namespace dempilot
