#include "core/observe/CellList.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "core/observe/Launch.hpp"
#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using test::ExecutionSpace;
using test::first_indices;
using test::random_points;

/// Both forms of a list where there is a host; a device has one.
using Lists = std::conditional_t<runs_on_host<ExecutionSpace>,
                                 testing::Types<CellList<ExecutionSpace, ListForm::vectors>,
                                                CellList<ExecutionSpace, ListForm::threads>>,
                                 testing::Types<CellList<ExecutionSpace>>>;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t nobody = -1;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A list of some of the particles at `points`, which it views while it is built.
template <class List>
void build(List& list, const std::vector<double>& points, const std::vector<std::int32_t>& targets,
           double cell_width) {
  std::vector<double> position;
  for (const std::int32_t target : targets) {
    const auto first = points.begin() + 3 * static_cast<std::ptrdiff_t>(target);
    position.insert(position.end(), first, first + 3);
  }
  std::vector<std::int64_t> identity(targets.begin(), targets.end());
  list.build(ExecutionSpace(), typename List::Positions(position.data(), targets.size()),
             typename List::Identities(identity.data(), targets.size()), cell_width);
  ExecutionSpace().fence();
}

struct Visit {
  std::int32_t index;
  double delta[3];
  double distance;
};

/// Writes down what a list visits, as far as there is room, where the list can be read.
template <class List>
struct Witness {
  static constexpr const char* label = "DEMPilot::test::Witness";
  List list;
  Vicinity vicinity;
  Visit* visits;
  std::size_t room;
  std::size_t* count;

  KOKKOS_FUNCTION
  void operator()(int) const {
    list.for_each_within(vicinity,
                         [&](std::int32_t index, const double(&delta)[3], double distance) {
                           if (*count < room)
                             visits[*count] = {index, {delta[0], delta[1], delta[2]}, distance};
                           ++*count;
                         });
  }
};

/// All visits of what is near, in a list of at most `targets`.
template <class List>
std::vector<Visit> visits_near(const List& list, std::size_t targets, const double (&centre)[3],
                               double range) {
  std::vector<Visit> visits(targets);
  std::vector<std::size_t> count{0};
  const Vicinity vicinity{{centre[0], centre[1], centre[2]}, range, nobody};
  launch(ExecutionSpace(), 1, Witness<List>{list, vicinity, visits.data(), targets, count.data()});
  ExecutionSpace().fence();
  EXPECT_LE(count[0], targets);
  visits.resize(std::min(count[0], targets));
  return visits;
}

