// What agents may see is found wherever it is, also after everything has moved a little. Run on
// several ranks.

#include "plugin/lammps/kokkos/DeviceHalo.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/plugin/lammps/HaloWorld.hpp"

namespace dempilot::lammps::testing {
namespace {

using Space = Kokkos::DefaultHostExecutionSpace;

/// What of a cloud is somewhere, and not far from this rank's agents.
struct Nearby {
  std::vector<double> position, velocity, radius;
  std::vector<std::int64_t> identity;
  std::vector<std::int32_t> type;

  Nearby(const Setting& setting, const SeenParticles& cloud, double range) {
    for (std::size_t n = 0; n < cloud.count; ++n) {
      const double* const x = cloud.position + 3 * n;
      if (!(distance_to_agents(setting, {x[0], x[1], x[2]}) <= range)) continue;
      position.insert(position.end(), x, x + 3);
      identity.push_back(cloud.identity[n]);
      if (cloud.velocity != nullptr)
        velocity.insert(velocity.end(), cloud.velocity + 3 * n, cloud.velocity + 3 * n + 3);
      if (cloud.radius != nullptr) radius.push_back(cloud.radius[n]);
      if (cloud.type != nullptr) type.push_back(cloud.type[n]);
    }
  }
  SeenParticles view() const {
    const auto data = [](const auto& column) { return column.empty() ? nullptr : column.data(); };
    return {identity.size(),
            position.data(),
            data(velocity),
            data(radius),
            data(type),
            identity.data(),
            0.0};
  }
};

void expect_seen(const DeviceHalo<Space>& halo, const Setting& setting,
                 const std::vector<Wanted>& groups) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const SeenParticles seen = halo.seen(g);
    EXPECT_EQ(seen.velocity != nullptr, groups[g].columns.velocity);
    EXPECT_EQ(seen.radius != nullptr, groups[g].columns.radius);
    EXPECT_EQ(seen.type != nullptr, groups[g].columns.type);
    expect_all_that_is_near(setting, groups[g],
                            Nearby(setting, seen, 2.0 * groups[g].range).view());
  }
}

/// Moves everything by less than `most`, on all ranks alike, agents and particles in directions of
/// their own.
void jostle(Setting& setting, double most, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> step(-most / std::sqrt(3.0), most / std::sqrt(3.0));
  for (double& x : setting.all.position)
    x += step(random);
}

/// Who holds what, and whether messages go through the host.
class DeviceHalos : public ::testing::TestWithParam<std::tuple<Layout, bool>> {
 protected:
  const Layout layout_ = std::get<0>(GetParam());
  DeviceHalo<Space> new_halo() const { return {MPI_COMM_WORLD, Space(), !std::get<1>(GetParam())}; }
};

TEST_P(DeviceHalos, FindAllThatIsNearWhoeverHoldsIt) {
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    Setting setting = make_setting(shape, 7);
    setting.layout = layout_;
    setting.box.drift = {0.3, -0.2, 1.7};
    setting.share_out();
    const std::vector<Wanted> groups = {{grain_bit, shape.range, everything},
                                        {agent_bit, 0.4 * shape.range, {}}};
    DeviceHalo<Space> halo = new_halo();
    halo.plan(setting.box, setting.own.view(), agent_bit, groups, 0.0);
    halo.refresh(setting.box, setting.own.view());
    expect_seen(halo, setting, groups);
  }
}

TEST_P(DeviceHalos, GoOnFindingItWhileItMovesLessThanTheSlack) {
  constexpr double slack = 0.5;
  Setting setting = make_setting(shapes[1], 8);
  setting.layout = layout_;
  setting.share_out();
  const std::vector<Wanted> groups = {{grain_bit, 2.5, everything}};
  DeviceHalo<Space> halo = new_halo();
  halo.plan(setting.box, setting.own.view(), agent_bit, groups, slack);
  const Setting before = setting;
  for (unsigned turn = 0; turn < 4; ++turn) {
    setting.all.position = before.all.position;
    jostle(setting, slack / 2, turn);
    // Who holds what stays as it was.
    Particles moved;
    for (std::size_t i = 0; i < before.own.size(); ++i) {
      const auto tag = static_cast<std::size_t>(before.own.tag[i]);
      moved.append(setting.all, tag - 1);
    }
    setting.own = moved;
    halo.refresh(setting.box, setting.own.view());
    expect_seen(halo, setting, groups);
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, DeviceHalos,
                         ::testing::Combine(::testing::Values(Layout::slabs, Layout::blocks,
                                                              Layout::strewn, Layout::all_on_last),
                                            ::testing::Bool()));

TEST(DeviceHalo, LeavesOutWhatIsNowhere) {
  Setting setting = make_setting(shapes[1], 11);
  const std::vector<std::pair<std::size_t, double>> lost = {
      {0, nowhere}, {1, nowhere}, {5, std::numeric_limits<double>::infinity()},
      {7, 1e300},   {10, -1e300}, {13, 1e9},
      {20, 40.0}};
  for (const auto& [i, x] : lost)
    setting.all.position[3 * i + i % 3] = x;
  setting.layout = Layout::strewn;
  setting.share_out();
  const std::vector<Wanted> groups = {{grain_bit, 2.5, everything}};
  DeviceHalo<Space> halo(MPI_COMM_WORLD, Space(), false);
  halo.plan(setting.box, setting.own.view(), agent_bit, groups, 0.0);
  halo.refresh(setting.box, setting.own.view());
  std::erase_if(setting.agents, [&](std::int32_t agent) {
    return !setting.box.realm().holds(setting.own.at(static_cast<std::size_t>(agent)));
  });
  for (const auto& [i, x] : lost)
    setting.all.mask[i] = 0;
  expect_seen(halo, setting, groups);
}

TEST(DeviceHalo, SeesNothingOfNoGroupOrWithoutARange) {
  Setting setting = make_setting(shapes[1], 4);
  setting.share_out();
  const std::vector<Wanted> groups = {{0, 2.5, {}}, {grain_bit, 0.0, {}}};
  DeviceHalo<Space> halo(MPI_COMM_WORLD, Space(), false);
  halo.plan(setting.box, setting.own.view(), agent_bit, groups, 0.1);
  halo.refresh(setting.box, setting.own.view());
  EXPECT_EQ(halo.seen(0).count, 0U);
  EXPECT_EQ(halo.seen(1).count, setting.own.size());  // no images, and nobody else's
}

TEST(DeviceHalo, KeepsItsMemoryFromPlanToPlan) {
  DeviceHalo<Space> halo(MPI_COMM_WORLD, Space(), false);
  double memory = 0.0;
  for (unsigned turn = 0; turn < 6; ++turn) {
    Setting setting = make_setting(shapes[1], 20 + turn % 3);
    setting.share_out();
    const std::vector<Wanted> groups = {{grain_bit, 2.5, everything}};
    halo.plan(setting.box, setting.own.view(), agent_bit, groups, 0.0);
    halo.refresh(setting.box, setting.own.view());
    expect_seen(halo, setting, groups);
    if (turn == 2) memory = halo.memory_usage();
  }
  EXPECT_GT(memory, 0.0);
  EXPECT_EQ(halo.memory_usage(), memory);
}

}  // namespace
}  // namespace dempilot::lammps::testing
