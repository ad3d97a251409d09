// Walls are sensed where they are: in the bin that points to them.

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

constexpr double range = 2.0;

/// Rows of lidars that see walls alone, in a box of 8 whose faces are not periodic.
std::vector<std::vector<double>> sense(int dimension, int n_azimuth, int n_elevation,
                                       const std::string& atoms, const std::string& walls) {
  const LammpsRun lammps;
  const auto actions = static_cast<std::size_t>(dimension);
  save_policy_file(lammps.file("policy.h5"),
                   make_policy({lidar(range, n_azimuth, n_elevation, true)}, actions));
  const bool plane = dimension == 2;
  lammps.expect_success(
      std::string("units lj\natom_style sphere\n") +
      (plane ? "dimension 2\nboundary f f p\nregion box block 0 8 0 8 -0.5 0.5\n"
             : "boundary f f f\nregion box block 0 8 0 8 0 8\n") +
      "create_box 1 box\n" + atoms + "pair_style zero 1.0\npair_coeff * *\nfix move all nve\n" +
      (plane ? "fix plane all enforce2d\n" : "") +
      "group agents type 1\ngroup nobody empty\n"
      "fix pilot agents pilot policy.h5 observations yes bind targets nobody walls " +
      walls + "\n" + dump_agents(1) + "run 0\n");
  const Snapshot seen = read_dump(lammps.file("agents.dump")).at(0);
  const std::size_t width = static_cast<std::size_t>(n_azimuth * std::max(1, n_elevation));
  std::vector<std::vector<double>> rows(seen.size());
  for (std::size_t n = 0; n < rows.size(); ++n) {
    for (std::size_t k = 0; k < width; ++k)
      rows[n].push_back(seen.at("f_pilot[" + std::to_string(10 + actions + k) + "]")[n]);
  }
  return rows;
}

void expect_only(const std::vector<double>& row, std::size_t bin, double proximity) {
  for (std::size_t k = 0; k < row.size(); ++k)
    EXPECT_NEAR(row[k], k == bin ? proximity : 0.0, 1e-6) << "bin " << k;
}

TEST(Walls, AreInTheBinThatPointsToThem) {
  // Five bins from -x on: the middle one looks along +x.
  const auto rows = sense(2, 5, 0,
                          "region right block -30 5 -30 30 -0.5 0.5\n"
                          "create_atoms 1 single 4.5 4 0\n",
                          "region right");
  ASSERT_EQ(rows.size(), 1U);
  expect_only(rows[0], 2, (range - 0.5) / range);
}

TEST(Walls, OfARegionLikeTheBoxAreThoseOfTheBox) {
  struct Lidar {
    int dimension, n_azimuth, n_elevation;
  };
  for (const auto& [dimension, n_azimuth, n_elevation] :
       {Lidar{2, 4, 0}, Lidar{2, 5, 0}, Lidar{3, 4, 2}, Lidar{3, 5, 3}}) {
    SCOPED_TRACE(std::to_string(dimension) + "d, " + std::to_string(n_azimuth) + " bins");
    const std::string faces = dimension == 2 ? "-0.5 0.5" : "0 8";
    const std::string atoms =
        "region room block 0 8 0 8 " + faces + "\ncreate_atoms 1 random 60 4711 box\n";
    const auto box = sense(dimension, n_azimuth, n_elevation, atoms, "box");
    ASSERT_EQ(box.size(), 60U);
    EXPECT_EQ(box, sense(dimension, n_azimuth, n_elevation, atoms, "region room"));
    std::size_t seen = 0;
    for (const auto& row : box) {
      for (const double entry : row)
        seen += entry > 0 ? 1 : 0;
    }
    EXPECT_GT(seen, 20U);
  }
}

/// Round walls, with agents 0.8 from them around the middle of the box.
void expect_round_wall(const std::string& region) {
  constexpr double pi = 3.14159265358979323846;
  for (const double angle : {-3.0, -2.0, -0.7, 0.0, 0.9, 2.2}) {
    SCOPED_TRACE(region + " at angle " + std::to_string(angle));
    const auto rows = sense(3, 5, 3,
                            "region round " + region + "\ncreate_atoms 1 single " +
                                std::to_string(4 + 2.7 * std::cos(angle)) + " " +
                                std::to_string(4 + 2.7 * std::sin(angle)) + " 4\n",
                            "region round");
    ASSERT_EQ(rows.size(), 1U);
    const auto azimuth = static_cast<std::size_t>((angle + pi) * 5 / (2 * pi));
    expect_only(rows[0], 3 * azimuth + 1, (range - 0.8) / range);
  }
}

