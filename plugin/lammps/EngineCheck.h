// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "core/policy/Contract.hpp"

namespace dempilot::lammps {

/// What a simulation offers to a policy.
struct EngineTraits {
  int dimension = 3;
  std::string atom_style;
  bool has_torque = false;
  bool has_angular_velocity = false;
};

/// Whether the policy acts on or damps the rotation of its particle.
bool needs_torque(const Contract& contract);
/// Whether the policy senses or damps the rotation of its particle.
bool needs_angular_velocity(const Contract& contract);

/// Throws Error when the policy does not fit the dimension of the simulation or wants a property
/// that the atom style lacks.
void check_engine(const Contract& contract, const EngineTraits& engine);

}  // namespace dempilot::lammps
