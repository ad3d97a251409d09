#include "core/observe/Bins.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using test::reference_bin;
using Direction = std::array<double, 3>;

const std::vector<int> bin_counts{1, 2, 3, 4, 5, 7, 8, 9, 16, 30, 36, 64, 97, 360, 1000, 100003};

/// Directions where a bin is most easily missed: on its edges and next to them.
std::vector<Direction> edge_directions(int n_azimuth) {
  std::vector<Direction> directions;
  const int edges = std::min(n_azimuth, 400);
  for (int edge = 0; edge <= edges; ++edge) {
    const double angle = -detail::pi + 2 * detail::pi * edge / n_azimuth;
    for (const double shift :
         {0.0, 1e-16, -1e-16, 1e-12, -1e-12, 1e-6, -1e-6, 3e-5, -3e-5, 1e-3, -1e-3})
      directions.push_back({std::cos(angle + shift), std::sin(angle + shift), 0.3 * shift});
  }
  return directions;
}

/// Signed zeros, axes, diagonals, and components of very different size.
std::vector<Direction> special_directions() {
  const std::array<double, 13> values{0.0,    -0.0,    1.0,    -1.0,  1e-9,   -1e-9, 1e9,
                                      5e-324, -5e-324, 1e-160, 1e150, -1e150, 3.0};
  std::vector<Direction> directions;
  for (const double x : values)
    for (const double y : values)
      for (const double z : values)
        directions.push_back({x, y, z});
  return directions;
}

std::vector<Direction> random_directions() {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> normal;
  std::vector<Direction> directions(20000);
  for (Direction& direction : directions)
    for (double& component : direction)
      component = normal(generator);
  return directions;
}

void expect_reference_bins(const std::vector<Direction>& directions, int n_azimuth) {
  for (const auto& d : directions) {
    const int bin = azimuth_bin(d[0], d[1], n_azimuth);
    ASSERT_EQ(bin, static_cast<int>(reference_bin(d, n_azimuth, 0)))
        << n_azimuth << " bins, direction " << d[0] << ' ' << d[1];
    for (const int n_elevation : {1, 2, 4, 7, 8, 33}) {
      const int flat = spherical_bin(d[0], d[1], d[2], n_azimuth, n_elevation);
      ASSERT_EQ(flat, static_cast<int>(reference_bin(d, n_azimuth, n_elevation)))
          << n_azimuth << " x " << n_elevation << " bins, direction " << d[0] << ' ' << d[1] << ' '
          << d[2];
    }
  }
}

TEST(Bins, are_the_formula_at_the_edges_of_bins) {
  for (const int n : bin_counts)
    expect_reference_bins(edge_directions(n), n);
}

TEST(Bins, are_the_formula_on_axes_and_for_signed_zeros) {
  for (const int n : bin_counts)
    expect_reference_bins(special_directions(), n);
}

TEST(Bins, are_the_formula_everywhere_else) {
  for (const int n : {1, 9, 16, 360})
    expect_reference_bins(random_directions(), n);
}

TEST(Bins, start_at_minus_x_and_turn_counterclockwise) {
  EXPECT_EQ(azimuth_bin(-1, -0.01, 4), 0);
  EXPECT_EQ(azimuth_bin(0.01, -1, 4), 1);
  EXPECT_EQ(azimuth_bin(1, 0.01, 4), 2);
  EXPECT_EQ(azimuth_bin(-0.01, 1, 4), 3);
}

TEST(Bins, count_elevation_from_below_within_each_azimuth) {
  EXPECT_EQ(spherical_bin(1, 0.01, -5, 4, 3), 2 * 3 + 0);
  EXPECT_EQ(spherical_bin(1, 0.01, 0, 4, 3), 2 * 3 + 1);
  EXPECT_EQ(spherical_bin(1, 0.01, 5, 4, 3), 2 * 3 + 2);
  EXPECT_EQ(spherical_bin(0, 0, 1, 1, 3), 2);
  EXPECT_EQ(spherical_bin(0, 0, -1, 1, 3), 0);
}

TEST(RoughAtan2, stays_within_half_its_margin) {
  double worst = 0;
  for (int i = 0; i < 200000; ++i) {
    const double angle = -detail::pi + 2 * detail::pi * (i + 0.5) / 200000;
    const double y = std::sin(angle);
    const double x = std::cos(angle);
    worst = std::max(worst, std::abs(detail::rough_atan2(y, x) - std::atan2(y, x)));
  }
  EXPECT_LT(worst, detail::rough_angle_error / 2 * 1.2);
}

}  // namespace
}  // namespace dempilot
