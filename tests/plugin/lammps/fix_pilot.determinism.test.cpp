// What agents decide does not depend on how many ranks or threads decide it, nor on how a run is
// divided.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "plugin/lammps/RestartFile.h"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Everything that was dumped, but for the rank.
std::vector<Snapshot> dumped(const LammpsRun& lammps) {
  std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  for (Snapshot& snapshot : snapshots)
    snapshot.columns.erase("proc");
  return snapshots;
}

void expect_same(const std::vector<Snapshot>& a, const std::vector<Snapshot>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t n = 0; n < a.size(); ++n) {
    EXPECT_EQ(a[n].step, b[n].step);
    for (const auto& [name, values] : a[n].columns) {
      EXPECT_EQ(values, b[n].at(name)) << name << " at step " << a[n].step;
    }
  }
}

AgentColumns saved_agents(const LammpsRun& lammps) {
  const AgentReader reader(lammps.file("end.restart.pilot.h5"));
  return reader.read(0, reader.size());
}

class Layouts : public ::testing::TestWithParam<const char*> {};

TEST_P(Layouts, GiveTheSameActionsAndCarriesBitForBit) {
  const std::string script = sparse_setup() +
                             "fix pilot agents pilot policy.h5 every 3 bind goal 6 6 7 "
                             "observations yes mode " +
                             GetParam() + "\ntimestep 0.05\n" + dump_agents(3, "x y z vx vy vz") +
                             "run 60\nwrite_restart end.restart\n";
  struct Result {
    std::vector<Snapshot> snapshots;
    AgentColumns agents;
  };
  std::vector<Result> results;
  for (const auto& [ranks, threads] : {std::pair{1, 1}, {1, 2}, {2, 1}, {4, 1}, {2, 2}}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks, " + std::to_string(threads) + " threads");
    const LammpsRun lammps;
    lammps.write("sparse.data", sparse_world(4));
    save_policy_file(lammps.file("policy.h5"), explorer(0.2));
    lammps.expect_success(script, ranks, threads);
    results.push_back({dumped(lammps), saved_agents(lammps)});
    const Result& first = results.front();
    const Result& last = results.back();
    expect_same(first.snapshots, last.snapshots);
    EXPECT_EQ(first.agents.id, last.agents.id);
    EXPECT_EQ(first.agents.carry, last.agents.carry);
    EXPECT_EQ(first.agents.pending, last.agents.pending);
    EXPECT_EQ(first.agents.value, last.agents.value);
    EXPECT_EQ(first.agents.log_prob, last.agents.log_prob);
  }
  ASSERT_EQ(results.front().agents.id.size(), 32U);
  // They moved far enough to change hands.
  const std::vector<double>& start = results.front().snapshots.front().at("x");
  const std::vector<double>& end = results.front().snapshots.back().at("x");
  double farthest = 0;
  for (std::size_t n = 0; n < start.size(); ++n) {
    farthest = std::max(farthest, std::abs(end[n] - start[n]));
  }
  EXPECT_GT(farthest, 2.0);
}

INSTANTIATE_TEST_SUITE_P(Modes, Layouts, ::testing::Values("mean", "sample 12345"),
                         [](const auto& each) { return std::string(each.param).substr(0, 4); });

/// Snapshots of a run whose last part is `script`, with the steps counted from the start.
std::vector<Snapshot> life(const std::string& runs, int ranks) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), explorer(0.3));
  lammps.expect_success(sparse_setup() +
                            "fix pilot agents pilot policy.h5 every 3 bind goal 5 5 5 "
                            "observations yes reset every 8\n" +
                            dump_agents(1, "x y z vx vy vz") + runs,
                        ranks);
  return dumped(lammps);
}

TEST(FixPilotRuns, MayBeDivided) {
  const std::vector<Snapshot> whole = life("run 20\n", 2);
  ASSERT_EQ(whole.size(), 21U);
  expect_same(whole, life("run 10\nrun 10\n", 2));
  expect_same(whole, life("run 1\nrun 7\nrun 12\n", 1));
  expect_same(whole, life("run 10\nrun 0\nrun 10 pre no post no\n", 2));
}

TEST(FixPilotRuns, AreNotShiftedByResetTimestep) {
  const std::vector<Snapshot> whole = life("run 20\n", 2);
  // LAMMPS resets no step under a dump: only what follows is dumped.
  std::vector<Snapshot> rest = life("run 10\nundump agents\nreset_timestep 1000\n" +
                                        dump_agents(1, "x y z vx vy vz") + "run 10\n",
                                    2);
  ASSERT_EQ(rest.size(), 11U);
  for (Snapshot& snapshot : rest)
    snapshot.step -= 990;
  expect_same({whole.begin() + 10, whole.end()}, rest);
}

TEST(FixPilotRuns, DecideAtTheIntervalOfThePolicyFileUnlessToldOtherwise) {
  PolicyFile policy = explorer();
  policy.contract.timing.decision_interval = 4;
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), policy);
  const auto decisions = [&](const std::string& every) {
    const Outcome outcome =
        lammps.expect_success(sparse_setup() + "fix pilot agents pilot policy.h5 bind goal 5 5 5 " +
                              every + "\nthermo_style custom step f_pilot[1] f_pilot[2]\nrun 12\n");
    EXPECT_EQ(outcome.thermo().back().at(1), 13.0);  // agents
    return outcome.thermo().back().at(2);
  };
  EXPECT_EQ(decisions(""), 4.0);  // steps 0, 4, 8, 12
  EXPECT_EQ(decisions("every 6"), 3.0);
}

}  // namespace
}  // namespace dempilot::lammps::testing
