#include "core/nn/Activation.hpp"

#include <gtest/gtest.h>

#include "tests/core/nn/ActivationBounds.hpp"

namespace dempilot::nn {
namespace {

template <class Real>
std::vector<Real> one_by_one(Activation activation, std::vector<Real> values) {
  for (Real& value : values)
    value = activate(activation, value);
  return values;
}

TEST(Activation, FloatStaysWithinItsBoundsOverTheWholeRange) {
  test::expect_within_bounds(test::sweep_of_floats(), 1e-7, one_by_one<float>);
}

TEST(Activation, DoubleStaysWithinItsBounds) {
  std::vector<double> inputs;
  for (std::uint64_t i = 0; i < 400'000; ++i) {
    const double x = std::bit_cast<double>(i * 46'116'860'184'273ULL);
    if (!std::isnan(x)) inputs.push_back(x);
    inputs.push_back(-50 + static_cast<double>(i) * 2.5e-4);
  }
  for (const double x : {0.0, DBL_MIN, 1e-8, 1.0, 36.7, 708.4, 709.8, 745.1, 1e100, 1e155, DBL_MAX,
                         double{INFINITY}}) {
    test::add_neighbourhood<double, std::uint64_t>(inputs, x, 1000);
  }
  test::expect_within_bounds(inputs, 4e-16, one_by_one<double>);
}

template <class Real>
class SpecialValues : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(SpecialValues, Reals);

TYPED_TEST(SpecialValues, NanStaysNan) {
  for (const Activation activation : test::every_activation) {
    EXPECT_TRUE(std::isnan(activate(activation, std::numeric_limits<TypeParam>::quiet_NaN())))
        << static_cast<int>(activation);
  }
}

TYPED_TEST(SpecialValues, InfinitiesGiveTheLimits) {
  const TypeParam inf = std::numeric_limits<TypeParam>::infinity();
  for (const auto activation :
       {Activation::gelu, Activation::relu, Activation::silu, Activation::elu}) {
    EXPECT_EQ(activate(activation, inf), inf) << static_cast<int>(activation);
  }
  EXPECT_EQ(activate(Activation::gelu, -inf), 0);
  EXPECT_EQ(activate(Activation::gelu_erf, inf), inf);
  EXPECT_EQ(activate(Activation::gelu_erf, -inf), 0);
  EXPECT_EQ(activate(Activation::softplus, -inf), 0);
  EXPECT_EQ(activate(Activation::leaky_relu, -inf), -inf);
  EXPECT_EQ(activate(Activation::relu, -inf), 0);
  EXPECT_EQ(activate(Activation::silu, -inf), 0);
  EXPECT_EQ(activate(Activation::elu, -inf), -1);
  EXPECT_EQ(activate(Activation::tanh, inf), 1);
  EXPECT_EQ(activate(Activation::tanh, -inf), -1);
  EXPECT_EQ(activate(Activation::sigmoid, inf), 1);
  EXPECT_EQ(activate(Activation::sigmoid, -inf), 0);
}

TYPED_TEST(SpecialValues, SoftplusIsPositiveAndNeverOverflows) {
  using Real = TypeParam;
  const Real inf = std::numeric_limits<Real>::infinity();
  EXPECT_EQ(softplus(inf), inf);
  EXPECT_EQ(softplus(-inf), 0);
  EXPECT_TRUE(std::isnan(softplus(std::numeric_limits<Real>::quiet_NaN())));
  for (Real x = -80; x < 200; x += Real(0.0137)) {
    const long double size = std::max(static_cast<long double>(x), 0.0L);
    const long double expected =
        size + std::log1p(std::exp(-std::abs(static_cast<long double>(x))));
    ASSERT_LE(test::ulps(softplus(x), expected), 4) << x;
  }
}

TYPED_TEST(SpecialValues, KnownPoints) {
  const double tolerance = 4 * std::numeric_limits<TypeParam>::epsilon();
  EXPECT_EQ(activate(Activation::sigmoid, TypeParam(0)), TypeParam(0.5));
  EXPECT_EQ(activate(Activation::gelu, TypeParam(0)), 0);
  // jax.nn.gelu(1) and jax.nn.gelu(-1), tanh form
  EXPECT_NEAR(activate(Activation::gelu, TypeParam(1)), 0.84119199060827676, tolerance);
  EXPECT_NEAR(activate(Activation::gelu, TypeParam(-1)), -0.15880800939172324, tolerance);
  // torch.nn.functional.gelu(1), exact form
  EXPECT_NEAR(activate(Activation::gelu_erf, TypeParam(1)), 0.84134474606854293, tolerance);
  EXPECT_NEAR(activate(Activation::silu, TypeParam(2)), 1.7615941559557649, 2 * tolerance);
  EXPECT_NEAR(activate(Activation::elu, TypeParam(-1)), -0.63212055882855768, tolerance);
}

}  // namespace
}  // namespace dempilot::nn
