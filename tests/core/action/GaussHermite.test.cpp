#include "core/action/GaussHermite.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace dempilot {
namespace {

/// E[Z^k] of a standard normal: (k - 1)!! for even k.
double moment(int k) {
  if (k % 2 == 1) return 0;
  double product = 1;
  for (int i = k - 1; i > 1; i -= 2)
    product *= i;
  return product;
}

TEST(GaussHermite, IsExactForPolynomials) {
  for (const int points : {1, 2, 5, 16}) {
    const GaussHermite rule(points);
    ASSERT_EQ(rule.nodes.size(), static_cast<std::size_t>(points));
    for (int k = 0; k < 2 * points; ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < rule.nodes.size(); ++i)
        sum += rule.weights[i] * std::pow(rule.nodes[i], k);
      // Odd moments cancel between terms as large as the even moment above them.
      EXPECT_NEAR(sum, moment(k), 1e-11 * std::max(moment(k), moment(k + 1)))
          << points << " points, degree " << k;
    }
  }
}

TEST(GaussHermite, HasThePublishedThreePoints) {
  const GaussHermite rule(3);
  EXPECT_NEAR(rule.nodes[0], -std::sqrt(3.0), 1e-14);
  EXPECT_NEAR(rule.nodes[1], 0, 1e-14);
  EXPECT_NEAR(rule.nodes[2], std::sqrt(3.0), 1e-14);
  EXPECT_NEAR(rule.weights[0], 1.0 / 6, 1e-14);
  EXPECT_NEAR(rule.weights[1], 2.0 / 3, 1e-14);
}

}  // namespace
}  // namespace dempilot
