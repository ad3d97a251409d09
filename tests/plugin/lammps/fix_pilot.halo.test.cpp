// Agents see what is near them, whichever rank holds it and however small the box, and ghost atoms
// are as few as without the fix.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Lidars with a single bin, which show how near the nearest is: one of agents, one of grains.
PolicyFile nearness(double agent_range, double grain_range) {
  ObservationComponent of_agents = lidar(agent_range, 1, 1);
  ObservationComponent of_grains = lidar(grain_range, 1, 1);
  of_agents.bind = "mates";
  of_grains.bind = "obstacles";
  return make_policy({of_agents, of_grains});
}

struct Atom {
  int type;  ///< 1: grain, 2: agent
  std::array<double, 3> position;
};

struct World {
  std::array<double, 3> side;
  std::array<bool, 3> periodic;
  std::vector<Atom> atoms;
};

/// Atoms at random in the first `filled` of the box along x.
World make_world(std::array<double, 3> side, std::array<bool, 3> periodic, int count,
                 double filled = 1.0) {
  World world{side, periodic, {}};
  std::mt19937 random(31);
  std::uniform_real_distribution<double> place(0.01, 0.99);
  for (int n = 0; n < count; ++n) {
    world.atoms.push_back(
        {n % 3 == 0 ? 2 : 1,
         {filled * side[0] * place(random), side[1] * place(random), side[2] * place(random)}});
  }
  return world;
}

std::string data_file(const World& world) {
  std::string text = "halo\n\n" + std::to_string(world.atoms.size()) + " atoms\n2 atom types\n";
  for (std::size_t d = 0; d < 3; ++d) {
    const char axis = "xyz"[d];
    text += "0 " + std::to_string(world.side[d]) + " " + axis + "lo " + axis + "hi\n";
  }
  text += "\nAtoms # sphere\n\n";
  for (std::size_t n = 0; n < world.atoms.size(); ++n) {
    const Atom& atom = world.atoms[n];
    text += std::to_string(n + 1) + " " + std::to_string(atom.type) + " 0.2 1.0";
    for (const double x : atom.position)
      text += " " + exact(x);
    text += "\n";
  }
  return text;
}

/// A lidar of one bin at `from`: what is nearest among images of `points`, but for the point number
/// `self` and its images.
double proximity(const World& world, const std::array<double, 3>& from,
                 const std::vector<std::array<double, 3>>& points, std::size_t self, double range) {
  double nearest = range;
  const auto periods = [&](std::size_t d) {
    return world.periodic[d] ? static_cast<int>(range / world.side[d]) + 2 : 0;
  };
  for (std::size_t n = 0; n < points.size(); ++n) {
    for (int i = -periods(0); i <= periods(0) && n != self; ++i) {
      for (int j = -periods(1); j <= periods(1); ++j) {
        for (int k = -periods(2); k <= periods(2); ++k) {
          nearest = std::min(nearest, std::hypot(points[n][0] + i * world.side[0] - from[0],
                                                 points[n][1] + j * world.side[1] - from[1],
                                                 points[n][2] + k * world.side[2] - from[2]));
        }
      }
    }
  }
  return (range - nearest) / range;
}

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

/// How LAMMPS shares the box out.
struct Division {
  int ranks;
  bool tiled;
};
constexpr std::array<Division, 5> divisions = {
    Division{1, false}, {2, false}, {2, true}, {4, false}, {4, true}};

std::string setup(const World& world, const Division& division) {
  std::string boundary = "boundary";
  for (const bool periodic : world.periodic)
    boundary += periodic ? " p" : " f";
  return "units lj\natom_style sphere\n" + boundary + (division.tiled ? "\ncomm_style tiled" : "") +
         "\nread_data world.data\n" +
         "group grains type 1\ngroup agents type 2\npair_style zero 0.4\npair_coeff * *\n"
         "neighbor 0.1 bin\nfix move all nve\n" +
         (division.tiled ? "balance 1.0 rcb\n" : "");
}

/// The two observations of each agent, of the run that `script` sets up.
std::array<std::vector<double>, 2> observe(const LammpsRun& lammps, const std::string& script,
                                           int ranks) {
  lammps.expect_success(script + dump_agents(1) + "run 0\n", ranks);
  const Snapshot seen = read_dump(lammps.file("agents.dump")).at(0);
  return {seen.at("f_pilot[13]"), seen.at("f_pilot[14]")};
}

struct HaloCase {
  const char* name;
  std::array<double, 3> side;
  std::array<bool, 3> periodic;
  int count;
  double filled;
  double agent_range, grain_range;
};
void PrintTo(const HaloCase& each, std::ostream* stream) {
  *stream << each.name;
}

class Halo : public ::testing::TestWithParam<HaloCase> {};

