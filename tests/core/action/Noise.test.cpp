#include "core/action/Noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace dempilot {
namespace {

/// The published number that two words of Philox stand for: 52 bits, centred.
double unit(std::uint64_t high, std::uint64_t low) {
  return std::ldexp(static_cast<double>((high << 20U) | (low >> 12U)) + 0.5, -52);
}

/// Known answers of Philox4x32-10, from Random123's kat_vectors.
TEST(Noise, IsPhilox) {
  const Noise zeros(0, 0, 0);
  EXPECT_EQ(zeros.uniform(0), unit(0x6627e8d5, 0xe169c58d));
  const Noise ones(UINT64_MAX, -1, 0xffffffff);
  EXPECT_EQ(ones.uniform(0xffffffff), unit(0x408f276d, 0x41c83b0e));
  const Noise pi(0x299f31d0a4093822ULL, static_cast<std::int64_t>(0x85a308d3243f6a88ULL),
                 0x13198a2e);
  EXPECT_EQ(pi.uniform(0x03707344), unit(0xd16cfe09, 0x94fdcceb));
}

TEST(Noise, NormalsAreBoxMullerOfPhilox) {
  double first = 0;
  double second = 0;
  Noise(0, 0, 0).normal_pair(0, first, second);
  const double radius = std::sqrt(-2 * std::log(unit(0x6627e8d5, 0xe169c58d)));
  const double angle = 2 * 3.14159265358979323846 * unit(0xbc57ac4c, 0x9b00dbd8);
  EXPECT_NEAR(first, radius * std::cos(angle), 1e-15);
  EXPECT_NEAR(second, radius * std::sin(angle), 1e-15);
}

/// Normals over ids, decisions and pairs: the way a simulation uses them.
std::vector<double> normals() {
  std::vector<double> values;
  for (std::int64_t id = 0; id < 200; ++id) {
    for (std::int64_t decision = 0; decision < 250; ++decision) {
      const Noise noise(123, id, decision);
      for (std::uint32_t pair = 0; pair < 2; ++pair) {
        double z[2];
        noise.normal_pair(pair, z[0], z[1]);
        values.insert(values.end(), z, z + 2);
      }
    }
  }
  return values;
}

TEST(Noise, HasTheMomentsOfANormal) {
  const std::vector<double> values = normals();
  const auto n = static_cast<double>(values.size());
  double moment[5] = {};
  for (const double z : values) {
    for (int k = 1; k <= 4; ++k)
      moment[k] += std::pow(z, k) / n;
  }
  EXPECT_NEAR(moment[1], 0, 5 / std::sqrt(n));
  EXPECT_NEAR(moment[2], 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(moment[3], 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(moment[4], 3, 5 * std::sqrt(96 / n));
}

/// Kolmogorov and Smirnov's distance times sqrt(n) exceeds 1.95 once in a thousand samples.
TEST(Noise, IsDistributedAsANormal) {
  std::vector<double> values = normals();
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double cumulative = std::erfc(-values[i] / std::sqrt(2.0)) / 2;
    distance = std::max({distance, std::abs(cumulative - static_cast<double>(i) / n),
                         std::abs(cumulative - static_cast<double>(i + 1) / n)});
  }
  EXPECT_LT(distance * std::sqrt(n), 1.95);
}

TEST(Noise, UniformsFillTheirInterval) {
  std::vector<int> bins(64, 0);
  const Noise noise(5, 17, 3);
  const std::uint32_t count = 64'000;
  for (std::uint32_t i = 0; i < count; ++i) {
    const double u = noise.uniform(i);
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    ++bins[static_cast<std::size_t>(u * 64)];
  }
  double chi_square = 0;
  for (const int found : bins)
    chi_square += std::pow(found - 1000.0, 2) / 1000.0;
  EXPECT_LT(chi_square, 63 + 5 * std::sqrt(2 * 63.0));
}

/// Products of neighbours in each of the four coordinates of the stream.
TEST(Noise, NeighbouringStreamsAreIndependent) {
  const int n = 40'000;
  const auto z = [](std::uint64_t seed, std::int64_t id, std::int64_t decision) {
    double pair[2];
    Noise(seed, id, decision).normal_pair(0, pair[0], pair[1]);
    return pair[0];
  };
  double by_seed = 0, by_id = 0, by_decision = 0, by_both = 0;
  for (int i = 0; i < n; ++i) {
    const double here = z(9, i, i / 7);
    by_seed += here * z(10, i, i / 7);
    by_id += here * z(9, i + 1, i / 7);
    by_decision += here * z(9, i, i / 7 + 1);
    by_both += here * z(9, i + 1, i / 7 + 1);
  }
  for (const double sum : {by_seed, by_id, by_decision, by_both})
    EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
}

TEST(Noise, NoTwoStreamsCollide) {
  std::set<double> seen;
  std::size_t count = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 2ULL, 1ULL << 32U, (1ULL << 32U) + 1, ~0ULL}) {
    for (const std::int64_t base : {std::int64_t{0}, std::int64_t{1} << 31U, std::int64_t{1} << 32U,
                                    std::int64_t{1} << 33U, std::int64_t{1} << 62U}) {
      for (std::int64_t id = base; id < base + 20; ++id) {
        for (const std::int64_t first : {std::int64_t{0}, std::int64_t{1} << 32U}) {
          for (std::int64_t decision = first; decision < first + 10; ++decision) {
            for (std::uint32_t index = 0; index < 8; ++index) {
              seen.insert(Noise(seed, id, decision).uniform(index));
              ++count;
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(Noise, IdsAboveTheThirtySecondBitDiffer) {
  for (std::int64_t id = 0; id < 100; ++id) {
    EXPECT_NE(Noise(1, id, 0).uniform(0), Noise(1, id + (std::int64_t{1} << 32U), 0).uniform(0));
    EXPECT_NE(Noise(1, id, 0).uniform(0), Noise(1, id, std::int64_t{1} << 32U).uniform(0));
  }
}

}  // namespace
}  // namespace dempilot
