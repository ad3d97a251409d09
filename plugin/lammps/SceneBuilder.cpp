// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/SceneBuilder.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "atom.h"
#include "core/Error.hpp"
#include "domain.h"
#include "error.h"
#include "group.h"

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
      orientation_(engine, purpose_),
      surroundings_(engine, purpose_) {
  for (const std::string& name : observer.goals())
    bind_goal(name, options);
  for (const TargetNeeds& needs : observer.target_groups())
    bind_targets(needs, options);
  for (const WallNeeds& needs : observer.wall_sets())
    bind_walls(needs, options);
  for (const FieldNeeds& needs : observer.fields())
    bind_field(needs, options);
  check_bindings(options, written);
  check_ranges();
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
  goals_.push_back(coordinates(*binding));
}

SceneBuilder::Quantity SceneBuilder::coordinates(const FixOptions::Binding& binding) {
  const std::string& name = binding.name;
  const std::size_t given = binding.arguments.size();
  if (given > 3) error->all(FLERR, "{}: {}", purpose_, unknown_keyword(binding.arguments[3]));
  const bool plane = domain->dimension == 2;
  if (given != 3 && !(plane && given == 2)) {
    error->all(FLERR, "{}: '{}' is bound to {} coordinates (it has {}). Write 'bind {} {}'",
               purpose_, name, given, plane ? "2 or 3" : "3", name, plane ? "X Y" : "X Y Z");
  }
  Quantity place{name, {}, 3, {}};
  for (const std::string& argument : binding.arguments) {
    place.inputs.emplace_back(lmp, argument, purpose_ + ": bind " + name);
  }
  return place;
}

