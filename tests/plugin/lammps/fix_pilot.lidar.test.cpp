// The lidar inside LAMMPS, whatever rank holds what it sees, gives what JaxDEM's gave for the same
// positions.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/io/Hdf5.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/Scripts.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

/// A group of tests/golden/lidar.h5.
struct GoldenScene {
  explicit GoldenScene(const std::string& name) {
    const hdf5::File file = hdf5::File::open(std::string(DEMPILOT_GOLDEN_DIR) + "/lidar.h5");
    range = file.read_double(name, "range");
    n_azimuth = static_cast<int>(file.read_integer(name, "n_azimuth"));
    n_elevation = static_cast<int>(file.read_integer(name, "n_elevation"));
    periodic = name.ends_with("periodic");
    walls = name.ends_with("walls");
    anchor = file.read<double>(name + "/anchor");
    box = file.read<double>(name + "/box");
    agents = file.read<double>(name + "/pos");
    targets = file.read<double>(name + "/targets");
    proximity = file.read<double>(name + "/proximity");
    cross_proximity = file.read<double>(name + "/cross_proximity");
    dimension = static_cast<int>(box.size());
  }

  double range = 0;
  int n_azimuth = 0;
  int n_elevation = 0;
  bool periodic = false;
  bool walls = false;
  int dimension = 0;
  std::vector<double> anchor, box, agents, targets, proximity, cross_proximity;
};

/// Appends atoms of one type; a plane scene lies at z = 0.
void append_atoms(std::string& lines, int& id, int type, const std::vector<double>& position,
                  int dimension) {
  const auto d = static_cast<std::size_t>(dimension);
  for (std::size_t n = 0; n < position.size(); n += d) {
    lines += std::to_string(++id) + " " + std::to_string(type) + " 0.1 1.0";
    for (std::size_t k = 0; k < 3; ++k) {
      lines += ' ';
      lines += k < d ? exact(position[n + k]) : "0.0";
    }
    lines += "\n";
  }
}

std::string data_file(const GoldenScene& scene) {
  std::string atoms;
  int id = 0;
  append_atoms(atoms, id, 1, scene.agents, scene.dimension);
  append_atoms(atoms, id, 2, scene.targets, scene.dimension);
  std::string text = "golden\n\n" + std::to_string(id) + " atoms\n2 atom types\n";
  const char* axis = "xyz";
  for (std::size_t k = 0; k < 3; ++k) {
    const bool real = k < scene.box.size();
    const double low = real ? scene.anchor[k] : -0.5;
    const double high = real ? scene.anchor[k] + scene.box[k] : 0.5;
    text += exact(low) + " " + exact(high) + " " + axis[k] + "lo " + axis[k] + "hi\n";
  }
  return text + "\nAtoms # sphere\n\n" + atoms;
}

struct Case {
  const char* scene;
  int ranks;
};
void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.scene << " on " << c.ranks;
}

class GoldenLidar : public ::testing::TestWithParam<Case> {};
class GoldenLidarOfOthers : public ::testing::TestWithParam<Case> {};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  std::string name = info.param.scene;
  std::replace(name.begin(), name.end(), '-', '_');
  return "scene_" + name + "_ranks_" + std::to_string(info.param.ranks);
}

/// Observations of step 0 in the order of agents, with the lidar bound to a group.
std::vector<double> sense(const GoldenScene& scene, int ranks, const std::string& group) {
  const LammpsRun lammps;
  ActionSpec action;
  const auto actions = static_cast<std::size_t>(scene.dimension);
  save_policy_file(
      lammps.file("policy.h5"),
      make_policy({lidar(scene.range, scene.n_azimuth, scene.n_elevation, scene.walls)}, actions,
                  action));
  lammps.write("scene.data", data_file(scene));
  const std::string side = scene.periodic ? "p p " : "f f ";
  const std::string depth = scene.dimension == 2 ? "p" : side.substr(0, 1);
  const std::size_t width = scene.proximity.size() / (scene.agents.size() / actions);
  std::string columns;
  for (std::size_t k = 0; k < width; ++k) {
    columns += " f_pilot[" + std::to_string(10 + actions + k) + "]";
  }
  const std::string plane = scene.dimension == 2 ? "fix plane all enforce2d\n" : "";
  lammps.expect_success(
      "units lj\natom_style sphere\natom_modify sort 1 0.5\ndimension " +
          std::to_string(scene.dimension) + "\nboundary " + side + depth +
          "\nread_data scene.data\ngroup agents type 1\ngroup others type 2\npair_style zero 0.5\n"
          "pair_coeff * *\nfix move all nve\n" +
          plane + "fix pilot agents pilot policy.h5 observations yes bind targets " + group +
          "\ndump agents agents custom 1 agents.dump id" + columns +
          "\ndump_modify agents sort id format float %.17g\nrun 0\n",
      ranks);
  const std::vector<Snapshot> snapshots = read_dump(lammps.file("agents.dump"));
  std::vector<double> rows;
  for (std::size_t n = 0; n < snapshots.at(0).size(); ++n) {
    for (std::size_t k = 0; k < width; ++k) {
      rows.push_back(snapshots[0].at("f_pilot[" + std::to_string(10 + actions + k) + "]")[n]);
    }
  }
  return rows;
}

void expect_proximity(const std::vector<double>& rows, const std::vector<double>& golden,
                      double range) {
  ASSERT_EQ(rows.size(), golden.size());
  std::size_t seen = 0;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    EXPECT_NEAR(rows[n], golden[n] / range, 2e-6) << "entry " << n;
    if (rows[n] > 0) ++seen;
  }
  EXPECT_GT(seen, rows.size() / 50);
}

TEST_P(GoldenLidar, SeesWhatJaxDemSaw) {
  const GoldenScene scene(GetParam().scene);
  expect_proximity(sense(scene, GetParam().ranks, "agents"), scene.proximity, scene.range);
}

TEST_P(GoldenLidarOfOthers, SeesTheGroupItIsBoundTo) {
  const GoldenScene scene(GetParam().scene);
  expect_proximity(sense(scene, GetParam().ranks, "others"), scene.cross_proximity, scene.range);
}

INSTANTIATE_TEST_SUITE_P(Scenes, GoldenLidar,
                         ::testing::Values(Case{"2d-periodic", 1}, Case{"2d-periodic", 2},
                                           Case{"2d-periodic", 4}, Case{"3d-periodic", 1},
                                           Case{"3d-periodic", 2}, Case{"3d-periodic", 4},
                                           Case{"2d-walls", 1}, Case{"2d-walls", 4},
                                           Case{"3d-walls", 1}, Case{"3d-walls", 2},
                                           Case{"3d-walls", 4}, Case{"2d-in-3d", 1},
                                           Case{"2d-in-3d", 4}),
                         name_of);

// The golden file holds no walls for these.
INSTANTIATE_TEST_SUITE_P(Scenes, GoldenLidarOfOthers,
                         ::testing::Values(Case{"2d-periodic", 1}, Case{"2d-periodic", 4},
                                           Case{"3d-periodic", 1}, Case{"3d-periodic", 2},
                                           Case{"3d-periodic", 4}, Case{"2d-in-3d", 4}),
                         name_of);

}  // namespace
}  // namespace dempilot::lammps::testing
