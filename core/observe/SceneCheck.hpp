#pragma once

#include <cstddef>
#include <vector>

#include "core/observe/Observer.hpp"

namespace dempilot {

/// Throws Error when `scene` lacks an array that one of the observer's `components` needs, or has
/// another number of goals, groups, wall sets or fields, or when there are not `row_values` values
/// in the rows for its agents.
void check_scene(const Observer& observer, const std::vector<ObservationComponent>& components,
                 const Scene& scene, std::size_t row_values);

}  // namespace dempilot
