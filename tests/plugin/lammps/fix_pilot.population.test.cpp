// Agents that are poured in, deleted, lost or frozen, and that change groups.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// sparse_setup() in a box that agents can leave.
std::string open_world() {
  std::string script = sparse_setup();
  const std::string closed = "boundary p p p";
  script.replace(script.find(closed), closed.size(), "boundary f f f");
  return script;
}

/// Rows of thermo output: step, atoms of the group agents, agents of the fix, the force given along
/// x, and the momentum given so far.
const std::string census =
    "variable members equal count(agents)\nthermo 1\n"
    "thermo_style custom step v_members f_pilot[1] f_pilot[3] f_pilot[10]\n"
    "thermo_modify norm no format float %.17g\n";

/// Agents come and go, and what they are given adds up.
void expect_counted(const std::vector<std::vector<double>>& rows, double timestep) {
  for (std::size_t n = 0; n < rows.size(); ++n) {
    EXPECT_EQ(rows[n][2], rows[n][1]) << "agents at step " << rows[n][0];
    if (n == 0 || rows[n][0] == rows[n - 1][0]) continue;
    EXPECT_NEAR(rows[n][4] - rows[n - 1][4], timestep / 2 * (rows[n][3] + rows[n - 1][3]), 1e-12)
        << "momentum at step " << rows[n][0];
  }
}

class Population : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.1));
    save_policy_file(lammps.file("other.h5"), explorer(0.0, 9));
  }

  LammpsRun lammps;
  std::string fix = "fix pilot agents pilot policy.h5 bind goal 5 5 5 observations yes\n";
};

TEST_P(Population, GrowsWhileAgentsArePoured) {
  const Outcome outcome = lammps.expect_success(
      granular_bed() +
          "delete_atoms group agents\n"
          "region slab block 2 10 2 10 6 7.5\n"
          "fix ins agents pour 30 2 4711 vol 0.2 20 region slab vel 0 0 0 0 -2\n" +
          fix + census + dump_agents(1) + "run 400\n",
      GetParam());
  const auto rows = outcome.thermo();
  expect_counted(rows, 0.004);
  EXPECT_EQ(rows.front()[2], 0);
  EXPECT_EQ(rows.back()[2], 30);
  // Each has a number of its own, and those that came first have the lower ones.
  std::map<double, double> number_of;
  double largest = 0;
  for (const Snapshot& snapshot : read_dump(lammps.file("agents.dump"))) {
    double next = largest;
    for (std::size_t n = 0; n < snapshot.size(); ++n) {
      const double number = snapshot.at("f_pilot[1]")[n];
      const auto [known, is_new] = number_of.emplace(snapshot.at("id")[n], number);
      EXPECT_EQ(known->second, number);
      EXPECT_TRUE(!is_new || number == ++next) << "number " << number;
    }
    largest = next;
  }
  EXPECT_EQ(largest, 30);
}

TEST_P(Population, IsThatOfTheGroupWhileAtomsAreDepositedAndEvaporate) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() +
          "neigh_modify delay 0\nregion whole block INF INF INF INF INF INF\n"
          "region top block 0 9 0 9 0 9\n"
          "fix come agents deposit 20 2 4 815 region top near 0.6 vz -1 -1 attempt 200\n"
          "fix go agents evaporate 7 2 whole 49892\n" +
          fix + census + "run 80\n",
      GetParam());
  const auto rows = outcome.thermo();
  ASSERT_EQ(rows.size(), 81U);
  expect_counted(rows, 0.01);
  EXPECT_EQ(rows.back()[2], 13 + 20 - 22);
}

TEST_P(Population, ShrinksByOverlapsAndByRegions) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + census +
          "run 2\ncreate_atoms 2 single 4.5 4.5 4.5 units box\n"
          "create_atoms 2 single 4.6 4.5 4.5 units box\ngroup agents type 2\nrun 1\n"
          "delete_atoms overlap 0.3 agents agents\nrun 1\nregion half block INF 4.4 INF INF INF "
          "INF\n"
          "delete_atoms region half compress yes\nrun 3\n",
      GetParam());
  const auto rows = outcome.thermo();
  EXPECT_EQ(rows.at(2)[2], 13);  // two steps
  EXPECT_EQ(rows.at(4)[2], 15);
  EXPECT_EQ(rows.at(6)[2], 14);
  EXPECT_LT(rows.back()[2], 14);
  EXPECT_GT(rows.back()[2], 0);
  expect_counted({rows.end() - 4, rows.end()}, 0.01);
}

TEST_P(Population, LosesThoseThatLeaveTheBox) {
  lammps.move_atoms("comm no sort device");  // a device that sends them notices nothing on one rank
  for (const char* lost : {"ignore", "warn"}) {
    SCOPED_TRACE(lost);
    const Outcome outcome = lammps.expect_success(
        open_world() + "timestep 0.05\nvelocity agents set 4 1 0\n" + fix + census +
            "thermo_modify lost " + lost + " flush yes\nrun 60\nrun 0\n",
        GetParam());
    const auto rows = outcome.thermo();
    ASSERT_GT(rows.size(), 60U) << outcome.output;
    expect_counted({rows.begin(), rows.begin() + 61}, 0.05);
    EXPECT_LT(rows.at(60)[2], 13);
    EXPECT_EQ(rows.back()[2], rows.at(60)[2]);
    EXPECT_EQ(outcome.says("Lost atoms"), std::string(lost) == "warn");
  }
}

