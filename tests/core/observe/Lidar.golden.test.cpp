#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/io/Hdf5.hpp"
#include "core/observe/Walls.hpp"
#include "tests/core/observe/World.hpp"

/// JaxDEM's own lidar readings; tests/golden/README.md describes the file.
namespace dempilot {
namespace {

using namespace test;

struct GoldenCase {
  ObservationComponent lidar;
  int dimension = 3;
  bool periodic = false;
  bool has_walls = false;
  std::vector<double> lower, box;                  ///< (dimension)
  std::vector<double> position, targets;           ///< (particles, 3)
  std::vector<double> proximity, cross_proximity;  ///< divided by the range
};

/// Rows of `dimension` numbers as rows of 3.
std::vector<double> in_space(const std::vector<double>& points, int dimension) {
  const auto columns = static_cast<std::size_t>(dimension);
  std::vector<double> padded(points.size() / columns * 3, 0.0);
  for (std::size_t i = 0; i < points.size(); ++i)
    padded[i / columns * 3 + i % columns] = points[i];
  return padded;
}

std::vector<double> divided(std::vector<double> values, double divisor) {
  for (double& value : values)
    value /= divisor;
  return values;
}

GoldenCase load(const std::string& group) {
  const auto file = hdf5::File::open(DEMPILOT_GOLDEN_DIR "/lidar.h5");
  GoldenCase golden;
  const double range = file.read_double(group, "range");
  golden.lidar = lidar(range, static_cast<int>(file.read_integer(group, "n_azimuth")),
                       static_cast<int>(file.read_integer(group, "n_elevation")));
  golden.dimension = static_cast<int>(file.shape(group + "/pos")[1]);
  golden.periodic = group.ends_with("periodic");
  golden.has_walls = group.ends_with("walls");
  golden.lower = file.read<double>(group + "/anchor");
  golden.box = file.read<double>(group + "/box");
  golden.position = in_space(file.read<double>(group + "/pos"), golden.dimension);
  golden.targets = in_space(file.read<double>(group + "/targets"), golden.dimension);
  golden.proximity = divided(file.read<double>(group + "/proximity"), range);
  golden.cross_proximity = divided(file.read<double>(group + "/cross_proximity"), range);
  return golden;
}

/// Adds the images of the targets in the neighboring boxes, as an engine's ghosts.
void add_ghosts(World& world, const GoldenCase& golden) {
  const std::vector<std::int32_t> own = world.targets;
  const int layers = golden.dimension == 3 ? 1 : 0;
  for (int z = -layers; z <= layers; ++z)
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x) {
        if (x == 0 && y == 0 && z == 0) continue;
        for (const std::int32_t target : own) {
          const auto point = world.at(static_cast<std::size_t>(target));
          world.targets.push_back(static_cast<std::int32_t>(world.particle_count()));
          world.identity.push_back(target);
          world.add({point[0] + x * golden.box[0], point[1] + y * golden.box[1],
                     point[2] + (z == 0 ? 0.0 : z * golden.box[2])});
        }
      }
}

/// `position` are the agents; the targets are they themselves, or others.
World world_of(const GoldenCase& golden, bool cross) {
  World world = crowd(golden.position);
  if (cross) {
    world.targets.clear();
    for (std::size_t i = 0; i < golden.targets.size(); i += 3) {
      world.targets.push_back(static_cast<std::int32_t>(world.particle_count()));
      world.add({golden.targets[i], golden.targets[i + 1], golden.targets[i + 2]});
    }
  }
  for (std::size_t i = 0; i < world.particle_count(); ++i)
    world.identity.push_back(static_cast<std::int64_t>(i));
  if (golden.periodic) add_ghosts(world, golden);
  return world;
}

void add_walls(World& world, const GoldenCase& golden) {
  WallBox box;
  std::fill_n(box.is_wall, 6, true);
  for (std::size_t d = 0; d < golden.box.size(); ++d) {
    box.lower[d] = golden.lower[d];
    box.upper[d] = golden.lower[d] + golden.box[d];
  }
  world.walls.resize(world.agents.size() * 2 * golden.box.size() * 3);
  box_walls(box, golden.dimension, world.position.data(), world.agents, world.walls);
}

template <class Real>
class GoldenLidar : public testing::Test {
 protected:
  static void expect_golden(const std::string& group) {
    GoldenCase golden = load(group);
    World world = world_of(golden, false);
    golden.lidar.walls = golden.has_walls;
    if (golden.has_walls) add_walls(world, golden);
    {
      SCOPED_TRACE(group + "/proximity");
      expect_close(observe<Real>(golden.lidar, world), golden.proximity);
    }
    golden.lidar.walls = false;
    SCOPED_TRACE(group + "/cross_proximity");
    expect_close(observe<Real>(golden.lidar, world_of(golden, true)), golden.cross_proximity);
  }
};

using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(GoldenLidar, Reals);

TYPED_TEST(GoldenLidar, planar_with_walls) {
  this->expect_golden("2d-walls");
}
TYPED_TEST(GoldenLidar, planar_periodic) {
  this->expect_golden("2d-periodic");
}
TYPED_TEST(GoldenLidar, planar_in_space) {
  this->expect_golden("2d-in-3d");
}
TYPED_TEST(GoldenLidar, spherical_with_walls) {
  this->expect_golden("3d-walls");
}
TYPED_TEST(GoldenLidar, spherical_periodic) {
  this->expect_golden("3d-periodic");
}

}  // namespace
}  // namespace dempilot
