#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "core/Backend.hpp"
#include "core/observe/Observer.hpp"
#include "tests/bench/Benchmarks.hpp"
#include "tests/bench/Workload.hpp"

namespace dempilot::bench {
namespace {

using benchmark::Counter;
using benchmark::State;

constexpr std::size_t particle_count = 32768;
constexpr std::size_t agent_count = 1024;
constexpr double range = 5;
constexpr double seen_on_average = 30;  ///< particles within `range` of an agent
constexpr std::size_t walls_each = 6;

std::vector<double> random_numbers(std::size_t count, double low, double high, std::uint64_t seed) {
  std::vector<double> numbers;
  for (const float value : random_floats(count, seed))
    numbers.push_back(low + (high - low) * 0.5 * (1 + double{value}));
  return numbers;
}

/// Points at random in a cube, some of which are agents; every array that some component reads.
class Bed {
 public:
  Bed() {
    std::iota(agents_.begin(), agents_.end(), 0);
    std::iota(identity_.begin(), identity_.end(), 0);
    for (std::size_t agent = 0; agent < agent_count; ++agent)
      orientation_[4 * agent] = 1;  // no rotation: w, x, y, z
  }

  /// For an observer of one component; views this bed.
  Scene scene(const Observer& observer) const {
    Scene scene;
    scene.particle_count = particle_count;
    scene.position = position_.data();
    scene.velocity = velocity_.data();
    scene.angular_velocity = velocity_.data();
    scene.radius = radius_.data();
    scene.agents = agents_;
    scene.identity = identity_.data();  // agents are the first particles
    scene.orientation = orientation_.data();
    scene.contact_force = velocity_.data();
    scene.previous_action = action_.data();
    scene.time_since_reset = radius_.data();
    scene.goals.assign(observer.goals().size(), goal_.data());
    scene.targets.assign(observer.target_groups().size(), seen());
    scene.walls.assign(observer.wall_sets().size(), SeenWalls{walls_each, wall_.data()});
    scene.fields.assign(observer.fields().size(), velocity_.data());
    return scene;
  }

 private:
  static double side() {
    const double density = seen_on_average / (4.0 / 3.0 * std::numbers::pi * range * range * range);
    return std::cbrt(particle_count / density);
  }

  SeenParticles seen() const {
    SeenParticles seen;
    seen.count = particle_count;
    seen.position = position_.data();
    seen.velocity = velocity_.data();
    seen.radius = radius_.data();
    seen.identity = identity_.data();
    seen.contact_range = 2;
    return seen;
  }

  std::vector<double> position_ = random_numbers(3 * particle_count, 0, side(), 1);
  std::vector<double> velocity_ = random_numbers(3 * particle_count, -1, 1, 2);
  std::vector<double> radius_ = random_numbers(particle_count, 0.5, 1, 3);
  std::vector<double> goal_ = random_numbers(3 * agent_count, 0, side(), 4);
  std::vector<double> wall_ =
      random_numbers(3 * walls_each * agent_count, -2 * range, 2 * range, 5);
  std::vector<double> orientation_ = std::vector<double>(4 * agent_count);
  std::vector<float> action_ = random_floats(3 * agent_count, 6);
  std::vector<std::int32_t> agents_ = std::vector<std::int32_t>(agent_count);
  std::vector<std::int64_t> identity_ = std::vector<std::int64_t>(particle_count);
};

template <class ExecutionSpace>
void time_component(State& state, const ObservationComponent& component) {
  const Bed bed;
  const Observer observer({component});
  const Scene scene = bed.scene(observer);
  std::vector<float> rows(agent_count * observer.width());
  for ([[maybe_unused]] auto _ : state)
    observer.observe<float>(ExecutionSpace{}, scene, std::span<float>(rows));
  const auto agents = static_cast<double>(state.iterations()) * static_cast<double>(agent_count);
  state.counters["agents"] = Counter(agents, Counter::kIsRate);
  state.counters["s_per_agent"] = Counter(agents, Counter::kIsRate | Counter::kInvert);
}

ObservationComponent component(ComponentKind kind, const std::string& bind = {}) {
  ObservationComponent component;
  component.kind = kind;
  component.bind = bind;
  component.range = range;
  return component;
}

ObservationComponent a_lidar(int n_azimuth, int n_elevation) {
  ObservationComponent lidar = component(ComponentKind::lidar, "targets");
  lidar.n_azimuth = n_azimuth;
  lidar.n_elevation = n_elevation;
  return lidar;
}

ObservationComponent the_nearest(int count, bool relative_velocity) {
  ObservationComponent neighbors = component(ComponentKind::neighbors, "targets");
  neighbors.count = count;
  neighbors.relative_velocity = relative_velocity;
  return neighbors;
}

/// On the back end that a Pilot chooses.
void time_on_threads(State& state, const ObservationComponent& component, int threads) {
#ifdef KOKKOS_ENABLE_OPENMP
  if (threads > 1) return time_component<Kokkos::OpenMP>(state, component);
#endif
#ifdef DEMPILOT_HAS_SERIAL
  time_component<Kokkos::Serial>(state, component);
#else
  time_component<Kokkos::DefaultHostExecutionSpace>(state, component);
#endif
}

void add(const std::string& name, const ObservationComponent& component, int threads) {
  benchmark::RegisterBenchmark(("observe/" + name).c_str(), [=](State& state) {
    time_on_threads(state, component, threads);
  })->UseRealTime();
}

}  // namespace

void register_observation(int threads) {
  using enum ComponentKind;
  add("velocity", component(velocity), threads);
  add("angular_velocity", component(angular_velocity), threads);
  add("goal_direction", component(goal_direction, "goal"), threads);
  add("goal_displacement", component(goal_displacement, "goal"), threads);
  add("lidar_planar", a_lidar(16, 0), threads);
  add("lidar_spherical", a_lidar(16, 8), threads);
  add("neighbors", the_nearest(8, false), threads);
  add("neighbors_with_velocity", the_nearest(8, true), threads);
  add("contact_force", component(contact_force), threads);
  add("contact_count", component(contact_count, "targets"), threads);
  add("wall_distance", component(wall_distance, "walls"), threads);
  add("wall_direction", component(wall_direction, "walls"), threads);
  add("quaternion", component(quaternion), threads);
  add("director", component(director), threads);
  add("previous_action", component(previous_action), threads);
  add("time_since_reset", component(time_since_reset), threads);
  add("field", component(field, "field"), threads);
}

}  // namespace dempilot::bench
