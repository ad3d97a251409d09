// What the pool of agents on the host does to them, the one in the memory of an execution space
// does, too: both are taken through the same life and compared.

#include "plugin/lammps/kokkos/DeviceAgents.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <random>
#include <vector>

namespace dempilot::lammps {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;

constexpr AgentShape shape{5, 3, 2, 1};

/// What belongs to one agent, under its id.
using Belongings = std::map<std::int64_t, std::vector<double>>;

Belongings belongings_of(const AgentPool& pool, int local_atoms) {
  Belongings all;
  for (std::size_t row = 0; row < pool.size(); ++row) {
    const int atom = pool.atoms()[row];
    if (atom >= local_atoms || pool.row(atom) != static_cast<int>(row)) continue;  // dead
    std::vector<double>& mine = all[pool.columns().id[row]];
    mine.push_back(atom);
    for_each_column(pool.columns(), shape, [&](const char*, const auto& column, std::size_t width) {
      for (std::size_t k = 0; k < width; ++k)
        mine.push_back(static_cast<double>(column[row * width + k]));
    });
  }
  return all;
}

Belongings belongings_of(const DeviceAgents<Space>& agents, int local_atoms) {
  AgentPool pool(shape);
  agents.give(pool);
  return belongings_of(pool, local_atoms);
}

/// Every third atom is an agent that remembers numbers of its own.
AgentPool some_agents(int atoms, std::int64_t first_id) {
  AgentPool pool(shape);
  pool.grow_atoms(atoms + 50);
  std::mt19937 random(static_cast<unsigned>(first_id));
  std::uniform_real_distribution<double> number(-1, 1);
  for (int i = 0; i < atoms; i += 3) {
    pool.adopt(i, first_id + i);
    for_each_column(pool.columns(), shape, [&](const char* name, auto& column, std::size_t width) {
      if (std::string(name) == "id") return;
      for (std::size_t k = column.size() - width; k < column.size(); ++k)
        column[k] = static_cast<std::decay_t<decltype(column[0])>>(number(random));
    });
  }
  return pool;
}

DeviceAgents<Space> on_device(const AgentPool& pool) {
  DeviceAgents<Space> agents(shape, Space());
  agents.grow_atoms(static_cast<int>(pool.atom_capacity()));
  agents.take(pool);
  return agents;
}

TEST(DeviceAgents, GiveBackWhatTheyTook) {
  const AgentPool pool = some_agents(100, 7);
  EXPECT_EQ(belongings_of(on_device(pool), 100), belongings_of(pool, 100));
  EXPECT_EQ(on_device(pool).size(), 34U);
}

TEST(DeviceAgents, KeepCarriesToThemselvesIfTold) {
  const AgentPool pool = some_agents(10, 7);
  AgentPool copy(shape);
  on_device(pool).give(copy, false);
  EXPECT_EQ(copy.columns().pending, pool.columns().pending);
  EXPECT_EQ(copy.columns().observation, pool.columns().observation);
  EXPECT_EQ(copy.columns().carry, std::vector<float>(pool.columns().carry.size(), 0.0F));
}

/// As LAMMPS exchanges atoms: some leave, atoms from the end take their places, others arrive at
/// the end.
struct Exchange {
  std::vector<int> sent, filler;
  int left = 0;  ///< atoms

  Exchange(int atoms, std::vector<int> leaving) : sent(std::move(leaving)) {
    left = atoms - static_cast<int>(sent.size());
    std::vector<int> staying;  // beyond the new end
    for (int i = left; i < atoms; ++i) {
      if (std::ranges::find(sent, i) == sent.end()) staying.push_back(i);
    }
    for (const int i : sent) {
      filler.push_back(i < left ? staying.back() : -1);
      if (i < left) staying.pop_back();
    }
  }

