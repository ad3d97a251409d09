// Fixes, agents and plugins come and go.

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/policy/Initialization.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Replay.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

class Lifetime : public ::testing::Test {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.1));
    save_policy_file(lammps.file("other.h5"), explorer(0.0, 9));
  }

  LammpsRun lammps;
  std::string fix = "fix pilot agents pilot policy.h5 bind goal 5 5 5 observations yes\n";
  std::string thermo = "thermo 1\nthermo_style custom step f_pilot[1] f_pilot[2]\n";
};

TEST_F(Lifetime, ClearStartsAfresh) {
  const std::string once = sparse_setup() + fix + dump_agents(1) + "run 3\n";
  lammps.expect_success(once + "clear\nplugin load " + plugin_path() + "\n" + once, 2);
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  EXPECT_EQ(snapshots.size(), 4U);
  EXPECT_EQ(snapshots.front().at("f_pilot[1]").front(), 1.0);
}

TEST_F(Lifetime, PluginMayBeUnloadedAndLoadedAgain) {
  lammps.expect_success(sparse_setup() + fix +
                            "run 2\nplugin unload fix pilot\nrun 2\nplugin load " + plugin_path() +
                            "\n" + fix + "run 2\nplugin clear\nrun 1\n",
                        2);
}

TEST_F(Lifetime, UnfixForgets) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + "run 2\nunfix pilot\nrun 1\n" + fix + thermo + "run 1\n");
  EXPECT_EQ(outcome.thermo().back(), (std::vector<double>{4, 13, 2}));
}

TEST_F(Lifetime, FixMayBeReplaced) {
  lammps.expect_success(sparse_setup() + fix + "run 2\n" + fix + "run 2\n", 2);
}

TEST_F(Lifetime, TwoPoliciesFlyTwoGroups) {
  const std::string second =
      "fix second grains pilot other.h5 every 2 bind goal 1 1 1 observations yes\n"
      "fix move2 grains nve/sphere\n"
      "dump grains grains custom 2 grains.dump id f_second[*]\n"
      "dump_modify grains sort id format float %.17g\n";
  lammps.expect_success(
      sparse_setup() + "timestep 0.05\n" + fix + second + dump_agents(1) + "run 40\n", 4);
  const PolicyFile first_policy = explorer(0.1);
  const PolicyFile second_policy = explorer(0.0, 9);
  std::vector<Snapshot> grains = read_dump(lammps.file("grains.dump"));
  for (Snapshot& snapshot : grains) {
    std::map<std::string, std::vector<double>> renamed;
    for (auto& [name, values] : snapshot.columns) {
      renamed[name.starts_with("f_second") ? "f_pilot" + name.substr(8) : name] = values;
    }
    snapshot.columns = renamed;
  }
  const ReplayResult one =
      replay(histories_of(read_dump(lammps.file("agents.dump")), first_policy), first_policy, 1);
  const ReplayResult two = replay(histories_of(grains, second_policy), second_policy, 2);
  EXPECT_EQ(one.agents, 13U);
  EXPECT_EQ(two.agents, 14U);
  EXPECT_LE(one.action_error, 1e-5);
  EXPECT_LE(two.action_error, 1e-5);
  EXPECT_LE(two.force_error, 1e-5);
}

TEST_F(Lifetime, ManyFixesTravelWithOneAtom) {
  // Together more than LAMMPS's spare exchange buffer: 1024 doubles.
  std::string fixes;
  PolicyFile large = explorer();
  large.contract.model.lstm_features = 256;
  large.parameters = initialize_parameters(large.contract.model, 1);
  for (int n = 0; n < 6; ++n) {
    fixes += "fix p" + std::to_string(n) + " agents pilot big.h5 bind goal 5 5 5\n";
  }
  save_policy_file(lammps.file("big.h5"), large);
  lammps.expect_success(sparse_setup() +
                            "comm_style tiled\ntimestep 0.05\nvelocity agents set 3 2 1\n" + fixes +
                            "balance 1.0 rcb\nrun 60\nbalance 1.0 rcb\nrun 20\n",
                        4);
  lammps.expect_success(sparse_setup() + "timestep 0.05\nvelocity agents set 3 2 1\n" + fixes +
                            "run 60\nbalance 1.0 shift xyz 10 1.01\nrun 20\n",
                        4);
}

