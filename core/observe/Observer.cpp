#include "core/observe/Observer.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <utility>

#include "core/Error.hpp"
#include "core/observe/CellList.hpp"
#include "core/observe/ComponentCheck.hpp"
#include "core/observe/SceneCheck.hpp"
#include "core/observe/SceneObserver.hpp"

namespace dempilot {
namespace {

/// The entry of this name, made where there is none.
template <class Needs>
Needs& find_or_add(std::vector<Needs>& list, const std::string& name) {
  const auto found = std::ranges::find(list, name, &Needs::name);
  if (found != list.end()) return *found;
  list.push_back({});
  list.back().name = name;
  return list.back();
}

template <class Needs>
std::size_t index_of(const std::vector<Needs>& list, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(list, name, &Needs::name) - list.begin());
}

template <class ExecutionSpace>
std::vector<CellList<ExecutionSpace>>& kept_lists(std::any& kept, std::size_t count) {
  using Lists = std::vector<CellList<ExecutionSpace>>;
  if (std::any_cast<Lists>(&kept) == nullptr) kept = Lists(count);
  return *std::any_cast<Lists>(&kept);
}

/// How far a search for particles of a group goes, in the scene's units.
double search_range(const TargetNeeds& needs, const Scales& scales, const SeenParticles& seen) {
  const double range =
      std::max(needs.range * scales.length, needs.touches ? seen.contact_range : 0.0);
  return range > 0 ? range : 1;  // nothing touches where nothing has a size
}

}  // namespace

Observer::Observer(std::vector<ObservationComponent> components)
    : components_(std::move(components)) {
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const ObservationComponent& component = components_[i];
    check_component(component, i);
    width_ += component.width();
    switch (binding_of(component.kind)) {
      case BindingKind::goal:
        if (std::ranges::find(goals_, component.bind) == goals_.end())
          goals_.push_back(component.bind);
        break;
      case BindingKind::targets:
        note_targets(component);
        break;
      case BindingKind::walls:
        note_walls(component.bind, component.range, false);
        break;
      case BindingKind::field:
        note_field(component, i);
        break;
      case BindingKind::nothing:
        break;
    }
  }
  check_names();
}

void Observer::note_targets(const ObservationComponent& component) {
  const bool touches = component.kind == ComponentKind::contact_count;
  const std::size_t known = target_groups_.size();
  TargetNeeds& needs = find_or_add(target_groups_, component.bind);
  const bool is_new = target_groups_.size() > known;
  const double range = touches ? 0.0 : component.range;
  needs.one_range =
      needs.one_range && (is_new || (range == needs.range && touches == needs.touches));
  needs.range = std::max(needs.range, range);
  needs.touches = needs.touches || touches;
  needs.velocity = needs.velocity || component.relative_velocity;
  needs.radius = needs.radius || component.radius || touches;
  needs.type = needs.type || component.type;
  if (component.walls) note_walls(default_walls, touches ? 0.0 : component.range, touches);
}

void Observer::note_walls(const std::string& name, double range, bool touches) {
  WallNeeds& needs = find_or_add(wall_sets_, name);
  needs.range = std::max(needs.range, range);
  needs.touches = needs.touches || touches;
}

void Observer::note_field(const ObservationComponent& component, std::size_t index) {
  const auto found = std::ranges::find(fields_, component.bind, &FieldNeeds::name);
  if (found == fields_.end())
    fields_.push_back({component.bind, component.dimensions});
  else if (found->entries != component.dimensions)
    fail(
        "observation component {} (field) has {} entries (an earlier '{}' has {}) give one of them "
        "another name",
        index, component.dimensions, component.bind, found->entries);
}

void Observer::check_names() const {
  std::vector<std::string> names = goals_;
  const auto add = [&](const auto& list) {
    for (const auto& needs : list)
      names.push_back(needs.name);
  };
  add(target_groups_);
  add(wall_sets_);
  add(fields_);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end())
    fail(
        "the components bind '{}' to things of different kinds (goals, groups of particles, walls "
        "or fields) give each kind a name of its own",
        *twice);
}

bool Observer::senses(ComponentKind kind) const {
  return std::ranges::find(components_, kind, &ObservationComponent::kind) != components_.end();
}

bool Observer::needs_orientation() const {
  return senses(ComponentKind::quaternion) || senses(ComponentKind::director) ||
         std::ranges::find(components_, Frame::body, &ObservationComponent::frame) !=
             components_.end();
}

