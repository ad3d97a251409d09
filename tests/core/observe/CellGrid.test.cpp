#include "core/observe/CellGrid.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace dempilot {
namespace {

using Size = std::array<std::int32_t, 3>;

Size size_of(const CellGrid& grid) {
  return {grid.size[0], grid.size[1], grid.size[2]};
}

TEST(CellGrid, gives_a_compact_cloud_a_place_for_every_cell) {
  const CellGrid grid = make_cell_grid({{0.5, -1.5, 0.5}, {9.5, 3.5, 7.5}}, 1.0, 1000);
  EXPECT_EQ(size_of(grid), (Size{10, 6, 8}));
  EXPECT_EQ(grid.low[1], -2);
  EXPECT_EQ(grid.high[1], 3);
}

TEST(CellGrid, keeps_the_places_of_a_flat_cloud_in_its_plane) {
  const CellGrid grid = make_cell_grid({{0, 0, 0}, {499, 499, 0}}, 1.0, 250000);
  EXPECT_EQ(size_of(grid), (Size{500, 500, 1}));
}

TEST(CellGrid, has_no_more_than_four_places_a_target_however_far_they_flew) {
  for (const std::int64_t targets : {1, 50, 1000, 100000}) {
    const CellGrid grid = make_cell_grid({{-1e300, -5, 0}, {1e300, 1e300, 1e300}}, 1e-3, targets);
    EXPECT_LE(grid.cell_count(), std::max<std::int64_t>(64, 4 * targets));
    EXPECT_LE(grid.cell_count(), most_cells(targets));
    EXPECT_GT(grid.cell_count(), 0);
  }
}

TEST(CellGrid, lets_short_axes_keep_their_places_and_long_ones_share_the_rest) {
  EXPECT_EQ(size_of(make_cell_grid({{0, 0, 0}, {1e12, 9, 1e300}}, 1.0, 1000)), (Size{20, 10, 20}));
  EXPECT_EQ(size_of(make_cell_grid({{0, 0, 0}, {9, 9, 1e12}}, 1.0, 1000)), (Size{10, 10, 40}));
}

TEST(CellGrid, counts_cells_in_32_bits_for_any_number_of_targets) {
  const CellGrid grid = make_cell_grid({{0, 0, 0}, {1e6, 1e6, 1e6}}, 1.0, std::int64_t{1} << 31);
  EXPECT_GT(grid.cell_count(), 1 << 29);
}

TEST(CellGrid, is_one_empty_place_without_targets) {
  const CellGrid grid = make_cell_grid(PointBox(), 1.0, 0);
  EXPECT_EQ(grid.cell_count(), 1);
  for (int axis = 0; axis < 3; ++axis)
    EXPECT_LT(grid.high[axis], grid.low[axis]);
}

TEST(CellGrid, numbers_cells_in_the_order_of_their_points) {
  const CellGrid grid = make_cell_grid({{0, 0, 0}, {1, 1, 1}}, 0.3, 10);
  std::int64_t last = grid.cell_of(-1.7e308);
  for (const double x :
       {-1e200, -1e18, -1e15, -7.0, -0.3, -1e-300, 0.0, 0.29, 0.3, 1e9, 1e17, 1e19, 1.7e308}) {
    EXPECT_GE(grid.cell_of(x), last) << x;
    last = grid.cell_of(x);
  }
}

}  // namespace
}  // namespace dempilot
