#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dempilot {

/// An axis-aligned box, some of whose faces are walls.
struct WallBox {
  std::array<double, 3> lower{0, 0, 0};
  std::array<double, 3> upper{0, 0, 0};
  /// Faces that can be seen: lower x, upper x, lower y, … A periodic face is none.
  std::array<bool, 6> is_wall{};
};

/// Fills Scene::walls for a box, `walls` (agents, 2 * dimension, 3): the vector from each agent to
/// the nearest point of the plane of each face, in the order of WallBox::is_wall; +infinity where a
/// face is no wall. `position` (particles, 3) is in host memory, `agents` are indices into it.
/// Throws Error when `dimension` is not 2 or 3 or `walls` has another size. JaxDEM:
/// utils/environment.py, _merge_edges_2d and _merge_edges_3d.
void box_walls(const WallBox& box, int dimension, const double* position,
               std::span<const std::int32_t> agents, std::span<double> walls);

}  // namespace dempilot