TEST_P(Population, StandsStillWhereItIsFrozen) {
  for (const char* still : {"freeze", "setforce 0 0 0"}) {
    SCOPED_TRACE(still);
    lammps.expect_success(
        sparse_setup() + fix + "fix still agents " + still +
            "\ndump all all custom 5 all.dump id type x fx f_pilot[1] f_pilot[2]\n"
            "dump_modify all sort id format float %.17g\nrun 10\nunfix still\nrun 10\n",
        GetParam());
    const auto snapshots = read_dump(lammps.file("all.dump"));
    ASSERT_EQ(snapshots.size(), 5U);
    for (std::size_t n = 0; n < snapshots[0].size(); ++n) {
      if (snapshots[0].at("type")[n] != 2) continue;
      EXPECT_EQ(snapshots[2].at("x")[n], snapshots[0].at("x")[n]);
      EXPECT_EQ(snapshots[2].at("fx")[n], 0.0);
      EXPECT_NE(snapshots[2].at("f_pilot[2]")[n], 0.0);
      // Thawed, they are who they were.
      EXPECT_NE(snapshots[4].at("x")[n], snapshots[0].at("x")[n]);
      EXPECT_EQ(snapshots[4].at("fx")[n], snapshots[4].at("f_pilot[2]")[n]);
      EXPECT_EQ(snapshots[4].at("f_pilot[1]")[n], snapshots[0].at("f_pilot[1]")[n]);
    }
  }
}

TEST_P(Population, IsHandedFromFixToFixByDynamicGroups) {
  lammps.expect_success(
      sparse_setup() +
          "timestep 0.05\nvelocity agents set 2 1 0\n"
          "region left block INF 4.5 INF INF INF INF\nregion right block 4.5 INF INF INF INF INF\n"
          "group west dynamic agents region left every 1\n"
          "group east dynamic agents region right every 1\n"
          "fix one west pilot policy.h5 bind goal 5 5 5\n"
          "fix two east pilot other.h5 bind goal 1 1 1\n"
          "dump all all custom 1 all.dump id type x fx f_one[1] f_one[2] f_two[1] f_two[2]\n"
          "dump_modify all sort id format float %.17g\nrun 60\n",
      GetParam());
  std::map<std::string, double> largest;
  std::size_t handed = 0;
  const auto snapshots = read_dump(lammps.file("all.dump"));
  for (std::size_t s = 0; s < snapshots.size(); ++s) {
    const Snapshot& now = snapshots[s];
    const std::map<std::string, double> before = largest;
    for (std::size_t n = 0; n < now.size(); ++n) {
      const bool agent = now.at("type")[n] == 2;
      const bool west = now.at("x")[n] <= 4.5;
      EXPECT_EQ(now.at("f_one[1]")[n] != 0, agent && west);
      EXPECT_EQ(now.at("f_two[1]")[n] != 0, agent && !west);
      EXPECT_EQ(now.at("fx")[n], now.at("f_one[2]")[n] + now.at("f_two[2]")[n]);
      for (const std::string column : {"f_one[1]", "f_two[1]"}) {
        const double number = now.at(column)[n];
        const double old = s == 0 ? 0 : snapshots[s - 1].at(column)[n];
        if (number == 0 || number == old) continue;
        EXPECT_EQ(old, 0) << "an agent's number changed";
        EXPECT_GT(number, before.contains(column) ? before.at(column) : 0) << "a number was reused";
        largest[column] = std::max(largest[column], number);
        if (s > 0) ++handed;
      }
    }
  }
  EXPECT_GT(handed, 5U);
}

TEST_P(Population, IsCountedAnewBetweenRuns) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + census +
          "run 1\ngroup gone id 2 4\ndelete_atoms group gone\n"
          "create_atoms 1 random 2 815 NULL\nvariable agents equal f_pilot[1]\n"
          "print \"counted ${agents} agents\"\n",
      GetParam());
  EXPECT_TRUE(outcome.says("counted 11 agents")) << outcome.output;
}

TEST_P(Population, StartsAnewFromADataFile) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + "run 5\nwrite_data later.data nocoeff\nclear\nplugin load " +
          plugin_path() +
          "\nunits lj\natom_style sphere\nread_data later.data\ngroup agents type 2\n"
          "pair_style zero 1.0\npair_coeff * *\nfix move agents nve/sphere\n" +
          fix + census +
          "variable decisions equal f_pilot[2]\nrun 2\nprint \"made ${decisions}\"\n",
      GetParam());
  EXPECT_TRUE(outcome.says("made 3")) << outcome.output;
  EXPECT_EQ(outcome.thermo().back().at(2), 13);
}

TEST_P(Population, GrowsByADataFileThatIsAdded) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + census +
          "run 2\nread_data sparse.data add append shift 0.2 0.2 0.2\ngroup agents type 2\nrun 2\n",
      GetParam());
  EXPECT_EQ(outcome.thermo().back().at(2), 26);
}

TEST_P(Population, KeepsItsNumbersWhenAtomIdsAreReset) {
  lammps.expect_success(sparse_setup() + fix +
                            "run 3\ngroup gone id 1 2 3\ndelete_atoms group gone compress no\n" +
                            dump_agents(1) + "run 0\nreset_atoms id sort yes\nrun 3\n",
                        GetParam());
  const auto snapshots = read_dump(lammps.file("agents.dump"));
  std::vector<double> before = snapshots.front().at("f_pilot[1]");
  std::vector<double> after = snapshots.back().at("f_pilot[1]");
  EXPECT_EQ(before.size(), 12U);
  EXPECT_NE(snapshots.front().at("id"), snapshots.back().at("id"));
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  EXPECT_EQ(before, after);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Population, ::testing::Values(1, 2),
                         [](const auto& each) { return std::to_string(each.param); });

}  // namespace
}  // namespace dempilot::lammps::testing
