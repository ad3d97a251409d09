// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/SceneBuilder.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "core/Error.hpp"
#include "domain.h"
#include "error.h"
#include "group.h"
#include "neighbor.h"

namespace dempilot::lammps {
namespace {

const FixOptions::Binding* find_binding(const FixOptions& options, const std::string& name) {
  const auto found = std::ranges::find(options.bindings, name, &FixOptions::Binding::name);
  return found == options.bindings.end() ? nullptr : &*found;
}

}  // namespace

SceneBuilder::SceneBuilder(LAMMPS_NS::LAMMPS* engine, const Observer& observer,
                           const FixOptions& options, std::string purpose,
                           const std::string& written)
    : Pointers(engine),
      purpose_(std::move(purpose)),
      scales_{options.scale[0], options.scale[1], options.scale[2]},
      needs_orientation_(observer.needs_orientation()),
      orientation_(engine, purpose_) {
  for (const std::string& name : observer.goals())
    bind_goal(name, options);
  for (const TargetNeeds& needs : observer.target_groups())
    bind_targets(needs, options);
  for (const WallNeeds& needs : observer.wall_sets())
    bind_walls(needs, options);
  for (const FieldNeeds& needs : observer.fields())
    bind_field(needs, options);
  check_bindings(options, written);
}

/* ----------------------------------------------------------------------
   what the script binds
------------------------------------------------------------------------- */

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
  Quantity goal{name, {}, 3, {}};
  for (const std::string& argument : binding->arguments) {
    goal.inputs.emplace_back(lmp, argument, purpose_ + ": bind " + name);
  }
  goals_.push_back(std::move(goal));
}

void SceneBuilder::bind_targets(const TargetNeeds& needs, const FixOptions& options) {
  const FixOptions::Binding* const binding = find_binding(options, needs.name);
  if (binding != nullptr && binding->arguments.size() > 1) {
    error->all(FLERR, "{}: {}", purpose_, unknown_keyword(binding->arguments[1]));
  }
  Target target;
  target.needs = needs;
  target.group_name = binding == nullptr ? "all" : binding->arguments[0];
  targets_.push_back(std::move(target));
  counts_contacts_ = counts_contacts_ || needs.touches;
}

void SceneBuilder::bind_walls(const WallNeeds& needs, const FixOptions& options) {
  WallSources sources;
  if (needs.name == default_walls) {
    for (const std::string& word : options.walls)
      sources.add(word);
  }
  if (const FixOptions::Binding* const binding = find_binding(options, needs.name)) {
    for (const std::string& word : binding->arguments)
      sources.add(word);
  }
  if (sources.empty() && needs.name == default_walls) sources.box = true;
  if (sources.empty()) {
    error->all(FLERR,
               "{}: '{}' is not bound (the policy senses these walls). Add e.g. 'bind {} zlo', "
               "each a face of the box, 'box' for all of them, or the ID of a region",
               purpose_, needs.name, needs.name);
  }
  walls_.push_back({needs, WallInput(lmp, std::move(sources), purpose_)});
  counts_contacts_ = counts_contacts_ || needs.touches;
}

void SceneBuilder::bind_field(const FieldNeeds& needs, const FixOptions& options) {
  const FixOptions::Binding* const binding = find_binding(options, needs.name);
  const auto entries = static_cast<std::size_t>(needs.entries);
  if (binding == nullptr || binding->arguments.size() != entries) {
    error->all(FLERR,
               "{}: '{}' is bound to {} quantities (the policy senses {}). Add 'bind {}' and {} of "
               "them, each a number, v_name, c_ID, c_ID[i], f_ID, f_ID[i], d_name or d2_name[i]",
               purpose_, needs.name, binding == nullptr ? 0 : binding->arguments.size(), entries,
               needs.name, entries);
  }
  Quantity field{needs.name, {}, entries, {}};
  for (const std::string& argument : binding->arguments) {
    field.inputs.emplace_back(lmp, argument, purpose_ + ": bind " + needs.name);
  }
  fields_.push_back(std::move(field));
}

std::vector<std::string> SceneBuilder::wanted() const {
  std::vector<std::string> names;
  for (const Quantity& goal : goals_)
    names.push_back(goal.name);
  for (const Target& target : targets_)
    names.push_back(target.needs.name);
  for (const Walls& walls : walls_)
    names.push_back(walls.needs.name);
  for (const Quantity& field : fields_)
    names.push_back(field.name);
  return names;
}

