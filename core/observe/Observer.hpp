#pragma once

#include <any>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

template <class Real, class ExecutionSpace>
class SceneObserver;

/// What a group of particles is looked at for; lengths are in the policy's units.
struct TargetNeeds {
  std::string name;
  double range = 0;       ///< farthest distance at which they are sensed
  bool one_range = true;  ///< which all components share
  bool touches = false;   ///< contacts with them are counted, whatever the range
  bool velocity = false;  ///< SeenParticles::velocity
  bool radius = false;    ///< SeenParticles::radius
  bool type = false;      ///< SeenParticles::type
};

/// A set of walls, and how far it is looked for in the policy's units.
struct WallNeeds {
  std::string name;
  double range = 0;
  bool touches = false;  ///< contacts with them are counted, whatever the range
};

/// A quantity of each agent that the simulation binds.
struct FieldNeeds {
  std::string name;
  int entries = 1;
};

/// Walls that lidars and contact counts see.
inline constexpr const char* default_walls = "walls";

/// Particles in, rows of the observation tensor out.
///
/// It keeps the buffers of its searches from call to call: one call at a time.
class Observer {
 public:
  /// Throws Error, naming the component, when one is not possible (check_component), or when two
  /// bind the same name to things of different kinds.
  explicit Observer(std::vector<ObservationComponent> components);
  ~Observer() = default;
  Observer(Observer&&) = default;
  Observer& operator=(Observer&&) = default;
  Observer(const Observer&) = delete;  // two would share the buffers
  Observer& operator=(const Observer&) = delete;

  std::size_t width() const { return width_; }
  /// Names bound to goals, in the order of Scene::goals, each once.
  const std::vector<std::string>& goals() const { return goals_; }
  /// Groups of particles, in the order of Scene::targets, each once.
  const std::vector<TargetNeeds>& target_groups() const { return target_groups_; }
  /// Sets of walls, in the order of Scene::walls, each once.
  const std::vector<WallNeeds>& wall_sets() const { return wall_sets_; }
  /// Quantities, in the order of Scene::fields, each once.
  const std::vector<FieldNeeds>& fields() const { return fields_; }
  /// Whether some component is of this kind.
  bool senses(ComponentKind kind) const;
  /// Whether Scene::orientation is needed.
  bool needs_orientation() const;

  /// Fills `rows` (agents, width), row-major, in the order of `space`: on a device nobody waits
  /// until they are filled, and the scene's arrays are needed until then. All of them and `rows`
  /// lie where ExecutionSpace reaches them. Throws Error when `scene` lacks what a component needs.
  /// Instantiated for float and double and every enabled back end.
  template <class Real, class ExecutionSpace>
  void enqueue(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows) const;
  /// The same, and returns when they are filled.
  template <class Real, class ExecutionSpace>
  void observe(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows) const {
    enqueue(space, scene, rows);
    space.fence();
  }

 private:
  void note_targets(const ObservationComponent& component);
  void note_walls(const std::string& name, double range, bool touches);
  void note_field(const ObservationComponent& component, std::size_t index);
  void check_names() const;
  template <class Real, class ExecutionSpace>
  void observe_component(const SceneObserver<Real, ExecutionSpace>& observer,
                         const ObservationComponent& component, const Scene& scene,
                         std::size_t column) const;

  std::vector<ObservationComponent> components_;
  std::vector<std::string> goals_;
  std::vector<TargetNeeds> target_groups_;
  std::vector<WallNeeds> wall_sets_;
  std::vector<FieldNeeds> fields_;
  std::size_t width_ = 0;
  mutable std::any cell_lists_;  ///< std::vector<CellList<ExecutionSpace>>, one per target group
};

}  // namespace dempilot
