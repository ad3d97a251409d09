#pragma once

#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/Backend.hpp"
#include "core/observe/Observer.hpp"
#include "core/observe/Scene.hpp"

/// What the tests of the observer share: a scene that owns its arrays, and what a lidar must read
/// in it, found the slow way.
namespace dempilot::test {

using ExecutionSpace = DEMPILOT_TEST_EXECUTION_SPACE;

/// Some particles of a world as a cloud of their own, which may be seen.
struct Cloud {
  std::vector<double> position, velocity, radius;
  std::vector<std::int32_t> type;
  std::vector<std::int64_t> identity;

  SeenParticles seen() const {
    SeenParticles seen;
    seen.count = identity.size();
    seen.position = position.data();
    seen.velocity = velocity.empty() ? nullptr : velocity.data();
    seen.radius = radius.empty() ? nullptr : radius.data();
    seen.type = type.empty() ? nullptr : type.data();
    seen.identity = identity.data();
    return seen;
  }
};

/// A scene that owns its arrays; `targets` is its only group.
struct World {
  std::vector<double> position;
  std::vector<double> velocity;
  std::vector<double> angular_velocity;
  std::vector<double> radius;
  std::vector<double> goal;
  std::vector<double> walls;
  std::vector<double> orientation;
  std::vector<std::int32_t> type;
  std::vector<std::int32_t> agents;
  std::vector<std::int32_t> targets;
  std::vector<std::int64_t> identity;  ///< empty: every particle has its own
  std::array<double, 3> period{0, 0, 0};

  std::size_t particle_count() const { return position.size() / 3; }
  std::array<double, 3> at(std::size_t particle) const {
    return {position[3 * particle], position[3 * particle + 1], position[3 * particle + 2]};
  }
  void add(const std::array<double, 3>& point) {
    position.insert(position.end(), point.begin(), point.end());
  }
  std::int64_t identity_of(std::int32_t particle) const {
    return identity.empty() ? particle : identity[static_cast<std::size_t>(particle)];
  }

  Cloud cloud(const std::vector<std::int32_t>& particles) const {
    Cloud cloud;
    const auto copy = [](const auto& from, auto& to, std::size_t particle, std::size_t width) {
      const auto first = static_cast<std::ptrdiff_t>(particle * width);
      if (!from.empty())
        to.insert(to.end(), from.begin() + first,
                  from.begin() + first + static_cast<std::ptrdiff_t>(width));
    };
    for (const std::int32_t particle : particles) {
      const auto p = static_cast<std::size_t>(particle);
      copy(position, cloud.position, p, 3);
      copy(velocity, cloud.velocity, p, 3);
      copy(radius, cloud.radius, p, 1);
      copy(type, cloud.type, p, 1);
      cloud.identity.push_back(identity_of(particle));
    }
    return cloud;
  }

  /// Views this world until it is asked again.
  Scene scene() const {
    seen_ = cloud(targets);
    agent_identity_.clear();
    for (const std::int32_t agent : agents)
      agent_identity_.push_back(identity_of(agent));
    Scene scene;
    scene.period = period;
    scene.particle_count = particle_count();
    scene.position = position.data();
    scene.velocity = velocity.empty() ? nullptr : velocity.data();
    scene.angular_velocity = angular_velocity.empty() ? nullptr : angular_velocity.data();
    scene.radius = radius.empty() ? nullptr : radius.data();
    scene.orientation = orientation.empty() ? nullptr : orientation.data();
    scene.agents = agents;
    scene.identity = agent_identity_.data();
    scene.targets = {seen_.seen()};
    return scene;
  }

  SeenWalls seen_walls() const {
    return {agents.empty() ? 0 : walls.size() / (3 * agents.size()),
            walls.empty() ? nullptr : walls.data()};
  }

