// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "pointers.h"

namespace LAMMPS_NS {
class AtomVecEllipsoid;
}

namespace dempilot::lammps {

/// How atoms are turned: the quaternion of an ellipsoid, or the turn that takes x to a dipole.
class OrientationInput : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("Fix pilot agents").
  OrientationInput(LAMMPS_NS::LAMMPS* lmp, std::string purpose);

  /// Whether this atom style tells where the x axis of a body points.
  bool has_director() const;
  /// Whether it tells how all its axes lie: ellipsoids, and dipoles in the plane.
  bool has_axes() const;
  /// Unit quaternion w, x, y, z of an atom, from its body to the lab. Stops with an error when the
  /// atom is no ellipsoid, has no dipole, or is tilted out of the plane of a 2d simulation.
  std::array<double, 4> of(int i) const;
  /// Those of `atoms`, (atoms, 4).
  void find(std::span<const std::int32_t> atoms, std::span<double> quaternions) const;

 private:
  std::array<double, 4> of_ellipsoid(int i) const;
  std::array<double, 4> of_dipole(int i) const;

  std::string purpose_;
  const LAMMPS_NS::AtomVecEllipsoid* ellipsoids_;  ///< null if the atom style has none
};

}  // namespace dempilot::lammps
