// What other commands of LAMMPS do around the fix changes nothing, or is refused.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

const std::string fix_line =
    "fix pilot agents pilot policy.h5 every 3 bind goal 6 6 7 observations yes\n";

std::string output_column(std::size_t column) {
  return "f_pilot[" + std::to_string(column) + "]";
}

class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.2));
  }

  void expect_refused(const std::string& script, const std::string& text, int ranks = 1) const {
    const std::string error = lammps.expect_error(script, ranks);
    EXPECT_NE(error.find(text), std::string::npos) << error;
  }

  LammpsRun lammps;
};

/// How a simulation is set up: commands before the box is made, after it, and after the fix.
struct Setting {
  const char* name;
  const char* first;
  const char* then;
  const char* last;
  double tolerance = 0;  ///< of everything: 0 where LAMMPS does not touch positions
};

void PrintTo(const Setting& setting, std::ostream* stream) {
  *stream << setting.name;
}

class Settings : public ::testing::TestWithParam<Setting> {
 protected:
  static std::vector<Snapshot> course(const Setting& setting, int ranks) {
    const LammpsRun lammps;
    lammps.write("sparse.data", sparse_world(3));
    save_policy_file(lammps.file("policy.h5"), explorer(0.2));
    lammps.expect_success(setting.first + sparse_setup() + setting.then +
                              "\ntimestep 0.05\nvelocity agents set 2 1 0.5\n" + fix_line +
                              setting.last + "\n" + dump_agents(3, "x y z vx vy vz") +
                              "run 30\nrun 30\n",
                          ranks);
    std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
    for (Snapshot& snapshot : snapshots)
      snapshot.columns.erase("proc");
    return snapshots;
  }
};

