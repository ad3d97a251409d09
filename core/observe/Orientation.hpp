#pragma once

#include <Kokkos_Core.hpp>

#include "core/observe/Borrowed.hpp"

namespace dempilot {

/// Turns `v` as the unit quaternion (w, x, y, z) does: v + 2 w (q x v) + 2 q x (q x v).
KOKKOS_INLINE_FUNCTION
void rotate(double w, double x, double y, double z, double (&v)[3]) {
  const double t[3] = {2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]),
                       2 * (x * v[1] - y * v[0])};
  v[0] += w * t[0] + (y * t[2] - z * t[1]);
  v[1] += w * t[1] + (z * t[0] - x * t[2]);
  v[2] += w * t[2] + (x * t[1] - y * t[0]);
}

/// The axes in which vectors of an agent are given: the lab's, or those of its body.
template <class ExecutionSpace>
struct AgentAxes {
  /// (agents, 4), unit quaternions w, x, y, z from body to lab; empty: the lab's axes.
  Borrowed<const double* [4], ExecutionSpace> orientation;

  KOKKOS_INLINE_FUNCTION
  bool are_the_labs() const { return orientation.extent(0) == 0; }

  /// Components of `v`, given in the lab, along the axes.
  KOKKOS_INLINE_FUNCTION
  void resolve(int agent, double (&v)[3]) const {
    if (are_the_labs()) return;
    rotate(orientation(agent, 0), -orientation(agent, 1), -orientation(agent, 2),
           -orientation(agent, 3), v);
  }
};

}  // namespace dempilot
