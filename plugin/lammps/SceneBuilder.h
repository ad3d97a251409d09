// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Observer.hpp"
#include "core/observe/Scene.hpp"
#include "plugin/lammps/FixOptions.h"
#include "plugin/lammps/OrientationInput.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/Surroundings.h"
#include "plugin/lammps/WallInput.h"
#include "pointers.h"

namespace dempilot::lammps {

/// What the fix itself knows of its agents, for the observer to see; null what it does not.
struct AgentMemory {
  const double* contact_force = nullptr;     ///< (agents, 3)
  const float* previous_action = nullptr;    ///< (agents, actions)
  const double* time_since_reset = nullptr;  ///< (agents)
};

/// Shows the agents' surroundings to the observer: goals, targets, walls and fields as the script
/// bound them, and the agents themselves.
class SceneBuilder : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("Fix pilot agents"), `written` the name that is bound to
  /// where actions go, or empty. Stops with an error when something that the policy wants is not
  /// bound, or something bound is not wanted. Collective.
  SceneBuilder(LAMMPS_NS::LAMMPS* lmp, const Observer& observer, const FixOptions& options,
               std::string purpose, const std::string& written);

  /// Looks up what the script refers to; to be called at the start of every run. Collective.
  virtual void init();
  /// Whether build() may invoke computes.
  bool invokes_computes() const;
  /// The scene around the atoms `agents` of the group number `agent_group`. It views memory of this
  /// object and of the engine, valid until either changes. Collective.
  const Scene& build(std::span<const std::int32_t> agents, int agent_group,
                     const AgentMemory& past);

  /// What one unit of the policy's world is in units of the simulation.
  const Scales& scales() const { return scales_; }
  const OrientationInput& orientation() const { return orientation_; }
  /// Seconds for which the last build() waited for what the script bound: variables, computes and
  /// the like, which are the user's.
  double input_seconds() const { return input_seconds_; }
  virtual double memory_usage() const;

 protected:
  /// Numbers of each agent, as many as there are inputs.
  struct Quantity {
    std::string name;
    std::vector<PerAtomInput> inputs;
    std::size_t stride = 3;      ///< goals have three coordinates, also in the plane
    std::vector<double> values;  ///< (agents, stride)
  };
  /// A group of atoms, or points.
  struct Target {
    TargetNeeds needs;
    std::string group_name;
    int group_bit = 0;
    double contact_range = 0;  ///< see SeenParticles::contact_range
    Quantity points;

    bool sees_points() const { return !points.inputs.empty(); }
  };
  struct Walls {
    WallNeeds needs;
    WallInput input;
  };

  void bind_goal(const std::string& name, const FixOptions& options);
  Quantity coordinates(const FixOptions::Binding& binding);
  void bind_targets(const TargetNeeds& needs, const FixOptions& options);
  void bind_walls(const WallNeeds& needs, const FixOptions& options);
  void bind_field(const FieldNeeds& needs, const FixOptions& options);
  void check_ranges() const;
  void check_bindings(const FixOptions& options, const std::string& written) const;
  std::vector<std::string> wanted() const;

  /// A scene of nothing but the box and what agents know of their past.
  void begin(const AgentMemory& past);
  void evaluate(Quantity& quantity, std::span<const std::int32_t> agents, int agent_group);
  double range_of(const Target& target) const;
  void find_contact_ranges(std::span<const std::int32_t> agents);
  /// Makes largest_radii_ those of all ranks, and contact ranges of them.
  void share_contact_ranges();
  /// What is wanted of all groups, in wanted_.
  void list_wanted();
  /// Adds the points of a target that sees some to surroundings_.
  void add_points(std::size_t target, std::span<const std::int32_t> agents, int agent_group);
  double range_of(const Walls& walls) const;
  void find_targets(std::span<const std::int32_t> agents, int agent_group);
  SeenWalls find_walls(Walls& walls, std::span<const std::int32_t> agents);
  void describe_agents(std::span<const std::int32_t> agents);

  std::string purpose_;
  Scales scales_;
  bool needs_orientation_;
  bool counts_contacts_ = false;
  double agent_radius_ = 0;  ///< the largest of all agents, if contacts are counted
  std::vector<Quantity> goals_;
  std::vector<Quantity> fields_;
  std::vector<Target> targets_;
  std::vector<Walls> walls_;
  OrientationInput orientation_;
  Surroundings surroundings_;
  Scene scene_;
  double input_seconds_ = 0.0;
  std::vector<double> largest_radii_;  ///< of agents, then of each group
  std::vector<Wanted> wanted_;
  std::vector<std::int64_t> identity_;
  std::vector<double> quaternions_;
};

}  // namespace dempilot::lammps