 private:
  mutable Cloud seen_;
  mutable std::vector<std::int64_t> agent_identity_;
};

inline std::vector<std::int32_t> first_indices(std::size_t count) {
  std::vector<std::int32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

/// All particles are agents and targets.
inline World crowd(std::vector<double> position) {
  World world;
  world.position = std::move(position);
  world.agents = world.targets = first_indices(world.particle_count());
  return world;
}

/// `count` points, uniform in a box that starts at the origin.
inline std::vector<double> random_points(std::size_t count, const std::array<double, 3>& box,
                                         unsigned seed) {
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<double> unit;
  std::vector<double> points(3 * count);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = box[i % 3] * unit(generator);
  return points;
}

inline ObservationComponent lidar(double range, int n_azimuth, int n_elevation = 0,
                                  bool walls = false) {
  ObservationComponent component;
  component.kind = ComponentKind::lidar;
  component.range = range;
  component.n_azimuth = n_azimuth;
  component.n_elevation = n_elevation;
  component.walls = walls;
  component.bind = "targets";
  return component;
}

template <class Real>
std::vector<Real> observe(const Observer& observer, const Scene& scene) {
  std::vector<Real> rows(scene.agents.size() * observer.width(), Real(-7));
  observer.observe<Real>(ExecutionSpace(), scene, std::span<Real>(rows));
  return rows;
}

template <class Real>
std::vector<Real> observe(const ObservationComponent& component, const World& world) {
  const Observer observer({component});
  Scene scene = world.scene();
  if (observer.target_groups().empty()) scene.targets.clear();
  if (!observer.wall_sets().empty()) scene.walls = {world.seen_walls()};
  return observe<Real>(observer, scene);
}

/// Bin of a direction by the formulas of JaxDEM (utils/environment.py), as they stand there.
inline std::size_t reference_bin(const std::array<double, 3>& delta, int n_azimuth,
                                 int n_elevation) {
  const double pi = std::acos(-1.0);
  const double azimuth = std::atan2(delta[1], delta[0]);
  auto bin = static_cast<long>(std::floor((azimuth + pi) * (n_azimuth / (2 * pi)))) % n_azimuth;
  if (n_elevation > 0) {
    const double elevation =
        std::atan2(delta[2], std::sqrt(delta[0] * delta[0] + delta[1] * delta[1]));
    const auto row = static_cast<long>(std::floor((elevation + pi / 2) * (n_elevation / pi)));
    bin = bin * n_elevation + std::clamp<long>(row, 0, n_elevation - 1);
  }
  return static_cast<std::size_t>(bin);
}

/// What a lidar reads, every agent against every target and wall.
inline std::vector<double> reference_lidar(const ObservationComponent& lidar, const World& world) {
  const std::size_t width = static_cast<std::size_t>(lidar.n_azimuth) *
                            static_cast<std::size_t>(std::max(1, lidar.n_elevation));
  std::vector<double> rows(world.agents.size() * width, 0.0);
  for (std::size_t row = 0; row < world.agents.size(); ++row) {
    const auto see = [&](const std::array<double, 3>& delta) {
      const double distance =
          std::sqrt(delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2]);
      if (!(distance < lidar.range)) return;
      double& reading =
          rows[row * width + reference_bin(delta, lidar.n_azimuth, lidar.n_elevation)];
      reading = std::max(reading, (lidar.range - distance) / lidar.range);
    };
    const auto self = static_cast<std::size_t>(world.agents[row]);
    const auto centre = world.at(self);
    for (const std::int32_t target : world.targets) {
      const auto other = static_cast<std::size_t>(target);
      const auto point = world.at(other);
      if (world.identity_of(target) != world.identity_of(world.agents[row]))
        see({-(centre[0] - point[0]), -(centre[1] - point[1]), -(centre[2] - point[2])});
    }
    const std::size_t walls = lidar.walls ? world.walls.size() / (3 * world.agents.size()) : 0;
    for (std::size_t wall = 0; wall < walls; ++wall) {
      const double* delta = &world.walls[3 * (row * walls + wall)];
      see({delta[0], delta[1], delta[2]});
    }
  }
  return rows;
}

/// max |a - b| <= tolerance max(1, max |b|), with the tolerance that the golden data ask of a Real.
template <class Real>
void expect_close(const std::vector<Real>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  const double tolerance = std::is_same_v<Real, double> ? 1e-12 : 2e-6;
  double largest = 1;
  for (const double value : expected)
    largest = std::max(largest, std::abs(value));
  std::size_t shown = 0;
  for (std::size_t i = 0; i < found.size() && shown < 5; ++i) {
    if (std::abs(static_cast<double>(found[i]) - expected[i]) <= tolerance * largest) continue;
    ADD_FAILURE() << "entry " << i << " is " << found[i] << ", expected " << expected[i];
    ++shown;
  }
}

/// Rows of the execution space beside those of another one: the same bit for bit, except that a
/// device fuses products and sums.
template <class Real>
void expect_same(const std::vector<Real>& found, const std::vector<Real>& elsewhere) {
  if constexpr (runs_on_host<ExecutionSpace>) {
    EXPECT_EQ(found, elsewhere);
  } else {
    expect_close(found, std::vector<double>(elsewhere.begin(), elsewhere.end()));
  }
}

}  // namespace dempilot::test
