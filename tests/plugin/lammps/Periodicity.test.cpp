#include "plugin/lammps/Periodicity.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace dempilot::lammps {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

Periodicity box() {
  Periodicity made;
  made.lower = {1.0, -2.0, 0.0};
  made.period = {10.0, 0.0, 3.0};
  return made;
}

void expect_images(const Images& images, double first, int count) {
  EXPECT_EQ(images.count, count);
  EXPECT_EQ(images.first, first);
}

TEST(Periodicity, NumbersTheImagesOfACoordinate) {
  expect_images(box().images_between(2.0, 0, 1.0, 11.0), 0.0, 1);
  expect_images(box().images_between(2.0, 0, 2.5, 11.0), 0.0, 0);
  expect_images(box().images_between(2.0, 0, -9.0, 11.0), -1.0, 2);
  expect_images(box().images_between(2.0, 0, -38.0, 42.0), -4.0, 9);
  expect_images(box().images_between(2.0, 2, 30.0, 33.0), 10.0, 1);
}

TEST(Periodicity, HasOneImageWhereItDoesNotRepeat) {
  expect_images(box().images_between(2.0, 1, 2.0, 2.0), 0.0, 1);
  expect_images(box().images_between(2.0, 1, 2.1, 9.0), 0.0, 0);
  expect_images(box().images_between(nowhere, 1, 2.1, 9.0), 0.0, 0);
}

TEST(Periodicity, KnowsNoImagesOfWhatIsNowhere) {
  for (const double x : {nowhere, infinity, -infinity, 1e300, -1e300})
    expect_images(box().images_between(x, 0, 0.0, 100.0), 0.0, 0);
}

TEST(Periodicity, HoldsWhatIsNoMoreThanAPeriodOutside) {
  const auto holds = [](double x, double y, double z) {
    const std::array<double, 3> point = {x, y, z};
    return box().realm().holds(point.data());
  };
  EXPECT_TRUE(holds(1.0, 1e20, 0.0));
  EXPECT_TRUE(holds(-9.0, 0.0, 6.0));
  EXPECT_FALSE(holds(-9.1, 0.0, 0.0));
  EXPECT_FALSE(holds(1.0, 0.0, 6.1));
  EXPECT_FALSE(holds(1.0, 1e200, 0.0));
  EXPECT_FALSE(holds(1.0, infinity, 0.0));
  EXPECT_FALSE(holds(nowhere, 0.0, 0.0));
}

Bounds between(const std::array<double, 3>& lower, const std::array<double, 3>& upper) {
  Bounds bounds;
  bounds.include(lower.data());
  bounds.include(upper.data());
  return bounds;
}

TEST(Periodicity, TellsWhichBoundsAreWithinReach) {
  const Bounds left = between({1, 0, 0}, {3, 1, 1});
  const Bounds right = between({8, 0, 0}, {9, 1, 1});
  EXPECT_TRUE(box().may_reach(left, right, 2.1));  // through the periodic side
  EXPECT_TRUE(box().may_reach(right, left, 2.1));
  EXPECT_FALSE(box().may_reach(left, right, 1.9));
  EXPECT_FALSE(box().may_reach(right, left, 1.9));
  const Bounds above = between({1, 4, 0}, {3, 5, 1});
  EXPECT_TRUE(box().may_reach(left, above, 3.0));
  EXPECT_FALSE(box().may_reach(left, above, 2.9));
  EXPECT_FALSE(box().may_reach(left, Bounds{}, 100.0));
  EXPECT_FALSE(box().may_reach(Bounds{}, left, 100.0));
}

TEST(Periodicity, TellsWhichPointsAreWithinReach) {
  const Bounds bounds = between({8, 0, 0}, {9, 1, 1});
  const std::array<double, 3> point = {1.5, 0.5, 0.5};
  EXPECT_TRUE(box().may_reach(point.data(), bounds, 2.6));
  EXPECT_FALSE(box().may_reach(point.data(), bounds, 2.4));
}

}  // namespace
}  // namespace dempilot::lammps
