// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/SceneBuilder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "core/Pilot.hpp"
#include "domain.h"
#include "error.h"
#include "group.h"
#include "neighbor.h"

namespace dempilot::lammps {
namespace {

const FixOptions::Binding* find_binding(const FixOptions& options, const std::string& name) {
  const auto found = std::find_if(options.bindings.begin(), options.bindings.end(),
                                  [&](const FixOptions::Binding& b) { return b.name == name; });
  return found == options.bindings.end() ? nullptr : &*found;
}

bool use_box_walls(const Pilot& pilot, const FixOptions& options) {
  return options.box_walls || (pilot.sees_walls() && options.region_walls.empty());
}

}  // namespace

SceneBuilder::SceneBuilder(LAMMPS_NS::LAMMPS* engine, const Pilot& pilot, const FixOptions& options,
                           std::string purpose)
    : Pointers(engine),
      purpose_(std::move(purpose)),
      range_(pilot.sensing_range()),
      sees_walls_(pilot.sees_walls()),
      walls_(engine, use_box_walls(pilot, options), options.region_walls, purpose_) {
  for (const std::string& name : pilot.goals())
    bind_goal(name, options);
  for (const std::string& name : pilot.target_groups())
    bind_targets(name, options);
  check_bindings(options);
}

void SceneBuilder::bind_goal(const std::string& name, const FixOptions& options) {
  const FixOptions::Binding* const binding = find_binding(options, name);
  if (binding == nullptr) {
    error->all(FLERR,
               "{}: '{}' is not bound (the policy senses where it is). Add e.g. 'bind {} v_x v_y "
               "v_z', each a number, v_name, c_ID[i], f_ID[i], d_name or d2_name[i]",
               purpose_, name, name);
  }
  const std::size_t given = binding->arguments.size();
  if (given > 3) error->all(FLERR, "{}: {}", purpose_, unknown_keyword(binding->arguments[3]));
  const bool plane = domain->dimension == 2;
  if (given != 3 && !(plane && given == 2)) {
    error->all(FLERR, "{}: '{}' is bound to {} coordinates (it has {}). Write 'bind {} {}'",
               purpose_, name, given, plane ? "2 or 3" : "3", name, plane ? "X Y" : "X Y Z");
  }
  Goal goal;
  goal.name = name;
  for (const std::string& argument : binding->arguments) {
    goal.coordinates.emplace_back(lmp, argument, purpose_ + ": bind " + name);
  }
  goals_.push_back(std::move(goal));
}

void SceneBuilder::bind_targets(const std::string& name, const FixOptions& options) {
  const FixOptions::Binding* const binding = find_binding(options, name);
  if (binding != nullptr && binding->arguments.size() > 1) {
    error->all(FLERR, "{}: {}", purpose_, unknown_keyword(binding->arguments[1]));
  }
  targets_.push_back({name, binding == nullptr ? "all" : binding->arguments[0], 0, {}});
}

void SceneBuilder::check_bindings(const FixOptions& options) const {
  for (const FixOptions::Binding& binding : options.bindings) {
    const auto same = [&](const auto& wanted) { return wanted.name == binding.name; };
    if (std::any_of(goals_.begin(), goals_.end(), same)) continue;
    if (std::any_of(targets_.begin(), targets_.end(), same)) continue;
    std::string wanted;
    for (const Goal& goal : goals_)
      wanted += (wanted.empty() ? "" : ", ") + goal.name;
    for (const Target& target : targets_)
      wanted += (wanted.empty() ? "" : ", ") + target.name;
    error->all(FLERR, "{}: the policy wants no '{}' (it wants: {}). Remove or correct 'bind {}'",
               purpose_, binding.name, wanted.empty() ? "nothing" : wanted, binding.name);
  }
}

void SceneBuilder::init() {
  for (Goal& goal : goals_) {
    for (PerAtomInput& coordinate : goal.coordinates)
      coordinate.init();
  }
  for (Target& target : targets_) {
    const int found = group->find(target.group_name);
    if (found < 0) {
      error->all(FLERR, "{}: there is no group '{}' (bind {}). Define it with the group command",
                 purpose_, target.group_name, target.name);
    }
    target.group_bit = group->bitmask[found];
  }
  if (sees_walls_) walls_.init();
}

void SceneBuilder::check_ghosts() const {
  if (range_ <= 0.0 || targets_.empty()) return;
  const double needed = range_ + neighbor->skin;
  for (int d = 0; d < domain->dimension; ++d) {
    const int ranks = comm->style == LAMMPS_NS::Comm::BRICK ? comm->procgrid[d] : comm->nprocs;
    if (ranks == 1 && domain->periodicity[d] == 0) continue;  // there are no ghosts
    if (comm->mode != LAMMPS_NS::Comm::SINGLE) {
      error->all(
          FLERR,
          "{}: ghost atoms have several cutoffs (the policy senses all kinds of particles up "
          "to {:.10g}). Write 'comm_modify mode single cutoff {:.10g}'",
          purpose_, range_, needed);
    }
    if (comm->cutghost[d] >= needed * (1.0 - 1e-9)) continue;
    error->all(FLERR,
               "{}: the ghost cutoff of {:.10g} is too short (the policy senses up to {:.10g}, and "
               "particles move by a skin of {:.10g} before ghosts are chosen anew). Write "
               "'comm_modify cutoff {:.10g}'",
               purpose_, comm->cutghost[d], range_, neighbor->skin, needed);
  }
}

bool SceneBuilder::invokes_computes() const {
  for (const Goal& goal : goals_) {
    for (const PerAtomInput& coordinate : goal.coordinates) {
      if (coordinate.invokes_computes()) return true;
    }
  }
  return sees_walls_ && walls_.invokes_computes();
}

void SceneBuilder::find_goal(Goal& goal, std::span<const std::int32_t> agents, int agent_group) {
  goal.positions.assign(3 * agents.size(), 0.0);
  // Without agents here there is still a partner to compute with elsewhere.
  std::array<double, 3> none{};
  double* const out = agents.empty() ? none.data() : goal.positions.data();
  for (std::size_t d = 0; d < goal.coordinates.size(); ++d) {
    goal.coordinates[d].evaluate(agents, agent_group, out + d, 3);
  }
}

void SceneBuilder::find_targets(Target& target) {
  const int particles = atom->nlocal + atom->nghost;
  target.particles.clear();
  for (int i = 0; i < particles; ++i) {
    if ((atom->mask[i] & target.group_bit) != 0 && filter_.may_be_near(atom->x[i])) {
      target.particles.push_back(i);
    }
  }
}

bool SceneBuilder::sees_own_image() const {
  for (int d = 0; d < domain->dimension; ++d) {
    if (domain->periodicity[d] != 0 && domain->prd[d] <= range_) return true;
  }
  return false;
}

Scene SceneBuilder::build(std::span<const std::int32_t> agents, int agent_group) {
  Scene scene;
  scene.dimension = domain->dimension;
  for (int d = 0; d < domain->dimension; ++d) {
    if (domain->periodicity[d] != 0) scene.period[static_cast<std::size_t>(d)] = domain->prd[d];
  }
  const int particles = atom->nlocal + atom->nghost;
  scene.particle_count = static_cast<std::size_t>(particles);
  scene.agents = agents;
  if (atom->nmax > 0) {
    scene.position = atom->x[0];
    scene.velocity = atom->v[0];
    if (atom->omega_flag) scene.angular_velocity = atom->omega[0];
  }
  for (Goal& goal : goals_) {
    find_goal(goal, agents, agent_group);
    scene.goals.push_back(goal.positions.data());
  }
  if (!targets_.empty()) filter_.build(scene.position, agents, range_);
  for (Target& target : targets_) {
    find_targets(target);
    scene.targets.emplace_back(target.particles);
  }
  if (sees_walls_) {
    scene.walls = walls_.find(agents, range_).data();
    scene.walls_per_agent = walls_.per_agent();
  }
  if (sees_own_image()) {
    identity_.assign(atom->tag, atom->tag + particles);
    scene.identity = identity_;
  }
  return scene;
}

double SceneBuilder::memory_usage() const {
  std::size_t bytes = identity_.capacity() * sizeof(std::int64_t);
  for (const Goal& goal : goals_)
    bytes += goal.positions.capacity() * sizeof(double);
  for (const Target& t : targets_)
    bytes += t.particles.capacity() * sizeof(std::int32_t);
  return static_cast<double>(bytes) + filter_.memory_usage();
}

}  // namespace dempilot::lammps
