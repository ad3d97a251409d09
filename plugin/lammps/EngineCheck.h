// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot::lammps {

/// What a simulation offers to a policy.
struct EngineTraits {
  int dimension = 3;
  std::string atom_style;
  bool has_torque = false;
  bool has_angular_velocity = false;
  bool has_director = false;  ///< where the x axis of a body points
  bool has_axes = false;      ///< how all its axes lie
  bool has_radius = false;
};

/// Whether the policy acts on or damps the rotation of its particle.
bool needs_torque(const Contract& contract);
/// Whether the policy senses or damps the rotation of its particle.
bool needs_angular_velocity(const Contract& contract);

/// Throws Error when the policy does not say how it belongs to a particle, does not fit the
/// dimension of the simulation, or wants a property that the atom style lacks.
void check_engine(const Contract& contract, const EngineTraits& engine);

/// Where the entries of an action go among force (0 to 2) and torque (3 to 5). A thrust is given
/// the place of the force's x: the axis of the body along which it acts is turned to x first. A
/// target velocity has the places of a force.
std::vector<std::size_t> wrench_entries(const Contract& contract);

/// How the simulation runs, and the scales by which the policy's world is seen in it.
struct EngineSettings {
  double time_step = 0.0;
  long every = 1;     ///< steps from one decision to the next
  std::string units;  ///< LAMMPS's name of the style
  Scales scales{};
};

/// What differs from the circumstances that the policy was trained for, a sentence each.
std::vector<std::string> mismatches(const Contract& contract, const EngineSettings& engine);

}  // namespace dempilot::lammps
