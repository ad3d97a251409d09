// What the fix says it gives is what acts on the atoms, and moves them.

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

constexpr double pi = 3.14159265358979323846;
constexpr double mass = pi / 6 * 0.125;  // of a sphere of diameter 0.5 and density 1
constexpr double inertia = 0.4 * mass * 0.0625;
constexpr double timestep = 0.01;
constexpr long every = 5;

const std::array<std::string, 6> motions = {"vx", "vy", "vz", "omegax", "omegay", "omegaz"};
const std::array<std::string, 6> acting = {"fx", "fy", "fz", "tqx", "tqy", "tqz"};

std::string output(std::size_t column) {
  return "f_pilot[" + std::to_string(column) + "]";
}

struct Variant {
  const char* name;
  ActionTarget target;
  std::string place;  ///< of each action: forces along x, y, z, torques about X, Y, Z
  double drag;
  double angular_drag;
  int ranks;
};

void PrintTo(const Variant& variant, std::ostream* stream) {
  *stream << variant.name;
}

class Forces : public ::testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    const Variant& variant = GetParam();
    spec.target = variant.target;
    spec.scale = variant.target == ActionTarget::torque ? 0.005 : 0.8;
    spec.drag = variant.drag;
    spec.angular_drag = variant.angular_drag;
    const LammpsRun lammps;
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"),
                     make_policy({velocity(), goal_direction(), angular_velocity()},
                                 variant.place.size(), spec));
    std::string columns;
    for (std::size_t k = 0; k < 6; ++k)
      columns += " " + motions[k] + " " + acting[k];
    lammps.expect_success(sparse_setup() +
                              "velocity agents create 1.0 4711 loop geom\n"
                              "set group agents omega 0.5 -0.25 1.0\n"
                              "fix pilot agents pilot policy.h5 every 5 bind goal 4 5 6\n" +
                              dump_agents(1, columns) + "run 22\n",
                          variant.ranks);
    snapshots = read_dump(lammps.file("agents.dump"));
    ASSERT_EQ(snapshots.size(), 23U);
    ASSERT_EQ(snapshots.front().size(), 13U);
  }

  /// Force or torque along `k` of 6 that the action of `snapshot` makes.
  double push(const Snapshot& snapshot, std::size_t k, std::size_t n) const {
    const std::size_t action = GetParam().place.find("xyzXYZ"[k]);
    return action == std::string::npos ? 0.0 : spec.scale * snapshot.at(output(10 + action))[n];
  }

  /// Acceleration that the force or torque `k` of the snapshot makes.
  static double acceleration(const Snapshot& snapshot, std::size_t k, std::size_t n) {
    return snapshot.at(acting[k])[n] / (k < 3 ? mass : inertia);
  }

  ActionSpec spec;
  std::vector<Snapshot> snapshots;
};

TEST_P(Forces, AreThoseThatTheFixReports) {
  double largest = 0;
  for (const Snapshot& snapshot : snapshots) {
    for (std::size_t k = 0; k < 6; ++k) {
      EXPECT_EQ(snapshot.at(acting[k]), snapshot.at(output(2 + k)))
          << acting[k] << " at step " << snapshot.step;
      for (const double value : snapshot.at(acting[k]))
        largest = std::max(largest, std::abs(value) / spec.scale);
    }
  }
  EXPECT_GT(largest, 0.3) << "forces so small would prove little";
}

/// At step n acts what was decided before it, at step 0 what is decided there; drag follows the
/// velocity that velocity Verlet has where forces are computed, half a step behind.
TEST_P(Forces, AreTheActionLessTheDrag) {
  for (std::size_t step = 0; step < snapshots.size(); ++step) {
    const Snapshot& now = snapshots[step];
    const Snapshot& before = snapshots[step == 0 ? 0 : step - 1];
    const double half_step = step == 0 ? 0.0 : timestep / 2;
    for (std::size_t k = 0; k < 6; ++k) {
      const double drag = k < 3 ? spec.drag : spec.angular_drag;
      for (std::size_t n = 0; n < now.size(); ++n) {
        const double motion = before.at(motions[k])[n] + half_step * acceleration(before, k, n);
        EXPECT_NEAR(now.at(acting[k])[n], push(before, k, n) - drag * motion, 1e-12)
            << acting[k] << " at step " << step << ", row " << n;
      }
    }
  }
}

TEST_P(Forces, MoveTheAtoms) {
  for (std::size_t step = 0; step + 1 < snapshots.size(); ++step) {
    const Snapshot& now = snapshots[step];
    const Snapshot& next = snapshots[step + 1];
    for (std::size_t k = 0; k < 6; ++k) {
      for (std::size_t n = 0; n < now.size(); ++n) {
        const double change = timestep / 2 * (acceleration(now, k, n) + acceleration(next, k, n));
        EXPECT_NEAR(next.at(motions[k])[n], now.at(motions[k])[n] + change, 1e-10)
            << motions[k] << " at step " << step << ", row " << n;
      }
    }
  }
}

TEST_P(Forces, ComeFromActionsThatAreHeldBetweenDecisions) {
  for (std::size_t step = 1; step < snapshots.size(); ++step) {
    const Snapshot& now = snapshots[step];
    for (std::size_t k = 0; k < GetParam().place.size(); ++k) {
      const std::vector<double>& before = snapshots[step - 1].at(output(10 + k));
      if (now.step % every == 0) {
        EXPECT_NE(now.at(output(10 + k)), before) << "no decision at step " << step;
      } else {
        EXPECT_EQ(now.at(output(10 + k)), before) << "decided at step " << step;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Policies, Forces,
    ::testing::Values(Variant{"force", ActionTarget::force, "xyz", 0.0, 0.0, 1},
                      Variant{"force_with_drags", ActionTarget::force, "xyz", 0.3, 0.002, 2},
                      Variant{"planar_force", ActionTarget::force, "xy", 0.3, 0.0, 1},
                      Variant{"torque", ActionTarget::torque, "XYZ", 0.0, 0.0, 1},
                      Variant{"torque_with_drags", ActionTarget::torque, "XYZ", 0.3, 0.002, 2},
                      Variant{"torque_about_z", ActionTarget::torque, "Z", 0.0, 0.002, 1},
                      Variant{"both", ActionTarget::force_and_torque, "xyzXYZ", 0.3, 0.002, 2},
                      Variant{"both_in_the_plane", ActionTarget::force_and_torque, "xyZ", 0, 0, 1}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace dempilot::lammps::testing
