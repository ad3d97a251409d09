#include "core/observe/Observer.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/Error.hpp"
#include "core/observe/CellList.hpp"
#include "core/observe/Lidar.hpp"
#include "core/observe/Motion.hpp"

namespace dempilot {
namespace {

/// A policy of more inputs is a mistake, and bins are counted in int.
constexpr int most_bins = 1 << 20;

/// Cells half as wide as the range: the search looks at few particles that are not in reach, and at
/// few cells.
constexpr double cells_per_range = 2;

bool is_goal(ComponentKind kind) {
  return kind == ComponentKind::goal_direction || kind == ComponentKind::goal_displacement;
}

bool is_lidar(ComponentKind kind) {
  return kind == ComponentKind::lidar;
}

void check_lidar(const ObservationComponent& lidar, const std::string& where) {
  // a range whose square overflows or vanishes cannot be compared with a distance
  if (!(lidar.range > 0) || !std::isnormal(lidar.range * lidar.range))
    fail("{} has range {} (it is a distance: positive and finite) correct `range`", where,
         lidar.range);
  if (lidar.n_azimuth < 1)
    fail("{} has {} bins over the azimuth (at least 1 is needed) correct `n_azimuth`", where,
         lidar.n_azimuth);
  if (lidar.n_elevation < 0)
    fail(
        "{} has {} bins over the elevation (0 is the planar form, 1 and more the spherical) "
        "correct `n_elevation`",
        where, lidar.n_elevation);
  if (lidar.n_azimuth > most_bins / std::max(1, lidar.n_elevation))
    fail("{} has {} x {} bins ({} are the most) correct `n_azimuth` and `n_elevation`", where,
         lidar.n_azimuth, std::max(1, lidar.n_elevation), most_bins);
}

void check_component(const ObservationComponent& component, std::size_t index) {
  const std::string where =
      fmt::format("observation component {} ({})", index, name_of(component.kind));
  if (is_lidar(component.kind)) {
    check_lidar(component, where);
  } else if (component.dimensions < 1 || component.dimensions > 3) {
    fail("{} has {} dimensions (1, 2 or 3 are possible) correct `dimensions`", where,
         component.dimensions);
  }
  if (component.kind == ComponentKind::goal_displacement && !(component.clip > 0))
    fail("{} clips to +-{} (the bound is positive) correct `clip`", where, component.clip);
  if ((is_goal(component.kind) || is_lidar(component.kind)) && component.bind.empty())
    fail("{} names nothing to bind (the simulation must know what it looks at) give `bind` a name",
         where);
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::size_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

void require_array(const double* array, const char* what, ComponentKind kind) {
  if (array == nullptr)
    fail("the scene holds no {} (the policy's `{}` needs it) show the observer this array", what,
         name_of(kind));
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list.empty() ? "none" : list;
}

template <class T>
void require_names(const std::vector<T>& given, const std::vector<std::string>& names,
                   const char* what) {
  if (given.size() != names.size())
    fail("the scene holds {} {} (the policy binds {}) bind these, in this order", given.size(),
         what, listed(names));
}

/// The scene's arrays as views, and the launches over them.
template <class Real, class ExecutionSpace>
class SceneObserver {
 public:
  using Vectors = Borrowed<const double* [3], ExecutionSpace>;
  using Walls = Borrowed<const double** [3], ExecutionSpace>;
  using Indices = Borrowed<const std::int32_t*, ExecutionSpace>;
  using Identities = Borrowed<const std::int64_t*, ExecutionSpace>;
  using Rows = Borrowed<Real**, ExecutionSpace>;

  SceneObserver(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows,
                std::size_t width)
      : space_(space),
        scene_(scene),
        position_(scene.position, scene.particle_count),
        agents_(scene.agents.data(), scene.agents.size()),
        rows_(rows.data(), scene.agents.size(), width) {}

  void observe_vector(const double* vector, int first_axis, int dimensions,
                      std::size_t column) const {
    launch("DEMPilot::VectorKernel",
           VectorKernel<Real, ExecutionSpace>{Vectors(vector, scene_.particle_count), agents_,
                                              rows_, column, first_axis, dimensions});
  }

  void observe_goal(const ObservationComponent& component, const double* goal,
                    std::size_t column) const {
    const GoalOffset<ExecutionSpace> offset{position_,
                                            agents_,
                                            Vectors(goal, agents_.extent(0)),
                                            {scene_.period[0], scene_.period[1], scene_.period[2]}};
    if (component.kind == ComponentKind::goal_direction)
      launch("DEMPilot::GoalDirectionKernel", GoalDirectionKernel<Real, ExecutionSpace>{
                                                  offset, rows_, column, component.dimensions});
    else
      launch("DEMPilot::GoalDisplacementKernel",
             GoalDisplacementKernel<Real, ExecutionSpace>{offset, rows_, column,
                                                          component.dimensions, component.clip});
  }

  void build(CellList<ExecutionSpace>& list, std::span<const std::int32_t> targets,
             double range) const {
    list.build(space_, position_, Indices(targets.data(), targets.size()), range / cells_per_range);
  }

  void observe_lidar(const ObservationComponent& lidar, const CellList<ExecutionSpace>& targets,
                     std::size_t column) const {
    const std::size_t walls = lidar.walls ? scene_.walls_per_agent : 0;
    launch("DEMPilot::LidarKernel", LidarKernel<Real, ExecutionSpace>{
                                        {lidar.n_azimuth, lidar.n_elevation},
                                        lidar.range,
                                        targets,
                                        position_,
                                        agents_,
                                        Identities(scene_.identity.data(), scene_.identity.size()),
                                        Walls(scene_.walls, agents_.extent(0), walls),
                                        rows_,
                                        column});
  }

 private:
  template <class Kernel>
  void launch(const char* label, const Kernel& kernel) const {
    using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
    Kokkos::parallel_for(label, Range(space_, 0, static_cast<int>(agents_.extent(0))), kernel);
  }

  ExecutionSpace space_;
  const Scene& scene_;
  Vectors position_;
  Indices agents_;
  Rows rows_;
};

}  // namespace

Observer::Observer(std::vector<ObservationComponent> components)
    : components_(std::move(components)) {
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const ObservationComponent& component = components_[i];
    check_component(component, i);
    width_ += component.width();
    if (is_goal(component.kind)) add_once(goals_, component.bind);
    if (is_lidar(component.kind)) add_once(target_groups_, component.bind);
  }
}

bool Observer::sees_walls() const {
  return std::any_of(components_.begin(), components_.end(), [](const auto& component) {
    return is_lidar(component.kind) && component.walls;
  });
}

double Observer::sensing_range() const {
  double range = 0;
  for (const std::string& group : target_groups_)
    range = std::max(range, sensing_range(group));
  return range;
}

double Observer::sensing_range(const std::string& group) const {
  double range = 0;
  for (const auto& component : components_)
    if (is_lidar(component.kind) && component.bind == group)
      range = std::max(range, component.range);
  return range;
}

void Observer::check(const Scene& scene, std::size_t row_values) const {
  require_names(scene.goals, goals_, "goals");
  require_names(scene.targets, target_groups_, "groups of targets");
  if (row_values != scene.agents.size() * width_)
    fail(
        "the observation rows hold {} values ({} agents x {} are needed) size them for these "
        "agents",
        row_values, scene.agents.size(), width_);
  if (!scene.identity.empty() && scene.identity.size() != scene.particle_count)
    fail(
        "the scene holds {} identities for {} particles (each particle has one, ghosts too) "
        "give one per particle, or none",
        scene.identity.size(), scene.particle_count);
  if (scene.agents.empty()) return;  // and then engines have no arrays to show

  for (const ObservationComponent& component : components_) {
    const ComponentKind kind = component.kind;
    if (kind == ComponentKind::velocity) require_array(scene.velocity, "velocities", kind);
    if (kind == ComponentKind::angular_velocity)
      require_array(scene.angular_velocity, "angular velocities", kind);
    if (is_goal(kind) || is_lidar(kind)) require_array(scene.position, "positions", kind);
    if (is_goal(kind))
      require_array(scene.goals[index_of(goals_, component.bind)], "positions of a goal", kind);
    if (is_lidar(kind) && component.walls && scene.walls_per_agent > 0)
      require_array(scene.walls, "walls", kind);
  }
}

template <class ExecutionSpace>
std::vector<CellList<ExecutionSpace>>& Observer::cell_lists() const {
  using Lists = std::vector<CellList<ExecutionSpace>>;
  if (std::any_cast<Lists>(&cell_lists_) == nullptr) cell_lists_ = Lists(target_groups_.size());
  return *std::any_cast<Lists>(&cell_lists_);
}

template <class Real, class ExecutionSpace>
void Observer::observe(const ExecutionSpace& space, const Scene& scene,
                       std::span<Real> rows) const {
  check(scene, rows.size());
  if (scene.agents.empty()) return;

  const SceneObserver<Real, ExecutionSpace> observer(space, scene, rows, width_);
  auto& lists = cell_lists<ExecutionSpace>();
  for (std::size_t group = 0; group < target_groups_.size(); ++group)
    observer.build(lists[group], scene.targets[group], sensing_range(target_groups_[group]));

  std::size_t column = 0;
  for (const ObservationComponent& component : components_) {
    switch (component.kind) {
      case ComponentKind::velocity:
        observer.observe_vector(scene.velocity, 0, component.dimensions, column);
        break;
      case ComponentKind::angular_velocity:
        observer.observe_vector(scene.angular_velocity, component.dimensions == 1 ? 2 : 0,
                                component.dimensions, column);
        break;
      case ComponentKind::goal_direction:
      case ComponentKind::goal_displacement:
        observer.observe_goal(component, scene.goals[index_of(goals_, component.bind)], column);
        break;
      case ComponentKind::lidar:
        observer.observe_lidar(component, lists[index_of(target_groups_, component.bind)], column);
        break;
    }
    column += component.width();
  }
  space.fence();
}

#define DEMPILOT_INSTANTIATE_OBSERVE(Real, ExecutionSpace)                                   \
  template void Observer::observe<Real, ExecutionSpace>(const ExecutionSpace&, const Scene&, \
                                                        std::span<Real>) const;
#ifdef KOKKOS_ENABLE_SERIAL
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
