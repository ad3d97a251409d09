// Elementary functions and activations on vectors of floats. Compiled once for each instruction
// set, so there is no #pragma once.
#if defined(DEMPILOT_NN_SIMD_MATH_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_MATH_INL_HPP
#undef DEMPILOT_NN_SIMD_MATH_INL_HPP
#else
#define DEMPILOT_NN_SIMD_MATH_INL_HPP
#endif

#include <hwy/highway.h>

#include "core/policy/Contract.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;

HWY_INLINE Floats all(float x) { return hn::Set(FloatTag(), x); }

/// Horner's scheme: c[0] + x (c[1] + x (...)).
template <int count>
HWY_INLINE Floats polynomial(Floats x, const float (&c)[count]) {
  Floats sum = all(c[count - 1]);
  HWY_UNROLL(16)
  for (int i = count - 2; i >= 0; --i)
    sum = hn::MulAdd(sum, x, all(c[i]));
  return sum;
}

/// min(high, max(low, x)); NaN stays NaN, since the second operand is what x86 returns then.
HWY_INLINE Floats clamp(Floats x, float low, float high) {
  return hn::Min(all(high), hn::Max(all(low), x));
}

// exp(x) = 2^n exp(r) with n the integer nearest to x / ln 2. Adding this number rounds to an
// integer, leaves it in the low bits, and adds the bias of a float's exponent to it.
constexpr float round_to_exponent = 12582912.0F + 127.0F;  // 1.5 * 2^23 + bias
constexpr float log2_e = 1.44269504088896341F;
constexpr float ln_2 = 0.693147180559945309F;

/// 2^n, of the sum x / ln 2 + round_to_exponent. -126 <= n <= 127
HWY_INLINE Floats power_of_two(Floats rounded) {
  return hn::BitCast(FloatTag(), hn::ShiftLeft<23>(hn::BitCast(IntTag(), rounded)));
}

/// exp(r) for |r| <= ln(2) / 2: minimax, relative error 9.2e-8.
constexpr float exp_coefficients[] = {1.0F,           0.9999997019767761F,  0.4999914765357971F,
                                      0.1666763871908188F, 0.04189816117286682F,
                                      0.008290272206068039F};

/// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2: minimax, relative error of exp(r) - 1 1.4e-8.
constexpr float expm1_coefficients[] = {0.4999999701976776F, 0.1666654348373413F,
                                        0.04166720062494278F, 0.008366547524929047F,
                                        0.0013882516650483012F};

/// exp(-x), with x taken as at most 87 from 0, where exp is neither subnormal nor infinite. Within
/// 4 ulp; within 2 for |x| < 40.
HWY_INLINE Floats exp_of_minus(Floats x) {
  x = clamp(x, -87.0F, 87.0F);
  const Floats rounded = hn::NegMulAdd(x, all(log2_e), all(round_to_exponent));
  const Floats n = hn::Sub(rounded, all(round_to_exponent));
  // r = -x - n ln 2, by its negative
  const Floats minus_r = hn::MulAdd(n, all(ln_2), x);
  constexpr float c[] = {exp_coefficients[0],  -exp_coefficients[1], exp_coefficients[2],
                         -exp_coefficients[3], exp_coefficients[4],  -exp_coefficients[5]};
  return hn::Mul(polynomial(minus_r, c), power_of_two(rounded));
}

/// exp(2 x) - 1, with x taken as at most 9.1 from 0, where tanh is 1 to a float.
HWY_INLINE Floats expm1_of_double(Floats x) {
  x = clamp(x, -9.1F, 9.1F);
  const Floats rounded = hn::MulAdd(x, all(2 * log2_e), all(round_to_exponent));
  const Floats n = hn::Sub(rounded, all(round_to_exponent));
  const Floats half_r = hn::NegMulAdd(n, all(ln_2 / 2), x);
  // r + r^2 q(r), written in r / 2
  constexpr float c[] = {4 * expm1_coefficients[0], 8 * expm1_coefficients[1],
                         16 * expm1_coefficients[2], 32 * expm1_coefficients[3],
                         64 * expm1_coefficients[4]};
  const Floats part = hn::MulAdd(hn::Mul(half_r, half_r), polynomial(half_r, c),
                                 hn::Add(half_r, half_r));
  const Floats scale = power_of_two(rounded);
  // exp(2x) - 1 = scale (exp(r) - 1) + (scale - 1), whose last part is exact for small x
  return hn::MulAdd(scale, part, hn::Sub(scale, all(1)));
}

HWY_INLINE Floats tanh(Floats x) {
  const Floats q = expm1_of_double(x);
  return hn::Div(q, hn::Add(q, all(2)));
}

/// exp(x) in two factors, so that subnormal results are rounded but once: `first` is normal and
/// `second` a power of two. x <= 0.
struct TwoFactors {
  Floats first, second;
};
HWY_INLINE TwoFactors exp_in_two(Floats x) {
  x = hn::Max(all(-110), x);
  const Floats rounded = hn::MulAdd(x, all(log2_e), all(round_to_exponent));
  const Floats n = hn::Sub(rounded, all(round_to_exponent));
  constexpr float ln_2_rest = -1.90465429995776804525e-9F;  // ln 2 - ln_2
  const Floats r = hn::NegMulAdd(n, all(ln_2_rest), hn::NegMulAdd(n, all(ln_2), x));
  // 2^n as 2^(n + 64) 2^-64 where n would leave the range of exponents
  const auto small = hn::Lt(n, all(-60));
  const Floats shifted = hn::Add(rounded, hn::IfThenElseZero(small, all(64)));
  const Floats second = hn::IfThenElse(small, all(0x1p-64F), all(1));
  return {hn::Mul(polynomial(r, exp_coefficients), power_of_two(shifted)), second};
}

