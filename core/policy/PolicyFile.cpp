#include "core/policy/PolicyFile.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/Error.hpp"
#include "core/io/Hdf5.hpp"
#include "core/io/JsonAttribute.hpp"
#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {
namespace {

using nlohmann::json;

constexpr const char* format_name = "dempilot-policy";
constexpr std::int64_t format_version = 1;
constexpr std::uintmax_t max_file_bytes = 1ULL << 31U;
constexpr std::size_t max_golden_rows = 4096;

void check_format(const hdf5::File& file) {
  if (!file.has_attribute("", "format") || file.read_string("", "format") != format_name) {
    fail(
        "'{}' is no policy file (its attribute 'format' is not '{}') convert your model with "
        "dempilot's tools, see docs/policy_file.md",
        file.name(), format_name);
  }
  const std::int64_t version = file.read_integer("", "version");
  if (version != format_version) {
    fail(
        "'{}': policy format version {} (this release reads version {}) convert it again, or use a "
        "release that reads it",
        file.name(), version, format_version);
  }
}

/// Every member of `group` must be known, so that nothing the writer meant is silently dropped.
void refuse_unknown_members(const hdf5::File& file, const std::string& group,
                            const std::vector<std::string>& known) {
  for (const std::string& member : file.list(group)) {
    if (std::find(known.begin(), known.end(), member) == known.end()) {
      fail("'{}': unknown '{}/{}' (known: {}) remove it, or use a release that reads it",
           file.name(), group, excerpt(member), fmt::join(known, ", "));
    }
  }
}

/// Counts instead of listing: HDF5 1.10 crashes when it lists the attributes of a damaged file.
void refuse_unknown_attributes(const hdf5::File& file, const std::string& object,
                               const std::vector<std::string>& known) {
  const auto found = static_cast<std::size_t>(std::count_if(
      known.begin(), known.end(),
      [&](const std::string& attribute) { return file.has_attribute(object, attribute); }));
  const std::size_t all = file.attribute_count(object);
  if (all == found) return;
  fail("'{}': '/{}' has {} attributes, of which {} are unknown (known: {}) correct or remove them",
       file.name(), object, all, all - found, fmt::join(known, ", "));
}

/// The name under which the file holds parameter `name`.
std::string stored_name(const hdf5::File& file, const std::string& name) {
  if (file.exists("params/" + name)) return name;
  for (const auto& [alias, meant] : parameter_aliases()) {
    if (meant == name && file.exists("params/" + alias)) return alias;
  }
  return name;
}

Parameters read_parameters(const hdf5::File& file, const ModelSpec& spec) {
  check_size(spec, file.name());
  std::vector<std::string> known;
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    parameters[name] = {shape, file.read<float>("params/" + stored_name(file, name), shape)};
    known.push_back(name);
  }
  for (const auto& [alias, name] : parameter_aliases())
    known.push_back(alias);
  for (const auto& [name, shape] : unused_parameter_shapes(spec))
    known.push_back(name);
  refuse_unknown_members(file, "params", known);
  check_parameters(spec, parameters, file.name());
  return parameters;
}

std::vector<ObservationComponent> read_observation(const hdf5::File& file,
                                                   std::size_t observation_size) {
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
        "up) "
        "correct the components",
        file.name(), width, excerpt(fmt::format("{}", fmt::join(terms, " + ")), 400),
        observation_size);
  }
  return components;
}

double optional_double(const hdf5::File& file, const std::string& group, const std::string& name,
                       double fallback) {
  if (!file.has_attribute(group, name)) return fallback;
  const double value = file.read_double(group, name);
  if (!std::isfinite(value)) {
    fail("'{}': attribute '{}' of '/{}' is {} (a finite number expected) correct it", file.name(),
         name, group, value);
  }
  return value;
}