TEST_F(Lifetime, DeletingAllAtomsFreesTheAgents) {
  const Outcome outcome =
      lammps.expect_success(sparse_setup() + fix + thermo +
                                "run 1\ndelete_atoms group all\nregion some block 1 8 1 8 1 8\n"
                                "create_atoms 2 random 5 17 some\ngroup agents type 2\nrun 1\n",
                            2);
  const auto rows = outcome.thermo();
  EXPECT_EQ(rows.at(1), (std::vector<double>{1, 13, 2}));
  EXPECT_EQ(rows.at(2).at(1), 0.0);  // setup of the second run: nobody has decided yet
  EXPECT_EQ(rows.at(3), (std::vector<double>{2, 5, 3}));
}

TEST_F(Lifetime, NoAgentsAtAllIsNoError) {
  lammps.expect_success(
      sparse_setup() + "group nobody empty\nfix pilot nobody pilot policy.h5 bind goal 5 5 5\n" +
          thermo + "run 3\nwrite_restart none.restart\n",
      2);
}

TEST_F(Lifetime, AtomsJoinAndLeaveTheGroup) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + thermo + dump_agents(1) +
          "run 1\ngroup joining id 1\nset group joining type 2\ngroup agents id 1\nrun 2\n"
          "group leaving id 2 4\ngroup agents clear\ngroup agents type 2\n"
          "group gone subtract agents leaving\ngroup agents clear\ngroup agents union gone\nrun "
          "2\n",
      2);
  const auto rows = outcome.thermo();
  EXPECT_EQ(rows.at(1).at(1), 13.0);
  EXPECT_EQ(rows.at(4).at(1), 14.0);
  EXPECT_EQ(rows.back().at(1), 12.0);
  // The newcomer has the next number, and those that stayed kept theirs.
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  EXPECT_EQ(snapshots.back().at("id").front(), 1.0);
  EXPECT_EQ(snapshots.back().at("f_pilot[1]").front(), 14.0);
}

TEST_F(Lifetime, DynamicGroupsAreFollowed) {
  const Outcome outcome =
      lammps.expect_success(sparse_setup() +
                                "region left block 0 4.5 INF INF INF INF\n"
                                "group flying dynamic agents region left every 1\n"
                                "fix pilot flying pilot policy.h5 bind goal 5 5 5\n" +
                                thermo + "run 5\n",
                            2);
  EXPECT_GT(outcome.thermo().back().at(1), 0.0);
  EXPECT_LT(outcome.thermo().back().at(1), 13.0);
}

TEST_F(Lifetime, MinimizationDoesNotAct) {
  const Outcome outcome =
      lammps.expect_success(sparse_setup() + fix + thermo + "run 2\nminimize 0 0 5 5\nrun 2\n", 2);
  EXPECT_EQ(outcome.thermo().back().at(2), 5.0);  // setup, and 2 steps twice
}

TEST_F(Lifetime, WhatVariablesAndReductionsReadIsWhatIsDumped) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + "timestep 0.05\n" + fix +
          "variable push atom f_pilot[2]\ncompute both all reduce sum v_push f_pilot[2]\n"
          "thermo 10\nthermo_style custom step c_both[1] c_both[2] f_pilot[3]\nrun 40\n",
      4);
  for (const auto& row : outcome.thermo()) {
    EXPECT_EQ(row.at(1), row.at(2));
    EXPECT_NEAR(row.at(1), row.at(3), 1e-9);
    EXPECT_NE(row.at(1), 0.0);
  }
}

TEST_F(Lifetime, ReportsWhereTheTimeWent) {
  const Outcome outcome = lammps.expect_success(sparse_setup() + fix + "run 3\n", 2);
  EXPECT_TRUE(outcome.says("Fix pilot pilot: 4 decisions, 13 agents; seconds per rank: inputs "))
      << outcome.output;
}

