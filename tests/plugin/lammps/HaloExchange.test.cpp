// What agents may see is found wherever it is. Run on several ranks: each holds a part of a world
// that all of them know, so that each can look up by itself what it must see.

#include "plugin/lammps/HaloExchange.h"

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

namespace dempilot::lammps {
namespace {

constexpr int agent_bit = 2;
constexpr int grain_bit = 4;
constexpr int drift_bit = 8;
constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

int rank_of_this() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int ranks_of_world() {
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
Particles make_world(const Periodicity& box, const std::array<double, 3>& size, std::size_t count,
                     unsigned seed) {
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

int owner(const Particles& all, std::size_t i, Layout layout, const Periodicity& box,
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

double distance_to_agents(const Setting& setting, const std::array<double, 3>& point) {
  double nearest = std::numeric_limits<double>::infinity();
  for (const std::int32_t agent : setting.agents) {
    const double* const a = setting.own.at(static_cast<std::size_t>(agent));
    nearest = std::min(nearest, std::hypot(a[0] - point[0], a[1] - point[1], a[2] - point[2]));
  }
  return nearest;
}

/// All that this rank's agents may see of a group, by looking at everything.
Seen look_everywhere(const Setting& setting, const Wanted& wanted, double range) {
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

Seen as_map(const SeenParticles& cloud) {
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
void expect_all_that_is_near(const Setting& setting, const Wanted& wanted,
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

Setting make_setting(const Shape& shape, unsigned seed) {
  Setting setting;
  setting.size = shape.size;
  setting.box.lower = {-3.1, 0.7, 100.3};
  for (std::size_t d = 0; d < 3; ++d) {
    setting.box.period[d] = shape.periodic[d] ? shape.size[d] : 0.0;
  }
  setting.all = make_world(setting.box, shape.size, shape.count, seed);
  return setting;
}

const std::array<Shape, 5> shapes = {
    Shape{"open", {12, 9, 10}, {false, false, false}, 2.5, 400},
    {"periodic", {12, 9, 10}, {true, true, true}, 2.5, 400},
    {"periodic, range over half a period", {5.3, 4.1, 6.7}, {true, true, true}, 3.4, 60},
    {"periodic, range over a period", {2.3, 7.9, 3.1}, {true, false, true}, 3.7, 40},
    {"slit", {30, 1.7, 1}, {true, true, false}, 4.0, 150}};

constexpr WantedColumns everything{true, true, true};

TEST(HaloExchange, FindsAllThatIsNearWhoeverHoldsIt) {
  for (const Shape& shape : shapes) {
    for (const Layout layout :
         {Layout::slabs, Layout::blocks, Layout::strewn, Layout::all_on_last}) {
      SCOPED_TRACE(std::string(shape.name) + ", layout " +
                   std::to_string(static_cast<int>(layout)));
      Setting setting = make_setting(shape, 7);
      setting.layout = layout;
      setting.share_out();
      const std::vector<Wanted> groups = {{grain_bit, shape.range, everything},
                                          {agent_bit, 0.4 * shape.range, {}}};
      HaloExchange halo(MPI_COMM_WORLD);
      halo.gather(setting.box, setting.own.view(), setting.agents, groups);
      for (std::size_t g = 0; g < groups.size(); ++g)
        expect_all_that_is_near(setting, groups[g], halo.seen(g).view());
      EXPECT_EQ(halo.seen(1).view().velocity, nullptr);
      EXPECT_EQ(halo.seen(1).view().radius, nullptr);
      EXPECT_EQ(halo.seen(1).view().type, nullptr);
      EXPECT_GE(halo.seen(0).size(), setting.agents.empty() ? 0U : 10U);
    }
  }
}

TEST(HaloExchange, ServesAgentsThatAreAllOnOneRank) {
  for (int rank = 0; rank < ranks_of_world(); ++rank) {
    Setting setting = make_setting(shapes[1], 3);
    setting.agents_on = rank;
    setting.share_out();
    const Wanted wanted{grain_bit, 2.5, everything};
    HaloExchange halo(MPI_COMM_WORLD);
    halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
    expect_all_that_is_near(setting, wanted, halo.seen(0).view());
    EXPECT_EQ(halo.seen(0).size() > 0, rank == rank_of_this());
  }
}

TEST(HaloExchange, FindsNothingWhereNothingIsSensed) {
  Setting setting = make_setting(shapes[1], 4);
  setting.share_out();
  const std::vector<Wanted> groups = {{grain_bit, 0.0, everything}, {grain_bit, 2.5, {}}};
  HaloExchange halo(MPI_COMM_WORLD);
  halo.gather(setting.box, setting.own.view(), setting.agents, groups);
  halo.add_points(0, setting.all.position);
  EXPECT_EQ(halo.seen(0).size(), 0U);
  expect_all_that_is_near(setting, groups[1], halo.seen(1).view());
}

TEST(HaloExchange, ShowsImagesMovingAsTheBoxDeforms) {
  Setting setting = make_setting(shapes[2], 5);
  setting.box.drift = {0.3, -0.2, 1.7};
  setting.share_out();
  const Wanted wanted{grain_bit, 3.4, everything};
  HaloExchange halo(MPI_COMM_WORLD);
  halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
  expect_all_that_is_near(setting, wanted, halo.seen(0).view());
}

TEST(HaloExchange, LeavesOutWhatIsNowhere) {
  Setting setting = make_setting(shapes[1], 11);
  const std::vector<std::pair<std::size_t, double>> lost = {
      {0, nowhere}, {1, nowhere}, {5, std::numeric_limits<double>::infinity()},
      {7, 1e300},   {10, -1e300}, {13, 1e9},
      {20, 40.0}};
  for (const auto& [i, x] : lost)
    setting.all.position[3 * i + i % 3] = x;
  setting.layout = Layout::strewn;
  setting.share_out();
  const Wanted wanted{grain_bit, 2.5, everything};
  HaloExchange halo(MPI_COMM_WORLD);
  halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
  // Those that are left see each other as if there were no others.
  std::erase_if(setting.agents, [&](std::int32_t agent) {
    return !setting.box.realm().holds(setting.own.at(static_cast<std::size_t>(agent)));
  });
  for (const auto& [i, x] : lost)
    setting.all.mask[i] = 0;
  expect_all_that_is_near(setting, wanted, halo.seen(0).view());
}

TEST(HaloExchange, BearsAWorldThatFliesApart) {
  Setting setting = make_setting(shapes[0], 12);
  for (std::size_t i = 0; i < setting.all.size(); i += 5)
    setting.all.position[3 * i] =
        (i % 2 == 0 ? 1.0 : -1.0) * std::pow(10.0, 0.4 * static_cast<double>(i));
  setting.share_out();
  const Wanted wanted{1, 2.5, {}};
  HaloExchange halo(MPI_COMM_WORLD);
  halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
  // An agent at least sees itself.
  const Seen seen = as_map(halo.seen(0).view());
  for (const std::int32_t agent : setting.agents) {
    const auto i = static_cast<std::size_t>(agent);
    const double* const x = setting.own.at(i);
    EXPECT_EQ(seen.count({setting.own.tag[i], x[0], x[1], x[2]}),
              setting.box.realm().holds(x) ? 1U : 0U);
  }
}

TEST(HaloExchange, FollowsWhatMovesInTheSameMemory) {
  HaloExchange halo(MPI_COMM_WORLD);
  double memory = 0.0;
  for (int turn = 0; turn < 6; ++turn) {
    // The second half repeats the first: nothing has to grow any more.
    Setting setting = make_setting(shapes[1], 20 + static_cast<unsigned>(turn % 3));
    setting.share_out();
    const Wanted wanted{grain_bit, 2.5, everything};
    halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
    expect_all_that_is_near(setting, wanted, halo.seen(0).view());
    if (turn == 2) memory = halo.memory_usage();
  }
  EXPECT_GT(memory, 0.0);
  EXPECT_EQ(halo.memory_usage(), memory);
}

TEST(HaloExchange, HoldsNoMoreThanIsSeen) {
  // Two agents among a hundred thousand grains.
  Setting setting = make_setting({"wide", {100, 100, 100}, {true, true, true}, 1.0, 100000}, 30);
  for (std::size_t i = 0; i < setting.all.size(); ++i) {
    if (i != 500 && i != 70000) setting.all.mask[i] &= ~agent_bit;
  }
  setting.share_out();
  const Wanted wanted{grain_bit, 3.0, everything};
  HaloExchange halo(MPI_COMM_WORLD);
  halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
  EXPECT_LT(halo.seen(0).size(), 500U);
  // The marks of the filter and a few hundred particles.
  EXPECT_LT(halo.memory_usage(), 2e5);
}

TEST(HaloExchange, AddsPointsAndTheirImages) {
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    Setting setting = make_setting(shape, 40);
    setting.share_out();
    const Wanted wanted{0, shape.range, everything};
    HaloExchange halo(MPI_COMM_WORLD);
    halo.gather(setting.box, setting.own.view(), setting.agents, {&wanted, 1});
    EXPECT_EQ(halo.seen(0).size(), 0U);
    // Every particle's place is a point, and so are some places that none can have.
    std::vector<double> points = setting.all.position;
    points.insert(points.end(), {nowhere, 0, 0, 0, 1e300, 0, 0, 0, -1e300});
    points.insert(points.end(), {std::numeric_limits<double>::infinity(), 0, 0});
    halo.add_points(0, points);

    Setting expected = setting;
    std::fill(expected.all.mask.begin(), expected.all.mask.end(), 1);
    std::fill(expected.all.tag.begin(), expected.all.tag.end(), 0);
    expect_all_that_is_near(expected, {1, shape.range, {}}, [&] {
      SeenParticles seen = halo.seen(0).view();
      EXPECT_TRUE(std::all_of(seen.radius, seen.radius + seen.count,
                              [](double radius) { return radius == 0.0; }));
      seen.velocity = seen.radius = nullptr;
      seen.type = nullptr;
      return seen;
    }());
  }
}

}  // namespace
}  // namespace dempilot::lammps

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  MPI_Finalize();
  return status;
}
