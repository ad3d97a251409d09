#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/observe/Borrowed.hpp"

/// Observation components that need nothing but the agent itself and its goal.
namespace dempilot {

/// Velocity or angular velocity of each agent: `dimensions` components from `first_axis` on.
template <class Real, class ExecutionSpace>
struct VectorKernel {
  Borrowed<const double* [3], ExecutionSpace> vector;    ///< (own particles, 3)
  Borrowed<const std::int32_t*, ExecutionSpace> agents;  ///< (agents), particle of each
  Borrowed<Real**, ExecutionSpace> rows;                 ///< (agents, width)
  std::size_t column;                                    ///< first of the component's in a row
  int first_axis;
  int dimensions;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(vector(agents(agent), first_axis + d));
  }
};

/// Vector from each agent's goal to the agent, by the nearest image where the box is periodic.
/// JaxDEM: domains/periodic.py, displacement.
template <class ExecutionSpace>
struct GoalOffset {
  Borrowed<const double* [3], ExecutionSpace> position;  ///< (particles, 3)
  Borrowed<const std::int32_t*, ExecutionSpace> agents;  ///< (agents), particle of each
  Borrowed<const double* [3], ExecutionSpace> goal;      ///< (agents, 3)
  Kokkos::Array<double, 3> period;                       ///< 0 where not periodic

  KOKKOS_FUNCTION
  double operator()(int agent, int d) const {
    const double offset = position(agents(agent), d) - goal(agent, d);
    if (!(period[d] > 0)) return offset;
    return offset - period[d] * std::rint(offset / period[d]);
  }
};

/// Unit vector away from the goal, 0 at the goal. JaxDEM: rl/environments/multi_navigator.py.
template <class Real, class ExecutionSpace>
struct GoalDirectionKernel {
  GoalOffset<ExecutionSpace> offset;
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int dimensions;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    double delta[3];
    double square = 0;
    for (int d = 0; d < dimensions; ++d) {
      delta[d] = offset(agent, d);
      square += delta[d] * delta[d];
    }
    const double length = square == 0 ? 1 : std::sqrt(square);
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(delta[d] / length);
  }
};

/// Vector from the goal to the agent, every component clipped. JaxDEM: as above.
template <class Real, class ExecutionSpace>
struct GoalDisplacementKernel {
  GoalOffset<ExecutionSpace> offset;
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int dimensions;
  double clip;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    for (int d = 0; d < dimensions; ++d) {
      const double delta = offset(agent, d);
      const double clipped = delta > clip ? clip : delta < -clip ? -clip : delta;
      rows(agent, column + d) = static_cast<Real>(clipped);
    }
  }
};

}  // namespace dempilot
