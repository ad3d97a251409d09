#include "plugin/lammps/AgentPool.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <vector>

namespace dempilot::lammps {
namespace {

constexpr AgentShape shape{4, 2, 3};

/// Fills the last row with numbers that tell whose they are.
void mark(AgentPool& pool, int atom) {
  const auto row = static_cast<std::size_t>(pool.row(atom));
  AgentColumns& columns = pool.columns();
  const auto number = static_cast<float>(columns.id[row]);
  for (std::size_t k = 0; k < 4; ++k)
    columns.carry[4 * row + k] = number + 0.1F * float(k);
  columns.pending[2 * row] = -number;
  columns.observation[3 * row + 2] = 2 * number;
  columns.wrench[6 * row + 5] = 3.0 * static_cast<double>(number);
}

void expect_intact(AgentPool& pool, int atom, std::int64_t id) {
  ASSERT_GE(pool.row(atom), 0);
  const auto row = static_cast<std::size_t>(pool.row(atom));
  const AgentColumns& columns = pool.columns();
  const auto number = static_cast<float>(id);
  EXPECT_EQ(columns.id[row], id);
  EXPECT_EQ(pool.atoms()[row], atom);
  EXPECT_EQ(columns.carry[4 * row + 3], number + 0.1F * 3.0F);
  EXPECT_EQ(columns.pending[2 * row], -number);
  EXPECT_EQ(columns.observation[3 * row + 2], 2 * number);
  EXPECT_EQ(columns.wrench[6 * row + 5], 3.0 * static_cast<double>(number));
}

AgentPool pool_of(int atoms, const std::map<int, std::int64_t>& agents) {
  AgentPool pool(shape);
  pool.grow_atoms(atoms);
  for (const auto& [atom, id] : agents) {
    pool.adopt(atom, id);
    mark(pool, atom);
  }
  return pool;
}

TEST(AgentPool, StoresNothingForGrains) {
  AgentPool pool(shape);
  pool.grow_atoms(1000);
  EXPECT_EQ(pool.size(), 0U);
  EXPECT_EQ(pool.row(999), -1);
  EXPECT_EQ(pool.memory_usage(), 4000.0);
}

TEST(AgentPool, StartsAgentsFromZero) {
  AgentPool pool = pool_of(3, {{1, 7}});
  pool.release(1);
  pool.sweep(3);
  pool.adopt(2, 8);
  EXPECT_EQ(pool.columns().carry, std::vector<float>(4, 0.0F));
  EXPECT_EQ(pool.columns().wrench, std::vector<double>(6, 0.0));
}

TEST(AgentPool, FollowsAtomsThatAreSorted) {
  AgentPool pool = pool_of(5, {{0, 10}, {2, 12}});
  // A cycle through the spare place 4, as Atom::sort does: 0 -> 2 -> 3 -> 0.
  pool.copy_atom(0, 4, false);
  pool.copy_atom(3, 0, false);
  pool.copy_atom(2, 3, false);
  pool.copy_atom(4, 2, false);
  pool.sweep(4);
  EXPECT_EQ(pool.size(), 2U);
  expect_intact(pool, 2, 10);
  expect_intact(pool, 3, 12);
  EXPECT_EQ(pool.row(0), -1);
}

TEST(AgentPool, FreesAgentsThatAreOverwritten) {
  AgentPool pool = pool_of(4, {{0, 10}, {1, 11}, {3, 13}});
  pool.copy_atom(3, 0, true);  // deletes 10
  pool.copy_atom(2, 2, true);
  pool.sweep(3);
  EXPECT_EQ(pool.size(), 2U);
  expect_intact(pool, 0, 13);
  expect_intact(pool, 1, 11);
}

TEST(AgentPool, FreesTheLastAtomDeletedInPlace) {
  AgentPool pool = pool_of(2, {{1, 11}});
  pool.copy_atom(1, 1, true);
  pool.sweep(2);  // somebody else may be atom 1 by now
  EXPECT_EQ(pool.size(), 0U);
}

TEST(AgentPool, FreesAgentsDeletedWithoutACall) {
  AgentPool pool = pool_of(3, {{0, 10}, {2, 12}});
  pool.sweep(0);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(AgentPool, PacksAGrainAsOneNumber) {
  AgentPool pool = pool_of(2, {{0, 10}});
  std::vector<double> buffer(100);
  EXPECT_EQ(pool.pack(1, buffer.data()), 1);
  EXPECT_EQ(pool.pack(0, buffer.data()), pool.max_packed());
}

TEST(AgentPool, CarriesAgentsToAnotherRankBitForBit) {
  AgentPool here = pool_of(3, {{1, 11}});
  std::vector<double> buffer(static_cast<std::size_t>(here.max_packed()) + 1);
  const int agent = here.pack(1, buffer.data());
  const int grain = here.pack(0, buffer.data() + agent);
  AgentPool there = pool_of(4, {{0, 20}});
  EXPECT_EQ(there.unpack(1, buffer.data()), agent);
  EXPECT_EQ(there.unpack(2, buffer.data() + agent), grain);
  expect_intact(there, 1, 11);
  expect_intact(there, 0, 20);
  EXPECT_EQ(there.row(2), -1);
}

TEST(AgentPool, ReplacesWhatWasInAPlaceWhenAnAtomArrives) {
  AgentPool pool = pool_of(2, {{0, 10}, {1, 11}});
  std::vector<double> grain = {1.0};
  pool.copy_atom(1, 0, true);
  pool.unpack(1, grain.data());
  pool.sweep(2);
  EXPECT_EQ(pool.size(), 1U);
  expect_intact(pool, 0, 11);
}

TEST(AgentPool, GivesMemoryBack) {
  AgentPool pool(shape);
  pool.grow_atoms(10000);
  for (int atom = 0; atom < 10000; ++atom)
    pool.adopt(atom, atom + 1);
  const double full = pool.memory_usage();
  pool.sweep(10);
  EXPECT_EQ(pool.size(), 10U);
  EXPECT_LT(pool.memory_usage() - 40000.0, 0.05 * full);
}

/// Against a map from atom to agent, through a random life.
TEST(AgentPool, SurvivesARandomLife) {
  std::mt19937 random(1);
  AgentPool pool(shape);
  pool.grow_atoms(301);
  std::map<int, std::int64_t> truth;
  int local = 0;
  std::int64_t next_id = 1;
  const auto pick = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  const auto move = [&](int from, int to) {
    const auto found = truth.find(from);
    if (found == truth.end()) {
      truth.erase(to);
    } else {
      truth[to] = found->second;
    }
  };
  for (int event = 0; event < 20000; ++event) {
    const int kind = pick(10);
    if (kind < 4 && local < 300) {  // insert
      pool.release(local);
      truth.erase(local);
      if (pick(2) == 0) {
        pool.adopt(local, next_id);
        mark(pool, local);
        truth[local] = next_id++;
      }
      ++local;
    } else if (kind < 6 && local > 0) {  // delete
      const int gone = pick(local);
      pool.copy_atom(local - 1, gone, true);
      if (gone != local - 1) move(local - 1, gone);
      truth.erase(--local);
    } else if (kind < 9 && local > 1) {  // swap through the spare place
      const int a = pick(local);
      const int b = pick(local);
      if (a == b) continue;
      pool.copy_atom(a, 300, false);
      pool.copy_atom(b, a, false);
      pool.copy_atom(300, b, false);
      move(a, 300);
      move(b, a);
      move(300, b);
      truth.erase(300);
    } else {
      pool.sweep(local);
      ASSERT_EQ(pool.size(), truth.size());
      for (const auto& [atom, id] : truth)
        expect_intact(pool, atom, id);
    }
  }
  EXPECT_GT(next_id, 1000);
}

}  // namespace
}  // namespace dempilot::lammps
