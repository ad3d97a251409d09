#include "core/observe/Neighbors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using namespace test;

ObservationComponent nearest(int count, double range, int dimensions = 3) {
  ObservationComponent component;
  component.kind = ComponentKind::neighbors;
  component.count = count;
  component.range = range;
  component.dimensions = dimensions;
  component.bind = "targets";
  return component;
}

ObservationComponent all_of_them(int count, double range) {
  ObservationComponent component = nearest(count, range);
  component.relative_velocity = component.radius = component.type = true;
  return component;
}

World crowd_with_properties(std::size_t count, unsigned seed) {
  World world = crowd(random_points(count, {6, 6, 6}, seed));
  world.velocity = random_points(count, {2, 2, 2}, seed + 1);
  std::mt19937_64 generator(seed);
  for (std::size_t i = 0; i < count; ++i) {
    world.radius.push_back(std::uniform_real_distribution<double>(0.2, 0.6)(generator));
    world.type.push_back(std::uniform_int_distribution<std::int32_t>(1, 3)(generator));
  }
  return world;
}

/// Every agent against every target, sorted as a whole.
std::vector<double> reference_neighbors(const ObservationComponent& component, const World& world) {
  std::vector<double> rows;
  for (const std::int32_t agent : world.agents) {
    const auto self = static_cast<std::size_t>(agent);
    std::vector<std::tuple<double, std::int64_t, std::size_t>> near;
    for (const std::int32_t target : world.targets) {
      const auto other = static_cast<std::size_t>(target);
      if (world.identity_of(target) == world.identity_of(agent)) continue;
      const auto a = world.at(self);
      const auto b = world.at(other);
      const double distance = std::hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
      if (distance < component.range) near.emplace_back(distance, world.identity_of(target), other);
    }
    std::sort(near.begin(), near.end());
    near.resize(std::min(near.size(), static_cast<std::size_t>(component.count)));
    const std::size_t first = rows.size();
    for (const auto& [distance, identity, other] : near) {
      for (std::size_t d = 0; d < 3; ++d)
        rows.push_back(world.at(other)[d] - world.at(self)[d]);
      for (std::size_t d = 0; d < 3; ++d)
        rows.push_back(world.velocity[3 * other + d] - world.velocity[3 * self + d]);
      rows.push_back(world.radius[other]);
      rows.push_back(world.type[other]);
    }
    rows.resize(first + component.width(), 0.0);
  }
  return rows;
}

template <class Real>
class Neighbors : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Neighbors, Reals);

TYPED_TEST(Neighbors, are_those_of_a_search_among_all) {
  const World world = crowd_with_properties(300, 1);
  for (const auto& component : {all_of_them(1, 1.5), all_of_them(7, 1.5), all_of_them(64, 3.0)})
    expect_close(observe<TypeParam>(component, world), reference_neighbors(component, world));
}

TYPED_TEST(Neighbors, are_zeros_where_there_are_fewer) {
  World world = crowd_with_properties(2, 2);
  world.position = {1, 1, 1, 1, 2, 1};
  const auto rows = observe<TypeParam>(nearest(3, 2), world);
  EXPECT_EQ(rows, (std::vector<TypeParam>{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(observe<TypeParam>(nearest(1, 0.5), world), std::vector<TypeParam>(6, 0));
  World alone = crowd({0, 0, 0});
  alone.targets.clear();
  EXPECT_EQ(observe<TypeParam>(nearest(2, 5, 2), alone), std::vector<TypeParam>(4, 0));
}

TYPED_TEST(Neighbors, at_the_same_distance_are_in_the_order_of_identity_then_of_place) {
  World world;
  for (const auto& point :
       {std::array<double, 3>{0, 0, 0}, {1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}})
    world.add(point);
  world.agents = {0};
  world.identity = {1, 9, 5, 5, 7};
  std::vector<std::int32_t> order{1, 2, 3, 4};
  do {
    world.targets = order;
    EXPECT_EQ(observe<TypeParam>(nearest(3, 2, 2), world),
              (std::vector<TypeParam>{-1, 0, 0, 1, 0, -1}));
  } while (std::next_permutation(order.begin(), order.end()));
}

TYPED_TEST(Neighbors, leave_out_the_agent_and_its_images) {
  World world = crowd({0, 0, 0, 1, 0, 0, 2, 0, 0});
  world.identity = {4, 4, 8};
  world.agents = {0};
  EXPECT_EQ(observe<TypeParam>(nearest(2, 3, 1), world), (std::vector<TypeParam>{2, 0}));
}

TYPED_TEST(Neighbors, turn_with_the_body) {
  World world = crowd({0, 0, 0, 1, 2, 3});
  world.velocity = {0, 0, 0, 4, 5, 6};
  world.agents = {0};
  const double half = std::sqrt(0.5);
  world.orientation = {half, 0, 0, half};  // a quarter turn about z: the body's x is the lab's y
  auto component = nearest(1, 9);
  component.relative_velocity = true;
  component.frame = Frame::body;
  expect_close(observe<TypeParam>(component, world), {2, -1, 3, 5, -4, 6});
}

TYPED_TEST(Neighbors, are_in_the_policys_units) {
  const World world = crowd_with_properties(100, 3);
  const auto component = all_of_them(4, 1.5);
  World large = world;
  for (double& x : large.position)
    x *= 8;
  for (double& r : large.radius)
    r *= 8;
  for (double& v : large.velocity)
    v *= 8.0 / 4.0;
  Scene scene = large.scene();
  scene.scales = {8, 4, 1};
  EXPECT_EQ(observe<TypeParam>(Observer({component}), scene), observe<TypeParam>(component, world));
}

ObservationComponent contacts(bool walls) {
  ObservationComponent component;
  component.kind = ComponentKind::contact_count;
  component.walls = walls;
  component.bind = "targets";
  return component;
}

TYPED_TEST(Neighbors, that_overlap_are_contacts) {
  const World world = crowd_with_properties(300, 4);
  Scene scene = world.scene();
  scene.targets[0].contact_range = 1.2;
  const auto counts = observe<TypeParam>(Observer({contacts(false)}), scene);
  int total = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    int expected = 0;
    for (std::size_t j = 0; j < 300; ++j) {
      const auto a = world.at(i);
      const auto b = world.at(j);
      const double distance = std::hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
      expected += i != j && distance < world.radius[i] + world.radius[j] ? 1 : 0;
    }
    EXPECT_EQ(counts[i], static_cast<TypeParam>(expected)) << "particle " << i;
    total += expected;
  }
  EXPECT_GT(total, 100);
}

TYPED_TEST(Neighbors, contacts_are_with_walls_too_if_asked_for) {
  World world = crowd({0, 0, 0, 0.5, 0, 0});
  world.radius = {0.3, 0.3};
  world.agents = {0};
  world.walls = {0, -0.29, 0, 0, 0.31, 0};
  Scene scene = world.scene();
  scene.targets[0].contact_range = 0.6;
  EXPECT_EQ(observe<TypeParam>(Observer({contacts(false)}), scene), std::vector<TypeParam>{1});
  scene.walls = {world.seen_walls()};
  EXPECT_EQ(observe<TypeParam>(Observer({contacts(true)}), scene), std::vector<TypeParam>{2});
}

TYPED_TEST(Neighbors, are_none_without_size) {
  World world = crowd({0, 0, 0, 0, 0, 0});
  world.radius = {0, 0};
  EXPECT_EQ(observe<TypeParam>(contacts(false), world), (std::vector<TypeParam>{0, 0}));
}

}  // namespace
}  // namespace dempilot
