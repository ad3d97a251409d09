// A million grains do not pay for a thousand agents.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/policy/Initialization.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Largest resident set of the run so far, in MiB, as LAMMPS's command `info memory` tells it.
double peak_memory(const Outcome& outcome) {
  const std::string label = "Maximum resident set size:";
  const auto place = outcome.output.rfind(label);
  if (place == std::string::npos) return 0.0;
  return std::strtod(outcome.output.c_str() + place + label.size(), nullptr);
}

constexpr const char* contact =
    "pair_style gran/hooke/history 2000.0 NULL 50.0 NULL 0.4 1\npair_coeff * *\n"
    "neighbor 0.2 bin\ncomm_modify vel yes\n";

TEST(Memory, AfterARestartIsWithinFivePercentOfARunWithoutTheFix) {
  const LammpsRun lammps;
  // The default model, and its observations for everybody to dump.
  PolicyFile policy = make_policy({velocity(), goal_direction(), lidar(1.0, 8, 2)});
  policy.contract.model.hidden_features = 64;
  policy.contract.model.lstm_features = 128;
  policy.parameters = initialize_parameters(policy.contract.model, 1);
  save_policy_file(lammps.file("policy.h5"), policy);
  const std::string fix = "fix pilot agents pilot policy.h5 bind goal 5 5 5 observations yes\n";
  const std::string bed = std::string("units lj\natom_style sphere\nnewton off\n") +
                          "lattice fcc 1.42\nregion box block 0 63 0 63 0 63\n"
                          "create_box 2 box\ncreate_atoms 1 box\n"
                          "set group all type/subset 2 1000 4711\ngroup agents type 2\n" +
                          contact;
  lammps.expect_success(bed + fix +
                        "run 0\nwrite_restart with.restart\nunfix pilot\n"
                        "write_restart without.restart\n");

  const auto restart = [&](const std::string& name, const std::string& commands) {
    const Outcome outcome =
        lammps.expect_success("newton off\nread_restart " + name + "\n" + contact + commands +
                              "fix move all nve/sphere\nrun 2\ninfo memory\n");
    return peak_memory(outcome);
  };
  const double without = restart("without.restart", "");
  const double with = restart("with.restart", fix);
  RecordProperty("without_fix_MiB", std::to_string(without));
  RecordProperty("with_fix_MiB", std::to_string(with));
  std::printf("peak memory: %.0f MiB without the fix, %.0f MiB with it (%+.1f %%)\n", without, with,
              100.0 * (with / without - 1.0));
  ASSERT_GT(without, 100.0);
  EXPECT_LE(with, 1.05 * without);
}

}  // namespace
}  // namespace dempilot::lammps::testing