/// Indices among the `targets` of which the list was built.
template <class List>
std::vector<std::int32_t> found_near(const List& list, const std::vector<std::int32_t>& targets,
                                     const double (&centre)[3], double range) {
  std::vector<std::int32_t> found;
  for (const Visit& visit : visits_near(list, targets.size(), centre, range))
    found.push_back(targets[static_cast<std::size_t>(visit.index)]);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::int32_t> truly_near(const std::vector<double>& points,
                                     const std::vector<std::int32_t>& targets,
                                     const double (&centre)[3], double range) {
  std::vector<std::int32_t> near;
  for (const std::int32_t target : targets) {
    const double* point = &points[3 * static_cast<std::size_t>(target)];
    const double x = point[0] - centre[0];
    const double y = point[1] - centre[1];
    const double z = point[2] - centre[2];
    if (x * x + y * y + z * z < range * range) near.push_back(target);
  }
  std::sort(near.begin(), near.end());
  return near;
}

/// Every target is found exactly once, at every particle and for ranges of other sizes than the
/// cells.
template <class List>
void expect_all_found(const std::vector<double>& points, const std::vector<std::int32_t>& targets,
                      double cell_width) {
  List list;
  build(list, points, targets, cell_width);
  for (std::size_t i = 0; i < points.size() / 3; ++i) {
    const double centre[3] = {points[3 * i], points[3 * i + 1], points[3 * i + 2]};
    for (const double range : {0.4 * cell_width, cell_width, 2 * cell_width, 5.5 * cell_width})
      ASSERT_EQ(found_near(list, targets, centre, range),
                truly_near(points, targets, centre, range))
          << "particle " << i << ", range " << range;
  }
}

template <class List>
class CellLists : public testing::Test {};
TYPED_TEST_SUITE(CellLists, Lists);

TYPED_TEST(CellLists, finds_every_target_once) {
  const auto points = random_points(400, {10, 6, 8}, 1);
  expect_all_found<TypeParam>(points, first_indices(400), 1.0);
  expect_all_found<TypeParam>(points, first_indices(400), 0.07);
  expect_all_found<TypeParam>(points, first_indices(400), 30.0);
}

TYPED_TEST(CellLists, finds_only_the_chosen_particles) {
  expect_all_found<TypeParam>(random_points(300, {5, 5, 5}, 2), {7, 250, 3, 4, 99, 180}, 0.8);
}

TYPED_TEST(CellLists, finds_targets_in_a_plane_and_in_a_line) {
  expect_all_found<TypeParam>(random_points(300, {20, 20, 0}, 3), first_indices(300), 1.0);
  expect_all_found<TypeParam>(random_points(300, {0, 100, 0}, 4), first_indices(300), 1.0);
}

TYPED_TEST(CellLists, finds_targets_on_the_edges_of_cells) {
  std::vector<double> lattice;
  for (int i = 0; i < 216; ++i)
    for (const int cell : {i % 6, i / 6 % 6, i / 36})
      lattice.push_back(0.1 * cell - 0.3);
  expect_all_found<TypeParam>(lattice, first_indices(216), 0.1);
}

TYPED_TEST(CellLists, finds_targets_that_lie_all_in_one_point) {
  expect_all_found<TypeParam>(std::vector<double>(3 * 200, 1.25), first_indices(200), 0.5);
}

TYPED_TEST(CellLists, finds_targets_of_a_sparse_and_far_flung_cloud) {
  auto points = random_points(300, {1e5, 1e7, 1e3}, 5);
  expect_all_found<TypeParam>(points, first_indices(300), 1.0);
  points[5] = 1e300;
  points[7] = -1e300;
  points[30] = 1.7e308;
  expect_all_found<TypeParam>(points, first_indices(300), 1e4);
}

TYPED_TEST(CellLists, finds_neighbors_far_from_the_origin) {
  auto points = random_points(300, {6, 6, 6}, 6);
  for (double& x : points)
    x += 1e14;  // one part in 1e14 of this is a cell
  expect_all_found<TypeParam>(points, first_indices(300), 1.0);
}

TYPED_TEST(CellLists, leaves_out_targets_that_are_nowhere) {
  auto points = random_points(200, {4, 4, 4}, 7);
  points[0] = nan;
  points[4] = infinity;
  points[8] = -infinity;
  expect_all_found<TypeParam>(points, first_indices(200), 1.0);
}

TYPED_TEST(CellLists, finds_nothing_from_nowhere) {
  TypeParam list;
  build(list, random_points(50, {1, 1, 1}, 8), first_indices(50), 1.0);
  for (const double nowhere : {nan, infinity, -infinity}) {
    const double centre[3] = {0.5, nowhere, 0.5};
    EXPECT_TRUE(found_near(list, first_indices(50), centre, 10).empty());
  }
}

TYPED_TEST(CellLists, finds_nothing_among_no_targets) {
  const std::vector<double> points(30, nan);
  for (const std::size_t targets : {0, 10}) {
    TypeParam list;
    build(list, points, first_indices(targets), 1.0);
    const double centre[3] = {0, 0, 0};
    EXPECT_TRUE(found_near(list, first_indices(targets), centre, 10).empty());
  }
}

TYPED_TEST(CellLists, can_be_built_again_from_more_and_fewer_targets) {
  TypeParam list;
  for (const std::size_t count : {10, 500, 3, 0, 499, 700}) {
    const auto points = random_points(count, {5, 5, 5}, static_cast<unsigned>(count));
    const auto targets = first_indices(count);
    build(list, points, targets, 0.5);
    const double centre[3] = {2, 3, 2};
    EXPECT_EQ(found_near(list, targets, centre, 1.5), truly_near(points, targets, centre, 1.5));
  }
}

TYPED_TEST(CellLists, gives_the_vector_to_the_target_and_its_length) {
  const std::vector<double> points{1, 2, 3};
  TypeParam list;
  build(list, points, {0}, 1.0);
  const std::vector<Visit> visits = visits_near(list, 1, {0, 0, 1}, 4);
  ASSERT_EQ(visits.size(), 1U);
  EXPECT_EQ(visits[0].delta[0], 1);
  EXPECT_EQ(visits[0].delta[1], 2);
  EXPECT_EQ(visits[0].delta[2], 2);
  EXPECT_EQ(visits[0].distance, 3);
}

}  // namespace
}  // namespace dempilot
