#pragma once

#include <any>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

template <class ExecutionSpace>
class CellList;

/// Particles in, rows of the observation tensor out.
///
/// It keeps the buffers of its searches from call to call: one call at a time.
class Observer {
 public:
  /// Throws Error, naming the component, when one is not possible: range, clip or number of bins
  /// not positive, dimensions not 1 to 3, no name to bind.
  explicit Observer(std::vector<ObservationComponent> components);
  ~Observer() = default;
  Observer(Observer&&) = default;
  Observer& operator=(Observer&&) = default;
  Observer(const Observer&) = delete;  // two would share the buffers
  Observer& operator=(const Observer&) = delete;

  std::size_t width() const { return width_; }
  /// Names bound to goals, in the order of Scene::goals, each once.
  const std::vector<std::string>& goals() const { return goals_; }
  /// Names bound to groups of particles, in the order of Scene::targets, each once.
  const std::vector<std::string>& target_groups() const { return target_groups_; }
  bool sees_walls() const;
  /// Farthest distance sensed, 0 if nothing is.
  double sensing_range() const;
  /// Farthest distance at which particles of one of target_groups() are sensed.
  double sensing_range(const std::string& target_group) const;

  /// Fills `rows` (agents, width), row-major, and returns when they are filled. All of the scene's
  /// arrays and `rows` lie where ExecutionSpace reaches them. Throws Error when `scene` lacks what
  /// a component needs. Instantiated for float and double and every enabled back end.
  template <class Real, class ExecutionSpace>
  void observe(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows) const;

 private:
  void check(const Scene& scene, std::size_t row_values) const;
  template <class ExecutionSpace>
  std::vector<CellList<ExecutionSpace>>& cell_lists() const;

  std::vector<ObservationComponent> components_;
  std::vector<std::string> goals_;
  std::vector<std::string> target_groups_;
  std::size_t width_ = 0;
  mutable std::any cell_lists_;  ///< std::vector<CellList<ExecutionSpace>>, one per target group
};

}  // namespace dempilot
