// Several fixes with policies, intervals, resets and scales of their own, on groups that overlap.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Recorded.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

class Several : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("a.h5"), explorer(0.3));
    save_policy_file(lammps.file("b.h5"), explorer(0.0, 2));
    save_policy_file(lammps.file("c.h5"), stacked_explorer());
  }

  /// Three fixes, whose recordings end in `part`.
  static std::string fixes(const std::string& part) {
    return "region corner block INF 5 INF 5 INF INF\n"
           "fix one agents pilot a.h5 every 2 bind goal 5 5 5 mode sample 3 reset every 7 "
           "observations yes record one." +
           part +
           " every 1\n"
           "fix two all pilot b.h5 every 3 bind goal 1 1 1 scale 2 3 0.5\n"
           "fix three low pilot c.h5 every 5 bind goal 7 2 1 reset region corner record three." +
           part +
           " every 1 carry yes\n"
           "dump all all custom 1 all.dump id x y z vx vy vz fx fy fz f_one[*] f_two[*] "
           "f_three[*]\ndump_modify all sort id format float %.17g\n";
  }

  LammpsRun lammps;
  std::string setup = sparse_setup() +
                      "timestep 0.05\nregion bottom block INF INF INF INF INF 5\n"
                      "group low region bottom\n";
};

void expect_same_rows(const Recorded& rest, const Recorded& whole) {
  EXPECT_GT(rest.size(), 20U);
  EXPECT_LT(rest.size(), whole.size());
  for (const auto& [key, row] : rest) {
    SCOPED_TRACE("decision " + std::to_string(key.first) + " of " + std::to_string(key.second));
    ASSERT_TRUE(whole.contains(key));
    const RecordedRow& other = whole.at(key);
    EXPECT_EQ(row.step, other.step);
    EXPECT_EQ(row.tag, other.tag);
    ASSERT_EQ(row.action.size(), other.action.size());
    for (std::size_t k = 0; k < row.action.size(); ++k)
      EXPECT_NEAR(row.action[k], other.action[k], 1e-5);
    ASSERT_EQ(row.carry.size(), other.carry.size());
    for (std::size_t k = 0; k < row.carry.size(); ++k)
      EXPECT_NEAR(row.carry[k], other.carry[k], 1e-5);
  }
}

TEST_P(Several, GoOnTogetherFromARestartFile) {
  lammps.expect_success(setup + fixes("whole") + "run 21\nwrite_restart half.restart\nrun 24\n",
                        GetParam());
  const std::vector<Snapshot> all = read_dump(lammps.file("all.dump"));
  lammps.expect_success(
      "read_restart half.restart\nneighbor 0.4 bin\ntimestep 0.05\nfix move agents nve/sphere\n" +
          fixes("rest") + "run 24\n",
      3 - GetParam());
  const std::vector<Snapshot> rest = read_dump(lammps.file("all.dump"));
  ASSERT_EQ(all.size(), 46U);
  ASSERT_EQ(rest.size(), 25U);
  for (std::size_t n = 0; n < rest.size(); ++n) {
    const Snapshot& whole = all[n + 21];
    ASSERT_EQ(rest[n].step, whole.step);
    for (const auto& [name, values] : whole.columns) {
      for (std::size_t k = 0; k < values.size(); ++k)
        EXPECT_NEAR(rest[n].at(name)[k], values[k], 1e-9) << name << " at step " << whole.step;
    }
  }
  for (const char* name : {"one", "three"}) {
    SCOPED_TRACE(name);
    expect_same_rows(read_recording(lammps.file(std::string(name) + ".rest")),
                     read_recording(lammps.file(std::string(name) + ".whole")));
  }
}

/// Forces of fixes on one atom add up, and each is that of its fix alone in the world.
TEST_P(Several, PushTogether) {
  lammps.expect_success(setup + fixes("whole") + "run 20\n", GetParam());
  std::size_t shared = 0;
  for (const Snapshot& now : read_dump(lammps.file("all.dump"))) {
    for (std::size_t n = 0; n < now.size(); ++n) {
      EXPECT_EQ(now.at("f_two[1]")[n] != 0, true);
      shared += now.at("f_one[1]")[n] != 0 && now.at("f_three[1]")[n] != 0 ? 1 : 0;
      EXPECT_NEAR(now.at("fx")[n],
                  now.at("f_one[2]")[n] + now.at("f_two[2]")[n] + now.at("f_three[2]")[n], 1e-14);
    }
  }
  EXPECT_GT(shared, 20U);
}

INSTANTIATE_TEST_SUITE_P(Ranks, Several, ::testing::Values(1, 2),
                         [](const auto& each) { return std::to_string(each.param); });

}  // namespace
}  // namespace dempilot::lammps::testing
