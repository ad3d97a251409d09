#include "core/observe/Lidar.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/observe/Walls.hpp"
#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using namespace test;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class Real>
class Lidar : public testing::Test {
 protected:
  static void expect_reference(const ObservationComponent& component, const World& world) {
    expect_close(observe<Real>(component, world), reference_lidar(component, world));
  }

  static void expect_reference(const World& world, double range) {
    for (const auto& component : {lidar(range, 16), lidar(range, 7), lidar(range, 1),
                                  lidar(range, 8, 4), lidar(range, 5, 9), lidar(range, 1, 1)})
      expect_reference(component, world);
  }
};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Lidar, Reals);

TYPED_TEST(Lidar, reads_the_nearest_in_each_bin) {
  this->expect_reference(crowd(random_points(500, {9, 9, 9}, 1)), 2.0);
  this->expect_reference(crowd(random_points(300, {30, 30, 0}, 2)), 6.0);
}

TYPED_TEST(Lidar, reads_zero_without_targets) {
  World world = crowd(random_points(20, {1, 1, 1}, 3));
  world.targets.clear();
  const auto rows = observe<TypeParam>(lidar(5, 8, 2), world);
  EXPECT_EQ(rows, std::vector<TypeParam>(20 * 16, 0));
}

TYPED_TEST(Lidar, reads_zero_far_from_all_targets) {
  World world = crowd(random_points(200, {5, 5, 5}, 4));
  world.agents = {0, 1, 2};
  world.targets.erase(world.targets.begin(), world.targets.begin() + 3);
  for (int i = 0; i < 9; ++i)
    world.position[static_cast<std::size_t>(i)] += 1e6 * (i / 3 - 1) + 1e3;
  EXPECT_EQ(observe<TypeParam>(lidar(5, 16), world), std::vector<TypeParam>(3 * 16, 0));
}

TYPED_TEST(Lidar, reads_one_where_all_lie_in_one_point) {
  const World world = crowd(std::vector<double>(3 * 60, 2.5));
  this->expect_reference(world, 1.0);
  const auto rows = observe<TypeParam>(lidar(1, 4), world);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), TypeParam(1)), 60);
}

TYPED_TEST(Lidar, copes_with_a_huge_spread) {
  World world = crowd(random_points(300, {4, 4, 4}, 5));
  for (int i = 0; i < 60; ++i)
    world.position[static_cast<std::size_t>(7 * i)] *= std::pow(10.0, i);
  this->expect_reference(world, 1.5);
  this->expect_reference(world, 1e20);
}

TYPED_TEST(Lidar, copes_with_huge_coordinates) {
  World world = crowd(random_points(200, {8, 8, 8}, 6));
  for (double& x : world.position)
    x = 1e13 + x;
  this->expect_reference(world, 2.0);
  world.position[0] = 1.7e308;
  world.position[4] = -1.7e308;
  world.position[8] = 1e200;
  this->expect_reference(world, 2.0);
}

TYPED_TEST(Lidar, sees_nothing_at_and_from_a_position_that_is_not_finite) {
  World world = crowd(random_points(200, {5, 5, 5}, 7));
  world.position[3 * 4 + 1] = nan;
  world.position[3 * 9 + 2] = infinity;
  world.position[3 * 11] = -infinity;
  this->expect_reference(world, 2.0);
  const auto rows = observe<TypeParam>(lidar(2, 16), world);
  for (const int agent : {4, 9, 11})
    EXPECT_EQ(std::count(rows.begin() + agent * 16, rows.begin() + (agent + 1) * 16, TypeParam(0)),
              16);
}

TYPED_TEST(Lidar, leaves_out_the_agent_itself_and_its_images) {
  World world;
  for (const double x : {0.0, 3.0, -3.0})
    world.add({x, 0.1, 0.1});
  world.agents = {0};
  world.targets = {0, 1, 2};
  world.identity = {7, 7, 7};
  EXPECT_EQ(observe<TypeParam>(lidar(4, 8), world), std::vector<TypeParam>(8, 0));
  world.identity = {7, 8, 7};
  this->expect_reference(world, 4.0);
  auto rows = observe<TypeParam>(lidar(4, 8), world);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), TypeParam(0.25)), 1);
  world.identity.clear();
  rows = observe<TypeParam>(lidar(4, 8), world);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), TypeParam(0.25)), 2);
}

