#include "core/observe/Observer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

#include "core/Error.hpp"
#include "tests/core/observe/World.hpp"

namespace dempilot {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

ObservationComponent component(ComponentKind kind, int dimensions, const char* bind = "") {
  ObservationComponent component;
  component.kind = kind;
  component.dimensions = dimensions;
  component.bind = bind;
  return component;
}

ObservationComponent lidar_of(const char* bind, double range, bool walls = false) {
  ObservationComponent component = lidar(range, 4, 0, walls);
  component.bind = bind;
  return component;
}

/// The observation of JaxDEM's MultiNavigator in the plane, with a second lidar.
std::vector<ObservationComponent> navigator() {
  return {component(ComponentKind::goal_direction, 2, "home"),
          component(ComponentKind::goal_displacement, 2, "home"),
          component(ComponentKind::velocity, 2), lidar_of("grains", 3),
          lidar_of("walls too", 2, true)};
}

/// 20 particles of which 3 are agents, and both groups.
struct NavigatorWorld {
  World world = crowd(random_points(20, {3, 3, 0}, 1));
  Cloud others;

  NavigatorWorld() {
    world.agents = {3, 4, 19};
    world.velocity.assign(60, 0.5);
    world.goal = random_points(3, {3, 3, 0}, 2);
    world.walls = random_points(6, {2, 2, 0}, 3);
    others = world.cloud({10, 11, 12, 13});
  }

  Scene scene() const {
    Scene scene = world.scene();
    scene.dimension = 2;
    scene.goals = {world.goal.data()};
    scene.targets.push_back(others.seen());
    scene.walls = {world.seen_walls()};
    return scene;
  }
};

auto refuses(const ObservationComponent& component, const std::string& message) {
  EXPECT_THAT(
      [&] {
        Observer({lidar(1, 1), component});
      },
      ThrowsMessage<Error>(HasSubstr("observation component 1 " + message)));
}

template <class Needs>
std::vector<std::string> names(const std::vector<Needs>& list) {
  std::vector<std::string> names;
  for (const Needs& needs : list)
    names.push_back(needs.name);
  return names;
}

TEST(Observer, knows_what_its_components_need) {
  const Observer observer(navigator());
  EXPECT_EQ(observer.width(), 2U + 2 + 2 + 4 + 4);
  EXPECT_THAT(observer.goals(), ElementsAre("home"));
  EXPECT_THAT(names(observer.target_groups()), ElementsAre("grains", "walls too"));
  EXPECT_EQ(observer.target_groups()[0].range, 3);
  EXPECT_EQ(observer.target_groups()[1].range, 2);
  EXPECT_FALSE(observer.target_groups()[0].velocity);
  EXPECT_THAT(names(observer.wall_sets()), ElementsAre("walls"));
  EXPECT_EQ(observer.wall_sets()[0].range, 2);
  EXPECT_TRUE(observer.senses(ComponentKind::lidar));
  EXPECT_FALSE(observer.senses(ComponentKind::field));
  EXPECT_FALSE(observer.needs_orientation());

  const Observer blind({component(ComponentKind::velocity, 3)});
  EXPECT_TRUE(blind.wall_sets().empty());
  EXPECT_TRUE(blind.target_groups().empty());
  EXPECT_TRUE(blind.goals().empty());
}

TEST(Observer, sums_up_what_it_needs_of_a_group) {
  auto nearest = component(ComponentKind::neighbors, 3, "grains");
  nearest.range = 5;
  nearest.count = 2;
  nearest.relative_velocity = nearest.type = true;
  auto touching = component(ComponentKind::contact_count, 1, "grains");
  touching.walls = true;
  const Observer observer({lidar_of("grains", 3), nearest, touching});
  ASSERT_THAT(names(observer.target_groups()), ElementsAre("grains"));
  const TargetNeeds& needs = observer.target_groups()[0];
  EXPECT_EQ(needs.range, 5);
  EXPECT_TRUE(needs.touches && needs.velocity && needs.radius && needs.type);
  ASSERT_THAT(names(observer.wall_sets()), ElementsAre("walls"));
  EXPECT_TRUE(observer.wall_sets()[0].touches);
}

TEST(Observer, lists_names_in_the_order_of_their_first_use) {
  auto floor = component(ComponentKind::wall_distance, 1, "floor");
  auto ceiling = component(ComponentKind::wall_direction, 3, "ceiling");
  floor.range = ceiling.range = 2;
  const Observer observer(
      {lidar_of("b", 1), component(ComponentKind::goal_direction, 2, "z"), lidar_of("a", 1), floor,
       lidar_of("b", 5), ceiling, component(ComponentKind::goal_direction, 2, "y"), floor,
       component(ComponentKind::field, 2, "q"), component(ComponentKind::field, 4, "p"),
       component(ComponentKind::field, 2, "q"),
       component(ComponentKind::goal_displacement, 2, "z")});
  EXPECT_THAT(names(observer.target_groups()), ElementsAre("b", "a"));
  EXPECT_THAT(observer.goals(), ElementsAre("z", "y"));
  EXPECT_THAT(names(observer.wall_sets()), ElementsAre("floor", "ceiling"));
  EXPECT_THAT(names(observer.fields()), ElementsAre("q", "p"));
  EXPECT_EQ(observer.target_groups()[0].range, 5);
  EXPECT_EQ(observer.fields()[1].entries, 4);
}

TEST(Observer, refuses_a_name_for_things_of_different_kinds) {
  EXPECT_THAT(
      [] {
        Observer({lidar_of("home", 1), component(ComponentKind::goal_direction, 2, "home")});
      },
      ThrowsMessage<Error>("the components bind 'home' to things of different kinds (goals, groups "
                           "of particles, walls or fields) give each kind a name of its own"));
  EXPECT_THAT(
      [] {
        Observer({component(ComponentKind::field, 1, "heat"),
                  component(ComponentKind::field, 2, "heat")});
      },
      ThrowsMessage<Error>("observation component 1 (field) has 2 entries (an earlier 'heat' has "
                           "1) give one of them another name"));
}

TEST(Observer, refuses_counts_that_cannot_be) {
  auto nearest = component(ComponentKind::neighbors, 3, "grains");
  nearest.range = 1;
  for (const int count : {0, -1, 65}) {
    nearest.count = count;
    refuses(nearest, "(neighbors) lists " + std::to_string(count) +
                         " neighbors (1 to 64 are possible) correct `count`");
  }
  refuses(component(ComponentKind::previous_action, 0),
          "(previous_action) has 0 entries (at least 1 is needed) correct `dimensions`");
  auto director = component(ComponentKind::director, 3);
  director.axis = 3;
  refuses(director, "(director) is axis 3 (0, 1 and 2 are the body's x, y and z) correct `axis`");
}

TEST(Observer, refuses_a_range_that_is_no_distance) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double range : {0.0, -1.0, infinity, std::nan(""), 1e-200, 1e200})
    refuses(lidar(range, 4), "(lidar) has range " + fmt::format("{}", range) +
                                 " (it is a distance: positive and finite) correct `range`");
}

