#include "core/nn/Lstm.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
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

template <class Real>
class Lstm : public testing::Test {
 protected:
  static constexpr std::size_t rows_ = 8;
  static constexpr std::size_t features_ = 6;
  static constexpr std::size_t width_ = 5;
  static constexpr double tolerance_ = 8 * std::numeric_limits<Real>::epsilon();

  std::vector<Real> x_ = test::random_values<Real>(rows_ * features_, 11);
  std::vector<Real> h_ = test::random_values<Real>(rows_ * width_, 12);
  std::vector<Real> c_ = test::random_values<Real>(rows_ * width_, 13);

  /// Replaces h_ and c_; what the layer gives must be h.
  void step(const std::vector<Real>& kernel, const std::vector<Real>& bias) {
    RecurrentLayer<Real, Space> layer;
    layer.gates = test::make_linear<Real, Space>(kernel, bias, features_ + width_);
    layer.width = static_cast<int>(width_);
    layer.first_carry = 3;
    std::vector<Real> carry;
    for (std::size_t row = 0; row < rows_; ++row) {
      carry.insert(carry.end(), 3, Real(7));  // what belongs to another layer
      carry.insert(carry.end(), &h_[row * width_], &h_[row * width_] + width_);
      carry.insert(carry.end(), &c_[row * width_], &c_[row * width_] + width_);
    }
    const auto after = test::step_of<LstmCell>(layer, x_, features_, carry, rows_);
    const std::size_t stride = carry.size() / rows_;
    for (std::size_t row = 0; row < rows_; ++row) {
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(after.carry[row * stride + i], Real(7)) << "another layer's carry changed";
      for (std::size_t i = 0; i < width_; ++i) {
        h_[row * width_ + i] = after.carry[row * stride + 3 + i];
        c_[row * width_ + i] = after.carry[row * stride + 3 + width_ + i];
        EXPECT_EQ(after.x[row * width_ + i], h_[row * width_ + i]);
      }
    }
  }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Lstm, Reals);

TYPED_TEST(Lstm, UpdateIsTheFormula) {
  using Real = TypeParam;
  const auto z = test::random_values<Real>(4 * 200, 5, 4);
  const auto start = test::random_values<Real>(2 * 200, 6, 2);
  for (std::size_t n = 0; n < 200; ++n) {
    Real h = start[2 * n];
    Real c = start[2 * n + 1];
    update_lstm(z[4 * n], z[4 * n + 1], z[4 * n + 2], z[4 * n + 3], h, c);
    const double expected_c = logistic(z[4 * n + 1]) * start[2 * n + 1] +
                              logistic(z[4 * n]) * std::tanh(double{z[4 * n + 2]});
    EXPECT_NEAR(c, expected_c, this->tolerance_);
    EXPECT_NEAR(h, logistic(z[4 * n + 3]) * std::tanh(expected_c), this->tolerance_);
  }
}

TYPED_TEST(Lstm, GatesLieInTheOrderInputForgetCellOutput) {
  using Real = TypeParam;
  const std::size_t n = this->width_;
  const std::vector<Real> no_kernel((this->features_ + n) * 4 * n, Real(0));
  const auto c_before = this->c_;
  const double gate_bias[4] = {-0.5, 1.25, 0.75, 0.25};  // i, f, g, o
  std::vector<Real> bias;
  for (const double b : gate_bias)
    bias.insert(bias.end(), n, static_cast<Real>(b));
  this->step(no_kernel, bias);
  for (std::size_t i = 0; i < c_before.size(); ++i) {
    const double c = logistic(1.25) * c_before[i] + logistic(-0.5) * std::tanh(0.75);
    EXPECT_NEAR(this->c_[i], c, this->tolerance_);
    EXPECT_NEAR(this->h_[i], logistic(0.25) * std::tanh(c), this->tolerance_);
  }
}

TYPED_TEST(Lstm, StepOfATileIsTheFormula) {
  using Real = TypeParam;
  using Eigen::ArrayXd;
  using Eigen::MatrixXd;
  using Eigen::VectorXd;
  const auto n = static_cast<Eigen::Index>(this->width_);
  const auto in = static_cast<Eigen::Index>(this->features_ + this->width_);
  const auto kernel = test::random_values<Real>(static_cast<std::size_t>(in * 4 * n), 21);
  const auto bias = test::random_values<Real>(static_cast<std::size_t>(4 * n), 22);
  const auto x = this->x_;
  const auto h = this->h_;
  const auto c = this->c_;
  this->step(kernel, bias);

  MatrixXd k(in, 4 * n);
  for (Eigen::Index i = 0; i < in; ++i) {
    for (Eigen::Index j = 0; j < 4 * n; ++j)
      k(i, j) = kernel[static_cast<std::size_t>(i * 4 * n + j)];
  }
  for (std::size_t row = 0; row < this->rows_; ++row) {
    VectorXd joint(in);
    for (std::size_t i = 0; i < this->features_; ++i)
      joint(static_cast<Eigen::Index>(i)) = x[row * this->features_ + i];
    for (std::size_t i = 0; i < this->width_; ++i)
      joint(static_cast<Eigen::Index>(this->features_ + i)) = h[row * this->width_ + i];
    const VectorXd z = k.transpose() * joint;
    for (Eigen::Index unit = 0; unit < n; ++unit) {
      const auto gate = [&](Eigen::Index g) {
        return z(g * n + unit) + bias[static_cast<std::size_t>(g * n + unit)];
      };
      const std::size_t at = row * this->width_ + static_cast<std::size_t>(unit);
      const double expected = logistic(gate(1)) * c[at] + logistic(gate(0)) * std::tanh(gate(2));
      EXPECT_NEAR(this->c_[at], expected, 4 * this->tolerance_);
      EXPECT_NEAR(this->h_[at], logistic(gate(3)) * std::tanh(expected), 4 * this->tolerance_);
    }
  }
}

TYPED_TEST(Lstm, HugeGatesSaturateInsteadOfGivingNan) {
  using Real = TypeParam;
  const Real huge = std::numeric_limits<Real>::max();
  Real h = 0.5;
  Real c = 0.25;
  update_lstm(huge, -huge, huge, huge, h, c);
  EXPECT_EQ(c, 1);
  EXPECT_NEAR(h, std::tanh(1.0), this->tolerance_);
  update_lstm(-huge, huge, -huge, -huge, h, c);
  EXPECT_EQ(c, 1);
  EXPECT_EQ(h, 0);
}

}  // namespace
}  // namespace dempilot::nn
