// Time, and the momentum that agents are given, through everything that may happen between runs.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Rows of thermo output: step, momentum of all atoms (x, y, z), momentum given (x, y, z).
const std::string ledger =
    "variable px equal mass(all)*vcm(all,x)\nvariable py equal mass(all)*vcm(all,y)\n"
    "variable pz equal mass(all)*vcm(all,z)\n"
    "thermo_style custom step v_px v_py v_pz f_pilot[10] f_pilot[11] f_pilot[12]\n"
    "thermo_modify norm no format float %.15g\nthermo 3\n";

class Ledger : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.1));
  }

  /// Rows of all runs in `runs`, with the fix on `group`.
  std::vector<std::vector<double>> rows(const std::string& runs, const std::string& before = "",
                                        const std::string& group = "agents") {
    const Outcome outcome = lammps.expect_success(
        sparse_setup() + "velocity agents create 1.0 4711 loop geom\n" + before + "fix pilot " +
            group + " pilot policy.h5 every 4 bind goal 4 5 6\n" + ledger + runs,
        GetParam());
    return outcome.thermo();
  }

  LammpsRun lammps;
};

/// The whole gain of momentum was given.
void expect_balanced(const std::vector<std::vector<double>>& rows) {
  ASSERT_GT(rows.size(), 3U);
  for (const auto& row : rows) {
    for (std::size_t d = 0; d < 3; ++d)
      EXPECT_NEAR(row[1 + d] - rows[0][1 + d], row[4 + d], 1e-12) << "step " << row[0];
  }
  EXPECT_GT(std::abs(rows.back()[4]), 1e-3);
}

TEST_P(Ledger, IsBalancedOverRunsOfNoSteps) {
  expect_balanced(rows("run 0\nrun 0\nrun 7\nrun 0\nrun 0\nrun 6\nrun 0 post no\nrun 9\n"));
}

TEST_P(Ledger, IsBalancedOverRunsWithoutSetup) {
  expect_balanced(rows("run 5\nrun 6 pre no post no\nrun 3 pre no\nrun 12 every 5 \"print x\"\n"));
}

TEST_P(Ledger, IsBalancedOverMinimizations) {
  expect_balanced(
      rows("minimize 0 0 5 5\nrun 6\nminimize 0 0 5 5\nrun 0\nminimize 0 0 5 5\n"
           "min_style sd\nminimize 0 0 5 5\nrun 7\n"));
}

TEST_P(Ledger, IsBalancedWhereTheTimeStepChanges) {
  expect_balanced(
      rows("run 6\ntimestep 0.02\nrun 5\ntimestep 0.004\nrun 0\nrun 9\n"
           "reset_timestep 7000\nrun 5\n"));
  expect_balanced(rows("run 60\n", "fix steps all dt/reset 3 0.001 0.05 0.02\n"));
}

TEST_P(Ledger, IsBalancedWhereAgentsChangeGroups) {
  expect_balanced(
      rows("run 6\ngroup leaving id 2 4 6\ngroup pushed clear\ngroup pushed type 2\n"
           "group kept subtract pushed leaving\ngroup pushed clear\n"
           "group pushed union kept\nrun 5\ngroup pushed type 2\nrun 7\n",
           "group pushed type 2\n", "pushed"));
  expect_balanced(rows("run 60\n",
                       "timestep 0.05\nregion left block INF 4.5 INF INF INF INF\n"
                       "group pushed dynamic agents region left every 1\n",
                       "pushed"));
  expect_balanced(rows("run 60\n",
                       "timestep 0.05\nregion left block INF 4.5 INF INF INF INF\n"
                       "group pushed dynamic agents region left every 5\n",
                       "pushed"));
}

TEST_P(Ledger, IsNotChangedByDeletions) {
  const auto all = rows("run 6\ngroup gone id 2 4 6 26\ndelete_atoms group gone\nrun 7\n");
  std::size_t cut = 1;
  while (all[cut][0] != all[cut - 1][0])
    ++cut;
  for (std::size_t d = 0; d < 3; ++d) {
    EXPECT_EQ(all[cut][4 + d], all[cut - 1][4 + d]);
    EXPECT_NEAR(all.back()[1 + d] - all[cut][1 + d], all.back()[4 + d] - all[cut][4 + d], 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, Ledger, ::testing::Values(1, 2),
                         [](const auto& each) { return std::to_string(each.param); });

/// What agents sense of time, with the time that LAMMPS tells: pairs of each row of output.
class Clock : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    ObservationComponent since;
    since.kind = ComponentKind::time_since_reset;
    since.dimensions = 1;
    since.clip = 1e6;
    save_policy_file(lammps.file("policy.h5"), make_policy({since, velocity()}));
  }

  static std::string watch() {
    return "fix pilot agents pilot policy.h5 observations yes\n"
           "compute sensed agents reduce ave f_pilot[13]\n"
           "thermo_style custom step time c_sensed\nthermo_modify format float %.15g\nthermo 1\n";
  }

  LammpsRun lammps;
};

TEST_P(Clock, FollowsTimeStepsThatChange) {
  for (const char* order : {"before", "after"}) {
    const std::string steps = "fix steps all dt/reset 3 0.001 0.05 0.02\n";
    const bool before = std::string(order) == "before";
    const Outcome outcome = lammps.expect_success(
        sparse_setup() + "velocity agents create 1.0 4711 loop geom\n" + (before ? steps : "") +
            watch() + (before ? "" : steps) +
            "run 20\nunfix steps\ntimestep 0.003\nrun 0\nminimize 0 0 5 5\nrun 5\n",
        GetParam());
    // A minimization takes no time, but LAMMPS counts its iterations as steps.
    const auto rows = outcome.thermo();
    for (std::size_t n = 0; n <= 20; ++n)
      EXPECT_NEAR(rows.at(n)[2], rows.at(n)[1], 1e-6) << order << ", step " << rows[n][0];
    EXPECT_NEAR(rows.back()[2], rows.at(20)[1] + 5 * 0.003, 1e-6) << order;
  }
}

TEST_P(Clock, GoesOnFromARestartFileWithAnotherTimeStep) {
  lammps.expect_success(sparse_setup() + watch() + "run 7\nwrite_restart half.restart\n",
                        GetParam());
  const Outcome outcome = lammps.expect_success(
      "read_restart half.restart\ntimestep 0.002\nfix move agents nve/sphere\n" + watch() +
          "run 5\nreset_timestep 0\nrun 3\n",
      3 - GetParam());
  EXPECT_NEAR(outcome.thermo().back()[2], 7 * 0.01 + 8 * 0.002, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Clock, ::testing::Values(1, 2),
                         [](const auto& each) { return std::to_string(each.param); });

}  // namespace
}  // namespace dempilot::lammps::testing