TEST(Observer, refuses_bins_that_cannot_be) {
  refuses(lidar(1, 0),
          "(lidar) has 0 bins over the azimuth (at least 1 is needed) correct `n_azimuth`");
  refuses(lidar(1, 4, -1),
          "(lidar) has -1 bins over the elevation (0 is the planar form, 1 and more the spherical) "
          "correct `n_elevation`");
  refuses(lidar(1, 2000000000, 2000000000),
          "(lidar) has 2000000000 x 2000000000 bins (1048576 are the most) correct `n_azimuth` and "
          "`n_elevation`");
}

TEST(Observer, refuses_dimensions_that_space_does_not_have) {
  for (const int dimensions : {-1, 0, 4})
    refuses(component(ComponentKind::angular_velocity, dimensions),
            "(angular_velocity) has " + std::to_string(dimensions) +
                " dimensions (1, 2 or 3 are possible) correct `dimensions`");
}

TEST(Observer, refuses_a_clip_that_leaves_nothing) {
  for (const double clip : {0.0, -3.0, std::nan("")}) {
    auto displacement = component(ComponentKind::goal_displacement, 2, "goal");
    displacement.clip = clip;
    refuses(displacement, "(goal_displacement) clips to +-" + fmt::format("{}", clip) +
                              " (the bound is positive) correct `clip`");
  }
}

TEST(Observer, refuses_components_that_name_nothing_to_bind) {
  refuses(component(ComponentKind::goal_direction, 2),
          "(goal_direction) names nothing to bind (the simulation must know what it looks at) give "
          "`bind` a name");
  refuses(lidar_of("", 1), "(lidar) names nothing to bind");
}

void expect_refused(const Scene& scene, const std::string& message, std::size_t rows = 3 * 14) {
  const Observer observer(navigator());
  std::vector<float> values(rows);
  EXPECT_THAT([&] { observer.observe<float>(ExecutionSpace(), scene, std::span<float>(values)); },
              ThrowsMessage<Error>(HasSubstr(message)));
}

