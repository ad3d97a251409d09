#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

/// Particles in, rows of the observation tensor out.
class Observer {
 public:
  explicit Observer(std::vector<ObservationComponent> components);

  std::size_t width() const { return width_; }
  const std::vector<std::string>& goals() const { return goals_; }
  const std::vector<std::string>& target_groups() const { return target_groups_; }
  bool sees_walls() const;
  double sensing_range() const;

  /// Fills `rows` (agents, width), row-major. Throws Error when `scene` lacks what a component
  /// needs.
  template <class Real, class ExecutionSpace>
  void observe(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows) const;

 private:
  std::vector<ObservationComponent> components_;
  std::vector<std::string> goals_;
  std::vector<std::string> target_groups_;
  std::size_t width_ = 0;
};

}  // namespace dempilot
