#include "core/policy/Contract.hpp"

#include <algorithm>

namespace dempilot {

std::size_t ModelSpec::carry_size() const {
  switch (kind) {
    case ModelKind::lstm_actor_critic:
      return 2 * lstm_features;
    case ModelKind::min_gru_actor_critic:
      return num_layers * gru_features;
    case ModelKind::recurrent_actor_critic:
      return (cell == CellKind::lstm ? 2 : 1) * (critic_memory == CriticMemory::own ? 2 : 1) *
             num_layers * features;
    case ModelKind::shared_actor_critic:
    case ModelKind::actor_critic:
      return 0;
  }
  return 0;
}

bool is_vector(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::velocity:
    case ComponentKind::angular_velocity:
    case ComponentKind::goal_direction:
    case ComponentKind::goal_displacement:
    case ComponentKind::neighbors:
    case ComponentKind::contact_force:
    case ComponentKind::wall_direction:
    case ComponentKind::director:
      return true;
    case ComponentKind::lidar:
    case ComponentKind::contact_count:
    case ComponentKind::wall_distance:
    case ComponentKind::quaternion:
    case ComponentKind::previous_action:
    case ComponentKind::time_since_reset:
    case ComponentKind::field:
      return false;
  }
  return false;
}

bool has_frame(ComponentKind kind) {
  // A director in the axes of its own body would never change.
  return kind == ComponentKind::lidar || (is_vector(kind) && kind != ComponentKind::director);
}

std::size_t ObservationComponent::width() const {
  const auto entries = [this] {
    switch (kind) {
      case ComponentKind::lidar:
        return n_azimuth * std::max(1, n_elevation);
      case ComponentKind::neighbors:
        return count * entries_per_neighbor();
      case ComponentKind::contact_count:
      case ComponentKind::wall_distance:
      case ComponentKind::time_since_reset:
        return 1;
      case ComponentKind::quaternion:
        return 4;
      default:
        return dimensions;
    }
  };
  return static_cast<std::size_t>(entries());
}

}  // namespace dempilot