ActionSpec read_action(const hdf5::File& file, const ModelSpec& model) {
  if (model.discrete) {
    fail(
        "'{}': metadata has 'discrete' = true (a discrete action is no force or torque by itself) "
        "use "
        "a policy with continuous actions",
        file.name());
  }
  const std::size_t action_size = model.action_size;
  ActionSpec action;
  const std::string target = file.read_string("action", "target");
  if (target != "force" && target != "torque") {
    fail("'{}': unknown action target '{}' (known: force, torque) use one of these", file.name(),
         excerpt(target));
  }
  action.target = target == "force" ? ActionTarget::force : ActionTarget::torque;
  action.scale = optional_double(file, "action", "scale", 1.0);
  action.drag = optional_double(file, "action", "drag", 0.0);
  action.angular_drag = optional_double(file, "action", "angular_drag", 0.0);
  const bool fits = action_size == 3 || (action_size == 2 && target == "force") ||
                    (action_size == 1 && target == "torque");
  if (!fits) {
    fail(
        "'{}': {} actions cannot be a {} (a force takes 2 or 3, a torque 1 or 3) choose another "
        "target",
        file.name(), action_size, target);
  }
  return action;
}

Timing read_timing(const hdf5::File& file) {
  Timing timing;
  if (!file.exists("timing")) return timing;
  refuse_unknown_attributes(file, "timing", {"time_step", "decision_interval"});
  refuse_unknown_members(file, "timing", {});
  timing.time_step = optional_double(file, "timing", "time_step", 0.0);
  if (file.has_attribute("timing", "decision_interval")) {
    timing.decision_interval = file.read_integer("timing", "decision_interval");
  }
  if (timing.time_step < 0 || timing.decision_interval < 0) {
    fail("'{}': '/timing' holds a negative number (time_step {}, decision_interval {}) correct it",
         file.name(), timing.time_step, timing.decision_interval);
  }
  return timing;
}

GoldenRows read_golden(const hdf5::File& file, const ModelSpec& spec) {
  GoldenRows golden;
  if (!file.exists("golden")) return golden;
  refuse_unknown_attributes(file, "golden", {"tolerance"});
  refuse_unknown_members(file, "golden", {"observation", "carry", "action", "value", "next_carry"});
  const std::vector<std::size_t> found = file.shape("golden/observation");
  golden.rows = found.empty() ? 0 : found[0];
  if (golden.rows == 0 || golden.rows > max_golden_rows) {
    fail("'{}': '/golden/observation' has {} rows (1 to {} are read) write so many", file.name(),
         golden.rows, max_golden_rows);
  }
  const auto read = [&](const char* name, std::size_t width) {
    const std::array<std::size_t, 2> shape{golden.rows, width};
    return file.read<float>(std::string("golden/") + name, shape);
  };
  golden.observation = read("observation", spec.observation_size);
  golden.action = read("action", spec.action_size);
  golden.value = file.read<float>("golden/value", std::array<std::size_t, 1>{golden.rows});
  if (spec.carry_size() > 0) {
    golden.carry = read("carry", spec.carry_size());
    golden.next_carry = read("next_carry", spec.carry_size());
  }
  golden.tolerance = optional_double(file, "golden", "tolerance", 1e-5);
  return golden;
}

void write_parameters(hdf5::File& file, const Parameters& parameters) {
  file.create_group("params");
  for (const auto& [name, tensor] : parameters) {
    file.write<float>("params/" + name, tensor.shape, tensor.values);
  }
}

void write_golden(hdf5::File& file, const GoldenRows& golden, const ModelSpec& spec) {
  if (golden.rows == 0) return;
  file.create_group("golden");
  const auto write = [&](const char* name, std::size_t width, const std::vector<float>& values) {
    const std::array<std::size_t, 2> shape{golden.rows, width};
    if (width > 0) file.write<float>(std::string("golden/") + name, shape, values);
  };
  write("observation", spec.observation_size, golden.observation);
  write("carry", spec.carry_size(), golden.carry);
  write("action", spec.action_size, golden.action);
  write("next_carry", spec.carry_size(), golden.next_carry);
  file.write<float>("golden/value", std::array<std::size_t, 1>{golden.rows}, golden.value);
  file.write_double("golden", "tolerance", golden.tolerance);
}

