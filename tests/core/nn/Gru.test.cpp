#include "core/nn/Gru.hpp"

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

/// torch.nn.GRUCell for one unit.
double formula(double reset, double update, double new_from_x, double new_from_h, double h) {
  const double candidate = std::tanh(new_from_x + logistic(reset) * new_from_h);
  return (1 - logistic(update)) * candidate + logistic(update) * h;
}

template <class Real>
class GruTest : public testing::Test {
 protected:
  static constexpr double tolerance_ = 16 * std::numeric_limits<Real>::epsilon();
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(GruTest, Reals);

TYPED_TEST(GruTest, UpdateIsTheFormula) {
  using Real = TypeParam;
  const auto z = test::random_values<Real>(4 * 200, 5, 4);
  const auto start = test::random_values<Real>(200, 6, 2);
  for (std::size_t n = 0; n < 200; ++n) {
    Real h = start[n];
    update_gru(z[4 * n], z[4 * n + 1], z[4 * n + 2], z[4 * n + 3], h);
    EXPECT_NEAR(h, formula(z[4 * n], z[4 * n + 1], z[4 * n + 2], z[4 * n + 3], start[n]),
                this->tolerance_);
  }
}

TYPED_TEST(GruTest, HugePreActivationsSaturate) {
  using Real = TypeParam;
  const Real huge = std::numeric_limits<Real>::max();
  Real h = 0.25;
  update_gru(huge, huge, huge, Real(0), h);
  EXPECT_EQ(h, Real(0.25)) << "a full update gate keeps";
  update_gru(-huge, -huge, Real(0), huge, h);
  EXPECT_EQ(h, 0) << "a closed reset gate hides h from the candidate";
  update_gru(huge, -huge, Real(0), -huge, h);
  EXPECT_EQ(h, -1);
}

TYPED_TEST(GruTest, StepOfATileIsTheFormula) {
  using Real = TypeParam;
  const std::size_t rows = 8, features = 6, width = 5;
  const std::size_t in = features + width, out = 4 * width;
  const auto x = test::random_values<Real>(rows * features, 1);
  const auto h = test::random_values<Real>(rows * width, 2);
  const auto kernel = test::random_values<Real>(in * out, 3);
  const auto bias = test::random_values<Real>(out, 4);
  RecurrentLayer<Real, Space> layer;
  layer.gates = test::make_linear<Real, Space>(kernel, bias, in);
  layer.width = static_cast<int>(width);
  const auto after = test::step_of<GruCell>(layer, x, features, h, rows);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t unit = 0; unit < width; ++unit) {
      const auto z = [&](std::size_t column) {
        const std::size_t o = column * width + unit;
        double sum = bias[o];
        for (std::size_t k = 0; k < features; ++k)
          sum += double{x[row * features + k]} * kernel[k * out + o];
        for (std::size_t k = 0; k < width; ++k)
          sum += double{h[row * width + k]} * kernel[(features + k) * out + o];
        return sum;
      };
      const double expected = formula(z(0), z(1), z(2), z(3), h[row * width + unit]);
      EXPECT_NEAR(after.carry[row * width + unit], expected, this->tolerance_);
      EXPECT_EQ(after.x[row * width + unit], after.carry[row * width + unit]);
    }
  }
}

}  // namespace
}  // namespace dempilot::nn
