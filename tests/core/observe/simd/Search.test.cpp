#include "core/observe/simd/Search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

/// The search of each instruction set against one candidate after the other.
namespace dempilot::observe_simd {
namespace {

constexpr int slot_count = 300;

/// Slots in a cube of length 2, named by the hundred, and room behind them.
std::vector<Slot> random_slots() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> place(-1, 1);
  std::vector<Slot> slots(slot_count + slots_behind);
  for (int i = 0; i < slot_count; ++i)
    slots[static_cast<std::size_t>(i)] = {{place(random), place(random), place(random)}, i % 100};
  for (std::size_t i = slot_count; i < slots.size(); ++i)
    slots[i] = {{0, 0, 0}, 7};  // near, and not asked for
  return slots;
}

struct Found {
  std::vector<std::int32_t> slot;
  std::vector<double> x, y, z, square;
};

Found one_by_one(const std::vector<Slot>& slots, int begin, int end, const Vicinity& vicinity) {
  Found found;
  for (int i = begin; i < end; ++i) {
    const Slot& slot = slots[static_cast<std::size_t>(i)];
    const double x = slot.position[0] - vicinity.centre[0];
    const double y = slot.position[1] - vicinity.centre[1];
    const double z = slot.position[2] - vicinity.centre[2];
    const double square = x * x + y * y + z * z;
    if (square >= vicinity.range * vicinity.range || slot.identity == vicinity.identity) continue;
    found.slot.push_back(i);
    found.x.push_back(x);
    found.y.push_back(y);
    found.z.push_back(z);
    found.square.push_back(square);
  }
  return found;
}

/// All of them, from runs of `run` slots, located when there are enough or no more.
Found search_all(const Search& search, const std::vector<Slot>& slots, int begin, int end, int run,
                 const Vicinity& vicinity) {
  Found found;
  Sightings seen;
  const auto take = [&] {
    search.locate(slots.data(), vicinity, seen);
    const auto append = [&](auto& to, const auto* from) {
      to.insert(to.end(), from, from + seen.count);
    };
    append(found.slot, seen.slot);
    append(found.x, seen.x);
    append(found.y, seen.y);
    append(found.z, seen.z);
    append(found.square, seen.square);
    seen.count = 0;
  };
  while (begin < end) {
    const int stop = std::min(begin + run, end);
    begin = search.find(slots.data(), begin, stop, vicinity, seen);
    EXPECT_TRUE(begin == stop || seen.count >= Sightings::enough);
    if (seen.count >= Sightings::enough) take();
  }
  take();
  return found;
}

class EachSearch : public testing::TestWithParam<const Search*> {};
INSTANTIATE_TEST_SUITE_P(Simd, EachSearch, testing::ValuesIn(supported_searches()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST_P(EachSearch, FindsWhatIsNearBitForBit) {
  const std::vector<Slot> slots = random_slots();
  for (const double range : {0.3, 1.0, 5.0}) {
    for (const int begin : {0, 1, 5, 250}) {
      std::vector<int> ends = {slot_count};
      for (int end = begin; end <= slot_count; end += end < begin + 20 ? 1 : 47)
        ends.push_back(end);
      for (const int end : ends) {
        const Vicinity vicinity{{0.1, -0.2, 0.3}, range, 42};
        const Found wanted = one_by_one(slots, begin, end, vicinity);
        for (const int run : {1, 3, 11, slot_count}) {
          const Found found = search_all(*GetParam(), slots, begin, end, run, vicinity);
          ASSERT_EQ(found.slot, wanted.slot) << range << " " << begin << " " << end << " " << run;
          ASSERT_EQ(found.x, wanted.x);
          ASSERT_EQ(found.y, wanted.y);
          ASSERT_EQ(found.z, wanted.z);
          ASSERT_EQ(found.square, wanted.square);
        }
      }
    }
  }
}

TEST_P(EachSearch, GivesNegativeZeroWhereTheyAgree) {
  std::vector<Slot> slots(1 + slots_behind, Slot{{1, 2, 3}, 0});
  const Found found = search_all(*GetParam(), slots, 0, 1, 1, {{1, 2, 3}, 1, 8});
  ASSERT_EQ(found.x.size(), 1U);
  EXPECT_TRUE(std::signbit(found.x[0]) && std::signbit(found.y[0]) && std::signbit(found.z[0]));
}

}  // namespace
}  // namespace dempilot::observe_simd
