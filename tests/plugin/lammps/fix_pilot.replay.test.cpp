// Agents in a granular bed are born, cross ranks, are sorted, and die; whatever happens to them,
// their actions are those of the reference model that saw what they saw.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Replay.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

constexpr int every = 5;
constexpr double tolerance = 1e-5;

/// Agents inserted by hand and by fix deposit, deleted, tags compressed, box periodic.
std::string eventful_life(const std::string& options, const std::string& layout) {
  return granular_bed() + layout +
         "variable reset atom \"x < 2.0 && y > 3.0\"\n"
         "fix pilot agents pilot policy.h5 every 5 bind goal 6 6 3 observations yes " +
         options + "\n" + dump_agents(every, "v_reset") + R"(
region top block 1 11 1 11 6 7.4
fix rain agents deposit 6 2 30 7123 region top near 0.9 vz -1 -1 attempt 500
run 200
unfix rain
delete_atoms random fraction 0.25 yes agents NULL 31415
delete_atoms random count 60 yes grains NULL 2718
create_atoms 2 random 7 1999 top overlap 0.9 maxtry 500
group agents type 2
run 150
)";
}

struct Variant {
  const char* name;
  int ranks;
  const char* options;
  const char* layout;
  long reset_every;
  bool by_variable;
  bool stacked = false;
};

void PrintTo(const Variant& variant, std::ostream* stream) {
  *stream << variant.name;
}

class Replay : public ::testing::TestWithParam<Variant> {};

TEST_P(Replay, MatchesTheReferenceForEveryAgentAndDecision) {
  const Variant& variant = GetParam();
  const LammpsRun lammps;
  const PolicyFile policy = variant.stacked ? stacked_explorer() : explorer();
  save_policy_file(lammps.file("policy.h5"), policy);
  lammps.expect_success(eventful_life(variant.options, variant.layout), variant.ranks);

  std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  if (!variant.by_variable) {
    for (Snapshot& snapshot : snapshots)
      snapshot.columns.erase("v_reset");
  }
  const Histories histories = histories_of(snapshots, policy);
  const ReplayResult result = replay(histories, policy, every, variant.reset_every);
  EXPECT_LE(result.action_error, tolerance);
  EXPECT_LE(result.force_error, tolerance);
  EXPECT_GT(result.largest_action, 0.5) << "actions so small would prove little";
  RecordProperty("action_error", std::to_string(result.action_error));
  RecordProperty("largest_action", std::to_string(result.largest_action));

  // The events took place: 40 agents, then 6 by rain, about a quarter deleted, then 7 more.
  EXPECT_EQ(histories.rbegin()->first, 53);
  EXPECT_EQ(result.agents, 53U);
  EXPECT_EQ(snapshots.front().size(), 40U);
  EXPECT_LT(snapshots.back().size(), 53U - 5U);
  EXPECT_GE(result.travellers, variant.ranks > 1 ? 3U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Ranks, Replay,
    ::testing::Values(Variant{"one", 1, "", "", 0, false}, Variant{"two", 2, "", "", 0, false},
                      Variant{"four", 4, "", "", 0, false},
                      Variant{"four_tiles", 4, "",
                              "comm_style tiled\nfix even all balance 30 1.0 rcb\n", 0, false},
                      Variant{"two_reset_every", 2, "reset every 35", "", 35, false},
                      Variant{"four_reset_variable", 4, "reset v_reset", "", 0, true},
                      Variant{"two_stacked", 2, "", "", 0, false, true},
                      Variant{"four_stacked_reset_every", 4, "reset every 35", "", 35, false,
                              true}),
    [](const auto& each) { return std::string(each.param.name); });

/// Where an agent's tag changes, its id does not: ids in the dump follow positions.
TEST(FixPilotIdentity, OutlivesTagsThatAreCompressed) {
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"), explorer());
  const std::string look = " id x f_pilot[1] modify format float %.17g\n";
  lammps.expect_success(granular_bed() +
                            "fix pilot agents pilot policy.h5 bind goal 6 6 3\nrun 0\n"
                            "write_dump agents custom before.dump" +
                            look +
                            "delete_atoms random count 100 yes grains NULL 2718\n"
                            "write_dump agents custom deleted.dump" +
                            look + "run 0\nwrite_dump agents custom after.dump" + look,
                        2);
  const auto by_place = [](const Snapshot& snapshot) {
    std::map<double, std::pair<double, double>> place;  // x, then id and tag
    for (std::size_t n = 0; n < snapshot.size(); ++n) {
      place[snapshot.at("x")[n]] = {snapshot.at("f_pilot[1]")[n], snapshot.at("id")[n]};
    }
    return place;
  };
  const auto before = by_place(read_dump(lammps.file("before.dump")).at(0));
  const auto deleted = by_place(read_dump(lammps.file("deleted.dump")).at(0));
  const auto after = by_place(read_dump(lammps.file("after.dump")).at(0));
  ASSERT_EQ(before.size(), 40U);
  std::size_t retagged = 0;
  for (const auto& [x, identity] : before) {
    EXPECT_EQ(deleted.at(x).first, identity.first);
    EXPECT_EQ(after.at(x).first, identity.first);
    if (after.at(x).second != identity.second) ++retagged;
  }
  EXPECT_GT(retagged, 0U);
}

}  // namespace
}  // namespace dempilot::lammps::testing
