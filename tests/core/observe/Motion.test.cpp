#include "core/observe/Motion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using namespace test;

template <class Real>
class Motion : public testing::Test {
 protected:
  static ObservationComponent component(ComponentKind kind, int dimensions) {
    ObservationComponent component;
    component.kind = kind;
    component.dimensions = dimensions;
    component.clip = 3;
    if (kind == ComponentKind::goal_direction || kind == ComponentKind::goal_displacement)
      component.bind = "goal";
    return component;
  }

  /// Particle 2 is the first agent, at (1, 2, 3), particle 0 the second, at its goal.
  static World world() {
    World world;
    for (const auto& point : {std::array<double, 3>{5, 5, 5}, {8, 8, 8}, {1, 2, 3}})
      world.add(point);
    world.velocity = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    world.angular_velocity = {-1, -2, -3, -4, -5, -6, -7, -8, -9};
    world.agents = {2, 0};
    world.goal = {1, -2, 6, 5, 5, 5};
    return world;
  }

  static std::vector<Real> observed(const ObservationComponent& component, const World& world) {
    Scene scene = world.scene();
    scene.targets.clear();
    if (!component.bind.empty()) scene.goals = {world.goal.data()};
    return observe<Real>(Observer({component}), scene);
  }

  static std::vector<Real> observed(ComponentKind kind, int dimensions) {
    return observed(component(kind, dimensions), world());
  }
};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Motion, Reals);

TYPED_TEST(Motion, shows_the_velocity_of_each_agent) {
  EXPECT_EQ(this->observed(ComponentKind::velocity, 2), (std::vector<TypeParam>{7, 8, 1, 2}));
  EXPECT_EQ(this->observed(ComponentKind::velocity, 3), (std::vector<TypeParam>{7, 8, 9, 1, 2, 3}));
}

TYPED_TEST(Motion, shows_the_z_component_of_a_planar_angular_velocity) {
  EXPECT_EQ(this->observed(ComponentKind::angular_velocity, 1), (std::vector<TypeParam>{-9, -3}));
  EXPECT_EQ(this->observed(ComponentKind::angular_velocity, 3),
            (std::vector<TypeParam>{-7, -8, -9, -1, -2, -3}));
}

TYPED_TEST(Motion, points_away_from_the_goal_and_nowhere_at_it) {
  expect_close<TypeParam>(this->observed(ComponentKind::goal_direction, 3),
                          {0, 0.8, -0.6, 0, 0, 0});
}

TYPED_TEST(Motion, points_by_the_first_dimensions_alone) {
  expect_close<TypeParam>(this->observed(ComponentKind::goal_direction, 2), {0, 1, 0, 0});
  expect_close<TypeParam>(this->observed(ComponentKind::goal_direction, 1), {0, 0});
}

TYPED_TEST(Motion, clips_each_component_of_the_displacement) {
  EXPECT_EQ(this->observed(ComponentKind::goal_displacement, 3),
            (std::vector<TypeParam>{0, 3, -3, 0, 0, 0}));
  auto wide = this->component(ComponentKind::goal_displacement, 2);
  wide.clip = 3.75;
  EXPECT_EQ(this->observed(wide, this->world()), (std::vector<TypeParam>{0, 3.75, 0, 0}));
}

TYPED_TEST(Motion, takes_the_nearest_image_of_the_goal_where_the_box_is_periodic) {
  World world = this->world();
  world.agents = {2, 2, 2};
  world.goal = {9.5, 2, 3, 1, 2 + 30.5, 3, 1, 2, 9.5};  // 1.5 above, and 30.5 and 6.5 below
  world.period = {10, 10, 0};
  EXPECT_EQ(this->observed(this->component(ComponentKind::goal_displacement, 3), world),
            (std::vector<TypeParam>{1.5, 0, 0, 0, -0.5, 0, 0, 0, -3}));
  expect_close<TypeParam>(this->observed(this->component(ComponentKind::goal_direction, 3), world),
                          {1, 0, 0, 0, -1, 0, 0, 0, -1});
}

TYPED_TEST(Motion, passes_on_what_is_not_a_number) {
  World world = this->world();
  world.goal[0] = std::numeric_limits<double>::quiet_NaN();
  for (const auto kind : {ComponentKind::goal_displacement, ComponentKind::goal_direction})
    EXPECT_TRUE(std::isnan(this->observed(this->component(kind, 2), world)[0]));
}

