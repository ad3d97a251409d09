// A run that goes on from a restart file is the run that was interrupted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "plugin/lammps/RestartFile.h"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Replay.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* fix_line =
    "fix pilot agents pilot policy.h5 every 3 bind goal 5 5 5 observations yes reset every 17 ";

/// What a script that begins with read_restart must say again.
std::string sparse_again(const std::string& restart, const std::string& options = "") {
  return "read_restart " + restart +
         "\nneighbor 0.4 bin\ntimestep 0.05\nfix move agents nve/sphere\n" + fix_line + options +
         "\n";
}

AgentColumns agents_in(const fs::path& path) {
  const AgentReader reader(path);
  return reader.read(0, reader.size());
}

void expect_same_agents(const AgentColumns& a, const AgentColumns& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.wrench, b.wrench);
  EXPECT_EQ(a.carry, b.carry);
  EXPECT_EQ(a.applied, b.applied);
  EXPECT_EQ(a.pending, b.pending);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.log_prob, b.log_prob);
  EXPECT_EQ(a.observation, b.observation);
}

/// A folder with the policy, a world, and the restart file of step 20 of it.
class Restart : public ::testing::Test {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.3));
    lammps.expect_success(sparse_setup() + "timestep 0.05\n" + fix_line +
                              "\nrun 20\nwrite_restart half.restart\n" + dump_agents(1, "x vx") +
                              "run 20\n",
                          2);
    whole = read_dump(lammps.file("agents.dump"));
  }

  LammpsRun lammps;
  std::vector<Snapshot> whole;
};

void expect_same_course(const std::vector<Snapshot>& again, const std::vector<Snapshot>& whole) {
  ASSERT_EQ(again.size(), whole.size());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    ASSERT_EQ(again[n].step, whole[n].step);
    ASSERT_EQ(again[n].size(), whole[n].size());
    for (const auto& [name, values] : whole[n].columns) {
      if (name == "proc") continue;
      for (std::size_t k = 0; k < values.size(); ++k) {
        EXPECT_NEAR(again[n].at(name)[k], values[k], 1e-12) << name << " at " << whole[n].step;
      }
    }
  }
}

TEST_F(Restart, ContinuesAsIfUninterruptedOnAnyNumberOfRanks) {
  for (const int ranks : {1, 2, 4}) {
    SCOPED_TRACE(ranks);
    lammps.expect_success(sparse_again("half.restart") + dump_agents(1, "x vx") + "run 20\n",
                          ranks);
    expect_same_course(read_dump(lammps.file("agents.dump")), whole);
  }
}

/// Where a run is cut and how it draws its actions. At a decision (step 21) pending and applied
/// actions differ; between decisions (step 20) they do not.
class RestartPoint : public ::testing::TestWithParam<std::tuple<int, const char*>> {};

TEST_P(RestartPoint, MakesNoDifferenceToActionsNoiseAndNewAgents) {
  const auto& [step, mode] = GetParam();
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), explorer(0.3));
  const std::string rest = dump_agents(1, "x vx") +
                           "run 5\ncreate_atoms 2 single 2.8 2.8 2.8 units box\n"
                           "group agents type 2\nrun 10\n";
  lammps.expect_success(sparse_setup() + "timestep 0.05\n" + fix_line + mode + "\nrun " +
                            std::to_string(step) + "\nwrite_restart half.restart\n" + rest,
                        2);
  const std::vector<Snapshot> whole = read_dump(lammps.file("agents.dump"));
  const std::vector<double> ids = whole.back().at("f_pilot[1]");
  EXPECT_EQ(*std::max_element(ids.begin(), ids.end()), 14.0);  // 13 from the start and the new one
  lammps.expect_success(sparse_again("half.restart", mode) + rest, 2);
  expect_same_course(read_dump(lammps.file("agents.dump")), whole);
}

INSTANTIATE_TEST_SUITE_P(CutAt, RestartPoint,
                         ::testing::Combine(::testing::Values(20, 21),
                                            ::testing::Values("mode mean", "mode sample 7")));

TEST_F(Restart, GivesEverythingBackBitForBit) {
  lammps.expect_success(sparse_again("half.restart") + "run 0\nwrite_restart again.restart\n", 4);
  const AgentColumns first = agents_in(lammps.file("half.restart.pilot.h5"));
  EXPECT_EQ(first.id.size(), 13U);
  EXPECT_NE(first.carry.front(), 0.0F);
  expect_same_agents(first, agents_in(lammps.file("again.restart.pilot.h5")));
}

TEST_F(Restart, NeedsNoRunBetweenReadingAndWriting) {
  lammps.expect_success(sparse_again("half.restart") + "write_restart again.restart noinit\n", 2);
  expect_same_agents(agents_in(lammps.file("half.restart.pilot.h5")),
                     agents_in(lammps.file("again.restart.pilot.h5")));
}

TEST_F(Restart, FindsItsFileAfterTheFolderWasMoved) {
  const LammpsRun elsewhere;
  for (const char* name : {"policy.h5", "half.restart", "half.restart.pilot.h5"}) {
    fs::copy(lammps.file(name), elsewhere.file(name));
  }
  fs::rename(lammps.file("half.restart.pilot.h5"), lammps.file("gone.h5"));
  elsewhere.expect_success(sparse_again("half.restart") + "run 1\n");
}

TEST_F(Restart, TakesTheFileThatTheScriptNames) {
  fs::rename(lammps.file("half.restart.pilot.h5"), lammps.file("named.h5"));
  lammps.expect_success(sparse_again("half.restart", "restart named.h5") + "run 1\n");
}

