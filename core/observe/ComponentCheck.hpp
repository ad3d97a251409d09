#pragma once

#include <cstddef>

#include "core/policy/Contract.hpp"

namespace dempilot {

/// What a component looks at, which the simulation binds to a name.
enum class BindingKind { nothing, goal, targets, walls, field };
BindingKind binding_of(ComponentKind kind);

/// Throws Error, naming the component and its place in the row, when it is not possible: range,
/// clip or a count not positive, dimensions not 1 to 3, no name to bind.
void check_component(const ObservationComponent& component, std::size_t index);

}  // namespace dempilot