TYPED_TEST(Motion, turns_with_the_body) {
  World world = this->world();
  const double half = std::sqrt(0.5);
  // The first agent is turned about x, so that its z is the lab's -y; the second not at all.
  world.orientation = {half, half, 0, 0, 1, 0, 0, 0};
  auto component = this->component(ComponentKind::velocity, 3);
  component.frame = Frame::body;
  expect_close(this->observed(component, world), {7, 9, -8, 1, 2, 3});
  component = this->component(ComponentKind::goal_displacement, 3);
  component.frame = Frame::body;
  expect_close(this->observed(component, world), {0, -3, -3, 0, 0, 0});
  component = this->component(ComponentKind::goal_direction, 2);
  component.frame = Frame::body;
  expect_close(this->observed(component, world), {0, -1, 0, 0});
}

TYPED_TEST(Motion, is_in_the_policys_units) {
  World world = this->world();
  const auto scaled = [&](const ObservationComponent& component) {
    Scene scene = world.scene();
    scene.scales = {2, 4, 8};
    scene.targets.clear();
    if (!component.bind.empty()) scene.goals = {world.goal.data()};
    return observe<TypeParam>(Observer({component}), scene);
  };
  EXPECT_EQ(scaled(this->component(ComponentKind::velocity, 2)),
            (std::vector<TypeParam>{14, 16, 2, 4}));
  EXPECT_EQ(scaled(this->component(ComponentKind::angular_velocity, 1)),
            (std::vector<TypeParam>{-36, -12}));
  auto displacement = this->component(ComponentKind::goal_displacement, 3);
  displacement.clip = 1.75;
  EXPECT_EQ(scaled(displacement), (std::vector<TypeParam>{0, 1.75, -1.5, 0, 0, 0}));
}

TYPED_TEST(Motion, shows_orientations) {
  World world = this->world();
  const double half = std::sqrt(0.5);
  world.orientation = {-half, 0, 0, -half, 0.6, 0.8, 0, 0};
  expect_close(this->observed(this->component(ComponentKind::quaternion, 3), world),
               {half, 0, 0, half, 0.6, 0.8, 0, 0});
  auto director = this->component(ComponentKind::director, 3);
  expect_close(this->observed(director, world), {0, 1, 0, 1, 0, 0});
  director.axis = 1;
  expect_close(this->observed(director, world), {-1, 0, 0, 0, -0.28, 0.96});
  director.axis = 2;
  director.dimensions = 2;
  expect_close(this->observed(director, world), {0, 0, 0, -0.96});
}

TYPED_TEST(Motion, shows_what_the_engine_has_of_each_agent) {
  World world = this->world();
  const auto observed = [&](ObservationComponent component, const auto& give) {
    Scene scene = world.scene();
    scene.targets.clear();
    scene.scales = {2, 4, 8};
    give(scene);
    return observe<TypeParam>(Observer({component}), scene);
  };
  const std::vector<double> force{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(observed(this->component(ComponentKind::contact_force, 2),
                     [&](Scene& scene) { scene.contact_force = force.data(); }),
            (std::vector<TypeParam>{1, 2, 4, 5}))
      << "a unit of force is 8 * 2 / 4^2 = 1";
  const std::vector<float> action{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(observed(this->component(ComponentKind::previous_action, 4),
                     [&](Scene& scene) { scene.previous_action = action.data(); }),
            (std::vector<TypeParam>{1, 2, 3, 4, 5, 6, 7, 8}));
  const std::vector<double> time{3, 80};
  auto since = this->component(ComponentKind::time_since_reset, 1);
  since.clip = 10;
  EXPECT_EQ(observed(since, [&](Scene& scene) { scene.time_since_reset = time.data(); }),
            (std::vector<TypeParam>{0.75, 10}));
  auto field = this->component(ComponentKind::field, 2);
  field.bind = "heat";
  EXPECT_EQ(observed(field, [&](Scene& scene) { scene.fields = {force.data()}; }),
            (std::vector<TypeParam>{1, 2, 3, 4}));
}

TYPED_TEST(Motion, kernel_runs_without_a_launch) {
  if (!runs_on_host<ExecutionSpace>) GTEST_SKIP() << "a device runs nothing without one";
  const World world = this->world();
  std::vector<TypeParam> rows(6, -1);
  VectorKernel<TypeParam, ExecutionSpace> kernel{};
  kernel.vector = decltype(kernel.vector)(world.velocity.data(), 3);
  kernel.agents = decltype(kernel.agents)(world.agents.data(), 2);
  kernel.rows = decltype(kernel.rows)(rows.data(), 2, 3);
  kernel.column = 1;
  kernel.first_axis = 1;
  kernel.dimensions = 2;
  kernel(1);
  EXPECT_EQ(rows, (std::vector<TypeParam>{-1, -1, -1, -1, 2, 3}));
}

}  // namespace
}  // namespace dempilot
