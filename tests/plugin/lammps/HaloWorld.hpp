#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "plugin/lammps/HaloExchange.h"

/// A world that all ranks know and of which each holds a part, so that each can look up by itself
/// what its agents must see.
namespace dempilot::lammps::testing {

inline constexpr int agent_bit = 2;
inline constexpr int grain_bit = 4;
inline constexpr int drift_bit = 8;
inline constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

inline int rank_of_this() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

inline int ranks_of_world() {
  int ranks = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  return ranks;
}

/// Particles as the engine stores them.
struct Particles {
  std::vector<double> position, velocity, radius;
  std::vector<int> type, mask;
  std::vector<LAMMPS_NS::tagint> tag;

  std::size_t size() const { return tag.size(); }
  const double* at(std::size_t i) const { return position.data() + 3 * i; }

  void append(const Particles& other, std::size_t i) {
    position.insert(position.end(), other.at(i), other.at(i) + 3);
    const double* const v = other.velocity.data() + 3 * i;
    velocity.insert(velocity.end(), v, v + 3);
    radius.push_back(other.radius[i]);
    type.push_back(other.type[i]);
    mask.push_back(other.mask[i]);
    tag.push_back(other.tag[i]);
  }
  OwnParticles view() const {
    return {size(),      position.data(), velocity.data(), radius.data(),
            type.data(), mask.data(),     tag.data(),      drift_bit};
  }
};

/// A box with particles in it, and some of them a little outside, as between reneighborings. Every
/// fifth is an agent, two thirds are grains.
inline Particles make_world(const Periodicity& box, const std::array<double, 3>& size,
                            std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> place(-0.1, 1.1);
  Particles all;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < 3; ++d) {
      all.position.push_back(box.lower[d] + place(random) * size[d]);
      all.velocity.push_back(place(random));
    }
    all.radius.push_back(place(random));
    all.type.push_back(static_cast<int>(i % 7) + 1);
    all.mask.push_back(1 + (i % 5 == 0 ? agent_bit : 0) + (i % 3 != 0 ? grain_bit : 0) +
                       (i % 2 != 0 ? drift_bit : 0));
    all.tag.push_back(static_cast<LAMMPS_NS::tagint>(i + 1));
  }
  return all;
}

/// How particles are shared out among ranks. What a rank holds need not be a block of space: the
/// exchange knows nothing of LAMMPS's subdomains.
enum class Layout { slabs, blocks, strewn, all_on_last };

inline int owner(const Particles& all, std::size_t i, Layout layout, const Periodicity& box,
                 const std::array<double, 3>& size) {
  const int ranks = ranks_of_world();
  const auto half = [&](std::size_t d) {
    return all.at(i)[d] < box.lower[d] + 0.4 * size[d] ? 0 : 1;
  };
  switch (layout) {
    case Layout::slabs: {
      const double place = (all.at(i)[0] - box.lower[0]) / size[0];
      return std::clamp(static_cast<int>(std::floor(place * ranks)), 0, ranks - 1);
    }
    case Layout::blocks:
      // As recursive bisection does: the second cut goes along an axis of its own.
      return (half(0) + 2 * half(half(0) == 0 ? 1 : 2)) % ranks;
    case Layout::strewn:
      return static_cast<int>(i * 2654435761U % 1009U) % ranks;
    case Layout::all_on_last:
      return ranks - 1;
  }
  return 0;
}

using Key = std::tuple<std::int64_t, double, double, double>;
struct Rest {
  std::array<double, 3> velocity{};
  double radius = 0.0;
  int type = 0;
  bool operator==(const Rest&) const = default;
};
using Seen = std::map<Key, Rest>;

struct Setting {
  Periodicity box;
  std::array<double, 3> size{};
  Particles all;
  Layout layout = Layout::slabs;
  int agents_on = -1;  ///< the only rank whose agents are, or -1

  Particles own;
  std::vector<std::int32_t> agents;

  /// Takes this rank's part.
  void share_out() {
    own = {};
    agents.clear();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (owner(all, i, layout, box, size) != rank_of_this()) continue;
      const bool has_agents = agents_on < 0 || agents_on == rank_of_this();
      if (has_agents && (all.mask[i] & agent_bit) != 0) {
        agents.push_back(static_cast<std::int32_t>(own.size()));
      }
      own.append(all, i);
    }
  }
};

