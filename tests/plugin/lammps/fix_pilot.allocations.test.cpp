// A decision, once the buffers are as large as they must be, asks for no memory.

#include <gtest/gtest.h>
#include <stdlib.h>  // NOLINT: setenv is POSIX

#include <fstream>
#include <string>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// How often the plugin asks for memory in a run of so many steps, each of which decides.
long allocations(const LammpsRun& lammps, const std::string& deck, int steps) {
  const std::string path = lammps.file("allocations").string();
  setenv("DEMPILOT_ALLOCATIONS", path.c_str(), 1);
  setenv("LD_PRELOAD", DEMPILOT_TEST_PLUGIN_ALLOCATIONS, 1);
  lammps.expect_success(deck + "run " + std::to_string(steps) + "\n");
  unsetenv("LD_PRELOAD");
  long count = -1;
  std::ifstream(path) >> count;
  return count;
}

TEST(Allocations, AreNoneInASteadyDecision) {
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({velocity(), goal_direction(), lidar(1.5, 8, 2)}));
  // Nothing moves far enough to change what is near whom.
  const std::string deck =
      "units lj\natom_style sphere\nnewton off\nboundary p p f\nlattice sc 1.0\n"
      "region box block 0 12 0 12 0 12\ncreate_box 2 box\ncreate_atoms 1 box\n"
      "set group all diameter 0.9\nset group all type/subset 2 100 4711\ngroup agents type 2\n"
      "pair_style gran/hooke/history 2000.0 NULL 50.0 NULL 0.4 1\npair_coeff * *\n"
      "comm_modify vel yes\ntimestep 1e-9\nfix move all nve/sphere\n"
      "variable gx atom x+1\n"
      "fix pilot agents pilot policy.h5 bind goal v_gx 5 5 every 1\n";
  const long few = allocations(lammps, deck, 5);
  ASSERT_GT(few, 100) << "the counter was not loaded";
  EXPECT_EQ(allocations(lammps, deck, 105), few);
}

}  // namespace
}  // namespace dempilot::lammps::testing