TEST_P(Halo, ShowsAllThatIsNearOnAnyDivisionOfTheBox) {
  const HaloCase& each = GetParam();
  const World world = make_world(each.side, each.periodic, each.count, each.filled);
  std::array<std::vector<double>, 2> first;
  for (const Division& division : divisions) {
    SCOPED_TRACE(std::to_string(division.ranks) + (division.tiled ? " tiles" : " bricks"));
    const LammpsRun lammps;
    lammps.write("world.data", data_file(world));
    save_policy_file(lammps.file("policy.h5"), nearness(each.agent_range, each.grain_range));
    const auto seen = observe(lammps,
                              setup(world, division) +
                                  "fix pilot agents pilot policy.h5 observations yes "
                                  "bind mates agents bind obstacles grains\n",
                              division.ranks);
    if (division.ranks == 1) first = seen;
    EXPECT_EQ(seen, first);
  }

  std::array<std::vector<std::array<double, 3>>, 2> groups;  // agents, grains
  for (const Atom& atom : world.atoms)
    groups[atom.type == 2 ? 0 : 1].push_back(atom.position);
  ASSERT_EQ(first[0].size(), groups[0].size());
  for (std::size_t n = 0; n < groups[0].size(); ++n) {
    const auto& from = groups[0][n];
    EXPECT_NEAR(first[0][n], proximity(world, from, groups[0], n, each.agent_range), 1e-6);
    EXPECT_NEAR(first[1][n], proximity(world, from, groups[1], none, each.grain_range), 1e-6);
  }
  for (const std::vector<double>& column : first)
    EXPECT_GT(*std::max_element(column.begin(), column.end()), 0.0);
}

constexpr std::array<bool, 3> all_sides = {true, true, true};
INSTANTIATE_TEST_SUITE_P(
    Boxes, Halo,
    ::testing::Values(HaloCase{"periodic", {9, 8, 7}, all_sides, 60, 1.0, 3.0, 1.2},
                      HaloCase{"over_half_a_period", {4, 5, 3}, all_sides, 9, 1.0, 3.0, 2.7},
                      HaloCase{"over_a_period", {2, 3, 2.5}, all_sides, 4, 1.0, 3.5, 7.9},
                      HaloCase{"open", {9, 8, 7}, {false, false, false}, 60, 1.0, 3.0, 1.2},
                      HaloCase{"slit", {12, 2, 3}, {true, true, false}, 30, 1.0, 4.0, 2.0},
                      // Most of the ranks have nothing, and the others all agents.
                      HaloCase{"corner", {20, 8, 7}, all_sides, 30, 0.2, 3.0, 1.2}),
    [](const auto& each) { return std::string(each.param.name); });

/// Goals as targets. They may be outside of the box: then they are seen where their images are.
class HaloOfGoals : public ::testing::Test {
 protected:
  HaloOfGoals() : world(make_world({9, 8, 7}, all_sides, 30)) {
    for (const Atom& atom : world.atoms) {
      if (atom.type != 2) continue;
      agents.push_back(atom.position);
      goals.push_back({1.5 * atom.position[0], atom.position[1] - 2.0, 1.0});
    }
  }
  void expect_to_see(const std::string& binding,
                     const std::vector<std::array<double, 3>>& points) const {
    for (const Division& division : divisions) {
      SCOPED_TRACE(std::to_string(division.ranks) + (division.tiled ? " tiles" : " bricks"));
      const LammpsRun lammps;
      lammps.write("world.data", data_file(world));
      save_policy_file(lammps.file("policy.h5"), nearness(3.0, 2.0));
      const auto seen = observe(lammps,
                                setup(world, division) +
                                    "variable gx atom 1.5*x\nvariable gy atom y+30\n"
                                    "variable one equal 1\n"  // 30 is 4 periods less 2
                                    "fix pilot agents pilot policy.h5 observations yes " +
                                    "bind mates " + binding + " bind obstacles grains\n",
                                division.ranks);
      ASSERT_EQ(seen[0].size(), agents.size());
      for (std::size_t n = 0; n < agents.size(); ++n)
        EXPECT_NEAR(seen[0][n], proximity(world, agents[n], points, none, 3.0), 1e-6);
    }
  }

  World world;
  std::vector<std::array<double, 3>> agents, goals;
};

TEST_F(HaloOfGoals, ShowsThoseOfAllAgents) {
  expect_to_see("v_gx v_gy v_one", goals);
}

TEST_F(HaloOfGoals, ShowsAGoalOfAllOnce) {
  expect_to_see("4.5 4 v_one", {{4.5, 4.0, 1.0}});
}

/// What LAMMPS says of its ghost atoms after a run of a few steps.
std::string ghosts(const std::string& fix, int ranks) {
  const LammpsRun lammps;
  // Agents that push too weakly to change where anything goes.
  ActionSpec action;
  action.scale = 1e-12;
  save_policy_file(lammps.file("policy.h5"), make_policy({lidar(7.0, 4, 2)}, 3, action));
  const Outcome outcome = lammps.expect_success(granular_bed() + fix + "run 20\n", ranks);
  const auto start = outcome.output.find("Nghost:");
  EXPECT_NE(start, std::string::npos);
  return outcome.output.substr(start, outcome.output.find('\n', start) - start);
}

TEST(Ghosts, AreAsManyAsWithoutTheFix) {
  for (const int ranks : {1, 4}) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    const std::string without = ghosts("", ranks);
    EXPECT_EQ(without.substr(0, 7), "Nghost:");
    // Seven diameters, and more than half the box.
    EXPECT_EQ(ghosts("fix pilot agents pilot policy.h5\n", ranks), without);
  }
}

}  // namespace
}  // namespace dempilot::lammps::testing
