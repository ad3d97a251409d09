#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/policy/PolicyFile.hpp"

namespace dempilot::lammps::testing {

/// A component of this kind; what it binds, if anything.
ObservationComponent component(ComponentKind kind, int dimensions, const std::string& bind = "");

/// Components of observations, with bindings named "goal" and "targets".
ObservationComponent velocity(int dimensions = 3);
ObservationComponent angular_velocity(int dimensions = 3);
ObservationComponent goal_direction(int dimensions = 3);
ObservationComponent goal_displacement(int dimensions = 3, double clip = 3.0);
ObservationComponent lidar(double range, int n_azimuth, int n_elevation, bool walls = false);

/// A small recurrent policy with these observations. Its weights are drawn from `seed`, those of
/// the heads scaled up so that actions are of order one and differ from agent to agent.
PolicyFile make_policy(std::vector<ObservationComponent> observation, std::size_t actions = 3,
                       ActionSpec action = {}, unsigned seed = 1);

/// Senses motion, a goal, and grains up to 2.5 away.
PolicyFile explorer(double drag = 0.0, unsigned seed = 1);

/// The same senses, normalized, for two stacked GRUs between dense layers and a critic with a
/// memory of its own.
PolicyFile stacked_explorer();

}  // namespace dempilot::lammps::testing
