// What is recorded is what agents saw and did, once each, however many ranks and launches wrote it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "plugin/lammps/RestartFile.h"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Recorded.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::string reward =
    "variable reward atom -sqrt((x-5)^2+(y-5)^2+(z-5)^2)\nvariable done atom x>4\n";

std::string recording_fix(const std::string& record, const std::string& more = "") {
  return "timestep 0.05\nfix pilot agents pilot policy.h5 every 3 bind goal 5 5 5 observations yes "
         "mode sample 7 record run.recording " +
         record + " " + more + "\n";
}

const std::string everything = "every 1 carry yes reward v_reward done v_done";

/// What a script that begins with read_restart must say again.
std::string again(const std::string& fix, const std::string& restart = "half.restart") {
  return "read_restart " + restart + "\nneighbor 0.4 bin\nfix move agents nve/sphere\n" + reward +
         fix;
}

class Recordings : public ::testing::Test {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.3));
  }
  Recorded recorded() const { return read_recording(lammps.file("run.recording")); }

  LammpsRun lammps;
};

void expect_same(const Recorded& a, const Recorded& b) {
  ASSERT_EQ(a.size(), b.size());
  const auto expect_near = [](const auto& x, const auto& y) {
    ASSERT_EQ(x.size(), y.size());
    for (std::size_t k = 0; k < x.size(); ++k)
      EXPECT_NEAR(x[k], y[k], 1e-5);
  };
  for (const auto& [key, row] : a) {
    SCOPED_TRACE("decision " + std::to_string(key.first) + " of " + std::to_string(key.second));
    ASSERT_TRUE(b.contains(key));
    const RecordedRow& other = b.at(key);
    EXPECT_EQ(row.step, other.step);
    EXPECT_EQ(row.tag, other.tag);
    EXPECT_EQ(row.done, other.done);
    EXPECT_NEAR(row.reward, other.reward, 1e-9);
    EXPECT_NEAR(row.log_prob, other.log_prob, 1e-4);
    EXPECT_NEAR(row.value, other.value, 1e-5);
    expect_near(row.observation, other.observation);
    expect_near(row.action, other.action);
    expect_near(row.carry, other.carry);
  }
}

/// Every agent of every snapshot of a decision step has a row that says the same, bit for bit.
void expect_dumped(const Recorded& recorded, const std::vector<Snapshot>& snapshots) {
  std::size_t rows = 0;
  long last = -1;
  for (const Snapshot& snapshot : snapshots) {
    if (snapshot.step == last) continue;  // the first of a second run
    last = snapshot.step;
    for (std::size_t n = 0; n < snapshot.size(); ++n, ++rows) {
      const auto column = [&](std::size_t k) {
        return snapshot.at("f_pilot[" + std::to_string(k) + "]")[n];
      };
      const auto found = recorded.find({snapshot.step / 3, std::int64_t(column(1))});
      ASSERT_NE(found, recorded.end()) << "step " << snapshot.step << ", agent " << column(1);
      const RecordedRow& row = found->second;
      EXPECT_EQ(row.step, snapshot.step);
      EXPECT_EQ(double(row.tag), snapshot.at("id")[n]);
      EXPECT_EQ(double(row.value), column(8));
      EXPECT_EQ(double(row.log_prob), column(9));
      for (std::size_t k = 0; k < row.action.size(); ++k)
        EXPECT_EQ(double(row.action[k]), column(10 + k));
      for (std::size_t k = 0; k < row.observation.size(); ++k)
        EXPECT_EQ(double(row.observation[k]), column(13 + k));
      EXPECT_EQ(row.reward, snapshot.at("v_reward")[n]);
      EXPECT_EQ(row.done, snapshot.at("v_done")[n] != 0.0);
    }
  }
  EXPECT_EQ(rows, recorded.size());
}

TEST_F(Recordings, HoldWhatADumpOfTheSameRunShows) {
  const std::string script = sparse_setup() + reward + recording_fix(everything) +
                             dump_agents(3, "v_reward v_done") +
                             "run 31\ngroup gone id 1\ndelete_atoms group gone\n"
                             "create_atoms 2 single 2.8 2.8 2.8 units box\ngroup agents type 2\n"
                             "set type 2 diameter 0.5\nrun 29\n";
  for (const int ranks : {1, 2, 4}) {
    SCOPED_TRACE(ranks);
    fs::remove_all(lammps.file("run.recording"));
    lammps.expect_success(script, ranks);
    const Recorded rows = recorded();
    EXPECT_EQ(rows.size(), 13U * 11U + 14U * 10U);
    EXPECT_EQ(rows.at({0, 1}).observation.size(), 14U);
    EXPECT_EQ(rows.at({0, 1}).action.size(), 3U);
    // the new agent's decision at step 60 is there, and deletion has changed the tags
    EXPECT_TRUE(rows.contains({20, 14}));
    EXPECT_NE(rows.at({20, 13}).tag, rows.at({0, 13}).tag);
    expect_dumped(rows, read_dump(lammps.file("agents.dump")));
  }
}

