#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/policy/Contract.hpp"

/// How far activations may be from the truth, and where to look.
namespace dempilot::test {

inline constexpr std::array every_activation{
    Activation::gelu,       Activation::gelu_erf, Activation::tanh, Activation::relu,
    Activation::leaky_relu, Activation::silu,     Activation::elu,  Activation::sigmoid,
    Activation::softplus,   Activation::identity};

inline long double exact(Activation activation, long double x) {
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
      if (std::isinf(expected)) return found == expected ? 0 : INFINITY;
      if (std::isinf(x)) return static_cast<double>(std::abs(found)) / gelu_tolerance;
      const double size = std::max(1.0, std::abs(static_cast<double>(x)));
      return static_cast<double>(std::abs(found - expected)) / (gelu_tolerance * size);
    }
    default:
      return ulps(found, expected) / 4;
  }
}

/// Checks found(activation, inputs), the activations of all inputs.
template <class Real, class Function>
void expect_within_bounds(const std::vector<Real>& inputs, double gelu_tolerance,
                          const Function& found) {
  for (const Activation activation : every_activation) {
    const std::vector<Real> results = found(activation, inputs);
    Worst worst;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      worst.note(std::isnan(results[i]) ? INFINITY
                                        : excess(activation, inputs[i], results[i], gelu_tolerance),
                 static_cast<double>(inputs[i]));
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

/// Floats from the whole range, dense where something changes.
inline std::vector<float> sweep_of_floats() {
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
  return inputs;
}

}  // namespace dempilot::test