/// Calls visit(image, numbers) for all images of a point that may be within `range` of the box.
template <class Visitor>
void for_images(const Periodicity& box, const double* point, double range, const Visitor& visit) {
  std::array<int, 3> most;
  for (std::size_t d = 0; d < 3; ++d) {
    // Points and agents are up to a tenth of a period outside.
    most[d] = box.period[d] > 0 ? static_cast<int>(1.2 + range / box.period[d]) + 1 : 0;
  }
  for (int i = -most[0]; i <= most[0]; ++i) {
    for (int j = -most[1]; j <= most[1]; ++j) {
      for (int k = -most[2]; k <= most[2]; ++k) {
        visit(std::array<double, 3>{point[0] + i * box.period[0], point[1] + j * box.period[1],
                                    point[2] + k * box.period[2]},
              std::array<int, 3>{i, j, k});
      }
    }
  }
}

inline double distance_to_agents(const Setting& setting, const std::array<double, 3>& point) {
  double nearest = std::numeric_limits<double>::infinity();
  for (const std::int32_t agent : setting.agents) {
    const double* const a = setting.own.at(static_cast<std::size_t>(agent));
    nearest = std::min(nearest, std::hypot(a[0] - point[0], a[1] - point[1], a[2] - point[2]));
  }
  return nearest;
}

/// All that this rank's agents may see of a group, by looking at everything.
inline Seen look_everywhere(const Setting& setting, const Wanted& wanted, double range) {
  Seen seen;
  for (std::size_t i = 0; i < setting.all.size(); ++i) {
    if ((setting.all.mask[i] & wanted.group_bit) == 0) continue;
    for_images(setting.box, setting.all.at(i), range, [&](const auto& image, const auto& number) {
      if (!(distance_to_agents(setting, image) <= range)) return;
      Rest rest;
      for (std::size_t d = 0; d < 3 && wanted.columns.velocity; ++d) {
        const bool drifts = (setting.all.mask[i] & drift_bit) != 0;
        rest.velocity[d] =
            setting.all.velocity[3 * i + d] + (drifts ? number[d] * setting.box.drift[d] : 0.0);
      }
      if (wanted.columns.radius) rest.radius = setting.all.radius[i];
      if (wanted.columns.type) rest.type = setting.all.type[i];
      seen[{setting.all.tag[i], image[0], image[1], image[2]}] = rest;
    });
  }
  return seen;
}

inline Seen as_map(const SeenParticles& cloud) {
  Seen seen;
  for (std::size_t n = 0; n < cloud.count; ++n) {
    const double* const x = cloud.position + 3 * n;
    Rest rest;
    if (cloud.velocity != nullptr) std::copy_n(cloud.velocity + 3 * n, 3, rest.velocity.begin());
    if (cloud.radius != nullptr) rest.radius = cloud.radius[n];
    if (cloud.type != nullptr) rest.type = cloud.type[n];
    seen[{cloud.identity[n], x[0], x[1], x[2]}] = rest;
  }
  return seen;
}

/// Nothing is missing, nothing comes twice, and nothing is there that is not or is far away.
inline void expect_all_that_is_near(const Setting& setting, const Wanted& wanted,
                                    const SeenParticles& cloud) {
  const Seen found = as_map(cloud);
  EXPECT_EQ(found.size(), cloud.count) << "something is there twice";
  const auto includes = [](const Seen& whole, const Seen& part) {
    return std::all_of(part.begin(), part.end(), [&](const auto& each) {
      const auto same = whole.find(each.first);
      return same != whole.end() && same->second == each.second;
    });
  };
  EXPECT_TRUE(includes(found, look_everywhere(setting, wanted, wanted.range)))
      << "something near is missing";
  // Cells are as wide as the range, and agents look into the next ones.
  EXPECT_TRUE(includes(look_everywhere(setting, wanted, 3.5 * wanted.range), found))
      << "something is there that is not near";
}

struct Shape {
  const char* name;
  std::array<double, 3> size;
  std::array<bool, 3> periodic;
  double range;
  std::size_t count;
};

inline Setting make_setting(const Shape& shape, unsigned seed) {
  Setting setting;
  setting.size = shape.size;
  setting.box.lower = {-3.1, 0.7, 100.3};
  for (std::size_t d = 0; d < 3; ++d) {
    setting.box.period[d] = shape.periodic[d] ? shape.size[d] : 0.0;
  }
  setting.all = make_world(setting.box, shape.size, shape.count, seed);
  return setting;
}

inline const std::array<Shape, 5> shapes = {
    Shape{"open", {12, 9, 10}, {false, false, false}, 2.5, 400},
    {"periodic", {12, 9, 10}, {true, true, true}, 2.5, 400},
    {"periodic, range over half a period", {5.3, 4.1, 6.7}, {true, true, true}, 3.4, 60},
    {"periodic, range over a period", {2.3, 7.9, 3.1}, {true, false, true}, 3.7, 40},
    {"slit", {30, 1.7, 1}, {true, true, false}, 4.0, 150}};

inline constexpr WantedColumns everything{true, true, true};

}  // namespace dempilot::lammps::testing