TEST_F(Lifetime, EveryKindOfGoalIsUnderstood) {
  const std::string setup = sparse_setup() +
                            "variable gx equal 2+3\nvariable gz atom 5+0*x\n"
                            "compute spot all property/atom x y z\n"
                            "fix own all property/atom d_gy d2_place 3\nset group all d_gy 5\n"
                            "set group all d2_place[2] 5\n"
                            "fix held all store/state 0 x y z\n";
  const auto actions = [&](const std::string& goal) {
    lammps.expect_success(setup + "fix pilot agents pilot policy.h5 bind goal " + goal +
                              " observations yes\n" + dump_agents(1) + "run 2\n",
                          2);
    return read_dump(lammps.file("agents.dump")).back().columns;
  };
  const auto plain = actions("5 5 5");
  EXPECT_EQ(plain, actions("v_gx d_gy v_gz"));
  EXPECT_EQ(plain, actions("5 d2_place[2] 5"));
  // Where the goal is the agent itself, there is no direction.
  const auto home = actions("c_spot[1] c_spot[2] c_spot[3]");
  for (const double direction : home.at("f_pilot[16]"))
    EXPECT_EQ(direction, 0.0);
  EXPECT_NE(plain, actions("f_held[1] f_held[2] f_held[3]"));
}

TEST_F(Lifetime, TorquesTurn) {
  ActionSpec turn;
  turn.target = ActionTarget::torque;
  turn.scale = 2.0;
  turn.angular_drag = 0.02;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({angular_velocity(), velocity()}, 3, turn));
  lammps.expect_success(sparse_setup() +
                        "velocity agents set 0.5 0.3 0.1\n"
                        "fix pilot agents pilot policy.h5 every 50\n" +
                        dump_agents(1, "omegax omegay omegaz vx") + "run 2\n");
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  const double action = snapshots[0].at("f_pilot[10]").front();
  EXPECT_NE(action, 0.0);
  EXPECT_EQ(snapshots[0].at("f_pilot[2]").front(), 0.0);
  EXPECT_NEAR(snapshots[0].at("f_pilot[5]").front(), 2.0 * action, 1e-12);
  EXPECT_NE(snapshots[2].at("omegax").front(), 0.0);
  EXPECT_EQ(snapshots[2].at("vx").front(), 0.5);
  // The drag follows the angular velocity of the half step.
  EXPECT_LT(std::abs(snapshots[2].at("f_pilot[5]").front()), std::abs(2.0 * action));
}

TEST_F(Lifetime, AtomsThatLeftTheGroupAreNotPushedAnyMore) {
  lammps.expect_success(
      sparse_setup() + fix +
          "run 3\ngroup agents clear\ngroup leaving id 2 4\ngroup stay type 2\n"
          "group rest subtract stay leaving\ngroup agents union rest\nrun 0\n"
          "write_dump all custom setup.dump id fx modify sort id format float %.17g\n"
          "dump all all custom 1 all.dump id fx\ndump_modify all sort id format float %.17g\n"
          "run 2\n",
      2);
  std::vector<Snapshot> snapshots = read_dump(lammps.file("setup.dump"));
  for (Snapshot& snapshot : read_dump(lammps.file("all.dump")))
    snapshots.push_back(snapshot);
  ASSERT_EQ(snapshots.size(), 4U);
  for (const Snapshot& snapshot : snapshots) {
    EXPECT_EQ(snapshot.at("fx").at(1), 0.0) << "atom 2 at step " << snapshot.step;
    EXPECT_EQ(snapshot.at("fx").at(3), 0.0) << "atom 4 at step " << snapshot.step;
    EXPECT_NE(snapshot.at("fx").at(5), 0.0) << "atom 6 at step " << snapshot.step;
  }
}

TEST_F(Lifetime, DeletedAgentsAreNotCounted) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + fix + thermo +
          "variable agents equal f_pilot[1]\nrun 1\ngroup gone id 2 4 26\n"
          "delete_atoms group gone compress no\nprint \"counted ${agents} agents\"\nrun 1\n",
      2);
  EXPECT_TRUE(outcome.says("counted 10 agents")) << outcome.output;
  EXPECT_EQ(outcome.thermo().at(2).at(1), 10.0);  // setup of the second run
  EXPECT_EQ(outcome.thermo().back().at(1), 10.0);
}

TEST_F(Lifetime, GroupsMayBeCalledLikeKeywords) {
  const auto sensed = [&](const std::string& group) {
    lammps.expect_success(sparse_setup() + "group walls type 1\n" +
                          "fix pilot agents pilot policy.h5 bind targets " + group +
                          " bind goal 5 5 5 observations yes\n" + dump_agents(1) + "run 1\n");
    return read_dump(lammps.file("agents.dump")).back().columns;
  };
  EXPECT_EQ(sensed("walls"), sensed("grains"));
}

}  // namespace
}  // namespace dempilot::lammps::testing