void SceneBuilder::check_bindings(const FixOptions& options, const std::string& written) const {
  std::vector<std::string> names = wanted();
  if (!written.empty()) names.push_back(written);
  for (const FixOptions::Binding& binding : options.bindings) {
    if (std::ranges::find(names, binding.name) != names.end()) continue;
    std::string list;
    for (const std::string& name : names)
      list += (list.empty() ? "" : ", ") + name;
    error->all(FLERR, "{}: the policy wants no '{}' (it wants: {}). Remove or correct 'bind {}'",
               purpose_, binding.name, list.empty() ? "nothing" : list, binding.name);
  }
}

/* ---------------------------------------------------------------------- */

void SceneBuilder::init() {
  for (std::vector<Quantity>* const quantities : {&goals_, &fields_}) {
    for (Quantity& quantity : *quantities) {
      for (PerAtomInput& source : quantity.inputs)
        source.init();
    }
  }
  for (Target& target : targets_) {
    const int found = group->find(target.group_name);
    if (found < 0) {
      error->all(FLERR, "{}: there is no group '{}' (bind {}). Define it with the group command",
                 purpose_, target.group_name, target.needs.name);
    }
    target.group_bit = group->bitmask[found];
  }
  for (Walls& walls : walls_)
    walls.input.init();
}

double SceneBuilder::range_of(const TargetNeeds& needs) const {
  return std::max(needs.range * scales_.length, needs.touches ? contact_range_ : 0.0);
}

void SceneBuilder::check_ghosts() const {
  double range = 0;
  for (const Target& target : targets_)
    range = std::max(range, target.needs.range * scales_.length);
  if (range <= 0.0) return;
  const double needed = range + neighbor->skin;
  for (int d = 0; d < domain->dimension; ++d) {
    const int ranks = comm->style == LAMMPS_NS::Comm::BRICK ? comm->procgrid[d] : comm->nprocs;
    if (ranks == 1 && domain->periodicity[d] == 0) continue;  // there are no ghosts
    if (comm->mode != LAMMPS_NS::Comm::SINGLE) {
      error->all(
          FLERR,
          "{}: ghost atoms have several cutoffs (the policy senses all kinds of particles up "
          "to {:.10g}). Write 'comm_modify mode single cutoff {:.10g}'",
          purpose_, range, needed);
    }
    if (comm->cutghost[d] >= needed * (1.0 - 1e-9)) continue;
    error->all(FLERR,
               "{}: the ghost cutoff of {:.10g} is too short (the policy senses up to {:.10g}, and "
               "particles move by a skin of {:.10g} before ghosts are chosen anew). Write "
               "'comm_modify cutoff {:.10g}'",
               purpose_, comm->cutghost[d], range, neighbor->skin, needed);
  }
}

bool SceneBuilder::invokes_computes() const {
  for (const std::vector<Quantity>* const quantities : {&goals_, &fields_}) {
    for (const Quantity& quantity : *quantities) {
      for (const PerAtomInput& source : quantity.inputs) {
        if (source.invokes_computes()) return true;
      }
    }
  }
  return std::ranges::any_of(walls_, [](const Walls& w) { return w.input.invokes_computes(); });
}

/* ----------------------------------------------------------------------
   what the agents can see
------------------------------------------------------------------------- */

void SceneBuilder::evaluate(Quantity& quantity, std::span<const std::int32_t> agents,
                            int agent_group) {
  // Without agents here there is still a partner to compute with elsewhere.
  quantity.values.assign(quantity.stride * std::max<std::size_t>(1, agents.size()), 0.0);
  for (std::size_t k = 0; k < quantity.inputs.size(); ++k) {
    quantity.inputs[k].evaluate(agents, agent_group, quantity.values.data() + k, quantity.stride);
  }
}

/// Twice the largest radius: radii may grow, and atoms may come.
void SceneBuilder::find_contact_range() {
  if (!counts_contacts_) return;
  double largest = 0;
  for (int i = 0; i < atom->nlocal; ++i)
    largest = std::max(largest, atom->radius[i]);
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, world);
  contact_range_ = 2 * largest;
}

