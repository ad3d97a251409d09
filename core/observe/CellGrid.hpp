#pragma once

#include <Kokkos_Array.hpp>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace dempilot {

KOKKOS_INLINE_FUNCTION
bool is_finite(double x) {
  return std::fabs(x) <= DBL_MAX;
}

/// Which cell of a CellList a point lies in.
///
/// Cells tile all space; the array that stores them is a torus of bounded size, on which cells that
/// lie a whole array apart share a place. A compact cloud of targets gets a place for every cell,
/// and a few particles that flew far away cost sharing, never memory.
struct CellGrid {
  double inverse_width = 1;                     ///< cells per length
  Kokkos::Array<std::int64_t, 3> low{0, 0, 0};  ///< first cell along each axis that holds a target
  Kokkos::Array<std::int64_t, 3> high{-1, -1, -1};  ///< last such cell
  Kokkos::Array<std::int32_t, 3> size{1, 1, 1};     ///< places of the array along each axis

  /// Cell along one axis: never decreases with `x`, so that what lies between two points lies
  /// between their cells, also after rounding. `x` is finite.
  KOKKOS_INLINE_FUNCTION
  std::int64_t cell_of(double x) const {
    constexpr double farthest = 1e18;  // beyond it all is one cell, and differences fit in 64 bits
    double cells = x * inverse_width;
    cells = cells < -farthest ? -farthest : cells;
    cells = cells > farthest ? farthest : cells;
    // Not std::floor, which calls a library where it must not rely on the newest processors.
    const auto towards_zero = static_cast<std::int64_t>(cells);
    return towards_zero - static_cast<std::int64_t>(cells < static_cast<double>(towards_zero));
  }

  /// Place along an axis of a cell that is not before `low`.
  KOKKOS_INLINE_FUNCTION
  std::int32_t place_of(std::int64_t cell, int axis) const {
    const std::int64_t beyond = cell - low[axis];
    return static_cast<std::int32_t>(beyond < size[axis] ? beyond : beyond % size[axis]);
  }

  /// Number of the cell in the array; x runs fastest.
  KOKKOS_INLINE_FUNCTION
  std::int32_t index_of(std::int32_t x, std::int32_t y, std::int32_t z) const {
    return (z * size[1] + y) * size[0] + x;
  }

  std::int32_t cell_count() const { return size[0] * size[1] * size[2]; }
};

/// Grid for `targets` targets between `lower` and `upper`, of at most 4 places a target, give or
/// take a few. Without targets (`lower` beyond `upper`) a single, empty place.
CellGrid make_cell_grid(const std::array<double, 3>& lower, const std::array<double, 3>& upper,
                        double cell_width, std::size_t targets);

}  // namespace dempilot
