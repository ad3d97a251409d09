#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dempilot {

/// What an engine shows the observer at a decision, on one rank. All pointers view engine memory;
/// nothing is copied. Lengths and velocities are in the policy's units.
///
/// "Particles" are the rank's own particles followed by its ghosts; an agent is one of its own.
struct Scene {
  int dimension = 3;                         ///< of the simulation, 2 or 3
  std::array<double, 3> period{0, 0, 0};     ///< box length where periodic, else 0
  std::size_t particle_count = 0;            ///< own and ghost
  const double* position = nullptr;          ///< (particle_count, 3), row-major
  const double* velocity = nullptr;          ///< (own, 3); needed by `velocity`
  const double* angular_velocity = nullptr;  ///< (own, 3); needed by `angular_velocity`

  /// Index of each agent among the rank's own particles; one row of the observation tensor each.
  std::span<const std::int32_t> agents;

  /// For each of Observer::goals(), in that order: (agents, 3), position of each agent's goal.
  std::vector<const double*> goals;

  /// For each of Observer::target_groups(), in that order: indices of the particles that can be
  /// seen.
  std::vector<std::span<const std::int32_t>> targets;

  /// Vector from each agent to the nearest point of each wall, (agents, walls_per_agent, 3);
  /// unused places hold +infinity. Needed by a lidar that sees walls.
  std::size_t walls_per_agent = 0;
  const double* walls = nullptr;

  /// Optional: a number per particle that is the same for a particle and its periodic images, so
  /// that an agent never sees itself across a box that is shorter than its sensing range. Without
  /// it only the agent's own index is left out.
  std::span<const std::int64_t> identity;
};

}  // namespace dempilot