/// log(1 + u) for 0 <= u <= 1, as 2 artanh(s) with s = u / (2 + u).
HWY_INLINE Floats log1p_of_fraction(Floats u) {
  constexpr float c[] = {0.3333320915699005F, 0.2001076340675354F, 0.14000901579856873F,
                         0.1400599479675293F};
  const Floats s = hn::Div(u, hn::Add(u, all(2)));
  const Floats z = hn::Mul(s, s);
  const Floats half = hn::MulAdd(hn::Mul(s, z), polynomial(z, c), s);
  return hn::Add(half, half);
}

HWY_INLINE Floats sigmoid(Floats x) {
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  const Floats small = hn::Mul(e.first, e.second);
  const Floats share = hn::Div(e.first, hn::Add(small, all(1)));
  // e / (1 + e) below 0, 1 / (1 + e) above: the division is done once, of the numerator needed
  const Floats above = hn::Div(all(1), hn::Add(small, all(1)));
  return hn::IfThenElse(hn::Lt(x, all(0)), hn::Mul(share, e.second), above);
}

HWY_INLINE Floats silu(Floats x) {
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  const Floats sum = hn::Add(hn::Mul(e.first, e.second), all(1));
  const Floats finite = hn::Max(all(-110), x);  // no infinity times zero
  const Floats below = hn::Mul(hn::Div(hn::Mul(finite, e.first), sum), e.second);
  return hn::IfThenElse(hn::Lt(x, all(0)), below, hn::Div(x, sum));
}

HWY_INLINE Floats elu(Floats x) {
  const Floats half = hn::Mul(hn::Max(all(-20), x), all(0.5F));
  return hn::IfThenElse(hn::Gt(x, all(0)), x, expm1_of_double(half));
}

/// max(x, 0) - |x| e / (1 + e) with e = exp(-2 |u|): neither cancels where it is small, nor rounds
/// more than the last place of x.
HWY_INLINE Floats gelu(Floats x) {
  constexpr float c1 = 2 * 0.7978845608028653559F;
  constexpr float c3 = c1 * 0.044715F;
  const Floats size = hn::Min(all(9.5F), hn::Abs(x));  // beyond, e is 0 beside x
  const Floats exponent = hn::Mul(size, hn::MulAdd(hn::Mul(size, size), all(c3), all(c1)));
  const Floats e = exp_of_minus(exponent);
  const Floats part = hn::Div(hn::Mul(size, e), hn::Add(e, all(1)));
  return hn::Sub(hn::Max(all(0), x), part);
}

/// max(x, 0) - |x| Phi(-|x|), with the normal distribution's Phi.
HWY_INLINE Floats gelu_erf(Floats x) {
  // Phi(-m) exp(m^2 / 2) in t = (m - 3) / (m + 3): minimax, error 1.1e-9 of m Phi(-m)
  constexpr float c[] = {0.12151392549276352F,    -0.20640337467193604F,  0.12321918457746506F,
                         -0.04622621461749077F,   0.006150342058390379F,  0.0030151158571243286F,
                         -0.0008547442266717553F, -0.00035689366632141173F};
  const Floats size = hn::Min(all(13), hn::Abs(x));
  const Floats t = hn::Div(hn::Sub(size, all(3)), hn::Add(size, all(3)));
  const Floats e = exp_of_minus(hn::Mul(hn::Mul(size, size), all(0.5F)));
  return hn::NegMulAdd(hn::Mul(size, e), polynomial(t, c), hn::Max(all(0), x));
}

HWY_INLINE Floats softplus(Floats x) {
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  return hn::Add(hn::Max(all(0), x), log1p_of_fraction(hn::Mul(e.first, e.second)));
}

template <class Function>
HWY_INLINE void replace(float* HWY_RESTRICT values, std::size_t count, Function function) {
  const FloatTag tag;
  const std::size_t lanes = hn::Lanes(tag);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(function(hn::LoadU(tag, values + i)), tag, values + i);
  if (i == count) return;
  HWY_ALIGN float rest[hn::MaxLanes(FloatTag())] = {};
  for (std::size_t lane = 0; i + lane < count; ++lane)
    rest[lane] = values[i + lane];
  hn::Store(function(hn::Load(tag, rest)), tag, rest);
  for (std::size_t lane = 0; i + lane < count; ++lane)
    values[i + lane] = rest[lane];
}

// One function for each, not one with a function argument: a lambda would be compiled for the
// processor that every machine has.
#define DEMPILOT_CASE(name, expression)                                   \
  case Activation::name:                                                  \
    return replace(values, count, [](Floats x) HWY_ATTR { return expression; })

HWY_NOINLINE void activate(Activation activation, float* values, std::size_t count) {
  switch (activation) {
    DEMPILOT_CASE(gelu, gelu(x));
    DEMPILOT_CASE(gelu_erf, gelu_erf(x));
    DEMPILOT_CASE(tanh, tanh(x));
    DEMPILOT_CASE(relu, hn::Max(all(0), x));
    DEMPILOT_CASE(leaky_relu, hn::Max(hn::Mul(x, all(0.01F)), x));
    DEMPILOT_CASE(silu, silu(x));
    DEMPILOT_CASE(elu, elu(x));
    DEMPILOT_CASE(sigmoid, sigmoid(x));
    DEMPILOT_CASE(softplus, softplus(x));
    case Activation::identity:
      return;
  }
}
#undef DEMPILOT_CASE

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
