#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/observe/Borrowed.hpp"
#include "core/observe/Neighborhood.hpp"
#include "core/observe/Orientation.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

/// The nearest neighbors of one agent, the nearest first: of each its relative position and, if
/// asked for, relative velocity, radius and type; zeros where there are fewer. Neighbors at the
/// same distance are in the order of their identity, then of their place in x, y and z, so that
/// rows do not depend on the order of particles.
template <class Real, class ExecutionSpace>
struct NeighborsKernel {
  static constexpr const char* label = "DEMPilot::NeighborsKernel";
  Neighborhood<ExecutionSpace> around;
  double range;
  int count;
  int dimensions;
  Borrowed<const double* [3], ExecutionSpace> seen_position;  ///< (seen, 3)
  Borrowed<const double* [3], ExecutionSpace> seen_velocity;  ///< (seen, 3), or empty
  Borrowed<const double*, ExecutionSpace> seen_radius;        ///< (seen), or empty
  Borrowed<const std::int32_t*, ExecutionSpace> seen_type;    ///< (seen), or empty
  Borrowed<const double* [3], ExecutionSpace> velocity;       ///< (particles, 3), of agents
  AgentAxes<ExecutionSpace> axes;
  int entries;                            ///< of each neighbor
  double per_length;                      ///< policy's units of length in one of the scene's
  double per_velocity;                    ///< the same of velocity
  Borrowed<Real**, ExecutionSpace> rows;  ///< (agents, width)
  std::size_t column;                     ///< first of the component's in a row

  struct Nearest {
    double distance[max_neighbors];
    std::int32_t index[max_neighbors];
    int size = 0;
  };

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    Nearest nearest;
    around.for_each_within(agent, range,
                           [&](std::int32_t index, const double(&)[3], double distance) {
                             insert(nearest, index, distance);
                           });
    Real* out = &rows(agent, column);
    for (int n = 0; n < count; ++n)
      out = n < nearest.size ? describe(agent, nearest.index[n], out) : fill_zeros(out);
  }

  KOKKOS_FUNCTION
  void insert(Nearest& nearest, std::int32_t index, double distance) const {
    if (nearest.size == count &&
        !precedes(distance, index, nearest.distance[count - 1], nearest.index[count - 1]))
      return;
    int place = nearest.size < count ? nearest.size++ : count - 1;
    for (; place > 0 &&
           precedes(distance, index, nearest.distance[place - 1], nearest.index[place - 1]);
         --place) {
      nearest.distance[place] = nearest.distance[place - 1];
      nearest.index[place] = nearest.index[place - 1];
    }
    nearest.distance[place] = distance;
    nearest.index[place] = index;
  }

  KOKKOS_FUNCTION
  bool precedes(double distance, std::int32_t index, double other_distance,
                std::int32_t other) const {
    if (distance != other_distance) return distance < other_distance;
    if (around.identity(index) != around.identity(other))
      return around.identity(index) < around.identity(other);
    for (int d = 0; d < 3; ++d)
      if (seen_position(index, d) != seen_position(other, d))
        return seen_position(index, d) < seen_position(other, d);
    return false;
  }

  KOKKOS_FUNCTION
  Real* describe(int agent, std::int32_t index, Real* out) const {
    const std::int32_t self = around.agents(agent);
    out = put_difference(agent, seen_position, index, around.position, self, per_length, out);
    if (seen_velocity.extent(0) != 0)
      out = put_difference(agent, seen_velocity, index, velocity, self, per_velocity, out);
    if (seen_radius.extent(0) != 0) *out++ = static_cast<Real>(seen_radius(index) * per_length);
    if (seen_type.extent(0) != 0) *out++ = static_cast<Real>(seen_type(index));
    return out;
  }

  template <class Vectors>
  KOKKOS_FUNCTION Real* put_difference(int agent, const Vectors& theirs, std::int32_t index,
                                       const Vectors& mine, std::int32_t self, double factor,
                                       Real* out) const {
    double v[3] = {theirs(index, 0) - mine(self, 0), theirs(index, 1) - mine(self, 1),
                   theirs(index, 2) - mine(self, 2)};
    axes.resolve(agent, v);
    for (int d = 0; d < dimensions; ++d)
      *out++ = static_cast<Real>(v[d] * factor);
    return out;
  }

  KOKKOS_FUNCTION
  Real* fill_zeros(Real* out) const {
    for (int k = 0; k < entries; ++k)
      *out++ = 0;
    return out;
  }
};

/// How many particles, and walls, each agent touches: centres closer than the sum of the radii.
template <class Real, class ExecutionSpace>
struct ContactCountKernel {
  static constexpr const char* label = "DEMPilot::ContactCountKernel";
  Neighborhood<ExecutionSpace> around;
  double range;                                         ///< none that touch are farther apart
  Borrowed<const double*, ExecutionSpace> seen_radius;  ///< (seen)
  Borrowed<const double*, ExecutionSpace> radius;       ///< (particles), of agents
  Borrowed<const double** [3], ExecutionSpace> walls;   ///< (agents, walls, 3), or empty
  Borrowed<Real**, ExecutionSpace> rows;                ///< (agents, width)
  std::size_t column;

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    const double own = radius(around.agents(agent));
    int contacts = 0;
    around.for_each_within(agent, range,
                           [&](std::int32_t index, const double(&)[3], double distance) {
                             contacts += distance < own + seen_radius(index) ? 1 : 0;
                           });
    for (std::size_t wall = 0; wall < walls.extent(1); ++wall) {
      const double x = walls(agent, wall, 0);
      const double y = walls(agent, wall, 1);
      const double z = walls(agent, wall, 2);
      contacts += x * x + y * y + z * z < own * own ? 1 : 0;
    }
    rows(agent, column) = static_cast<Real>(contacts);
  }
};

}  // namespace dempilot
