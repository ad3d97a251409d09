#include "core/cli/VerifyLidar.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/Backend.hpp"
#include "core/Error.hpp"
#include "core/io/Hdf5.hpp"
#include "core/observe/Observer.hpp"
#include "core/observe/Walls.hpp"

namespace dempilot::cli {
namespace {

constexpr double double_tolerance = 1e-12;
constexpr double float_tolerance = 2e-6;
constexpr std::size_t max_particles = 1U << 24U;

struct LidarCase {
  ObservationComponent lidar;
  int dimension = 3;
  bool periodic = false;
  std::vector<double> lower, box;        ///< (dimension)
  std::vector<double> sensing, targets;  ///< (particles, 3)
};

std::vector<double> read_points(const hdf5::File& file, const std::string& dataset, int dimension) {
  const std::vector<std::size_t> shape = file.shape(dataset);
  const auto width = static_cast<std::size_t>(dimension);
  if (shape.size() != 2 || shape[1] != width || shape[0] > max_particles) {
    fail("'{}': '/{}' has shape ({}) (expected (particles, {})) check what wrote the file",
         file.name(), dataset, fmt::join(shape, ", "), dimension);
  }
  const std::vector<double> values = file.read<double>(dataset);
  std::vector<double> points(3 * shape[0], 0.0);
  for (std::size_t i = 0; i < values.size(); ++i)
    points[i / width * 3 + i % width] = values[i];
  return points;
}

int read_bins(const hdf5::File& file, const std::string& group, const std::string& attribute) {
  const std::int64_t bins = file.read_integer(group, attribute);
  if (bins < 0 || bins > static_cast<std::int64_t>(max_width)) {
    fail("'{}': '{}' of '/{}' is {} (0 to {} are supported) check what wrote the file", file.name(),
         attribute, group, bins, max_width);
  }
  return static_cast<int>(bins);
}

LidarCase read_case(const hdf5::File& file, const std::string& group) {
  LidarCase golden;
  golden.lidar.kind = ComponentKind::lidar;
  golden.lidar.bind = "targets";
  golden.lidar.range = file.read_double(group, "range");
  golden.lidar.n_azimuth = read_bins(file, group, "n_azimuth");
  golden.lidar.n_elevation = read_bins(file, group, "n_elevation");
  golden.lidar.walls = file.read_integer(group, "walls") != 0;
  golden.periodic = file.read_integer(group, "periodic") != 0;
  golden.box = file.read<double>(group + "/box", 3);
  golden.lower = file.read<double>(group + "/anchor", 3);
  golden.dimension = static_cast<int>(golden.box.size());
  if (golden.dimension < 2 || golden.lower.size() != golden.box.size()) {
    fail(
        "'{}': '/{}/box' and 'anchor' have {} and {} entries (2 or 3 each) check what wrote the "
        "file",
        file.name(), group, golden.box.size(), golden.lower.size());
  }
  golden.sensing = read_points(file, group + "/pos", golden.dimension);
  golden.targets = read_points(file, group + "/targets", golden.dimension);
  return golden;
}

/// What an engine would show: the sensing particles, what they sense, and periodic images of it.
class LidarScene {
 public:
  /// Senses `golden.targets`, or, if `each_other`, the other sensing particles.
  LidarScene(const LidarCase& golden, bool each_other) : position_(golden.sensing) {
    agents_.resize(golden.sensing.size() / 3);
    std::iota(agents_.begin(), agents_.end(), 0);
    agent_identity_.assign(agents_.begin(), agents_.end());
    if (each_other)
      add_images(golden, golden.sensing, 0);
    else
      add_images(golden, golden.targets, static_cast<std::int64_t>(agents_.size()));
    scene_.dimension = golden.dimension;
    scene_.particle_count = agents_.size();
    scene_.position = position_.data();
    scene_.agents = agents_;
    scene_.identity = agent_identity_.data();
    SeenParticles seen;
    seen.count = seen_identity_.size();
    seen.position = seen_position_.data();
    seen.identity = seen_identity_.data();
    scene_.targets = {seen};
    // JaxDEM's LiDAR for other kinds of particles sees no walls.
    if (golden.lidar.walls) scene_.walls = {each_other ? walls(golden) : SeenWalls{}};
  }

  LidarScene(const LidarScene&) = delete;
  LidarScene& operator=(const LidarScene&) = delete;
  const Scene& scene() const { return scene_; }

 private:
  void add_images(const LidarCase& golden, const std::vector<double>& points,
                  std::int64_t first_identity) {
    const int shells = golden.periodic ? 1 : 0;
    const int depth = golden.dimension == 3 ? shells : 0;
    for (int z = -depth; z <= depth; ++z) {
      for (int y = -shells; y <= shells; ++y) {
        for (int x = -shells; x <= shells; ++x)
          add_image(golden, points, first_identity, {x, y, z});
      }
    }
  }

  void add_image(const LidarCase& golden, const std::vector<double>& points,
                 std::int64_t first_identity, const std::array<int, 3>& shift) {
    for (std::size_t i = 0; i < points.size() / 3; ++i) {
      seen_identity_.push_back(first_identity + static_cast<std::int64_t>(i));
      for (std::size_t d = 0; d < 3; ++d) {
        const double length = d < golden.box.size() ? golden.box[d] : 0.0;
        seen_position_.push_back(points[3 * i + d] + shift[d] * length);
      }
    }
  }

  SeenWalls walls(const LidarCase& golden) {
    WallBox box;
    for (std::size_t d = 0; d < golden.box.size(); ++d) {
      box.lower[d] = golden.lower[d];
      box.upper[d] = golden.lower[d] + golden.box[d];
      box.is_wall[2 * d] = box.is_wall[2 * d + 1] = true;
    }
    const std::size_t per_agent = 2 * golden.box.size();
    walls_.resize(agents_.size() * per_agent * 3);
    box_walls(box, golden.dimension, position_.data(), agents_, walls_);
    return {per_agent, walls_.data()};
  }

  std::vector<double> position_, seen_position_;
  std::vector<std::int32_t> agents_;
  std::vector<std::int64_t> agent_identity_, seen_identity_;
  std::vector<double> walls_;
  Scene scene_;
};

/// Proximities as the file has them, not divided by the range.
template <class Real, class ExecutionSpace>
std::vector<double> sense(const ExecutionSpace& space, const LidarCase& golden, bool each_other) {
  const LidarScene world(golden, each_other);
  const Observer observer({golden.lidar});
  std::vector<Real> rows(world.scene().agents.size() * observer.width());
  observer.observe<Real>(space, world.scene(), std::span<Real>(rows));
  std::vector<double> proximity(rows.begin(), rows.end());
  for (double& value : proximity)
    value *= golden.lidar.range;
  return proximity;
}

}  // namespace

void verify_lidar(const std::string& path, Report& report) {
  const hdf5::File file = hdf5::File::open(path);
  for (const std::string& group : file.list("")) {
    const LidarCase golden = read_case(file, group);
    for (const bool each_other : {true, false}) {
      const std::string dataset = group + (each_other ? "/proximity" : "/cross_proximity");
      const std::vector<double> expected = file.read<double>(dataset);
      for_each_backend([&](auto space, const char* name) {
        report.compare(dataset, name, false, sense<double>(space, golden, each_other), expected,
                       double_tolerance);
        report.compare(dataset, name, true, sense<float>(space, golden, each_other), expected,
                       float_tolerance);
      });
    }
  }
}

}  // namespace dempilot::cli
