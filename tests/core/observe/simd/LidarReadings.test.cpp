#include "core/observe/simd/LidarReadings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "tests/core/observe/World.hpp"

/// The readings of each instruction set against those of one sighting after the other.
namespace dempilot::observe_simd {
namespace {

constexpr double range = 1.7;

/// Some at random, and some where bins meet or angles are not known.
Sightings sightings(int count, std::mt19937& random) {
  std::uniform_real_distribution<double> place(-1, 1);
  std::uniform_int_distribution<int> kind(0, 7);
  Sightings seen;
  seen.count = count;
  for (int n = 0; n < Sightings::most; ++n) {
    const int of = kind(random);
    seen.x[n] = of == 0 ? 0.0 : of == 1 ? -0.0 : of == 2 ? 1e-200 : place(random);
    seen.y[n] = of == 3 ? 0.0 : of == 4 ? seen.x[n] : of <= 2 ? 0.0 : place(random);
    seen.z[n] = of == 5 ? 0.0 : place(random);
    seen.square[n] = seen.x[n] * seen.x[n] + seen.y[n] * seen.y[n] + seen.z[n] * seen.z[n];
    if (n >= count) seen.square[n] = seen.x[n] = -1;  // nobody may use them
  }
  return seen;
}

class EachLidarReadings : public testing::TestWithParam<const LidarReadings*> {};
INSTANTIATE_TEST_SUITE_P(Simd, EachLidarReadings, testing::ValuesIn(supported_lidar_readings()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST_P(EachLidarReadings, AreThoseOfEachSighting) {
  std::mt19937 random(11);
  int known = 0;
  int all = 0;
  for (const LidarBins bins : {LidarBins{1, 0}, {12, 0}, {97, 0}, {8, 4}, {1, 1}, {360, 180}}) {
    for (int count = 0; count <= Sightings::most; ++count) {
      const Sightings seen = sightings(count, random);
      double proximity[Sightings::most];
      std::int32_t bin[Sightings::most];
      GetParam()->find(bins, range, seen, proximity, bin);
      for (int n = 0; n < count; ++n) {
        ASSERT_EQ(proximity[n], (range - std::sqrt(seen.square[n])) / range);
        ++all;
        if (bin[n] < 0) continue;
        ++known;
        ASSERT_EQ(bin[n], static_cast<int>(test::reference_bin({seen.x[n], seen.y[n], seen.z[n]},
                                                               bins.n_azimuth, bins.n_elevation)))
            << bins.n_azimuth << " x " << bins.n_elevation << ", direction " << seen.x[n] << ' '
            << seen.y[n] << ' ' << seen.z[n];
      }
    }
  }
  EXPECT_GT(known, all / 3);
}

TEST_P(EachLidarReadings, KnowTheBinsOfMost) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  int unknown = 0;
  for (int times = 0; times < 100; ++times) {
    Sightings seen;
    seen.count = Sightings::enough;
    for (int n = 0; n < seen.count; ++n) {
      seen.x[n] = 0.1 * normal(random);
      seen.y[n] = 0.1 * normal(random);
      seen.z[n] = 0.1 * normal(random);
      seen.square[n] = 1;
    }
    double proximity[Sightings::most];
    std::int32_t bin[Sightings::most];
    GetParam()->find({8, 4}, range, seen, proximity, bin);
    unknown += static_cast<int>(std::count(bin, bin + seen.count, -1));
  }
  EXPECT_LT(unknown, 10);  // of 6,400
}

}  // namespace
}  // namespace dempilot::observe_simd
