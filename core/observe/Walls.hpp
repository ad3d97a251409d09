#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/Function.hpp"

namespace dempilot {

/// An axis-aligned box, some of whose faces are walls.
struct WallBox {
  double lower[3] = {0, 0, 0};
  double upper[3] = {0, 0, 0};
  /// Faces that can be seen: lower x, upper x, lower y, … A periodic face is none.
  bool is_wall[6] = {};

  /// Writes the vector from `point` (3) to the plane of a face, or +infinity where it is no wall.
  DEMPILOT_FUNCTION void find(int face, const double* point, double* vector) const {
    const int axis = face / 2;
    const double plane = face % 2 == 0 ? lower[axis] : upper[axis];
    for (int d = 0; d < 3; ++d)
      vector[d] = !is_wall[face] ? HUGE_VAL : d == axis ? plane - point[axis] : 0.0;
  }
};

/// Fills Scene::walls for a box, `walls` (agents, 2 * dimension, 3): the vector from each agent to
/// the nearest point of the plane of each face, in the order of WallBox::is_wall; +infinity where a
/// face is no wall. `position` (particles, 3) is in host memory, `agents` are indices into it.
/// Throws Error when `dimension` is not 2 or 3 or `walls` has another size. JaxDEM:
/// utils/environment.py, _merge_edges_2d and _merge_edges_3d.
void box_walls(const WallBox& box, int dimension, const double* position,
               std::span<const std::int32_t> agents, std::span<double> walls);

}  // namespace dempilot
