// fix pilot/kk decides what fix pilot decides, and leaves agents where KOKKOS computes.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

enum class Where { host, kokkos };

/// The line of a fix, with which style is said by suffixes.
std::string fix_line(Where where, const std::string& line) {
  return where == Where::host ? "suffix off\n" + line + "\nsuffix on\n" : line + "\n";
}

void expect_same(const std::vector<Snapshot>& found, const std::vector<Snapshot>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  ASSERT_GT(found.size(), 1U);
  for (std::size_t n = 0; n < found.size(); ++n) {
    ASSERT_EQ(found[n].size(), expected[n].size());
    ASSERT_GT(found[n].size(), 5U);
    for (const auto& [name, values] : expected[n].columns) {
      if (name == "proc") continue;
      const std::vector<double>& mine = found[n].at(name);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double allowed = runs_on_device() ? 2e-4 * std::max(1.0, std::abs(values[i])) : 0.0;
        ASSERT_LE(std::abs(mine[i] - values[i]), allowed)
            << name << " of agent " << i << " at step " << found[n].step;
      }
    }
  }
}

/// Everything that there is to sense, but for bodies that turn.
PolicyFile curious() {
  ObservationComponent neighbors = component(ComponentKind::neighbors, 3, "targets");
  neighbors.range = 2.2;
  neighbors.count = 5;
  neighbors.relative_velocity = neighbors.radius = neighbors.type = true;
  ObservationComponent contacts = component(ComponentKind::contact_count, 1, "touched");
  contacts.walls = true;
  ObservationComponent distance = component(ComponentKind::wall_distance, 1, "hill");
  distance.range = 3.0;
  ObservationComponent beacon = lidar(6.0, 8, 0);
  beacon.bind = "beacons";
  ActionSpec action;
  action.scale = 0.8;
  action.drag = 0.1;
  return make_policy(
      {velocity(), angular_velocity(), goal_direction(), goal_displacement(),
       lidar(2.5, 4, 2, true), beacon, neighbors, contacts,
       component(ComponentKind::contact_force, 3), distance,
       component(ComponentKind::previous_action, 3), component(ComponentKind::time_since_reset, 1),
       component(ComponentKind::field, 3, "weather")},
      3, action);
}

/// What a flight in a bed of grains is like.
struct Flight {
  const char* name;
  const char* words;  ///< more of the fix
  const char* lines;  ///< more of the script, behind the fix
  bool through_host = false;
};

std::vector<Snapshot> bed_flown(const Flight& flight, Where where, int ranks) {
  LammpsRun lammps;
  // Not sent by the device: it does not give LAMMPS's contacts back as they were, with fix pilot/kk
  // or without it, and fix pilot would have them sent through the host.
  lammps.move_atoms(flight.through_host ? "comm no sort no" : "comm no sort device");
  save_policy_file(lammps.file("policy.h5"), curious());
  lammps.expect_success(
      granular_bed() +
          "velocity agents create 4.0 5566\n"
          "region hill sphere 6 6 -2 4 side out\nregion corner block 0 6 0 6 0 8\n"
          "variable wind atom 0.1*x+0.01*vz\nvariable noon equal 0.002*step+0.1*xcm(grains,z)\n"
          "variable due atom x>6&&vx>0\ngroup near dynamic grains region corner every 3\n" +
          fix_line(where, std::string("fix pilot agents pilot policy.h5 every 5 mode sample 77 "
                                      "bind goal v_wind 6 v_noon bind touched all "
                                      "bind beacons 3 4 2 bind hill hill "
                                      "bind weather v_wind v_noon 0.25 observations yes ") +
                              flight.words) +
          flight.lines + dump_agents(5, "x y z vx vy vz fx fy fz") + "run 60\n",
      ranks);
  return read_dump(lammps.file("agents.dump"));
}

class Flights : public ::testing::TestWithParam<Flight> {};

TEST_P(Flights, AreThoseOfTheHost) {
  for (const int ranks : {1, 2, 4}) {
    SCOPED_TRACE(ranks);
    expect_same(bed_flown(GetParam(), Where::kokkos, ranks),
                bed_flown(GetParam(), Where::host, ranks));
  }
}

INSTANTIATE_TEST_SUITE_P(
    FixPilotKokkos, Flights,
    ::testing::Values(Flight{"ResetsEvery", "bind targets grains reset every 40", ""},
                      Flight{"ThroughTheHost", "bind targets grains reset every 40", "", true},
                      Flight{"ResetsWhereTold", "bind targets grains reset v_due", ""},
                      Flight{"ResetsInARegion", "bind targets grains reset region corner", ""},
                      Flight{"TargetsOfAMoment", "bind targets near", ""},
                      Flight{"RowsThatOthersRead", "bind targets grains",
                             "variable given atom f_pilot[2]\n"
                             "fix more all addforce v_given 0 0\n"}),
    [](const auto& each) { return std::string(each.param.name); });

std::vector<Snapshot> property_goals_flown(Where where, int ranks) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(4));
  save_policy_file(lammps.file("policy.h5"), explorer(0.2));
  lammps.expect_success(sparse_setup() +
                            "fix goals all property/atom d_gx d_gy d_gz\n"
                            "set group all d_gx 3.0 d_gy 4.0 d_gz 5.0\n" +
                            fix_line(where,
                                     "fix pilot agents pilot policy.h5 every 3 bind goal d_gx d_gy "
                                     "d_gz observations yes") +
                            "timestep 0.05\n" + dump_agents(3, "x y z vx vy vz") + "run 60\n",
                        ranks);
  return read_dump(lammps.file("agents.dump"));
}

