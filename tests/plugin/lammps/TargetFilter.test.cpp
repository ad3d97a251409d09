#include "plugin/lammps/TargetFilter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace dempilot::lammps {
namespace {

struct Cloud {
  Cloud(std::size_t count, double side, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> place(-side / 2, side / 2);
    for (std::size_t n = 0; n < 3 * count; ++n)
      position.push_back(place(random));
  }
  const double* at(std::size_t n) const { return position.data() + 3 * n; }
  std::size_t size() const { return position.size() / 3; }

  std::vector<double> position;
};

double distance(const double* a, const double* b) {
  const double d[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  return std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
}

bool is_inside(const Bounds& bounds, const double* point) {
  for (std::size_t d = 0; d < 3; ++d) {
    if (!(point[d] >= bounds.lower[d] && point[d] <= bounds.upper[d])) return false;
  }
  return true;
}

/// Number of points of the cloud that pass; the first `agents` are agents. None that is near fails.
std::size_t count_passing(const Cloud& cloud, std::size_t agents, double range) {
  TargetFilter filter;
  filter.build({cloud.position.data(), 3 * agents}, range);
  std::size_t passing = 0;
  for (std::size_t n = 0; n < cloud.size(); ++n) {
    bool near = false;
    for (std::size_t a = 0; a < agents; ++a) {
      near = near || distance(cloud.at(a), cloud.at(n)) <= range;
    }
    const bool passes = filter.may_be_near(cloud.at(n));
    EXPECT_TRUE(passes || !near) << "point " << n;
    EXPECT_TRUE(!passes || is_inside(filter.bounds(), cloud.at(n))) << "point " << n;
    passing += passes ? 1 : 0;
  }
  return passing;
}

TEST(TargetFilter, KeepsEveryNeighbor) {
  for (unsigned seed = 1; seed < 20; ++seed) {
    count_passing(Cloud(3000, 20.0, seed), 10, 0.3 * seed);
  }
}

TEST(TargetFilter, DropsMostOfTheRest) {
  EXPECT_LT(count_passing(Cloud(20000, 50.0, 1), 20, 1.0), 200U);
}

TEST(TargetFilter, KeepsNeighborsOnCellEdges) {
  // A lattice whose spacing is the range: all distances are exact.
  Cloud cloud(0, 1.0, 1);
  for (int x = 0; x < 12; ++x) {
    for (int y = 0; y < 12; ++y) {
      for (int z = 0; z < 12; ++z) {
        cloud.position.insert(cloud.position.end(), {0.7 * x, 0.7 * y, 0.7 * z});
      }
    }
  }
  count_passing(cloud, 30, 0.7);
}

TEST(TargetFilter, MarksManyPointsAsOneByOne) {
  using Mark = TargetFilter::Mark;
  const Cloud cloud(3000, 20.0, 1);
  TargetFilter filter;
  filter.build({cloud.position.data(), 3 * 40}, 1.5);
  Bounds region;
  region.lower = {-8.0, -9.0, -20.0};
  region.upper = {9.0, 8.0, 20.0};
  std::vector<Mark> marks(cloud.size());
  filter.find_marks(cloud.position.data(), cloud.size(), region, marks.data());
  std::size_t near = 0;
  std::size_t far = 0;
  std::size_t elsewhere = 0;
  for (std::size_t n = 0; n < cloud.size(); ++n) {
    const bool asked = is_inside(region, cloud.at(n));
    ASSERT_EQ(marks[n] == Mark::elsewhere, !asked) << n;
    ASSERT_EQ(marks[n] != Mark::far, !asked || filter.may_be_near(cloud.at(n))) << n;
    elsewhere += asked ? 0 : 1;
    (filter.may_be_near(cloud.at(n)) ? near : far) += asked ? 1 : 0;
  }
  EXPECT_GT(std::min({near, far, elsewhere}), 300U);
}

TEST(TargetFilter, MarksNothingWithoutAgents) {
  using Mark = TargetFilter::Mark;
  const Cloud cloud(100, 1.0, 1);
  TargetFilter filter;
  filter.build({}, 1.0);
  Bounds region;
  region.lower = {-1, -1, -1};
  region.upper = {1, 1, 1};
  std::vector<Mark> marks(cloud.size(), Mark::near);
  filter.find_marks(cloud.position.data(), cloud.size(), region, marks.data());
  EXPECT_EQ(marks, std::vector<Mark>(cloud.size(), Mark::far));
}

TEST(TargetFilter, StaysSmallInAHugeBox) {
  const Cloud cloud(100, 1e9, 1);
  EXPECT_GE(count_passing(cloud, 10, 1.0), 10U);
}

TEST(TargetFilter, PassesNothingWithoutAgents) {
  EXPECT_EQ(count_passing(Cloud(10, 1.0, 1), 0, 5.0), 0U);
}

TEST(TargetFilter, BearsWhatIsNotFinite) {
  Cloud cloud(4, 1.0, 1);
  cloud.position[0] = std::numeric_limits<double>::quiet_NaN();
  cloud.position[4] = std::numeric_limits<double>::infinity();
  count_passing(cloud, 3, 0.5);
  const double lost[3] = {0.0, std::numeric_limits<double>::quiet_NaN(), 0.0};
  TargetFilter filter;
  filter.build({cloud.at(2), 3}, 0.5);
  EXPECT_FALSE(filter.may_be_near(lost));
}

}  // namespace
}  // namespace dempilot::lammps