TEST_F(Restart, SaysWhereItLookedForAMissingFile) {
  fs::remove(lammps.file("half.restart.pilot.h5"));
  const std::string error = lammps.expect_error(sparse_again("half.restart") + "run 1\n", 2);
  EXPECT_THAT(error, HasSubstr("Fix pilot pilot: the file with the agents' carries was not found"));
  EXPECT_THAT(error, HasSubstr("half.restart.pilot.h5, which does not exist"));
  EXPECT_THAT(error, HasSubstr("'restart FILE'"));
}

TEST_F(Restart, RefusesTheFileOfAnotherRestart) {
  lammps.expect_success(sparse_again("half.restart") + "run 5\nwrite_restart later.restart\n");
  fs::copy(lammps.file("later.restart.pilot.h5"), lammps.file("half.restart.pilot.h5"),
           fs::copy_options::overwrite_existing);
  const std::string error = lammps.expect_error(sparse_again("half.restart") + "run 1\n");
  EXPECT_THAT(error, HasSubstr("which belongs to another restart file (of step 25)"));
}

TEST_F(Restart, RefusesADamagedFile) {
  fs::resize_file(lammps.file("half.restart.pilot.h5"), 1000);
  EXPECT_THAT(lammps.expect_error(sparse_again("half.restart") + "run 1\n"),
              HasSubstr("half.restart.pilot.h5"));
}

TEST_F(Restart, RefusesAPolicyOfAnotherShape) {
  ActionSpec action;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction(), lidar(2.5, 4, 2)}, 2, action));
  EXPECT_THAT(
      lammps.expect_error(sparse_again("half.restart") + "run 1\n"),
      HasSubstr("fits another policy (a carry of 32 and 3 actions; policy.h5 has 32 and 2)"));
}

TEST_F(Restart, WarnsWhenThePolicyChanged) {
  save_policy_file(lammps.file("policy.h5"), explorer(0.3, 2));
  const Outcome outcome = lammps.expect_success(sparse_again("half.restart") + "run 1\n");
  EXPECT_TRUE(outcome.says("was written with another policy than policy.h5")) << outcome.output;
}

TEST(RestartKeyword, IsIgnoredWithAWarningOnAFreshStart) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), explorer());
  const Outcome outcome =
      lammps.expect_success(sparse_setup() + fix_line + "restart nowhere.h5\nrun 1\nrun 1\n");
  EXPECT_TRUE(outcome.says("keyword restart is ignored")) << outcome.output;
}

TEST(RestartFiles, WithAPercentSignAndPeriodicOnesKeepTheirAgents) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), explorer());
  lammps.expect_success(sparse_setup() + "timestep 0.05\n" + fix_line +
                            "\nrestart 7 state.*\nrun 7\nwrite_restart parts.%\n",
                        2);
  lammps.expect_success(sparse_again("state.7") + "run 1\n", 1);
  lammps.expect_success(sparse_again("parts.%") + "run 1\n", 2);
}

TEST(RestartFiles, OfSeveralFixesDoNotMix) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("a.h5"), explorer(0.0, 1));
  save_policy_file(lammps.file("b.h5"), explorer(0.0, 2));
  const std::string fixes =
      "fix one agents pilot a.h5 bind goal 5 5 5\nfix two grains pilot b.h5 bind goal 1 1 1\n";
  lammps.expect_success(sparse_setup() + fixes + "run 4\nwrite_restart both.restart\n", 2);
  EXPECT_EQ(agents_in(lammps.file("both.restart.one.pilot.h5")).id.size(), 13U);
  EXPECT_EQ(agents_in(lammps.file("both.restart.two.pilot.h5")).id.size(), 14U);
  lammps.expect_success(
      "read_restart both.restart\nneighbor 0.4 bin\nfix move agents "
      "nve/sphere\n" +
          fixes + "run 0\nwrite_restart again.restart\n",
      4);
  for (const char* fix : {"one", "two"}) {
    const std::string tail = std::string(".restart.") + fix + ".pilot.h5";
    expect_same_agents(agents_in(lammps.file("both" + tail)),
                       agents_in(lammps.file("again" + tail)));
  }
}

TEST(RestartInABed, KeepsCarriesThatReplay) {
  const PolicyFile policy = explorer();
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"), policy);
  const std::string fix =
      "fix pilot agents pilot policy.h5 every 5 bind goal 6 6 3 observations yes\n";
  lammps.expect_success(
      granular_bed() + fix + dump_agents(5) + "run 102\nwrite_restart bed.restart\n", 2);
  std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  lammps.expect_success(
      "newton off\nread_restart bed.restart\ncomm_modify vel yes\nneighbor 0.3 bin\n"
      "timestep 0.004\n"
      "fix floor all wall/gran hooke/history 2000.0 NULL 50.0 NULL 0.4 1 zplane 0.0 8.0\n"
      "fix weight all gravity 1.0 vector 0 0 -1\nfix move all nve/sphere\n" +
          fix + dump_agents(5) + "run 100\n",
      4);
  for (Snapshot& snapshot : read_dump(lammps.file("agents.dump"))) {
    if (snapshot.step > 100 && snapshot.step % 5 == 0) snapshots.push_back(snapshot);
  }
  const ReplayResult result = replay(histories_of(snapshots, policy), policy, 5);
  EXPECT_EQ(result.agents, 40U);
  EXPECT_EQ(result.decisions, 40U * 41U);
  EXPECT_LE(result.action_error, 1e-5);
  EXPECT_LE(result.force_error, 1e-5);
}

}  // namespace
}  // namespace dempilot::lammps::testing