void write_contract(hdf5::File& file, const Contract& contract) {
  file.write_string("", "format", format_name);
  file.write_integer("", "version", format_version);
  file.write_string("", "model", name_of(contract.model.kind));
  file.write_string("", "metadata", metadata_of(contract.model).dump());
  if (!contract.provenance.empty()) file.write_string("", "provenance", contract.provenance);
  file.create_group("observation");
  file.write_string("observation", "components", components_to_json(contract.observation).dump());
  file.create_group("action");
  const bool force = contract.action.target == ActionTarget::force;
  file.write_string("action", "target", force ? "force" : "torque");
  file.write_double("action", "scale", contract.action.scale);
  file.write_double("action", "drag", contract.action.drag);
  file.write_double("action", "angular_drag", contract.action.angular_drag);
  file.create_group("timing");
  file.write_double("timing", "time_step", contract.timing.time_step);
  file.write_integer("timing", "decision_interval", contract.timing.decision_interval);
}

}  // namespace

std::vector<std::byte> read_policy_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail("cannot open '{}' (no such file) check the path", path.string());
  }
  if (!std::filesystem::is_regular_file(path, error)) {
    fail("cannot open '{}' (it is no regular file) give the path of a policy file", path.string());
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_file_bytes) {
    fail("cannot load '{}' ({} bytes, at most {} are read) check that it is a policy file",
         path.string(), size, max_file_bytes);
  }
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::byte> bytes(error ? 0 : size);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) fail("cannot read '{}' (no permission or I/O error) check the file", path.string());
  return bytes;
}

PolicyFile parse_policy_file(std::span<const std::byte> bytes, const std::string& source) {
  const hdf5::File file = hdf5::File::from_bytes(bytes, source);
  check_format(file);
  refuse_unknown_members(file, "", {"params", "observation", "action", "timing", "golden"});
  refuse_unknown_attributes(file, "", {"format", "version", "model", "metadata", "provenance"});
  refuse_unknown_attributes(file, "observation", {"components"});
  refuse_unknown_attributes(file, "action", {"target", "scale", "drag", "angular_drag"});
  refuse_unknown_members(file, "observation", {});
  refuse_unknown_members(file, "action", {});
  PolicyFile policy;
  Contract& contract = policy.contract;
  contract.model = model_from_metadata(file.read_string("", "model"),
                                       hdf5::read_json(file, "", "metadata"), source);
  if (file.has_attribute("", "provenance")) {
    contract.provenance = file.read_string("", "provenance");
  }
  contract.observation = read_observation(file, contract.model.observation_size);
  contract.action = read_action(file, contract.model);
  contract.timing = read_timing(file);
  policy.parameters = read_parameters(file, contract.model);
  policy.golden = read_golden(file, contract.model);
  return policy;
}

PolicyFile load_policy_file(const std::filesystem::path& path) {
  return parse_policy_file(read_policy_bytes(path), path.string());
}

void save_policy_file(const std::filesystem::path& path, const PolicyFile& policy) {
  check_parameters(policy.contract.model, policy.parameters, path.string());
  std::filesystem::path partial = path;
  partial += ".partial";
  try {
    hdf5::File file = hdf5::File::create(partial);
    write_contract(file, policy.contract);
    write_parameters(file, policy.parameters);
    write_golden(file, policy.golden, policy.contract.model);
    file.close();
    std::filesystem::rename(partial, path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    if (dynamic_cast<const std::filesystem::filesystem_error*>(&error) == nullptr) throw;
    fail("cannot write '{}' ({}) choose a place that can be written", path.string(), error.what());
  }
}

}  // namespace dempilot
