// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cmath>

#include "core/Function.hpp"

namespace dempilot::lammps {

/// The shortest turn from x to the dipole `mu` (3) as a unit quaternion w, x, y, z; half a turn
/// about z where it points to -x. In the plane that is its angle. False where there is no dipole.
DEMPILOT_FUNCTION bool find_turn_to(const double* mu, double* quaternion) {
  const double length = std::sqrt(mu[0] * mu[0] + mu[1] * mu[1] + mu[2] * mu[2]);
  if (!(length > 0)) return false;
  const double w = 1 + mu[0] / length;
  const double y = -mu[2] / length;
  const double z = mu[1] / length;
  const double norm = std::sqrt(w * w + y * y + z * z);
  const bool is_half_turn = norm < 1e-12;
  quaternion[0] = is_half_turn ? 0 : w / norm;
  quaternion[1] = 0;
  quaternion[2] = is_half_turn ? 0 : y / norm;
  quaternion[3] = is_half_turn ? 1 : z / norm;
  return true;
}

}  // namespace dempilot::lammps