TEST(Observer, refuses_scenes_that_bind_other_names) {
  const NavigatorWorld navigators;
  Scene scene = navigators.scene();
  scene.targets.pop_back();
  expect_refused(scene,
                 "the scene holds 1 groups of targets (the policy binds grains, walls too) bind "
                 "these, in this order");
  scene = navigators.scene();
  scene.goals.push_back(navigators.world.goal.data());
  expect_refused(scene,
                 "the scene holds 2 goals (the policy binds home) bind these, in this order");
}

TEST(Observer, refuses_scenes_without_an_array_that_it_needs) {
  const NavigatorWorld navigators;
  Scene scene = navigators.scene();
  scene.velocity = nullptr;
  expect_refused(scene,
                 "the scene holds no velocities (the policy's `velocity` needs it) show the "
                 "observer this array");
  scene = navigators.scene();
  scene.position = nullptr;
  expect_refused(scene, "the scene holds no positions (the policy's `goal_direction` needs it)");
  scene = navigators.scene();
  scene.identity = nullptr;
  expect_refused(scene, "the scene holds no identities (the policy's `lidar` needs it)");
  scene = navigators.scene();
  scene.goals[0] = nullptr;
  expect_refused(scene, "the scene holds no positions of a goal (the policy's `home` needs it)");
  scene = navigators.scene();
  scene.walls[0].vector = nullptr;
  expect_refused(scene, "the scene holds no walls (the policy's `walls` needs it)");
  scene = navigators.scene();
  scene.targets[1].identity = nullptr;
  expect_refused(scene,
                 "the scene holds no identities of what is seen (the policy's `walls too` needs "
                 "it)");
}

TEST(Observer, refuses_arrays_of_another_size) {
  const NavigatorWorld navigators;
  Scene scene = navigators.scene();
  expect_refused(
      scene,
      "the observation rows hold 41 values (3 agents x 14 are needed) size them for these agents",
      41);
}

TEST(Observer, puts_its_components_side_by_side) {
  const NavigatorWorld navigators;
  const Scene scene = navigators.scene();
  const auto rows = observe<double>(Observer(navigator()), scene);
  std::size_t column = 0;
  for (const ObservationComponent& part : navigator()) {
    const Observer alone({part});
    Scene just = scene;
    if (alone.goals().empty()) just.goals.clear();
    if (alone.target_groups().empty()) just.targets.clear();
    if (alone.wall_sets().empty()) just.walls.clear();
    if (part.bind == "grains") just.targets = {scene.targets[0]};
    if (part.bind == "walls too") just.targets = {scene.targets[1]};
    const auto expected = observe<double>(alone, just);
    for (std::size_t agent = 0; agent < 3; ++agent)
      for (std::size_t i = 0; i < part.width(); ++i)
        EXPECT_EQ(rows[agent * 14 + column + i], expected[agent * part.width() + i]);
    column += part.width();
  }
}

TEST(Observer, observes_nothing_for_no_agents_and_needs_no_arrays_then) {
  Scene scene;
  scene.goals = {nullptr};
  scene.targets.resize(2);
  scene.walls.resize(1);
  EXPECT_TRUE(observe<float>(Observer(navigator()), scene).empty());
}

TEST(Observer, needs_no_walls_where_there_are_none) {
  const NavigatorWorld navigators;
  Scene scene = navigators.scene();
  scene.walls = {SeenWalls{}};
  EXPECT_EQ(observe<float>(Observer(navigator()), scene).size(), 3U * 14);
}

TEST(Observer, gives_the_same_rows_again_and_after_another_scene) {
  const Observer observer({lidar(2, 16)});
  const World world = crowd(random_points(300, {10, 10, 0}, 4));
  const auto rows = observe<float>(observer, world.scene());
  observe<float>(observer, crowd(random_points(700, {3, 3, 3}, 5)).scene());
  observe<double>(observer, crowd({}).scene());
  EXPECT_EQ(observe<float>(observer, world.scene()), rows);
}

#ifdef DEMPILOT_HAS_SERIAL
TEST(Observer, changes_between_back_ends) {
  const Observer observer({lidar(2, 16)});
  const World world = crowd(random_points(300, {10, 10, 0}, 6));
  const auto rows = observe<float>(observer, world.scene());
  std::vector<float> serial(rows.size());
  observer.observe<float>(Kokkos::Serial(), world.scene(), std::span<float>(serial));
  expect_same(rows, serial);
  EXPECT_EQ(observe<float>(observer, world.scene()), rows);
}
#endif

TEST(Observer, can_be_moved) {
  Observer first(navigator());
  const NavigatorWorld navigators;
  const auto rows = observe<float>(first, navigators.scene());
  const Observer second = std::move(first);
  EXPECT_EQ(observe<float>(second, navigators.scene()), rows);
}

}  // namespace
}  // namespace dempilot
