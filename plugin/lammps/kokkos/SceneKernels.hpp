// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "core/observe/Walls.hpp"
#include "lmptype.h"
#include "plugin/lammps/Dipole.h"

/// What agents see, from LAMMPS's arrays of atoms: kernels over agents, whose atoms are
/// `agents` (agents).
namespace dempilot::lammps {

struct IdentityReader {
  static constexpr const char* label = "DEMPilot::DeviceScene::identity";
  const std::int32_t* agents;
  const LAMMPS_NS::tagint* tag;
  std::int64_t* identity;  ///< (agents)

  KOKKOS_FUNCTION
  void operator()(int agent) const { identity[agent] = tag[agents[agent]]; }
};

/// A per-atom number, as entry `entry` of each agent's `stride`.
struct PropertyReader {
  static constexpr const char* label = "DEMPilot::DeviceScene::property";
  const std::int32_t* agents;
  const double* property;  ///< (atoms), or null: `constant` for all
  double constant;
  double* values;  ///< (agents, stride)
  std::size_t stride, entry;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const double value = property == nullptr ? constant : property[agents[agent]];
    values[static_cast<std::size_t>(agent) * stride + entry] = value;
  }
};

struct DipoleReader {
  static constexpr const char* label = "DEMPilot::DeviceScene::orientation";
  const std::int32_t* agents;
  const double* dipole;  ///< (atoms, 4), the last its length
  double* orientation;   ///< (agents, 4)

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    find_turn_to(dipole + 4 * static_cast<std::size_t>(agents[agent]), orientation + 4 * agent);
  }
};

/// Counts agents without a dipole, or whose dipole leaves the plane.
struct BadDipoles {
  const std::int32_t* agents;
  const double* dipole;
  bool is_plane;

  KOKKOS_FUNCTION
  void operator()(int agent, int& bad) const {
    double q[4];
    const bool found = find_turn_to(dipole + 4 * static_cast<std::size_t>(agents[agent]), q);
    const bool tilted = is_plane && found && q[1] * q[1] + q[2] * q[2] > 1e-12;
    bad += !found || tilted ? 1 : 0;
  }
};

struct FaceReader {
  static constexpr const char* label = "DEMPilot::DeviceScene::faces";
  const std::int32_t* agents;
  const double* position;  ///< (atoms, 3)
  WallBox box;
  int faces;
  double* vector;  ///< (agents, faces, 3)

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const double* const x = position + 3 * static_cast<std::size_t>(agents[agent]);
    double* const out = vector + 3 * static_cast<std::size_t>(agent) * faces;
    for (int face = 0; face < faces; ++face)
      box.find(face, x, out + 3 * face);
  }
};

/// The largest radius of the atoms of some groups.
struct LargestRadius {
  const double* radius;
  const int* mask;
  int bits;

  KOKKOS_FUNCTION
  void operator()(int i, double& largest) const {
    if ((mask[i] & bits) != 0 && radius[i] > largest) largest = radius[i];
  }
};

}  // namespace dempilot::lammps
