// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "plugin/lammps/FixOptions.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/TargetFilter.h"
#include "plugin/lammps/WallInput.h"
#include "pointers.h"

namespace dempilot {
class Pilot;
}

namespace dempilot::lammps {

/// Shows the agents' surroundings to the observer: goals and targets as the script bound them,
/// walls, and the atoms of this rank with their ghosts.
class SceneBuilder : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("Fix pilot agents"). Stops with an error when something
  /// that the policy wants is not bound, or something bound is not wanted. Collective.
  SceneBuilder(LAMMPS_NS::LAMMPS* lmp, const Pilot& pilot, const FixOptions& options,
               std::string purpose);

  /// Looks up what the script refers to; to be called at the start of every run. Collective.
  void init();
  /// Stops with an error when ghost atoms do not reach as far as the policy senses; to be called
  /// after the communication was set up. Collective.
  void check_ghosts() const;
  /// Whether build() may invoke computes.
  bool invokes_computes() const;
  /// The scene around the atoms `agents` of the group number `agent_group`. It views memory of this
  /// object and of the engine, valid until either changes. Collective.
  Scene build(std::span<const std::int32_t> agents, int agent_group);

  double memory_usage() const;

 private:
  struct Goal {
    std::string name;
    std::vector<PerAtomInput> coordinates;  ///< 2 or 3
    std::vector<double> positions;          ///< (agents, 3)
  };
  struct Target {
    std::string name;
    std::string group_name;
    int group_bit = 0;
    std::vector<std::int32_t> particles;
  };

  void bind_goal(const std::string& name, const FixOptions& options);
  void bind_targets(const std::string& name, const FixOptions& options);
  void check_bindings(const FixOptions& options) const;
  void find_goal(Goal& goal, std::span<const std::int32_t> agents, int agent_group);
  void find_targets(Target& target);
  bool sees_own_image() const;

  std::string purpose_;
  double range_;
  bool sees_walls_;
  std::vector<Goal> goals_;
  std::vector<Target> targets_;
  WallInput walls_;
  TargetFilter filter_;
  std::vector<std::int64_t> identity_;
};

}  // namespace dempilot::lammps