TEST(Walls, OfASphereAreSensedAlongItsRadius) {
  expect_round_wall("sphere 4 4 4 3.5");
}

TEST(Walls, OfACylinderAreSensedAlongItsRadius) {
  expect_round_wall("cylinder z 4 4 3.5 0 8");
}

/// A disc in a corner whose lower faces have the boundaries `x` and `y`, and a second one that
/// keeps the upper faces far.
Outcome corner(const LammpsRun& lammps, const std::string& x, const std::string& y,
               const std::string& fix) {
  return lammps.expect_success(
      "units lj\natom_style sphere\ndimension 2\nboundary " + x + "f " + y +
          "f p\nregion box block 0 8 0 8 -0.5 0.5\ncreate_box 1 box\n"
          "create_atoms 1 single 0.9 1.2 0\ncreate_atoms 1 single 6 6 0\n"
          "pair_style zero 1.0\npair_coeff * *\nfix move all nve\nfix plane all enforce2d\n"
          "group agents id 1\ngroup nobody empty\n"
          "fix pilot agents pilot policy.h5 observations yes " +
          fix + "\n" + dump_agents(1) + "run 0\nrun 0\n",
      2);
}

TEST(ShrinkWrappedFaces, AreNoWalls) {
  const LammpsRun lammps;
  save_policy_file(lammps.file("policy.h5"), make_policy({lidar(range, 4, 0, true)}, 2));
  const auto seen = [&] {
    const Snapshot now = read_dump(lammps.file("agents.dump")).at(0);
    std::vector<double> row;
    for (std::size_t k = 0; k < 4; ++k)
      row.push_back(now.at("f_pilot[" + std::to_string(12 + k) + "]")[0]);
    return *std::max_element(row.begin(), row.end());
  };
  const std::string warning = "WARNING: Fix pilot pilot: faces of the box are not sensed as walls:";
  const std::string rest =
      " (their boundaries follow the particles). Give those that are walls an f in 'boundary'";
  for (const char* follows : {"s", "m"}) {
    const Outcome outcome = corner(lammps, "f", follows, "bind targets nobody");
    const auto first = outcome.output.find(warning + " ylo" + rest);
    EXPECT_NE(first, std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find(warning, first + 1), std::string::npos) << "said twice";
    EXPECT_NEAR(seen(), (range - 0.9) / range, 1e-6);
    EXPECT_TRUE(corner(lammps, follows, "f", "bind targets nobody").says(warning + " xlo" + rest));
    EXPECT_NEAR(seen(), (range - 1.2) / range, 1e-6);
  }
  EXPECT_FALSE(corner(lammps, "f", "f", "bind targets nobody").says(warning));
}

TEST(ShrinkWrappedFaces, AreRefusedByName) {
  const LammpsRun lammps;
  ObservationComponent floor;
  floor.kind = ComponentKind::wall_distance;
  floor.dimensions = 2;
  floor.bind = "floor";
  floor.range = range;
  save_policy_file(lammps.file("policy.h5"), make_policy({floor}, 3));
  for (const char* follows : {"s", "m"}) {
    const std::string error = lammps.expect_error(
        std::string("units lj\natom_style sphere\nboundary p p ") + follows +
        "f\nregion box block 0 8 0 8 0 8\ncreate_box 1 box\ncreate_atoms 1 single 4 4 4\n"
        "pair_style zero 1.0\npair_coeff * *\n"
        "fix pilot all pilot policy.h5 bind floor zlo\nrun 0\n");
    EXPECT_NE(error.find("Fix pilot pilot: face zlo of the box is no wall (its boundary follows "
                         "the particles). Give it an f in 'boundary', or name another face"),
              std::string::npos)
        << error;
  }
}

}  // namespace
}  // namespace dempilot::lammps::testing
