#pragma once

#include <Kokkos_Core.hpp>

#include "core/Rotation.hpp"
#include "core/observe/Borrowed.hpp"

namespace dempilot {

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
