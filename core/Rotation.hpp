#pragma once

#include "core/Function.hpp"

namespace dempilot {

/// Turns `v` (3) as the unit quaternion (w, x, y, z) does: v + 2 w (q x v) + 2 q x (q x v).
DEMPILOT_FUNCTION void rotate(double w, double x, double y, double z, double* v) {
  const double t[3] = {2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]),
                       2 * (x * v[1] - y * v[0])};
  v[0] += w * t[0] + (y * t[2] - z * t[1]);
  v[1] += w * t[1] + (z * t[0] - x * t[2]);
  v[2] += w * t[2] + (x * t[1] - y * t[0]);
}

}  // namespace dempilot