TEST(FixPilotKokkos, ReadsPropertiesWhereTheyAre) {
  for (const int ranks : {1, 2})
    expect_same(property_goals_flown(Where::kokkos, ranks),
                property_goals_flown(Where::host, ranks));
}

std::vector<Snapshot> swimmers_flown(Where where, int dimension) {
  // In three dimensions a dipole does not tell all axes of a body.
  const bool plane = dimension == 2;
  ObservationComponent seen = component(ComponentKind::velocity, dimension);
  seen.frame = plane ? Frame::body : Frame::lab;
  ObservationComponent heading = component(ComponentKind::director, dimension);
  ActionSpec action;
  action.target = plane ? ActionTarget::thrust_and_turn : ActionTarget::thrust;
  action.scale = 0.5;
  action.angular_drag = 0.1;
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"), make_policy({seen, heading}, plane ? 2 : 1, action));
  lammps.expect_success(
      std::string("units lj\n") + (plane ? "dimension 2\n" : "") +
          "atom_style hybrid sphere dipole\natom_modify map array sort 5 2.0\nnewton off\n" +
          "region box block 0 30 0 30 " + (plane ? "-0.5 0.5" : "0 30") +
          "\ncreate_box 1 box\ncreate_atoms 1 random 25 99 box overlap 2.0 maxtry 500\n" +
          "set type 1 diameter 1.0 density 1.0\n" +
          (plane ? "set type 1 dipole 0.4 0.3 0\n" : "set type 1 dipole/random 5 1.0\n") +
          "group agents type 1\npair_style zero 1.0\npair_coeff * *\nneighbor 0.5 bin\n"
          "timestep 0.02\nfix move all nve/sphere update dipole\n" +
          (plane ? "fix flat all enforce2d\n" : "") +
          fix_line(where, "fix pilot agents pilot policy.h5 every 4 observations yes") +
          dump_agents(4, "x y z mux muy muz omegaz") + "run 60\n",
      1);
  return read_dump(lammps.file("agents.dump"));
}

TEST(FixPilotKokkos, TurnsWithDipoles) {
  for (const int dimension : {2, 3})
    expect_same(swimmers_flown(Where::kokkos, dimension), swimmers_flown(Where::host, dimension));
}

/// Counts of CopyWatch: copies, fences, launches and decisions.
struct Watched {
  long copies = 0, fences = 0, launches = 0, decisions = 0;
};

Watched watch(int steps) {
  LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(4));
  save_policy_file(lammps.file("policy.h5"), explorer(0.2));
  lammps.start_through("KOKKOS_TOOLS_LIBS=" DEMPILOT_TEST_COPY_WATCH
                       " DEMPILOT_TEST_COPY_WATCH=./watched exec \"$@\"\n");
  lammps.expect_success(sparse_setup() +
                        "neigh_modify every 100000 delay 100000 check no\n"
                        "fix pilot agents pilot policy.h5 every 2 bind goal 5 6 7 mode sample 3\n"
                        "thermo 100000\nrun " +
                        std::to_string(steps) + "\n");
  Watched watched;
  std::ifstream(lammps.file("watched")) >> watched.copies >> watched.fences >> watched.launches >>
      watched.decisions;
  return watched;
}

TEST(FixPilotKokkos, CopiesNothingAndWaitsForNothingInASteadyStep) {
  const Watched few = watch(100);
  const Watched many = watch(300);
  EXPECT_EQ(many.decisions - few.decisions, 100);
  EXPECT_GT(many.launches - few.launches, 100 * 10);
  EXPECT_EQ(many.copies - few.copies, 0);
  // A host learns at each decision where targets are, and waits for the threads of a network.
  EXPECT_LE(many.fences - few.fences, runs_on_device() ? 0 : 3 * 100);
}

TEST(FixPilotKokkos, LeavesWithItsPlugin) {
  const LammpsRun lammps;
  lammps.write("sparse.data", sparse_world(3));
  save_policy_file(lammps.file("policy.h5"), explorer());
  const std::string error = lammps.expect_error(
      sparse_setup() +
      "fix pilot agents pilot policy.h5 bind goal 5 5 5\nthermo_style custom step f_pilot[1]\n"
      "run 1\nplugin unload fix pilot/kk\nrun 1\n");
  EXPECT_NE(error.find("Could not find thermo fix ID pilot"), std::string::npos) << error;
}

TEST(FixPilotKokkos, SaysThatKokkosMustBeSwitchedOn) {
  LammpsRun lammps;
  lammps.start_without_kokkos();
  save_policy_file(lammps.file("policy.h5"), explorer());
  const std::string error = lammps.expect_error(
      "region box block 0 5 0 5 0 5\ncreate_box 1 box\nfix pilot all pilot/kk policy.h5\n");
  EXPECT_NE(error.find("KOKKOS is not switched on"), std::string::npos) << error;
}

}  // namespace
}  // namespace dempilot::lammps::testing
