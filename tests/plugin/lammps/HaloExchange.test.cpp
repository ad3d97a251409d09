// What agents may see is found wherever it is. Run on several ranks.

#include "plugin/lammps/HaloExchange.h"

#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/Pilot.hpp"
#include "tests/plugin/lammps/HaloWorld.hpp"

namespace dempilot::lammps::testing {
namespace {

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
}  // namespace dempilot::lammps::testing

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  dempilot::initialize_runtime(2);
  const int status = RUN_ALL_TESTS();
  Kokkos::finalize();
  MPI_Finalize();
  return status;
}