  std::vector<double> apply(DeviceAgents<Space>& agents) const {
    std::vector<double> buffer(sent.size() * static_cast<std::size_t>(agents.max_packed()));
    const int doubles =
        agents.pack(static_cast<int>(sent.size()), sent.data(), filler.data(), buffer.data());
    EXPECT_LE(static_cast<std::size_t>(doubles), buffer.size());
    buffer.resize(static_cast<std::size_t>(doubles));
    return buffer;
  }
  /// Messages one after the other.
  std::vector<double> apply(AgentPool& pool) const {
    std::vector<double> messages;
    for (const int i : sent) {
      std::vector<double> message(static_cast<std::size_t>(pool.max_packed()));
      message.resize(static_cast<std::size_t>(pool.pack(i, message.data())));
      messages.insert(messages.end(), message.begin(), message.end());
    }
    for (std::size_t n = 0; n < sent.size(); ++n) {
      if (filler[n] >= 0) pool.copy_atom(filler[n], sent[n], true);
    }
    return messages;
  }
};

TEST(DeviceAgents, SendTheSameMessagesAsAPool) {
  AgentPool pool = some_agents(60, 100);
  DeviceAgents<Space> agents = on_device(pool);
  const Exchange exchange(60, {0, 1, 9, 30, 31, 57, 58, 59});
  const std::vector<double> sent = exchange.apply(agents);
  const std::vector<double> messages = exchange.apply(pool);
  const std::size_t header = exchange.sent.size();
  ASSERT_EQ(sent.size(), header + messages.size());
  EXPECT_TRUE(std::equal(messages.begin(), messages.end(), sent.begin() + long(header),
                         [](double a, double b) {
                           return std::bit_cast<std::int64_t>(a) == std::bit_cast<std::int64_t>(b);
                         }));
  EXPECT_EQ(belongings_of(agents, exchange.left), belongings_of(pool, exchange.left));
}

TEST(DeviceAgents, TakeInWhatTwoRanksSent) {
  AgentPool pool = some_agents(60, 100);
  DeviceAgents<Space> agents = on_device(pool);
  Exchange(60, {3, 4, 5, 6}).apply(agents);
  Exchange(60, {3, 4, 5, 6}).apply(pool);
  int atoms = 56;
  std::vector<double> buffer;
  std::vector<int> arrived;
  std::vector<double> for_pool;
  std::vector<int> counts, lengths;
  for (const std::int64_t whose : {1000, 2000}) {
    AgentPool other = some_agents(30, whose);
    DeviceAgents<Space> others = on_device(other);
    const Exchange exchange(30, {0, 7, 12, 13, 21, 29});
    const std::vector<double> sent = exchange.apply(others);
    const std::vector<double> messages = exchange.apply(other);
    buffer.insert(buffer.end(), sent.begin(), sent.end());
    for_pool.insert(for_pool.end(), messages.begin(), messages.end());
    counts.push_back(static_cast<int>(exchange.sent.size()));
    lengths.push_back(static_cast<int>(sent.size()));
    for (int n = 0; n < counts.back(); ++n)
      arrived.push_back(n % 5 == 2 ? -1 : atoms++);  // some are somebody else's
  }
  agents.unpack(counts[0] + counts[1], arrived.data(), {buffer.data(), counts[0], lengths[0]});
  const double* next = for_pool.data();
  for (const int atom : arrived) {
    if (atom >= 0)
      next += pool.unpack(atom, next);
    else
      next += static_cast<int>(*next);
  }
  EXPECT_EQ(belongings_of(agents, atoms), belongings_of(pool, atoms));
  EXPECT_GT(belongings_of(agents, atoms).size(), 20U);
  agents.sweep(atoms);
  pool.sweep(atoms);
  EXPECT_EQ(agents.size(), pool.size());
  EXPECT_EQ(belongings_of(agents, atoms), belongings_of(pool, atoms));
}

TEST(DeviceAgents, SweepAsAPoolDoes) {
  for (const int left : {60, 59, 31, 30, 4, 1, 0}) {
    SCOPED_TRACE(left);
    AgentPool pool = some_agents(60, 5);
    for (const int released : {0, 6, 45, 57})
      pool.release(released);
    DeviceAgents<Space> agents = on_device(pool);
    agents.sweep(left);
    pool.sweep(left);
    EXPECT_EQ(agents.size(), pool.size());
    EXPECT_EQ(belongings_of(agents, left), belongings_of(pool, left));
  }
}

/// As Kokkos::BinSort is asked.
struct Shuffler {
  std::vector<int> order;  ///< atom that comes to each place

  template <class View>
  void sort(const Space&, const View& view) const {
    std::vector<int> before(order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      before[i] = view(i);
    for (std::size_t i = 0; i < order.size(); ++i)
      view(i) = before[static_cast<std::size_t>(order[i])];
  }
};

TEST(DeviceAgents, FollowAtomsThatAreSorted) {
  AgentPool pool = some_agents(60, 5);
  DeviceAgents<Space> agents = on_device(pool);
  Shuffler shuffler{std::vector<int>(60)};
  std::iota(shuffler.order.begin(), shuffler.order.end(), 0);
  std::shuffle(shuffler.order.begin(), shuffler.order.end(), std::mt19937(3));
  agents.sort(shuffler, 60);
  const Belongings before = belongings_of(pool, 60);
  const Belongings after = belongings_of(agents, 60);
  ASSERT_EQ(before.size(), after.size());
  for (auto [id, belongings] : before) {
    const auto place = std::ranges::find(shuffler.order, static_cast<int>(belongings[0]));
    belongings[0] = static_cast<double>(place - shuffler.order.begin());
    EXPECT_EQ(after.at(id), belongings);
  }
}

TEST(DeviceAgents, GrowWithTheAtoms) {
  AgentPool pool = some_agents(60, 5);
  DeviceAgents<Space> agents = on_device(pool);
  agents.grow_atoms(500);
  pool.grow_atoms(500);
  EXPECT_EQ(belongings_of(agents, 500), belongings_of(pool, 500));
  AgentPool back(shape);
  agents.give(back);
  EXPECT_EQ(back.row(499), -1);
}

}  // namespace
}  // namespace dempilot::lammps
