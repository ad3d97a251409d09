// A decision, once the buffers are as large as they must be, asks for no memory.
#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <functional>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

#include "core/Pilot.hpp"
#include "tests/AllocationCount.hpp"
#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using ExecutionSpace = DEMPILOT_TEST_EXECUTION_SPACE;

constexpr int threads = std::is_same_v<ExecutionSpace, Kokkos::DefaultHostExecutionSpace> ? 2 : 1;

constexpr std::size_t particles = 3000;
constexpr std::size_t agents = 700;

template <class Number>
std::vector<Number> random_numbers(std::size_t count, double low, double high) {
  std::mt19937_64 generator(3);
  std::uniform_real_distribution<double> place(low, high);
  std::vector<Number> numbers(count);
  for (Number& number : numbers)
    number = static_cast<Number>(place(generator));
  return numbers;
}

/// One component of each kind that searches, turns, or looks at its past.
std::vector<ObservationComponent> components() {
  std::vector<ObservationComponent> all;
  const auto add = [&all](ComponentKind kind) -> ObservationComponent& {
    all.emplace_back();
    all.back().kind = kind;
    all.back().dimensions = 3;
    return all.back();
  };
  add(ComponentKind::velocity);
  add(ComponentKind::goal_displacement).bind = "home";
  for (const int n_elevation : {0, 4}) {
    ObservationComponent& lidar = add(ComponentKind::lidar);
    lidar.range = 2;
    lidar.n_azimuth = 8;
    lidar.n_elevation = n_elevation;
    lidar.walls = true;
    lidar.bind = "grains";
  }
  ObservationComponent& neighbors = add(ComponentKind::neighbors);
  neighbors.range = 2;
  neighbors.count = 4;
  neighbors.bind = "grains";
  return all;
}

/// What the observer is shown.
struct Bed {
  std::vector<double> position = random_numbers<double>(3 * particles, 0, 9);
  std::vector<double> velocity = random_numbers<double>(3 * particles, -1, 1);
  std::vector<double> walls = random_numbers<double>(3 * 2 * agents, -3, 3);
  std::vector<std::int64_t> identity;
  std::vector<std::int32_t> agent;

  Bed() {
    for (std::size_t n = 0; n < particles; ++n)
      identity.push_back(static_cast<std::int64_t>(n));
    for (std::size_t n = 0; n < agents; ++n)
      agent.push_back(static_cast<std::int32_t>(n));
  }

  Scene scene() const {
    Scene scene;
    scene.particle_count = particles;
    scene.position = position.data();
    scene.velocity = velocity.data();
    scene.agents = agent;
    scene.identity = identity.data();
    scene.goals = {position.data()};
    scene.walls = {{2, walls.data()}};
    SeenParticles seen;
    seen.count = particles;
    seen.position = position.data();
    seen.identity = identity.data();
    scene.targets = {seen};
    return scene;
  }
};

/// How often `work` asks for memory, once it has done so often enough to have all that it needs.
std::size_t allocations_of(const std::function<void()>& work) {
  for (int warm_up = 0; warm_up < 3; ++warm_up)
    work();
  const std::size_t before = test::allocation_count();
  for (int decision = 0; decision < 10; ++decision)
    work();
  return test::allocation_count() - before;
}

TEST(Allocations, are_counted) {
  if (!test::counts_allocations) GTEST_SKIP() << "not in this build";
  std::vector<int> numbers;
  EXPECT_EQ(allocations_of([&] { numbers = std::vector<int>(100); }), 10U);
}

TEST(Allocations, are_none_while_observing) {
  const Observer observer(components());
  const Bed bed;
  const Scene scene = bed.scene();
  std::vector<float> rows(agents * observer.width());
  const ExecutionSpace space;
  EXPECT_EQ(allocations_of([&] { observer.observe<float>(space, scene, std::span(rows)); }), 0U);
}

/// A policy, and room for all that some agents bring and take away: its caller's memory.
struct Cockpit {
  explicit Cockpit(bool discrete) : pilot(policy(discrete), "a.h5") {}

  static PolicyFile policy(bool discrete) {
    ModelSpec model = test::recurrent_model(ModelVariant::current, ActionSpaceKind::box);
    if (discrete) model = test::with_discrete_actions(model);
    PolicyFile policy;
    policy.contract.model = model;
    policy.parameters = test::random_parameters(model, 1);
    ObservationComponent spare;
    spare.kind = ComponentKind::field;
    spare.dimensions = static_cast<int>(model.observation_size);
    spare.bind = "spare";
    policy.contract.observation = {spare};
    return policy;
  }

  void seat(std::size_t count) {
    rows = random_numbers<float>(count * pilot.observation_size(), -1, 1);
    carry.assign(count * pilot.carry_size(), 0);
    action.resize(count * pilot.action_size());
    value.resize(count);
    log_prob.resize(count);
    ids.assign(count, 5);
  }

  void decide(DecisionMode mode) {
    pilot.decide(rows, carry, ids, mode, 1, ++decision, {action, value, log_prob});
  }

  Pilot pilot;
  std::vector<float> rows, carry, action, value, log_prob;
  std::vector<std::int64_t> ids;
  std::int64_t decision = 0;
};

TEST(Allocations, are_none_while_deciding) {
  for (const bool discrete : {false, true}) {
    Cockpit cockpit(discrete);
    cockpit.seat(agents);
    for (const DecisionMode mode : {DecisionMode::mean, DecisionMode::sample})
      EXPECT_EQ(allocations_of([&] { cockpit.decide(mode); }), 0U);
  }
}

TEST(Allocations, are_none_for_more_agents) {
  Cockpit cockpit(false);
  cockpit.seat(agents);
  cockpit.decide(DecisionMode::sample);
  cockpit.seat(100 * agents);
  const std::size_t before = test::allocation_count();
  cockpit.decide(DecisionMode::sample);
  EXPECT_EQ(test::allocation_count(), before)
      << "what a decision needs besides its caller's memory";
}

}  // namespace
}  // namespace dempilot

/// Of its own, since the first to start the runtime says on how many threads a Pilot runs.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  dempilot::initialize_runtime(dempilot::threads);
  const int status = RUN_ALL_TESTS();
  Kokkos::finalize();
  return status;
}
