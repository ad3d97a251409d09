// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/EngineCheck.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/Error.hpp"

namespace dempilot::lammps {
namespace {

bool senses(const Contract& contract, ComponentKind kind) {
  return std::any_of(contract.observation.begin(), contract.observation.end(),
                     [kind](const ObservationComponent& c) { return c.kind == kind; });
}

void check_said(const Contract& contract) {
  if (contract.observation.empty()) {
    fail(
        "the policy does not say what it observes and how it acts (it was converted without a "
        "contract). Convert it again with 'dempilot convert ... --contract FILE'");
  }
  if (contract.model.discrete && contract.action.table.empty()) {
    fail(
        "the policy's actions are {} categories without a table (a category is no force or torque "
        "by itself). Convert it again with a contract whose action has a 'table'",
        contract.model.action_size);
  }
}

void check_action(const Contract& contract, int dimension) {
  if (dimension == 2 && is_thrust(contract.action.target) && contract.action.axis == 2) {
    fail(
        "wrong dimension: the policy thrusts along the z axis of the body (this simulation is "
        "2-dimensional). Use a policy for 2 dimensions, or 'dimension 3'");
  }
  const auto entries = wrench_entries(contract);
  const auto in_plane = [](std::size_t entry) { return entry <= 1 || entry == 5; };
  if (dimension != 2 || std::all_of(entries.begin(), entries.end(), in_plane)) return;
  fail(
      "wrong dimension: the policy acts by a {} with {} components (this simulation is "
      "2-dimensional: a force has 2, a torque 1). Use a policy for 2 dimensions, or 'dimension 3'",
      name_of(contract.action.target), entries.size());
}

/// Components of a vector that a plane simulation has: of rotations z alone.
int most_dimensions(ComponentKind kind) {
  return kind == ComponentKind::angular_velocity ? 1 : 2;
}

void check_component(const ObservationComponent& component, int dimension) {
  if (dimension != 2) return;
  const std::string name = name_of(component.kind);
  if (component.kind == ComponentKind::lidar && component.n_elevation > 0) {
    fail(
        "wrong dimension: the policy's lidar has {} bins of elevation (this simulation is "
        "2-dimensional). Use a policy with a planar lidar, or 'dimension 3'",
        component.n_elevation);
  }
  const int most = most_dimensions(component.kind);
  if (is_vector(component.kind) && component.dimensions > most) {
    fail(
        "wrong dimension: the policy senses {} components of {} (in this 2-dimensional simulation "
        "it has {}). Use a policy for 2 dimensions, or 'dimension 3'",
        component.dimensions, name, most);
  }
}

/// Why the orientation of all axes is needed; empty if it is not.
std::string use_of_axes(const Contract& contract) {
  if (contract.action.frame == Frame::body) return "acts in the body frame";
  for (const ObservationComponent& component : contract.observation) {
    const std::string name = name_of(component.kind);
    if (component.frame == Frame::body) return fmt::format("senses {} in the body frame", name);
    if (component.kind == ComponentKind::quaternion) return "senses quaternion";
    if (component.kind == ComponentKind::director && component.axis != 0)
      return "senses a director that is not the body's x axis";
  }
  if (is_thrust(contract.action.target) && contract.action.axis != 0)
    return "thrusts along an axis that is not the body's x axis";
  return {};
}

void check_orientation(const Contract& contract, const EngineTraits& engine) {
  const std::string use = use_of_axes(contract);
  if (!use.empty() && !engine.has_axes) {
    fail("atom style {} has no orientation (the policy {}). Use atom_style ellipsoid",
         engine.atom_style, use);
  }
  const bool thrusts = is_thrust(contract.action.target);
  if ((thrusts || senses(contract, ComponentKind::director)) && !engine.has_director) {
    fail(
        "atom style {} has no orientation (the policy {}). Use atom_style ellipsoid, or one with "
        "dipoles",
        engine.atom_style, thrusts ? "thrusts along the director" : "senses director");
  }
}

void check_radius(const Contract& contract, const EngineTraits& engine) {
  if (engine.has_radius) return;
  for (const ObservationComponent& component : contract.observation) {
    if (!component.radius && component.kind != ComponentKind::contact_count) continue;
    fail("atom style {} has no radius (the policy senses {}). Use atom_style sphere",
         engine.atom_style, component.radius ? "the radius of neighbors" : name_of(component.kind));
  }
}

}  // namespace

bool needs_torque(const Contract& contract) {
  const std::vector<std::size_t> entries = wrench_entries(contract);
  return contract.action.angular_drag != 0.0 ||
         std::any_of(entries.begin(), entries.end(), [](std::size_t entry) { return entry > 2; });
}

bool needs_angular_velocity(const Contract& contract) {
  return contract.action.angular_drag != 0.0 || senses(contract, ComponentKind::angular_velocity);
}

void check_engine(const Contract& contract, const EngineTraits& engine) {
  check_said(contract);
  check_action(contract, engine.dimension);
  for (const ObservationComponent& component : contract.observation) {
    check_component(component, engine.dimension);
  }
  if (needs_torque(contract) && !engine.has_torque) {
    fail(
        "atom style {} has no torque (the policy {}). Use atom_style sphere or another style with "
        "torques",
        engine.atom_style,
        contract.action.angular_drag != 0.0 ? "damps rotation" : "acts by a torque");
  }
  if (needs_angular_velocity(contract) && !engine.has_angular_velocity) {
    fail(
        "atom style {} has no angular velocity (the policy {}). Use atom_style sphere or another "
        "style with omega",
        engine.atom_style,
        contract.action.angular_drag != 0.0 ? "damps rotation" : "senses angular_velocity");
  }
  check_orientation(contract, engine);
  check_radius(contract, engine);
}

std::vector<std::size_t> wrench_entries(const Contract& contract) {
  const std::size_t width = contract.acting_width();
  switch (contract.action.target) {
    case ActionTarget::force:
    case ActionTarget::velocity:
      return width == 2 ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{0, 1, 2};
    case ActionTarget::torque:
      return width == 1 ? std::vector<std::size_t>{5} : std::vector<std::size_t>{3, 4, 5};
    case ActionTarget::force_and_torque:
      return width == 3 ? std::vector<std::size_t>{0, 1, 5}
                        : std::vector<std::size_t>{0, 1, 2, 3, 4, 5};
    case ActionTarget::thrust:
      return {0};
    case ActionTarget::thrust_and_turn:
      return width == 2 ? std::vector<std::size_t>{0, 5} : std::vector<std::size_t>{0, 3, 4, 5};
  }
  return {};
}

namespace {

/// Units of LAMMPS's styles that have a size of their own, in SI: length, time, mass.
/// Source: LAMMPS manual, units command.
struct UnitStyle {
  std::string_view name;
  Units units;
};
constexpr std::array<UnitStyle, 4> unit_styles{{{"si", {1, 1, 1}},
                                                {"cgs", {1e-2, 1, 1e-3}},
                                                {"micro", {1e-6, 1e-6, 1e-15}},
                                                {"nano", {1e-9, 1e-9, 1e-21}}}};

bool differ(double a, double b) {
  return std::abs(a - b) > 1e-9 * std::max(std::abs(a), std::abs(b));
}

}  // namespace

std::vector<std::string> mismatches(const Contract& contract, const EngineSettings& engine) {
  std::vector<std::string> found;
  const Timing& timing = contract.timing;
  const double time_step = timing.time_step * engine.scales.time;
  if (time_step > 0 && differ(time_step, engine.time_step)) {
    found.push_back(fmt::format(
        "the policy was trained with a time step of {} (this simulation's is {}). Write 'timestep "
        "{}', or see that it still does what it should",
        time_step, engine.time_step, time_step));
  }
  if (timing.decision_interval > 0 && timing.decision_interval != engine.every) {
    found.push_back(fmt::format(
        "the policy was trained to decide every {} steps (it decides every {} here). Write 'every "
        "{}', or see that it still does what it should",
        timing.decision_interval, engine.every, timing.decision_interval));
  }
  const auto style = std::find_if(unit_styles.begin(), unit_styles.end(),
                                  [&](const UnitStyle& s) { return s.name == engine.units; });
  if (style == unit_styles.end()) return found;
  const auto compare = [&](const char* what, const char* symbol, double policy, double scaled) {
    if (policy <= 0 || !differ(policy, scaled)) return;
    found.push_back(fmt::format(
        "the policy's unit of {} is {} {} (here it stands for {} {}). Use 'scale' or units that "
        "agree with the policy's",
        what, policy, symbol, scaled, symbol));
  };
  const Scales& scales = engine.scales;
  compare("length", "m", contract.units.length, style->units.length * scales.length);
  compare("time", "s", contract.units.time, style->units.time * scales.time);
  compare("mass", "kg", contract.units.mass, style->units.mass * scales.mass);
  return found;
}

}  // namespace dempilot::lammps
