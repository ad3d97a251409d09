#include "core/observe/NearestWall.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using namespace test;

constexpr double nowhere = std::numeric_limits<double>::infinity();

ObservationComponent wall(ComponentKind kind, double range, int dimensions = 3) {
  ObservationComponent component;
  component.kind = kind;
  component.range = range;
  component.dimensions = dimensions;
  component.bind = "walls";
  return component;
}

/// Two agents; the first is 2 from one wall and 5 from another, the second far from all.
World room() {
  World world = crowd({0, 0, 0, 9, 9, 9});
  world.walls = {0, 0, -2, 3, 4, 0, nowhere, nowhere, nowhere, 0, 8, 0};
  return world;
}

template <class Real>
class NearestWall : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(NearestWall, Reals);

TYPED_TEST(NearestWall, is_as_far_as_the_nearest_one_or_as_one_can_see) {
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_distance, 6), room()),
            (std::vector<TypeParam>{2, 6}));
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_distance, 10), room()),
            (std::vector<TypeParam>{2, 8}));
}

TYPED_TEST(NearestWall, has_a_direction_if_it_is_seen) {
  World world = room();
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_direction, 6), world),
            (std::vector<TypeParam>{0, 0, -1, 0, 0, 0}));
  world.walls[2] = -7;
  expect_close(observe<TypeParam>(wall(ComponentKind::wall_direction, 6, 2), world),
               {0.6, 0.8, 0, 0});
}

TYPED_TEST(NearestWall, is_seen_where_there_are_none) {
  World world = crowd({0, 0, 0});
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_distance, 6), world),
            std::vector<TypeParam>{6});
  world.walls = {0, 0, 0};  // right in it there is no direction
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_distance, 6), world),
            std::vector<TypeParam>{0});
  EXPECT_EQ(observe<TypeParam>(wall(ComponentKind::wall_direction, 6), world),
            (std::vector<TypeParam>{0, 0, 0}));
}

TYPED_TEST(NearestWall, turns_with_the_body) {
  World world = room();
  const double half = std::sqrt(0.5);
  world.orientation = {half, half, 0, 0, 1, 0, 0, 0};  // a quarter turn about x: z is the lab's -y
  auto component = wall(ComponentKind::wall_direction, 6);
  component.frame = Frame::body;
  expect_close(observe<TypeParam>(component, world), {0, -1, 0, 0, 0, 0});
}

TYPED_TEST(NearestWall, is_in_the_policys_units) {
  World world = room();
  for (double& x : world.walls)
    x *= 4;
  Scene scene = world.scene();
  scene.scales = {4, 1, 1};
  scene.targets.clear();
  scene.walls = {world.seen_walls()};
  EXPECT_EQ(observe<TypeParam>(Observer({wall(ComponentKind::wall_distance, 6)}), scene),
            (std::vector<TypeParam>{2, 6}));
}

}  // namespace
}  // namespace dempilot
