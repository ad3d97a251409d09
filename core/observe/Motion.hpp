#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/observe/Borrowed.hpp"
#include "core/observe/Orientation.hpp"

/// Observation components that need nothing but the agent itself and its goal.
namespace dempilot {

/// A vector of each agent, times a factor: `dimensions` components from `first_axis` on.
template <class Real, class ExecutionSpace>
struct VectorKernel {
  static constexpr const char* label = "DEMPilot::VectorKernel";
  Borrowed<const double* [3], ExecutionSpace> vector;    ///< (particles, 3) or (agents, 3)
  Borrowed<const std::int32_t*, ExecutionSpace> agents;  ///< (agents), rows of `vector`; or empty
  AgentAxes<ExecutionSpace> axes;
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int first_axis;
  int dimensions;
  double factor = 1;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const std::int32_t row = agents.extent(0) == 0 ? agent : agents(agent);
    double v[3] = {vector(row, 0), vector(row, 1), vector(row, 2)};
    axes.resolve(agent, v);
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(v[first_axis + d] * factor);
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
  AgentAxes<ExecutionSpace> axes;

  KOKKOS_FUNCTION
  void find(int agent, double (&delta)[3]) const {
    for (int d = 0; d < 3; ++d) {
      delta[d] = position(agents(agent), d) - goal(agent, d);
      if (period[d] > 0) delta[d] -= period[d] * std::rint(delta[d] / period[d]);
    }
    axes.resolve(agent, delta);
  }
};

/// Unit vector away from the goal, 0 at the goal. JaxDEM: rl/environments/multi_navigator.py.
template <class Real, class ExecutionSpace>
struct GoalDirectionKernel {
  static constexpr const char* label = "DEMPilot::GoalDirectionKernel";
  GoalOffset<ExecutionSpace> offset;
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int dimensions;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    double delta[3];
    offset.find(agent, delta);
    double square = 0;
    for (int d = 0; d < dimensions; ++d)
      square += delta[d] * delta[d];
    const double length = square == 0 ? 1 : std::sqrt(square);
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(delta[d] / length);
  }
};

/// Vector from the goal to the agent, times a factor, every component clipped. JaxDEM: as above.
template <class Real, class ExecutionSpace>
struct GoalDisplacementKernel {
  static constexpr const char* label = "DEMPilot::GoalDisplacementKernel";
  GoalOffset<ExecutionSpace> offset;
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int dimensions;
  double clip;
  double factor = 1;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    double delta[3];
    offset.find(agent, delta);
    for (int d = 0; d < dimensions; ++d) {
      const double value = delta[d] * factor;
      rows(agent, column + d) = static_cast<Real>(value > clip    ? clip
                                                  : value < -clip ? -clip
                                                                  : value);
    }
  }
};

/// Orientation of each agent as w, x, y, z with w >= 0, as the other sign is the same orientation.
template <class Real, class ExecutionSpace>
struct QuaternionKernel {
  static constexpr const char* label = "DEMPilot::QuaternionKernel";
  Borrowed<const double* [4], ExecutionSpace> orientation;  ///< (agents, 4)
  Borrowed<Real**, ExecutionSpace> rows;                    ///< (agents, width)
  std::size_t column;                                       ///< first of the component's in a row

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const double sign = orientation(agent, 0) < 0 ? -1 : 1;
    for (int k = 0; k < 4; ++k)
      rows(agent, column + k) = static_cast<Real>(sign * orientation(agent, k));
  }
};

/// An axis of each agent's body, in the lab.
template <class Real, class ExecutionSpace>
struct DirectorKernel {
  static constexpr const char* label = "DEMPilot::DirectorKernel";
  Borrowed<const double* [4], ExecutionSpace> orientation;  ///< (agents, 4)
  Borrowed<Real**, ExecutionSpace> rows;                    ///< (agents, width)
  std::size_t column;                                       ///< first of the component's in a row
  int axis;
  int dimensions;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    double v[3] = {axis == 0 ? 1.0 : 0.0, axis == 1 ? 1.0 : 0.0, axis == 2 ? 1.0 : 0.0};
    rotate(orientation(agent, 0), orientation(agent, 1), orientation(agent, 2),
           orientation(agent, 3), v);
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(v[d]);
  }
};

/// Numbers that the engine has for each agent: min(value * factor, most).
template <class Real, class Value, class ExecutionSpace>
struct ColumnsKernel {
  static constexpr const char* label = "DEMPilot::ColumnsKernel";
  Borrowed<const Value**, ExecutionSpace> values;  ///< (agents, entries)
  Borrowed<Real**, ExecutionSpace> rows;           ///< (agents, width)
  std::size_t column;                              ///< first of the component's in a row
  double factor = 1;
  double most;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    for (std::size_t k = 0; k < values.extent(1); ++k) {
      const double value = static_cast<double>(values(agent, k)) * factor;
      rows(agent, column + k) = static_cast<Real>(value > most ? most : value);
    }
  }
};

}  // namespace dempilot
