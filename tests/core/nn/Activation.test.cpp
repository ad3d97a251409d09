#include "core/nn/Activation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace dempilot::nn {
namespace {

constexpr std::array all_activations{
    Activation::gelu,       Activation::gelu_erf, Activation::tanh, Activation::relu,
    Activation::leaky_relu, Activation::silu,     Activation::elu,  Activation::sigmoid,
    Activation::softplus,   Activation::identity};

long double exact(Activation activation, long double x) {
  const bool minus_infinity = std::isinf(x) && x < 0;
  switch (activation) {
    case Activation::gelu:
      if (minus_infinity) return 0;
      // sqrt(2 / pi), and tanh(u) + 1 without its cancellation
      return x / (1 + std::exp(-2 * 0.797884560802865355879892119868763737L *
                               (x + 0.044715L * x * x * x)));
    case Activation::gelu_erf:
      return minus_infinity ? 0 : x * std::erfc(-x / std::sqrt(2.0L)) / 2;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::relu:
      return std::max(x, 0.0L);
    case Activation::leaky_relu:
      return x > 0 ? x : x * 0.01L;
    case Activation::silu:
      return minus_infinity ? 0 : x / (1 + std::exp(-x));
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::softplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    case Activation::identity:
      return x;
  }
  return x;
}

/// Distance from `expected` in units of the last place of a Real of that size.
template <class Real>
double ulps(Real found, long double expected) {
  if (std::isinf(found) || std::isinf(expected)) return found == expected ? 0 : INFINITY;
  int exponent = 0;
  std::frexp(expected, &exponent);
  using Limits = std::numeric_limits<Real>;
  const int last_place = std::max(exponent, Limits::min_exponent) - Limits::digits;
  return static_cast<double>(std::abs(std::ldexp(found - expected, -last_place)));
}

/// The largest error over a sweep and where it was found.
struct Worst {
  double error = 0;
  double at = 0;
  void note(double e, double x) {
    if (!(e <= error)) {
      error = e;
      at = x;
    }
  }
};

/// Error in units of what is allowed.
template <class Real>
double excess(Activation activation, Real x, Real found, double gelu_tolerance) {
  const long double expected = exact(activation, x);
  switch (activation) {
    case Activation::relu:
      return found == expected ? 0 : INFINITY;
    case Activation::gelu:
    case Activation::gelu_erf: {
      if (std::isinf(x)) return found == expected ? 0 : INFINITY;
      const double size = std::max(1.0, std::abs(static_cast<double>(x)));
      return static_cast<double>(std::abs(found - expected)) / (gelu_tolerance * size);
    }
    default:
      return ulps(found, expected) / 4;
  }
}

template <class Real>
void expect_within_bounds(const std::vector<Real>& inputs, double gelu_tolerance) {
  for (const Activation activation : all_activations) {
    Worst worst;
    for (const Real x : inputs) {
      const Real found = activate(activation, x);
      worst.note(std::isnan(found) ? INFINITY : excess(activation, x, found, gelu_tolerance),
                 static_cast<double>(x));
    }
    EXPECT_LE(worst.error, 1) << "times what is allowed, activation "
                              << static_cast<int>(activation) << " at x = " << worst.at;
  }
}

/// The patterns around `x`, of both signs.
template <class Real, class Bits>
void add_neighbourhood(std::vector<Real>& inputs, Real x, Bits count) {
  const Bits centre = std::bit_cast<Bits>(x);
  for (Bits offset = 0; offset <= 2 * count; ++offset) {
    const Bits bits = centre < count ? offset : centre - count + offset;
    const Real value = std::bit_cast<Real>(bits);
    if (std::isnan(value)) continue;
    inputs.push_back(value);
    inputs.push_back(-value);
  }
}

TEST(Activation, FloatStaysWithinItsBoundsOverTheWholeRange) {
  std::vector<float> inputs;
  for (std::uint64_t bits = 0; bits <= UINT32_MAX; bits += 1U << 10U) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isnan(x)) inputs.push_back(x);
  }
  // Zero, the smallest normal, one, where exp meets subnormals and the end of the range, and
  // beyond.
  for (const float x : {0.0F, FLT_MIN, 1e-4F, 0.5F, 1.0F, 5.5F, 17.3F, 87.3F, 88.0F, 88.7F, 103.0F,
                        104.0F, 206.0F, 1e6F, 1e13F, 1e19F, FLT_MAX, INFINITY}) {
    add_neighbourhood<float, std::uint32_t>(inputs, x, 3000);
  }
  expect_within_bounds(inputs, 1e-7);
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
    add_neighbourhood<double, std::uint64_t>(inputs, x, 1000);
  }
  expect_within_bounds(inputs, 4e-16);
}

template <class Real>
class SpecialValues : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(SpecialValues, Reals);

TYPED_TEST(SpecialValues, NanStaysNan) {
  for (const Activation activation : all_activations) {
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
    ASSERT_LE(ulps(softplus(x), expected), 4) << x;
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
