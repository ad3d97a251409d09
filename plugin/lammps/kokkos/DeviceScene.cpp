// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/kokkos/DeviceScene.h"

#include <algorithm>
#include <utility>

#include "core/observe/Launch.hpp"
#include "domain.h"
#include "error.h"
#include "group.h"
#include "kokkos.h"
#include "modify.h"
#include "neighbor.h"
#include "plugin/lammps/kokkos/Room.hpp"
#include "plugin/lammps/kokkos/SceneKernels.hpp"

namespace dempilot::lammps {
namespace {

constexpr const char* buffer_label = "DEMPilot::DeviceScene";

}  // namespace

DeviceScene::DeviceScene(LAMMPS_NS::LAMMPS* engine, const Observer& observer,
                         const FixOptions& options, std::string purpose, const std::string& written,
                         Device space)
    : SceneBuilder(engine, observer, options, std::move(purpose), written),
      space_(space),
      halo_(world, space, runs_on_host<Device> || lmp->kokkos->gpu_aware_flag != 0),
      goal_values_(goals_.size()),
      field_values_(fields_.size()),
      wall_vectors_(walls_.size()),
      points_(targets_.size()) {}

template <class T>
const T* DeviceScene::upload(Buffer<T>& buffer, std::span<const T> values) const {
  T* const there = make_room(buffer, buffer_label, values.size());
  Kokkos::deep_copy(space_, Borrowed<T*, Device>(there, values.size()),
                    HostVector<const T>(values.data(), values.size()));
  space_.fence();  // the host's values may go
  return there;
}

void DeviceScene::init() {
  SceneBuilder::init();
  const bool radii_vary = counts_contacts_ && !modify->get_fix_by_style("^adapt").empty();
  changes_ = radii_vary || std::ranges::any_of(targets_, [this](const Target& target) {
               return !target.sees_points() && group->dynamic[group->find(target.group_name)] != 0;
             });
}

OwnParticles DeviceScene::own_particles() const {
  const AtomArrays arrays(atoms(),
                          X_MASK | V_MASK | RADIUS_MASK | TYPE_MASK | MASK_MASK | TAG_MASK);
  OwnParticles own;
  own.count = static_cast<std::size_t>(atom->nlocal);
  own.position = arrays.x;
  own.velocity = arrays.v;
  own.radius = arrays.radius;
  own.type = arrays.type;
  own.mask = arrays.mask;
  own.tag = arrays.tag;
  own.drift_bit = domain->deform_groupbit;
  return own;
}

/* ----------------------------------------------------------------------
   what lasts as long as LAMMPS's neighbor lists
------------------------------------------------------------------------- */

void DeviceScene::plan(const Agents& agents, int agent_bits) {
  if (needs_orientation_) check_orientations(agents);
  if (targets_.empty()) return;
  find_largest_radii(agent_bits);
  list_wanted();
  const Periodicity box = surroundings_.find_periodicity();
  surroundings_.check_ranges(box, wanted_);
  // LAMMPS builds its lists anew before an atom has moved farther than half the skin. Since the
  // last time it may have come that far, and may go back and as far again.
  halo_.plan(box, own_particles(), agent_bits, wanted_, 2.0 * neighbor->skin);
}

/// The host finds the words.
void DeviceScene::check_orientations(const Agents& agents) {
  const AtomArrays arrays(atoms(), MU_MASK);
  int bad = 0;
  Kokkos::parallel_reduce("DEMPilot::DeviceScene::check_orientations",
                          Range(space_, 0, static_cast<int>(agents.size())),
                          BadDipoles{agents.atoms().data(), arrays.mu, domain->dimension == 2},
                          bad);
  if (bad == 0) return;
  begin_decision();
  quaternions_.resize(4 * agents.size());
  orientation_.find(atoms_on_host(agents), quaternions_);
}

void DeviceScene::find_largest_radii(int agent_bits) {
  if (!counts_contacts_) return;
  const AtomArrays arrays(atoms(), RADIUS_MASK | MASK_MASK);
  const auto largest = [&](int bits) {
    double radius = 0.0;
    Kokkos::parallel_reduce("DEMPilot::DeviceScene::largest_radius", Range(space_, 0, atom->nlocal),
                            LargestRadius{arrays.radius, arrays.mask, bits},
                            Kokkos::Max<double>(radius));
    return std::max(radius, 0.0);
  };
  largest_radii_.assign(1 + targets_.size(), 0.0);
  largest_radii_[0] = largest(agent_bits);
  for (std::size_t n = 0; n < targets_.size(); ++n) {
    if (targets_[n].needs.touches) largest_radii_[1 + n] = largest(targets_[n].group_bit);
  }
  share_contact_ranges();
}

/* ----------------------------------------------------------------------
   what a script bound
------------------------------------------------------------------------- */

std::span<const std::int32_t> DeviceScene::atoms_on_host(const Agents& agents) {
  if (is_on_host_) return host_agents_;
  atoms().sync(LAMMPS_NS::Host, ALL_MASK);
  host_agents_.resize(agents.size());
  Kokkos::deep_copy(HostVector<std::int32_t>(host_agents_.data(), agents.size()),
                    Borrowed<const std::int32_t*, Device>(agents.atoms().data(), agents.size()));
  is_on_host_ = true;
  return host_agents_;
}

bool DeviceScene::reads_on_device(const Quantity& quantity) const {
  return std::ranges::all_of(quantity.inputs, [](const PerAtomInput& bound) {
    return bound.is_global() || bound.real_vector() >= 0;
  });
}

const double* DeviceScene::find(Quantity& quantity, Buffer<double>& values, const Agents& agents,
                                int agent_group) {
  if (!reads_on_device(quantity)) {
    evaluate(quantity, atoms_on_host(agents), agent_group);
    return upload<double>(values, quantity.values);
  }
  double* const out = make_room(values, buffer_label, quantity.stride * agents.size());
  if (quantity.inputs.size() < quantity.stride) {
    Kokkos::deep_copy(space_, values, 0.0);  // a goal in the plane
  }
  for (std::size_t k = 0; k < quantity.inputs.size(); ++k) {
    PerAtomInput& bound = quantity.inputs[k];
    PropertyReader reader{agents.atoms().data(), nullptr, 0.0, out, quantity.stride, k};
    if (bound.is_global()) {
      if (!bound.is_number()) atoms_on_host(agents);  // a variable may look at all of them
      reader.constant = bound.global_value();
    } else {
      atoms().sync(ExecutionSpaceFromDevice<Device>::space, DVECTOR_MASK);
      const auto vectors = atoms().k_dvector.view<Device>();
      reader.property =
          vectors.data() + static_cast<std::size_t>(bound.real_vector()) * vectors.extent(1);
    }
    launch(space_, agents.size(), reader);
  }
  return out;
}

void DeviceScene::find_all_targets(const Agents& agents, int agent_group) {
  if (targets_.empty()) return;
  halo_.refresh(surroundings_.find_periodicity(), own_particles());
  const bool sees_points = std::ranges::any_of(targets_, &Target::sees_points);
  if (sees_points) {
    list_wanted();
    for (Wanted& target : wanted_)
      target.group_bit = 0;  // the others are seen on the device
    surroundings_.gather(atoms_on_host(agents), wanted_);
  }
  for (std::size_t n = 0; n < targets_.size(); ++n) {
    SeenParticles seen = halo_.seen(n);
    if (targets_[n].sees_points()) {
      add_points(n, atoms_on_host(agents), agent_group);
      seen = surroundings_.seen(n);
      seen.position = upload<double>(points_[n].position, {seen.position, 3 * seen.count});
      seen.identity = upload<std::int64_t>(points_[n].identity, {seen.identity, seen.count});
    }
    seen.contact_range = targets_[n].contact_range;
    scene_.targets.push_back(seen);
  }
}

SeenWalls DeviceScene::find_all_walls(Walls& walls, Buffer<double>& vectors, const Agents& agents) {
  const std::size_t per_agent = walls.input.per_agent();
  if (walls.input.sees_regions()) {
    const auto found = walls.input.find(atoms_on_host(agents), range_of(walls));
    return {per_agent, upload<double>(vectors, found)};
  }
  double* const out = make_room(vectors, buffer_label, 3 * per_agent * agents.size());
  const AtomArrays arrays(atoms(), X_MASK);
  launch(space_, agents.size(),
         FaceReader{agents.atoms().data(), arrays.x, walls.input.box(), static_cast<int>(per_agent),
                    out});
  return {per_agent, out};
}

const double* DeviceScene::find_orientations(const Agents& agents) {
  const AtomArrays arrays(atoms(), MU_MASK);
  double* const out = make_room(turns_, buffer_label, 4 * agents.size());
  launch(space_, agents.size(), DipoleReader{agents.atoms().data(), arrays.mu, out});
  return out;
}

void DeviceScene::find_agents(const Agents& agents) {
  const AtomArrays arrays(atoms(), X_MASK | V_MASK | OMEGA_MASK | RADIUS_MASK | TAG_MASK);
  scene_.particle_count = static_cast<std::size_t>(atom->nlocal);
  scene_.agents = agents.atoms();
  scene_.position = arrays.x;
  scene_.velocity = arrays.v;
  scene_.angular_velocity = arrays.omega;
  scene_.radius = arrays.radius;
  std::int64_t* const ids = make_room(ids_, buffer_label, agents.size());
  launch(space_, agents.size(), IdentityReader{agents.atoms().data(), arrays.tag, ids});
  scene_.identity = ids;
  if (needs_orientation_) scene_.orientation = find_orientations(agents);
}

const Scene& DeviceScene::build(const Agents& agents, int agent_group, const AgentMemory& past) {
  begin(past);
  find_agents(agents);
  for (std::size_t n = 0; n < goals_.size(); ++n)
    scene_.goals.push_back(find(goals_[n], goal_values_[n], agents, agent_group));
  for (std::size_t n = 0; n < fields_.size(); ++n)
    scene_.fields.push_back(find(fields_[n], field_values_[n], agents, agent_group));
  find_all_targets(agents, agent_group);
  for (std::size_t n = 0; n < walls_.size(); ++n)
    scene_.walls.push_back(find_all_walls(walls_[n], wall_vectors_[n], agents));
  return scene_;
}

double DeviceScene::memory_usage() const {
  double bytes = SceneBuilder::memory_usage() + halo_.memory_usage() + bytes_of(ids_, turns_);
  for (const auto* const buffers : {&goal_values_, &field_values_, &wall_vectors_}) {
    for (const Buffer<double>& buffer : *buffers)
      bytes += bytes_of(buffer);
  }
  for (const Points& points : points_)
    bytes += bytes_of(points.position, points.identity);
  return bytes;
}

}  // namespace dempilot::lammps
