#include "core/observe/CellGrid.hpp"

#include <algorithm>

namespace dempilot {
namespace {

/// Places per axis so that `extent` fits where it can and the product stays within `budget`: short
/// axes get all they ask for, long ones share what is left.
Kokkos::Array<std::int32_t, 3> share_places(const std::array<std::int64_t, 3>& extent,
                                            std::int64_t budget) {
  std::array<int, 3> axes{0, 1, 2};
  std::sort(axes.begin(), axes.end(), [&](int a, int b) { return extent[a] < extent[b]; });
  Kokkos::Array<std::int32_t, 3> size{};
  for (int axes_left = 3; axes_left > 0; --axes_left) {
    const int axis = axes[3 - axes_left];
    const auto share =
        static_cast<std::int64_t>(std::pow(static_cast<double>(budget), 1.0 / axes_left));
    const std::int64_t places =
        std::clamp<std::int64_t>(extent[axis], 1, std::max<std::int64_t>(share, 1));
    size[axis] = static_cast<std::int32_t>(places);
    budget /= places;
  }
  return size;
}

}  // namespace

CellGrid make_cell_grid(const std::array<double, 3>& lower, const std::array<double, 3>& upper,
                        double cell_width, std::size_t targets) {
  CellGrid grid;
  grid.inverse_width = 1 / cell_width;
  if (!(lower[0] <= upper[0])) return grid;

  std::array<std::int64_t, 3> extent{};
  for (int axis = 0; axis < 3; ++axis) {
    grid.low[axis] = grid.cell_of(lower[axis]);
    grid.high[axis] = grid.cell_of(upper[axis]);
    extent[axis] = grid.high[axis] - grid.low[axis] + 1;
  }
  constexpr std::int64_t fewest = 64;
  constexpr std::int64_t most = std::int64_t{1} << 30;  // cells are counted in 32 bits
  grid.size = share_places(
      extent, std::clamp<std::int64_t>(4 * static_cast<std::int64_t>(targets), fewest, most));
  return grid;
}

}  // namespace dempilot
