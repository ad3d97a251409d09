#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>

#include "core/observe/Borrowed.hpp"
#include "core/observe/Orientation.hpp"

namespace dempilot {

/// The nearest wall of a set: how far it is, or in which direction.
template <class Real, class ExecutionSpace>
struct NearestWallKernel {
  static constexpr const char* label = "DEMPilot::NearestWallKernel";
  Borrowed<const double** [3], ExecutionSpace> walls;  ///< (agents, walls, 3), vectors to them
  AgentAxes<ExecutionSpace> axes;
  double range;                           ///< in the scene's units; what is farther is not seen
  double per_length;                      ///< policy's units of length in one of the scene's
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row
  int dimensions;                         ///< of the direction; 0: the distance

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    double nearest = range;
    double direction[3] = {0, 0, 0};
    for (std::size_t wall = 0; wall < walls.extent(1); ++wall) {
      const double v[3] = {walls(agent, wall, 0), walls(agent, wall, 1), walls(agent, wall, 2)};
      const double distance = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
      if (!(distance < nearest)) continue;
      nearest = distance;
      for (int d = 0; d < 3; ++d)
        direction[d] = distance == 0 ? 0 : v[d] / distance;
    }
    if (dimensions == 0) {
      rows(agent, column) = static_cast<Real>(nearest * per_length);
      return;
    }
    axes.resolve(agent, direction);
    for (int d = 0; d < dimensions; ++d)
      rows(agent, column + d) = static_cast<Real>(direction[d]);
  }
};

}  // namespace dempilot