SeenParticles SceneBuilder::find_targets(Target& target) {
  const int particles = atom->nlocal + atom->nghost;
  target.position.clear();
  target.velocity.clear();
  target.radius.clear();
  target.type.clear();
  target.identity.clear();
  for (int i = 0; i < particles; ++i) {
    if ((atom->mask[i] & target.group_bit) == 0 || !filter_.may_be_near(atom->x[i])) continue;
    target.position.insert(target.position.end(), atom->x[i], atom->x[i] + 3);
    target.identity.push_back(atom->tag[i]);
    if (target.needs.velocity)
      target.velocity.insert(target.velocity.end(), atom->v[i], atom->v[i] + 3);
    if (target.needs.radius) target.radius.push_back(atom->radius[i]);
    if (target.needs.type) target.type.push_back(atom->type[i]);
  }
  SeenParticles seen;
  seen.count = target.identity.size();
  seen.position = target.position.data();
  seen.velocity = target.velocity.data();
  seen.radius = target.radius.data();
  seen.type = target.type.data();
  seen.identity = target.identity.data();
  return seen;
}

SeenWalls SceneBuilder::find_walls(Walls& walls, std::span<const std::int32_t> agents) {
  const double range =
      std::max(walls.needs.range * scales_.length, walls.needs.touches ? contact_range_ / 2 : 0.0);
  const double* const vectors = walls.input.find(agents, range).data();
  return {walls.input.per_agent(), vectors};
}

void SceneBuilder::describe_agents(Scene& scene, std::span<const std::int32_t> agents) {
  scene.particle_count = static_cast<std::size_t>(atom->nlocal);
  scene.agents = agents;
  if (atom->nmax > 0) {
    scene.position = atom->x[0];
    scene.velocity = atom->v[0];
    if (atom->omega_flag) scene.angular_velocity = atom->omega[0];
    if (atom->radius_flag) scene.radius = atom->radius;
  }
  identity_.clear();
  for (const std::int32_t agent : agents)
    identity_.push_back(atom->tag[agent]);
  scene.identity = identity_.data();
  if (!needs_orientation_) return;
  quaternions_.resize(4 * agents.size());
  orientation_.find(agents, quaternions_);
  scene.orientation = quaternions_.data();
}

Scene SceneBuilder::build(std::span<const std::int32_t> agents, int agent_group,
                          const AgentMemory& past) {
  Scene scene;
  scene.scales = scales_;
  scene.dimension = domain->dimension;
  for (int d = 0; d < domain->dimension; ++d) {
    if (domain->periodicity[d] != 0) scene.period[static_cast<std::size_t>(d)] = domain->prd[d];
  }
  describe_agents(scene, agents);
  scene.contact_force = past.contact_force;
  scene.previous_action = past.previous_action;
  scene.time_since_reset = past.time_since_reset;
  for (Quantity& goal : goals_) {
    evaluate(goal, agents, agent_group);
    scene.goals.push_back(goal.values.data());
  }
  for (Quantity& field : fields_) {
    evaluate(field, agents, agent_group);
    scene.fields.push_back(field.values.data());
  }
  find_contact_range();
  scene.contact_range = contact_range_;
  double range = 0;
  for (const Target& target : targets_)
    range = std::max(range, range_of(target.needs));
  if (range > 0) filter_.build(scene.position, agents, range);
  for (Target& target : targets_)
    scene.targets.push_back(find_targets(target));
  for (Walls& walls : walls_)
    scene.walls.push_back(find_walls(walls, agents));
  return scene;
}

double SceneBuilder::memory_usage() const {
  std::size_t bytes =
      identity_.capacity() * sizeof(std::int64_t) + quaternions_.capacity() * sizeof(double);
  for (const std::vector<Quantity>* const quantities : {&goals_, &fields_}) {
    for (const Quantity& quantity : *quantities)
      bytes += quantity.values.capacity() * sizeof(double);
  }
  for (const Target& t : targets_) {
    bytes += (t.position.capacity() + t.velocity.capacity() + t.radius.capacity()) * sizeof(double);
    bytes += t.type.capacity() * sizeof(std::int32_t);
    bytes += t.identity.capacity() * sizeof(std::int64_t);
  }
  return static_cast<double>(bytes) + filter_.memory_usage();
}

}  // namespace dempilot::lammps