void SceneBuilder::bind_targets(const TargetNeeds& needs, const FixOptions& options) {
  const FixOptions::Binding* const binding = find_binding(options, needs.name);
  Target target;
  target.needs = needs;
  target.group_name = "all";
  if (binding != nullptr) {
    target.group_name = binding->arguments[0];
    if (binding->arguments.size() > 1) {
      // What follows a group is a keyword that nobody knows.
      if (group->find(target.group_name) >= 0) {
        error->all(FLERR, "{}: {}", purpose_, unknown_keyword(binding->arguments[1]));
      }
      target.points = coordinates(*binding);
    }
  }
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

/// A range whose square overflows or vanishes cannot be compared with a distance.
void SceneBuilder::check_ranges() const {
  const auto check = [this](const auto& needs) {
    const double range = needs.range * scales_.length;
    if (needs.range <= 0 || std::isnormal(range * range)) return;
    error->all(
        FLERR,
        "{}: the policy senses '{}' up to {} in units of the simulation (keyword scale makes "
        "it so, and no distance can be compared with it). Correct 'scale'",
        purpose_, needs.name, range);
  };
  for (const Target& target : targets_)
    check(target.needs);
  for (const Walls& walls : walls_)
    check(walls.needs);
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
    for (PerAtomInput& coordinate : target.points.inputs)
      coordinate.init();
    if (target.sees_points()) continue;
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

double SceneBuilder::range_of(const Target& target) const {
  const TargetNeeds& needs = target.needs;
  return std::max(needs.range * scales_.length, needs.touches ? target.contact_range : 0.0);
}

bool SceneBuilder::invokes_computes() const {
  const auto invokes = [](const Quantity& quantity) {
    return std::ranges::any_of(quantity.inputs, &PerAtomInput::invokes_computes);
  };
  return std::ranges::any_of(goals_, invokes) || std::ranges::any_of(fields_, invokes) ||
         std::ranges::any_of(targets_, invokes, &Target::points) ||
         std::ranges::any_of(walls_, [](const Walls& w) { return w.input.invokes_computes(); });
}

/* ----------------------------------------------------------------------
   what the agents can see
------------------------------------------------------------------------- */

void SceneBuilder::evaluate(Quantity& quantity, std::span<const std::int32_t> agents,
                            int agent_group) {
  const double start = MPI_Wtime();
  // Without agents here there is still a partner to compute with elsewhere.
  quantity.values.assign(quantity.stride * std::max<std::size_t>(1, agents.size()), 0.0);
  for (std::size_t k = 0; k < quantity.inputs.size(); ++k) {
    quantity.inputs[k].evaluate(agents, agent_group, quantity.values.data() + k, quantity.stride);
  }
  input_seconds_ += MPI_Wtime() - start;
}

/// How far agents and what they touch can be apart. Radii may grow, and atoms may come.
void SceneBuilder::find_contact_ranges(std::span<const std::int32_t> agents) {
  if (!counts_contacts_) return;
  std::vector<double>& largest = largest_radii_;
  largest.assign(1 + targets_.size(), 0.0);
  for (const std::int32_t agent : agents)
    largest[0] = std::max(largest[0], atom->radius[agent]);
  for (std::size_t n = 0; n < targets_.size(); ++n) {
    if (!targets_[n].needs.touches) continue;
    for (int i = 0; i < atom->nlocal; ++i) {
      if ((atom->mask[i] & targets_[n].group_bit) != 0)
        largest[1 + n] = std::max(largest[1 + n], atom->radius[i]);
    }
  }
  share_contact_ranges();
}

void SceneBuilder::share_contact_ranges() {
  std::vector<double>& largest = largest_radii_;
  MPI_Allreduce(MPI_IN_PLACE, largest.data(), static_cast<int>(largest.size()), MPI_DOUBLE, MPI_MAX,
                world);
  agent_radius_ = largest[0];
  for (std::size_t n = 0; n < targets_.size(); ++n)
    targets_[n].contact_range = largest[0] + largest[1 + n];
}

void SceneBuilder::list_wanted() {
  wanted_.clear();
  for (const Target& target : targets_) {
    const TargetNeeds& needs = target.needs;
    wanted_.push_back(
        {target.group_bit, range_of(target), {needs.velocity, needs.radius, needs.type}});
  }
}

void SceneBuilder::add_points(std::size_t target, std::span<const std::int32_t> agents,
                              int agent_group) {
  Quantity& points = targets_[target].points;
  evaluate(points, agents, agent_group);
  // Where all agents share a goal it is one point, known to every rank that has agents.
  const bool shared = std::ranges::all_of(points.inputs, &PerAtomInput::is_global);
  const std::size_t own = shared ? std::min<std::size_t>(1, agents.size()) : agents.size();
  surroundings_.add_points(target, {points.values.data(), 3 * own}, shared);
}

void SceneBuilder::find_targets(std::span<const std::int32_t> agents, int agent_group) {
  if (targets_.empty()) return;
  list_wanted();
  surroundings_.gather(agents, wanted_);
  for (std::size_t n = 0; n < targets_.size(); ++n) {
    if (targets_[n].sees_points()) add_points(n, agents, agent_group);
    scene_.targets.push_back(surroundings_.seen(n));
    scene_.targets.back().contact_range = targets_[n].contact_range;
  }
}

double SceneBuilder::range_of(const Walls& walls) const {
  return std::max(walls.needs.range * scales_.length, walls.needs.touches ? agent_radius_ : 0.0);
}

SeenWalls SceneBuilder::find_walls(Walls& walls, std::span<const std::int32_t> agents) {
  const double* const vectors = walls.input.find(agents, range_of(walls)).data();
  return {walls.input.per_agent(), vectors};
}

void SceneBuilder::describe_agents(std::span<const std::int32_t> agents) {
  scene_.particle_count = static_cast<std::size_t>(atom->nlocal);
  scene_.agents = agents;
  if (atom->nmax > 0) {
    scene_.position = atom->x[0];
    scene_.velocity = atom->v[0];
    if (atom->omega_flag) scene_.angular_velocity = atom->omega[0];
    if (atom->radius_flag) scene_.radius = atom->radius;
  }
  identity_.clear();
  for (const std::int32_t agent : agents)
    identity_.push_back(atom->tag[agent]);
  scene_.identity = identity_.data();
  if (!needs_orientation_) return;
  quaternions_.resize(4 * agents.size());
  orientation_.find(agents, quaternions_);
  scene_.orientation = quaternions_.data();
}

void SceneBuilder::begin(const AgentMemory& past) {
  input_seconds_ = 0.0;
  scene_.goals.clear();
  scene_.fields.clear();
  scene_.targets.clear();
  scene_.walls.clear();
  scene_.scales = scales_;
  scene_.dimension = domain->dimension;
  scene_.period.fill(0.0);
  for (int d = 0; d < domain->dimension; ++d) {
    if (domain->periodicity[d] != 0) scene_.period[static_cast<std::size_t>(d)] = domain->prd[d];
  }
  scene_.contact_force = past.contact_force;
  scene_.previous_action = past.previous_action;
  scene_.time_since_reset = past.time_since_reset;
}

const Scene& SceneBuilder::build(std::span<const std::int32_t> agents, int agent_group,
                                 const AgentMemory& past) {
  begin(past);
  describe_agents(agents);
  for (Quantity& goal : goals_) {
    evaluate(goal, agents, agent_group);
    scene_.goals.push_back(goal.values.data());
  }
  for (Quantity& field : fields_) {
    evaluate(field, agents, agent_group);
    scene_.fields.push_back(field.values.data());
  }
  find_contact_ranges(agents);
  find_targets(agents, agent_group);
  for (Walls& walls : walls_)
    scene_.walls.push_back(find_walls(walls, agents));
  return scene_;
}

double SceneBuilder::memory_usage() const {
  std::size_t bytes =
      identity_.capacity() * sizeof(std::int64_t) + quaternions_.capacity() * sizeof(double);
  for (const std::vector<Quantity>* const quantities : {&goals_, &fields_}) {
    for (const Quantity& quantity : *quantities)
      bytes += quantity.values.capacity() * sizeof(double);
  }
  for (const Target& target : targets_)
    bytes += target.points.values.capacity() * sizeof(double);
  return static_cast<double>(bytes) + surroundings_.memory_usage();
}

}  // namespace dempilot::lammps
