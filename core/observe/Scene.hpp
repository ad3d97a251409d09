#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dempilot {

/// What one unit of the policy's world is in the units of the simulation.
struct Scales {
  double length = 1;
  double time = 1;
  double mass = 1;

  bool operator==(const Scales&) const = default;

  double velocity() const { return length / time; }
  double force() const { return mass * length / (time * time); }
  double torque() const { return force() * length; }
};

/// What can be seen around the agents of one rank: particles of this rank and of others, periodic
/// images, or points. Only what lies within reach of some agent need be here, in any order.
struct SeenParticles {
  std::size_t count = 0;
  const double* position = nullptr;  ///< (count, 3)
  const double* velocity = nullptr;  ///< (count, 3); needed by neighbors with velocities
  const double* radius = nullptr;    ///< (count); needed by neighbors with radii and contact counts
  const std::int32_t* type = nullptr;  ///< (count); needed by neighbors with types
  /// (count): the same number for a particle and its periodic images. What has the identity of an
  /// agent is not seen by it. Ties between neighbors at the same distance go by it.
  const std::int64_t* identity = nullptr;
  /// None of them touches an agent from farther away, centre to centre; needed by contact counts.
  double contact_range = 0;
};

/// A set of walls: vectors from each agent to the nearest point of each of them.
struct SeenWalls {
  std::size_t per_agent = 0;
  const double* vector = nullptr;  ///< (agents, per_agent, 3); unused places hold +infinity
};

/// What an engine shows the observer at a decision, on one rank, in the units of the simulation.
/// All pointers view memory of the engine and its plugin; the observer copies nothing.
struct Scene {
  Scales scales{};
  int dimension = 3;                      ///< of the simulation, 2 or 3
  std::array<double, 3> period{0, 0, 0};  ///< box length where periodic, else 0

  /// The rank's own particles, some of which are agents.
  std::size_t particle_count = 0;
  const double* position = nullptr;          ///< (particle_count, 3), row-major
  const double* velocity = nullptr;          ///< (particle_count, 3)
  const double* angular_velocity = nullptr;  ///< (particle_count, 3)
  const double* radius = nullptr;            ///< (particle_count)

  /// Index of each agent among the rank's own particles; one row of the observation tensor each.
  std::span<const std::int32_t> agents;
  const std::int64_t* identity = nullptr;  ///< (agents), see SeenParticles::identity
  const double* orientation = nullptr;     ///< (agents, 4), unit quaternion w, x, y, z: body to lab
  const double* contact_force = nullptr;   ///< (agents, 3), given by contacts in the last step
  const float* previous_action = nullptr;  ///< (agents, actions), of the last decision
  const double* time_since_reset = nullptr;  ///< (agents)

  /// For each of Observer::goals(), in that order: (agents, 3), position of each agent's goal.
  std::vector<const double*> goals;
  /// For each of Observer::target_groups(), in that order.
  std::vector<SeenParticles> targets;
  /// For each of Observer::wall_sets(), in that order.
  std::vector<SeenWalls> walls;
  /// For each of Observer::fields(), in that order: (agents, entries of the field), unscaled.
  std::vector<const double*> fields;
};

}  // namespace dempilot
