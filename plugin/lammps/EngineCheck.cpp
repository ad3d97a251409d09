// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/EngineCheck.h"

#include <algorithm>
#include <string_view>

#include "core/Error.hpp"

namespace dempilot::lammps {
namespace {

bool senses(const Contract& contract, ComponentKind kind) {
  return std::any_of(contract.observation.begin(), contract.observation.end(),
                     [kind](const ObservationComponent& c) { return c.kind == kind; });
}

void check_action(const Contract& contract, int dimension) {
  const std::size_t size = contract.model.action_size;
  const bool force = contract.action.target == ActionTarget::force;
  const std::string_view target = force ? "force" : "torque";
  const bool possible = force ? size == 2 || size == 3 : size == 1 || size == 3;
  if (!possible) {
    fail(
        "wrong dimension: the policy has {} actions for a {} (a force takes 2 or 3, a torque 1 or "
        "3). Correct the policy's /action",
        size, target);
  }
  const bool planar = force ? size == 2 : size == 1;
  if (dimension == 2 && !planar) {
    fail(
        "wrong dimension: the policy acts by a {} with {} components (this simulation is "
        "2-dimensional: a force has 2, a torque 1). Use a policy for 2 dimensions, or 'dimension "
        "3'",
        target, size);
  }
}

void check_component(const ObservationComponent& component, int dimension) {
  if (dimension != 2) return;
  const std::string name = name_of(component.kind);
  if (component.kind == ComponentKind::lidar) {
    if (component.n_elevation > 0) {
      fail(
          "wrong dimension: the policy's lidar has {} bins of elevation (this simulation is "
          "2-dimensional). Use a policy with a planar lidar, or 'dimension 3'",
          component.n_elevation);
    }
    return;
  }
  const int most = component.kind == ComponentKind::angular_velocity ? 1 : 2;
  if (component.dimensions > most) {
    fail(
        "wrong dimension: the policy senses {} components of {} (in this 2-dimensional simulation "
        "it has {}). Use a policy for 2 dimensions, or 'dimension 3'",
        component.dimensions, name, most);
  }
}

}  // namespace

bool needs_torque(const Contract& contract) {
  return contract.action.target == ActionTarget::torque || contract.action.angular_drag != 0.0;
}

bool needs_angular_velocity(const Contract& contract) {
  return contract.action.angular_drag != 0.0 || senses(contract, ComponentKind::angular_velocity);
}

void check_engine(const Contract& contract, const EngineTraits& engine) {
  check_action(contract, engine.dimension);
  for (const ObservationComponent& component : contract.observation) {
    check_component(component, engine.dimension);
  }
  if (needs_torque(contract) && !engine.has_torque) {
    fail(
        "atom style {} has no torque (the policy {}). Use atom_style sphere or another style with "
        "torques",
        engine.atom_style,
        contract.action.target == ActionTarget::torque ? "acts by a torque" : "damps rotation");
  }
  if (needs_angular_velocity(contract) && !engine.has_angular_velocity) {
    fail(
        "atom style {} has no angular velocity (the policy {}). Use atom_style sphere or another "
        "style with omega",
        engine.atom_style,
        contract.action.angular_drag != 0.0 ? "damps rotation" : "senses angular_velocity");
  }
}

}  // namespace dempilot::lammps