template <class Real, class ExecutionSpace>
void Observer::observe_component(const SceneObserver<Real, ExecutionSpace>& observer,
                                 const ObservationComponent& component, const Scene& scene,
                                 std::size_t column) const {
  const auto group = [&] { return index_of(target_groups_, component.bind); };
  const auto list = [&]() -> const CellList<ExecutionSpace>& {
    return kept_lists<ExecutionSpace>(cell_lists_, target_groups_.size())[group()];
  };
  const auto walls = [&](const std::string& name) {
    return scene.walls[index_of(wall_sets_, name)];
  };
  const auto default_if_seen = [&] { return component.walls ? walls(default_walls) : SeenWalls{}; };
  switch (component.kind) {
    case ComponentKind::velocity:
      return observer.observe_motion(component, scene.velocity, scene.scales.velocity(), column);
    case ComponentKind::angular_velocity:
      return observer.observe_motion(component, scene.angular_velocity, 1 / scene.scales.time,
                                     column);
    case ComponentKind::goal_direction:
    case ComponentKind::goal_displacement: {
      const auto goal = std::ranges::find(goals_, component.bind) - goals_.begin();
      return observer.observe_goal(component, scene.goals[static_cast<std::size_t>(goal)], column);
    }
    case ComponentKind::lidar:
      return observer.observe_lidar(component, list(), scene.targets[group()], default_if_seen(),
                                    column);
    case ComponentKind::neighbors:
      return observer.observe_neighbors(component, list(), scene.targets[group()], column);
    case ComponentKind::contact_count:
      return observer.observe_contact_count(list(), scene.targets[group()], default_if_seen(),
                                            column);
    case ComponentKind::contact_force:
      return observer.observe_contact_force(component, column);
    case ComponentKind::wall_distance:
    case ComponentKind::wall_direction:
      return observer.observe_wall(component, walls(component.bind), column);
    case ComponentKind::quaternion:
    case ComponentKind::director:
      return observer.observe_orientation(component, column);
    case ComponentKind::previous_action:
      return observer.observe_columns(scene.previous_action, component.dimensions, column);
    case ComponentKind::time_since_reset:
      return observer.observe_columns(scene.time_since_reset, 1, column, scene.scales.time,
                                      component.clip);
    case ComponentKind::field:
      return observer.observe_columns(scene.fields[index_of(fields_, component.bind)],
                                      component.dimensions, column);
  }
}

template <class Real, class ExecutionSpace>
void Observer::enqueue(const ExecutionSpace& space, const Scene& scene,
                       std::span<Real> rows) const {
  check_scene(*this, components_, scene, rows.size());
  if (scene.agents.empty()) return;

  const SceneObserver<Real, ExecutionSpace> observer(space, scene, rows, width_);
  auto& lists = kept_lists<ExecutionSpace>(cell_lists_, target_groups_.size());
  for (std::size_t group = 0; group < target_groups_.size(); ++group) {
    const TargetNeeds& needs = target_groups_[group];
    const double range = search_range(needs, scene.scales, scene.targets[group]);
    // Narrower cells leave out more of what is not in reach. But the search looks at a vector of
    // targets at a time, and would have more cells to look at.
    observer.build(lists[group], scene.targets[group], needs.one_range ? range : range / 2);
  }

  std::size_t column = 0;
  for (const ObservationComponent& component : components_) {
    observe_component(observer, component, scene, column);
    column += component.width();
  }
}

#define DEMPILOT_INSTANTIATE_OBSERVE(Real, ExecutionSpace)                                   \
  template void Observer::enqueue<Real, ExecutionSpace>(const ExecutionSpace&, const Scene&, \
                                                        std::span<Real>) const;
#ifdef DEMPILOT_HAS_SERIAL
DEMPILOT_INSTANTIATE_OBSERVE(float, Kokkos::Serial)
DEMPILOT_INSTANTIATE_OBSERVE(double, Kokkos::Serial)
#endif
#ifdef KOKKOS_ENABLE_OPENMP
DEMPILOT_INSTANTIATE_OBSERVE(float, Kokkos::OpenMP)
DEMPILOT_INSTANTIATE_OBSERVE(double, Kokkos::OpenMP)
#endif
#ifdef KOKKOS_ENABLE_CUDA
DEMPILOT_INSTANTIATE_OBSERVE(float, Kokkos::Cuda)
DEMPILOT_INSTANTIATE_OBSERVE(double, Kokkos::Cuda)
#endif
#undef DEMPILOT_INSTANTIATE_OBSERVE

}  // namespace dempilot
