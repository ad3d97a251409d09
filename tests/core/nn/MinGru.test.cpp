#include "core/nn/MinGru.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/core/Models.hpp"
#include "tests/core/nn/Teams.hpp"

namespace dempilot::nn {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// JaxDEM's MinGRU with its highway, for one unit: replaces h and x.
void formula(double hidden, double gate, double proj, double& h, double& x) {
  const double w = logistic(gate);
  const double g = hidden >= 0 ? hidden + 0.5 : logistic(hidden);
  h = (1 - w) * h + w * g;
  x = logistic(proj) * h + (1 - logistic(proj)) * x;
}

template <class Real>
class MinGruTest : public testing::Test {
 protected:
  static constexpr double tolerance_ = 16 * std::numeric_limits<Real>::epsilon();
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(MinGruTest, Reals);

TYPED_TEST(MinGruTest, UpdateIsTheFormula) {
  using Real = TypeParam;
  const auto z = test::random_values<Real>(3 * 200, 5, 4);
  const auto start = test::random_values<Real>(2 * 200, 6, 2);
  for (std::size_t n = 0; n < 200; ++n) {
    Real h = start[2 * n];
    Real x = start[2 * n + 1];
    double expected_h = h;
    double expected_x = x;
    update_min_gru(z[3 * n], z[3 * n + 1], z[3 * n + 2], h, x);
    formula(z[3 * n], z[3 * n + 1], z[3 * n + 2], expected_h, expected_x);
    EXPECT_NEAR(h, expected_h, this->tolerance_);
    EXPECT_NEAR(x, expected_x, this->tolerance_);
  }
}

TYPED_TEST(MinGruTest, CandidateIsContinuousAtZero) {
  using Real = TypeParam;
  for (const Real hidden : {Real(0), -Real(0), Real(-1e-7)}) {
    Real h = 0;
    Real x = 0;
    update_min_gru(hidden, Real(100), Real(100), h, x);
    EXPECT_NEAR(h, 0.5, 1e-6);
    EXPECT_NEAR(x, 0.5, 1e-6);
  }
}

TYPED_TEST(MinGruTest, HugePreActivationsSaturate) {
  using Real = TypeParam;
  const Real huge = std::numeric_limits<Real>::max();
  Real h = 0.25;
  Real x = 0.75;
  update_min_gru(-huge, -huge, huge, h, x);
  EXPECT_EQ(h, Real(0.25)) << "a closed gate keeps";
  EXPECT_EQ(x, Real(0.25)) << "an open highway passes h";
  x = 0.75;
  update_min_gru(-huge, huge, -huge, h, x);
  EXPECT_EQ(h, 0) << "an open gate takes the candidate";
  EXPECT_EQ(x, Real(0.75)) << "a closed highway keeps x";
}

TYPED_TEST(MinGruTest, StackOfTwoLayersIsTheFormula) {
  using Real = TypeParam;
  const std::size_t rows = 8, width = 5, layers = 2;
  const auto x = test::random_values<Real>(rows * width, 1);
  const auto h = test::random_values<Real>(rows * layers * width, 2);
  std::vector<std::vector<Real>> kernels;
  test::AfterStep<Real> after{x, h};
  for (std::size_t index = 0; index < layers; ++index) {
    kernels.push_back(test::random_values<Real>(width * 3 * width, 10 + index));
    RecurrentLayer<Real, Space> layer;
    layer.gates = test::make_linear<Real, Space>(kernels.back(),
                                                 std::vector<Real>(3 * width, Real(0)), width);
    layer.width = static_cast<int>(width);
    layer.first_carry = static_cast<int>(index * width);
    after = test::step_of<MinGruCell>(layer, after.x, width, after.carry, rows);
  }
  const auto& new_x = after.x;
  const auto& new_h = after.carry;

  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> features(&x[row * width], &x[row * width] + width);
    for (std::size_t layer = 0; layer < layers; ++layer) {
      std::vector<double> z(3 * width, 0.0);
      for (std::size_t k = 0; k < width; ++k) {
        for (std::size_t o = 0; o < 3 * width; ++o)
          z[o] += features[k] * kernels[layer][k * 3 * width + o];
      }
      for (std::size_t unit = 0; unit < width; ++unit) {
        const std::size_t at = (row * layers + layer) * width + unit;
        double memory = h[at];
        formula(z[unit], z[width + unit], z[2 * width + unit], memory, features[unit]);
        EXPECT_NEAR(new_h[at], memory, this->tolerance_);
      }
    }
    for (std::size_t unit = 0; unit < width; ++unit)
      EXPECT_NEAR(new_x[row * width + unit], features[unit], this->tolerance_);
  }
}

}  // namespace
}  // namespace dempilot::nn