TYPED_TEST(Lidar, is_bitwise_the_same_for_every_order_of_particles) {
  const World world = crowd(random_points(400, {7, 7, 7}, 8));
  std::vector<std::int32_t> order = first_indices(400);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(9));
  World shuffled = crowd({});
  for (const std::int32_t particle : order)
    shuffled.add(world.at(static_cast<std::size_t>(particle)));
  shuffled.agents = shuffled.targets = first_indices(400);
  std::shuffle(shuffled.targets.begin(), shuffled.targets.end(), std::mt19937_64(10));

  for (const auto& component : {lidar(2, 16), lidar(2, 8, 4)}) {
    const auto rows = observe<TypeParam>(component, world);
    const auto other = observe<TypeParam>(component, shuffled);
    const std::size_t width = component.width();
    for (std::size_t i = 0; i < order.size(); ++i)
      ASSERT_TRUE(std::equal(&other[i * width], &other[i * width] + width,
                             &rows[static_cast<std::size_t>(order[i]) * width]))
          << "particle " << order[i];
  }
}

#ifdef DEMPILOT_HAS_SERIAL
TYPED_TEST(Lidar, is_bitwise_the_same_on_one_thread_and_on_many) {
  const World world = crowd(random_points(2000, {15, 15, 15}, 11));
  const auto rows = observe<TypeParam>(lidar(2, 8, 4), world);
  std::vector<TypeParam> serial(rows.size());
  const Observer observer({lidar(2, 8, 4)});
  observer.observe<TypeParam>(Kokkos::Serial(), world.scene(), std::span<TypeParam>(serial));
  expect_same(rows, serial);
}
#endif

TYPED_TEST(Lidar, sees_a_wall_only_where_it_is_closer) {
  World world;
  for (const auto& point : {std::array<double, 3>{0, 0, 0}, {2, 0.2, 0}})
    world.add(point);
  world.agents = {0};
  world.targets = {0, 1};
  world.walls = {1, 0.1, 0, -3, -0.1, 0, infinity, infinity, infinity};
  this->expect_reference(lidar(4, 2, 0, true), world);
  const auto near = observe<TypeParam>(lidar(4, 2, 0, true), world);
  EXPECT_GT(near[1], TypeParam(0.7));
  EXPECT_GT(near[0], TypeParam(0.2));
  world.walls[0] = 3;
  this->expect_reference(lidar(4, 2, 0, true), world);
  EXPECT_LT(observe<TypeParam>(lidar(4, 2, 0, true), world)[1], TypeParam(0.5));
  EXPECT_EQ(observe<TypeParam>(lidar(4, 2, 0, false), world)[0], TypeParam(0));
}

TYPED_TEST(Lidar, sees_floor_and_ceiling_only_in_its_spherical_form) {
  World world;
  world.add({0, 0, 0});
  world.agents = {0};
  world.walls = {0, 0, -1, 0, 0, 2};
  EXPECT_EQ(observe<TypeParam>(lidar(4, 4, 0, true), world), std::vector<TypeParam>(4, 0));
  this->expect_reference(lidar(4, 4, 3, true), world);
  const auto rows = observe<TypeParam>(lidar(4, 1, 2, true), world);
  EXPECT_EQ(rows, (std::vector<TypeParam>{TypeParam(0.75), TypeParam(0.5)}));
}

TYPED_TEST(Lidar, reads_one_at_a_wall_that_the_agent_touches) {
  World world;
  world.add({0, 3, 0});
  world.agents = {0};
  world.walls.resize(4 * 3);
  box_walls({{0, 0, 0}, {50, 50, 0}, {true, true, true, true}}, 2, world.position.data(),
            world.agents, world.walls);
  const auto component = lidar(5, 8, 0, true);
  this->expect_reference(component, world);
  const auto rows = observe<TypeParam>(component, world);
  EXPECT_EQ(*std::max_element(rows.begin(), rows.end()), TypeParam(1));
}

TYPED_TEST(Lidar, kernel_runs_without_a_launch) {
  if (!runs_on_host<ExecutionSpace>) GTEST_SKIP() << "a device runs nothing without one";
  const World world = crowd({0, 0, 0, 1, 0.5, 0});
  const Scene scene = world.scene();
  CellList<ExecutionSpace> list;
  std::vector<TypeParam> rows(8, -1);
  LidarKernel<TypeParam, ExecutionSpace> kernel{};
  kernel.bins = {4, 0};
  kernel.range = 2;
  auto& around = kernel.around;
  around.position = decltype(around.position)(world.position.data(), 2);
  around.agents = decltype(around.agents)(world.agents.data(), 2);
  around.agent_identity = decltype(around.agent_identity)(scene.identity, 2);
  around.identity = decltype(around.identity)(scene.targets[0].identity, 2);
  kernel.rows = decltype(kernel.rows)(rows.data(), 2, 4);
  list.build(ExecutionSpace(), around.position, around.identity, 1.0);
  around.list = list;
  kernel(0);
  const auto expected = reference_lidar(lidar(2, 4), world);
  expect_close(std::vector<TypeParam>(rows.begin(), rows.begin() + 4),
               {expected.begin(), expected.begin() + 4});
  EXPECT_EQ(rows[4], TypeParam(-1));
}

}  // namespace
}  // namespace dempilot
