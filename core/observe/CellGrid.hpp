#pragma once

#include <Kokkos_Core.hpp>
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

  KOKKOS_INLINE_FUNCTION
  std::int32_t cell_count() const { return size[0] * size[1] * size[2]; }
};

/// The smallest box around some points, `low` beyond `high` without any.
struct PointBox {
  double low[3] = {DBL_MAX, DBL_MAX, DBL_MAX};
  double high[3] = {-DBL_MAX, -DBL_MAX, -DBL_MAX};

  /// Points that are not finite are left out.
  KOKKOS_INLINE_FUNCTION
  void include(double x, double y, double z) {
    if (!is_finite(x) || !is_finite(y) || !is_finite(z)) return;
    const double point[3] = {x, y, z};
    for (int d = 0; d < 3; ++d) {
      low[d] = point[d] < low[d] ? point[d] : low[d];
      high[d] = point[d] > high[d] ? point[d] : high[d];
    }
  }
  KOKKOS_INLINE_FUNCTION
  void include(const PointBox& other) {
    for (int d = 0; d < 3; ++d) {
      low[d] = other.low[d] < low[d] ? other.low[d] : low[d];
      high[d] = other.high[d] > high[d] ? other.high[d] : high[d];
    }
  }
};

/// How Kokkos reduces boxes: for functors that include points in one.
struct BoxReduction {
  using value_type = PointBox;
  KOKKOS_FUNCTION static void init(PointBox& box) { box = PointBox(); }
#if defined(KOKKOS_VERSION) && KOKKOS_VERSION >= 40000
  KOKKOS_FUNCTION static void join(PointBox& box, const PointBox& other) {
    box.include(other);
  }
#else
  /// Kokkos 3 wants it so.
  KOKKOS_FUNCTION static void join(volatile PointBox& box, const volatile PointBox& other) {
    for (int d = 0; d < 3; ++d) {
      if (other.low[d] < box.low[d]) box.low[d] = other.low[d];
      if (other.high[d] > box.high[d]) box.high[d] = other.high[d];
    }
  }
#endif
};

/// Most places that a grid for `targets` targets has.
KOKKOS_INLINE_FUNCTION
std::int64_t most_cells(std::int64_t targets) {
  constexpr std::int64_t fewest = 64;
  constexpr std::int64_t most = std::int64_t{1} << 30;  // cells are counted in 32 bits
  const std::int64_t wanted = 4 * targets;
  return wanted < fewest ? fewest : wanted > most ? most : wanted;
}

namespace detail {

/// The largest number whose power `exponent` (1 to 3) is no more than `product`.
KOKKOS_INLINE_FUNCTION
std::int64_t whole_root(std::int64_t product, int exponent) {
  if (exponent == 1) return product;
  const double wanted = static_cast<double>(product);
  auto root = static_cast<std::int64_t>(exponent == 2 ? std::sqrt(wanted) : std::cbrt(wanted));
  const auto power = [exponent](std::int64_t x) { return exponent == 2 ? x * x : x * x * x; };
  while (power(root) > product)
    --root;
  while (power(root + 1) <= product)
    ++root;
  return root;
}

/// Places per axis so that `extent` fits where it can and the product stays within `budget`: short
/// axes get all they ask for, long ones share what is left.
KOKKOS_INLINE_FUNCTION
void share_places(const std::int64_t (&extent)[3], std::int64_t budget,
                  Kokkos::Array<std::int32_t, 3>& size) {
  bool served[3] = {false, false, false};
  for (int axes_left = 3; axes_left > 0; --axes_left) {
    int axis = -1;
    for (int d = 0; d < 3; ++d) {
      if (!served[d] && (axis < 0 || extent[d] < extent[axis])) axis = d;
    }
    const std::int64_t share = whole_root(budget, axes_left);
    std::int64_t places = extent[axis] < share ? extent[axis] : share;
    if (places < 1) places = 1;
    size[axis] = static_cast<std::int32_t>(places);
    budget /= places;
    served[axis] = true;
  }
}

}  // namespace detail

/// Grid for `targets` targets in a box, of at most most_cells(targets) places. Without targets a
/// single, empty place.
KOKKOS_INLINE_FUNCTION
CellGrid make_cell_grid(const PointBox& box, double cell_width, std::int64_t targets) {
  CellGrid grid;
  grid.inverse_width = 1 / cell_width;
  if (!(box.low[0] <= box.high[0])) return grid;
  std::int64_t extent[3];
  for (int axis = 0; axis < 3; ++axis) {
    grid.low[axis] = grid.cell_of(box.low[axis]);
    grid.high[axis] = grid.cell_of(box.high[axis]);
    extent[axis] = grid.high[axis] - grid.low[axis] + 1;
  }
  detail::share_places(extent, most_cells(targets), grid.size);
  return grid;
}

}  // namespace dempilot