TEST_F(Recordings, AreTheSameOnAnyNumberOfRanks) {
  const std::string script =
      sparse_setup() + reward + recording_fix(everything + " flush 4") + "run 40\n";
  lammps.expect_success(script, 1);
  const Recorded alone = recorded();
  EXPECT_EQ(alone.size(), 13U * 14U);
  for (const int ranks : {2, 4}) {
    SCOPED_TRACE(ranks);
    fs::remove_all(lammps.file("run.recording"));
    lammps.expect_success(script, ranks);
    EXPECT_EQ(index_of(lammps.file("run.recording")).at("launches")[0].at("ranks"), ranks);
    expect_same(recorded(), alone);
  }
}

TEST_F(Recordings, HoldTheCarryThatADecisionStartsFrom) {
  lammps.expect_success(sparse_setup() + reward + recording_fix(everything) +
                            "run 20\nwrite_restart half.restart\nrun 5\n",
                        2);
  const Recorded rows = recorded();
  const AgentReader reader(lammps.file("half.restart.pilot.h5"));
  const AgentColumns agents = reader.read(0, reader.size());
  ASSERT_EQ(agents.id.size(), 13U);
  const std::size_t width = reader.shape().carry;
  for (std::size_t n = 0; n < agents.id.size(); ++n) {
    EXPECT_EQ(rows.at({0, agents.id[n]}).carry, std::vector<float>(width, 0.0F));
    const auto first = agents.carry.begin() + static_cast<std::ptrdiff_t>(n * width);
    EXPECT_EQ(rows.at({7, agents.id[n]}).carry,
              std::vector<float>(first, first + static_cast<std::ptrdiff_t>(width)));
  }
}

TEST_F(Recordings, HoldTheCarryAfterAReset) {
  lammps.expect_success(sparse_setup() + reward + "variable again atom step==12\n" +
                        recording_fix(everything, "reset v_again") + "run 15\n");
  const Recorded rows = recorded();
  const std::vector<float> zeros(rows.at({0, 1}).carry.size(), 0.0F);
  EXPECT_NE(rows.at({3, 1}).carry, zeros);
  EXPECT_EQ(rows.at({4, 1}).carry, zeros);
  EXPECT_NE(rows.at({5, 1}).carry, zeros);
}

TEST_F(Recordings, LeaveDecisionsOut) {
  lammps.expect_success(sparse_setup() + recording_fix("every 4") + "run 20\nrun 20\n");
  const Recorded rows = recorded();
  ASSERT_EQ(rows.size(), 13U * 4U);
  for (const std::int64_t decision : {0, 4, 8, 12})
    EXPECT_EQ(rows.at({decision, 13}).step, 3 * decision);
}

TEST_F(Recordings, AreFlushedAsOftenAsTheScriptSays) {
  lammps.expect_success(
      sparse_setup() + recording_fix("every 2 flush 3") + "restart 23 half.*.restart\nrun 40\n", 2);
  const auto index = index_of(lammps.file("run.recording"));
  std::vector<std::pair<int, int>> flushes;
  for (const auto& flush : index.at("launches")[0].at("flushes")) {
    flushes.emplace_back(flush.at("first_decision"), flush.at("last_decision"));
    EXPECT_EQ(int(flush.at("last_step")), 3 * int(flush.at("last_decision")));
  }
  // every 3 recorded decisions, at the restart file of step 23, and at the end
  const std::vector<std::pair<int, int>> expected = {{0, 4}, {6, 6}, {8, 12}};
  EXPECT_EQ(flushes, expected);
}

TEST_F(Recordings, GoOnFromARestartFile) {
  const std::string fix = recording_fix(everything + " flush 5");
  lammps.expect_success(sparse_setup() + reward + fix + "run 80\n", 2);
  const Recorded whole = recorded();
  fs::remove_all(lammps.file("run.recording"));
  lammps.expect_success(sparse_setup() + reward + fix +
                            "run 20\nwrite_restart half.restart\nreset_timestep 500\nrun 30\n",
                        2);
  const std::size_t before = recorded().size();
  EXPECT_EQ(before, 13U * 17U);
  const Outcome outcome = lammps.expect_success(again(fix) + "run 60\n", 4);
  EXPECT_FALSE(outcome.says("of an earlier simulation")) << outcome.output;
  const auto launches = index_of(lammps.file("run.recording")).at("launches");
  ASSERT_EQ(launches.size(), 2U);
  EXPECT_EQ(launches[1].at("from_decision"), 7);
  EXPECT_EQ(launches[1].at("from_step"), 20);
  const Recorded rows = recorded();
  EXPECT_EQ(rows.at({6, 1}).launch, 1);
  EXPECT_EQ(rows.at({7, 1}).launch, 2);
  expect_same(rows, whole);
}