TEST_P(Settings, ChangeNothing) {
  const std::vector<Snapshot> plain = course({"plain", "", "", ""}, 1);
  ASSERT_EQ(plain.size(), 21U);
  for (const int ranks : {1, 2}) {
    SCOPED_TRACE(ranks);
    const std::vector<Snapshot> other = course(GetParam(), ranks);
    ASSERT_EQ(other.size(), plain.size());
    for (std::size_t n = 0; n < plain.size(); ++n) {
      for (const auto& [name, values] : plain[n].columns) {
        for (std::size_t k = 0; k < values.size(); ++k) {
          EXPECT_NEAR(values[k], other[n].at(name)[k], GetParam().tolerance)
              << name << " at step " << plain[n].step;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, Settings,
    ::testing::Values(
        Setting{"exclude", "", "neigh_modify exclude type 1 2 exclude group agents agents", ""},
        Setting{"sort_often", "", "atom_modify sort 1 0.5\nneigh_modify every 1 delay 0", ""},
        Setting{"sort_never", "", "atom_modify sort 0 0.0", ""},
        Setting{"processors", "processors 1 * 1\n", "", ""},
        Setting{"tiled_balance", "", "comm_style tiled",
                "fix even all balance 5 1.0 rcb\nbalance 1.0 rcb"},
        Setting{"brick_balance", "", "", "fix even all balance 5 1.0 shift xyz 5 1.01", 1e-5},
        Setting{"newton_on", "newton on\n", "", ""}, Setting{"newton_off", "newton off\n", "", ""},
        Setting{"multi", "", "neighbor 0.4 multi\ncomm_modify mode multi vel yes", ""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST_F(Commands, RunEveryIsOneRun) {
  const auto course = [&](const std::string& runs, int ranks) {
    lammps.expect_success(
        sparse_setup() + "timestep 0.05\n" + fix_line + dump_agents(1, "x vx") + runs, ranks);
    std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
    for (Snapshot& snapshot : snapshots)
      snapshot.columns.erase("proc");
    return snapshots;
  };
  const auto whole = course("run 20\n", 1);
  for (const char* runs :
       {"run 20 every 4 \"print x\"\n", "run 20 pre no post no\n",
        "run 20 pre no every 7 \"print x\"\n", "run 6\nrun 7 pre no post no\nrun 7 pre no\n"}) {
    for (const int ranks : {1, 2}) {
      SCOPED_TRACE(runs);
      const auto parts = course(runs, ranks);
      ASSERT_EQ(parts.size(), whole.size());
      for (std::size_t n = 0; n < whole.size(); ++n)
        EXPECT_EQ(parts[n].columns, whole[n].columns) << "step " << whole[n].step;
    }
  }
}

TEST_F(Commands, MinimizationLeavesNoTrace) {
  const auto end = [&](const std::string& runs, int ranks) {
    lammps.expect_success(sparse_setup() + "timestep 0.05\n" + fix_line + runs +
                              dump_agents(1, "x y z vx vy vz fx fy fz") + "run 0\n",
                          ranks);
    Snapshot last = read_dump(lammps.file("agents.dump")).back();
    last.columns.erase("proc");
    return last.columns;
  };
  const auto whole = end("run 20\n", 1);
  const std::string minimize = "minimize 0 0 10 10\n";
  for (const int ranks : {1, 2}) {
    EXPECT_EQ(whole, end(minimize + "run 20\n", ranks));
    EXPECT_EQ(whole, end("run 7\n" + minimize + "run 13\n", ranks));
    EXPECT_EQ(whole, end("run 9\n" + minimize + minimize + "run 11\n" + minimize, ranks));
  }
}

/// The floor presses as it does without a minimization that came before.
TEST_F(Commands, ContactForcesAreThoseOfTheRun) {
  ObservationComponent contact;
  contact.kind = ComponentKind::contact_force;
  contact.dimensions = 3;
  save_policy_file(lammps.file("policy.h5"), make_policy({velocity(), contact}));
  for (const int ranks : {1, 2}) {
    lammps.expect_success(granular_bed() +
                              "fix pilot agents pilot policy.h5 observations yes\n"
                              "min_style quickmin\nminimize 0 0 20 20\nrun 5\n"
                              "minimize 0 0 20 20\nminimize 0 0 5 5\n" +
                              dump_agents(1, "fx fy fz") + "run 10\n",
                          ranks);
    double largest = 0;
    const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
    for (std::size_t s = 1; s < snapshots.size(); ++s) {
      const Snapshot& now = snapshots[s];
      for (std::size_t n = 0; n < now.size(); ++n) {
        for (std::size_t d = 0; d < 3; ++d) {
          const std::string force = std::string("f") + "xyz"[d];
          const double without = now.at(force)[n] - now.at(output_column(2 + d))[n];
          EXPECT_NEAR(now.at(output_column(16 + d))[n], without, 1e-4 + 1e-6 * std::abs(without));
          largest = std::max(largest, std::abs(without));
        }
      }
    }
    EXPECT_GT(largest, 1);
  }
}

/// What LAMMPS tallies only on steps that were announced is there at every decision.
TEST_F(Commands, TalliesAreThereAtEveryDecision) {
  for (const int ranks : {1, 2}) {
    const Outcome outcome = lammps.expect_success(
        sparse_setup() +
            "compute energy all pe/atom\nvariable z atom 5+c_energy\n"
            "variable flat atom 0*c_energy\n"
            "fix pilot agents pilot policy.h5 every 3 bind goal 5 5 v_z reset v_flat\n"
            "thermo_style custom step f_pilot[2]\nminimize 0 0 5 5\nrun 5\nminimize 0 0 5 5\n"
            "run 5\nreset_timestep 100\nrun 7\nrun 4 pre no\nrun 8 every 3 \"print x\"\n",
        ranks);
    EXPECT_EQ(outcome.thermo().back().at(1), 1 + (5 + 5 + 7 + 4 + 8) / 3);
  }
}

TEST_F(Commands, RerunIsRefused) {
  const std::string story = sparse_setup() + fix_line +
                            "dump story all custom 2 story.dump id type x y z vx vy vz\nrun 4\n";
  const std::string message =
      "Fix pilot pilot: rerun is not supported (snapshots leave agents no time to act, and do not "
      "hold what they remember). Write 'unfix pilot' before it, or dump f_pilot in the run itself";
  for (const int ranks : {1, 2}) {
    expect_refused(story + "rerun story.dump dump x y z vx vy vz\n", message, ranks);
  }
  expect_refused(sparse_setup() + fix_line + "rerun story.dump dump x y z\n", message);
  lammps.expect_success(story + "unfix pilot\nrerun story.dump dump x y z\n" + fix_line +
                        "run 2\n");
}

TEST_F(Commands, ABoxThatBecomesTriclinicIsRefused) {
  expect_refused(sparse_setup() + fix_line + "run 2\nchange_box all triclinic\nrun 2\n",
                 "Fix pilot pilot: the box is triclinic (periodic images are sought along x, y and "
                 "z). Use an orthogonal box",
                 2);
  lammps.expect_success(sparse_setup() + fix_line +
                        "run 2\nchange_box all triclinic\nchange_box all ortho\nrun 2\n");
}

TEST_F(Commands, BoxesMayChangeBetweenRuns) {
  lammps.expect_success(sparse_setup() + fix_line +
                            "run 2\nchange_box all x scale 1.1 remap y final -1 10\nrun 2\n"
                            "change_box all boundary p f p\nrun 2\n"
                            "displace_atoms all move 1 0 0\nrun 2\n",
                        2);
}

TEST_F(Commands, ReplicationIsRefusedByLammps) {
  expect_refused(sparse_setup() + fix_line + "replicate 2 1 1\n",
                 "Cannot replicate with fixes that store per-atom quantities");
}

TEST_F(Commands, FixModifyHasNothingToModify) {
  expect_refused(sparse_setup() + fix_line + "fix_modify pilot energy yes\n",
                 "Fix pilot " + style_of_fix() + " does not support fix_modify energy command");
}

TEST_F(Commands, AnUnloadedPluginTakesItsFixesAlong) {
  expect_refused(sparse_setup() + fix_line + "run 1\nplugin unload fix pilot\nrun 1\n" + fix_line,
                 "Unrecognized fix style 'pilot'");
  expect_refused(sparse_setup() + fix_line +
                     "thermo_style custom step f_pilot[1]\nrun 1\nplugin unload fix pilot\nrun 1\n",
                 "Could not find thermo fix ID pilot");
}

TEST_F(Commands, EveryEntryOfTheVectorIsThere) {
  const Outcome outcome = lammps.expect_success(
      sparse_setup() + "timestep 0.05\n" + fix_line +
          "fix mean all ave/time 2 3 6 f_pilot[*] mode scalar\nfix series all vector 3 "
          "f_pilot[10]\n"
          "variable again equal f_pilot[15]\nvariable first equal f_pilot[1]\n"
          "thermo 6\nthermo_style custom step f_pilot[*] f_mean[1] v_first v_again\n"
          "thermo_modify norm no\nrun 12\n",
      2);
  for (const auto& row : outcome.thermo()) {
    ASSERT_EQ(row.size(), 19U);
    EXPECT_EQ(row[1], 13);
    EXPECT_EQ(row[2], row[0] / 3 + 1);
    EXPECT_EQ(row[16], row[0] > 0 ? 13 : 0);
    EXPECT_EQ(row[17], 13);
    EXPECT_EQ(row[18], row[15]);
  }
  expect_refused(sparse_setup() + fix_line + "thermo_style custom step f_pilot[16]\nrun 1\n",
                 "Thermo fix vector is accessed out-of-range");
}

TEST_F(Commands, ExtensiveEntriesAreDividedByTheAtomsWhereThermoDoes) {
  const auto row = [&](const std::string& norm) {
    return lammps
        .expect_success(sparse_setup() + fix_line +
                            "thermo_style custom step f_pilot[*]\nthermo_modify norm " + norm +
                            " format float %.17g\nrun 5\n",
                        2)
        .thermo()
        .back();
  };
  const std::vector<double> total = row("no");
  const std::vector<double> normed = row("yes");
  for (const std::size_t n : {1U, 2U, 9U})
    EXPECT_EQ(normed[n], total[n]);
  for (const std::size_t n : {3U, 4U, 5U, 6U, 7U, 8U, 10U, 11U, 12U, 13U, 14U, 15U})
    EXPECT_NEAR(normed[n], total[n] / 27, 1e-15) << n;
  EXPECT_NE(total[10], 0);
}

}  // namespace
}  // namespace dempilot::lammps::testing
