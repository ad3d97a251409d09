#include "core/policy/Contract.hpp"

#include <algorithm>

namespace dempilot {

std::size_t ObservationComponent::width() const {
  const int entries =
      kind == ComponentKind::lidar ? n_azimuth * std::max(1, n_elevation) : dimensions;
  return static_cast<std::size_t>(entries);
}

}  // namespace dempilot
