// What agents sense of themselves and of their goal is what LAMMPS says of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using Vector = std::array<double, 3>;

constexpr double side = 9.0;  // of sparse_world(3)
constexpr double clip = 2.0;
constexpr long every = 5;
constexpr Vector goal = {0.7, 8.5, 4.0};  // near two faces, which are periodic

Vector vector_of(const Snapshot& snapshot, const char* x, const char* y, const char* z,
                 std::size_t n) {
  return {snapshot.at(x)[n], snapshot.at(y)[n], snapshot.at(z)[n]};
}

/// From the nearest image of the goal to the agent.
Vector away_from_goal(const Vector& position) {
  Vector away{};
  for (std::size_t d = 0; d < 3; ++d) {
    away[d] = position[d] - goal[d];
    while (away[d] > side / 2)
      away[d] -= side;
    while (away[d] < -side / 2)
      away[d] += side;
  }
  return away;
}

std::vector<double> expected_row(const Snapshot& snapshot, std::size_t n) {
  const Vector v = vector_of(snapshot, "vx", "vy", "vz", n);
  const Vector omega = vector_of(snapshot, "omegax", "omegay", "omegaz", n);
  const Vector away = away_from_goal(vector_of(snapshot, "x", "y", "z", n));
  const double distance = std::hypot(away[0], away[1], away[2]);
  std::vector<double> row(v.begin(), v.end());
  row.insert(row.end(), omega.begin(), omega.end());
  for (const double component : away)
    row.push_back(component / distance);
  for (const double component : away)
    row.push_back(std::clamp(component, -clip, clip));
  return row;
}

class Observation : public ::testing::TestWithParam<int> {};

TEST_P(Observation, IsWhatLammpsSaysOfTheAgents) {
  const LammpsRun lammps;
  ActionSpec action;
  action.scale = 0.2;
  action.angular_drag = 0.002;  // so that angular velocities change
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(
      lammps.file("policy.h5"),
      make_policy({velocity(), angular_velocity(), goal_direction(), goal_displacement(3, clip)}, 3,
                  action));
  lammps.expect_success(
      sparse_setup() +
          "timestep 0.02\nvelocity agents create 2.0 4711 loop geom\n"
          "variable wx atom 0.2*x\nvariable wy atom y-3\nvariable wz atom -z\n"
          "set group agents omega v_wx v_wy v_wz\n"
          "fix pilot agents pilot policy.h5 every 5 bind goal 0.7 8.5 4.0 observations yes\n" +
          dump_agents(every, "x y z vx vy vz omegax omegay omegaz") + "run 60\n",
      GetParam());

  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  ASSERT_EQ(snapshots.size(), 13U);
  std::size_t clipped = 0;
  std::size_t imaged = 0;
  std::size_t total = 0;
  for (const Snapshot& snapshot : snapshots) {
    ASSERT_EQ(snapshot.size(), 13U);
    for (std::size_t n = 0; n < snapshot.size(); ++n) {
      const std::vector<double> expected = expected_row(snapshot, n);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const double sensed = snapshot.at("f_pilot[" + std::to_string(13 + k) + "]")[n];
        EXPECT_NEAR(sensed, expected[k], 1e-6 * std::max(1.0, std::abs(expected[k])))
            << "entry " << k << " of row " << n << " at step " << snapshot.step;
        if (k >= 9 && std::abs(expected[k]) == clip) ++clipped;
      }
      if (std::abs(snapshot.at("x")[n] - goal[0]) > side / 2) ++imaged;
      ++total;
    }
  }
  EXPECT_GT(clipped, total / 2);
  EXPECT_LT(clipped, 3 * total - total / 2);
  EXPECT_GT(imaged, total / 10) << "the goal must be seen across the boundary";
  EXPECT_LT(imaged, total);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Observation, ::testing::Values(1, 2, 4),
                         [](const auto& each) { return std::to_string(each.param); });

}  // namespace
}  // namespace dempilot::lammps::testing