TEST_F(Recordings, WarnThatANewSimulationTakesTheirPlace) {
  const std::string script = sparse_setup() + recording_fix("every 1") + "run 20\n";
  lammps.expect_success(script);
  const Outcome outcome = lammps.expect_success(script, 2);
  EXPECT_TRUE(outcome.says("Fix pilot pilot: " + lammps.file("run.recording").string() +
                           " holds 91 rows of an earlier simulation (this one starts anew, and its "
                           "rows take their place). Record to another folder to keep them apart"))
      << outcome.output;
  EXPECT_EQ(recorded().at({0, 1}).launch, 2);
}

TEST_F(Recordings, RefuseAPolicyOfAnotherShape) {
  lammps.expect_success(sparse_setup() + recording_fix("every 1") +
                        "run 20\nwrite_restart half.restart\n");
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction(), lidar(2.5, 4, 3)}));
  EXPECT_THAT(lammps.expect_error(sparse_setup() + recording_fix("every 1") + "run 1\n", 2),
              HasSubstr("Fix pilot pilot: " + lammps.file("run.recording").string() +
                        " holds a recording of another kind (its observation_size is 14, here it "
                        "is 18). Record to another folder, or as it was recorded before"));
}

TEST_F(Recordings, RefuseASecondFix) {
  const std::string other =
      "fix other grains pilot policy.h5 bind goal 5 5 5 record run.recording every 1\n";
  EXPECT_THAT(lammps.expect_error(sparse_setup() + recording_fix("every 1") + other + "run 1\n"),
              HasSubstr("Fix pilot other: " + lammps.file("run.recording").string() +
                        " holds a recording of another kind (its source is pilot, here it is "
                        "other)"));
}

TEST_F(Recordings, RefuseAPlaceThatIsNoFolder) {
  lammps.write("run.recording", "a file");
  EXPECT_THAT(lammps.expect_error(sparse_setup() + recording_fix("every 1") + "run 1\n", 2),
              HasSubstr("Fix pilot pilot: the folder " + lammps.file("run.recording").string() +
                        " could not be made (Not a directory). Choose another place"));
}

TEST_F(Recordings, SayWhatARewardLacks) {
  EXPECT_THAT(
      lammps.expect_error(sparse_setup() + recording_fix("every 1 reward v_none") + "run 1"),
      HasSubstr("Fix pilot pilot: record reward: there is no variable 'none'"));
  EXPECT_THAT(lammps.expect_error(sparse_setup() + recording_fix("every 1 done here") + "run 1"),
              HasSubstr("Fix pilot pilot: record done: 'here' is not understood"));
}

TEST_F(Recordings, EachFixMakesItsOwn) {
  save_policy_file(lammps.file("b.h5"), explorer(0.0, 2));
  lammps.expect_success(
      sparse_setup() + recording_fix("every 1") +
          "fix two grains pilot b.h5 bind goal 1 1 1 record two.recording every 2\nrun 9\n",
      2);
  EXPECT_EQ(recorded().size(), 13U * 4U);
  EXPECT_EQ(read_recording(lammps.file("two.recording")).size(), 14U * 5U);
}

TEST_F(Recordings, TakeRewardsFromComputesAndNumbers) {
  lammps.expect_success(sparse_setup() + "compute x agents property/atom x\n" +
                        recording_fix("every 1 reward c_x done 1") + dump_agents(3, "x") +
                        "run 9\n");
  const Recorded rows = recorded();
  for (const Snapshot& snapshot : read_dump(lammps.file("agents.dump"))) {
    for (std::size_t n = 0; n < snapshot.size(); ++n) {
      const auto id = static_cast<std::int64_t>(snapshot.at("f_pilot[1]")[n]);
      EXPECT_EQ(rows.at({snapshot.step / 3, id}).reward, snapshot.at("x")[n]);
      EXPECT_TRUE(rows.at({snapshot.step / 3, id}).done);
    }
  }
}

}  // namespace
}  // namespace dempilot::lammps::testing
