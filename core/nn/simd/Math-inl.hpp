// Elementary functions and activations on vectors of floats. Compiled once for each instruction
// set, so there is no #pragma once.
#if defined(DEMPILOT_NN_SIMD_MATH_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_MATH_INL_HPP
#undef DEMPILOT_NN_SIMD_MATH_INL_HPP
#else
#define DEMPILOT_NN_SIMD_MATH_INL_HPP
#endif

#include <hwy/highway.h>

#include <cmath>

#include "core/policy/Contract.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;
using Floats = hn::Vec<FloatTag>;

constexpr int lanes = static_cast<int>(hn::MaxLanes(FloatTag()));

HWY_INLINE Floats all(float x) {
  return hn::Set(FloatTag(), x);
}

/// Horner's scheme: c[0] + x (c[1] + x (...)).
template <int count>
HWY_INLINE Floats polynomial(Floats x, const float (&c)[count]) {
  Floats sum = all(c[count - 1]);
  HWY_UNROLL(16)
  for (int i = count - 2; i >= 0; --i)
    sum = hn::MulAdd(sum, x, all(c[i]));
  return sum;
}

/// max(low, x) and min(high, x); NaN stays NaN.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4
// The processor returns the second operand where one is NaN.
HWY_INLINE Floats at_least(float low, Floats x) {
  return hn::Max(all(low), x);
}
HWY_INLINE Floats at_most(float high, Floats x) {
  return hn::Min(all(high), x);
}
#else
HWY_INLINE Floats at_least(float low, Floats x) {
  return hn::IfThenElse(hn::Lt(x, all(low)), all(low), x);
}
HWY_INLINE Floats at_most(float high, Floats x) {
  return hn::IfThenElse(hn::Gt(x, all(high)), all(high), x);
}
#endif
HWY_INLINE Floats clamp(Floats x, float low, float high) {
  return at_most(high, at_least(low, x));
}

// exp(x) = 2^n exp(r) with n the integer nearest to x / ln 2. Adding this number rounds to an
// integer, leaves it in the low bits, and adds the bias of a float's exponent to it.
constexpr float round_to_exponent = 12582912.0F + 127.0F;  // 1.5 * 2^23 + bias
constexpr float log2_e = 1.44269504088896341F;
constexpr float ln_2 = 0.693147180559945309F;
constexpr float ln_2_rest = -1.90465429995776804525e-9F;  // ln 2 - ln_2

/// x + n share ln 2 for |n| < 256 and a power of two `share`, with an error of 2e-9 n share.
HWY_INLINE Floats add_ln_2(Floats x, Floats n, float share) {
#if HWY_NATIVE_FMA
  return hn::MulAdd(n, all(share * ln_2), x);
#else
  // Without a fused product: one that is exact, of few digits, and the rest.
  constexpr float few_digits = 0.693359375F;
  constexpr float rest = -2.12194440054690583e-4F;
  return hn::MulAdd(n, all(share * rest), hn::MulAdd(n, all(share * few_digits), x));
#endif
}

/// 2^n, of the sum x / ln 2 + round_to_exponent. -126 <= n <= 127
HWY_INLINE Floats power_of_two(Floats rounded) {
  return hn::BitCast(FloatTag(), hn::ShiftLeft<23>(hn::BitCast(IntTag(), rounded)));
}

/// exp(r) for |r| <= ln(2) / 2: minimax, relative error 9.2e-8.
constexpr float exp_coefficients[] = {1.0F,
                                      0.9999997019767761F,
                                      0.4999914765357971F,
                                      0.1666763871908188F,
                                      0.04189816117286682F,
                                      0.008290272206068039F};

/// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2: minimax, relative error of exp(r) - 1 1.4e-8.
constexpr float expm1_coefficients[] = {0.4999999701976776F, 0.1666654348373413F,
                                        0.04166720062494278F, 0.008366547524929047F,
                                        0.0013882516650483012F};

/// One step of several computations at once, for each of `count` of them in turn: a computation by
/// itself waits for its own last result, and the processor does not look far enough ahead to find
/// the next one.
#define DEMPILOT_EACH(i, count) HWY_UNROLL(16) for (int i = 0; i < (count); ++i)

/// exp(-x) = sum 2^n with n kept in the exponent of `rounded`; x is taken as at most `limit` from
/// 0.
template <int count>
HWY_INLINE void exp_parts(Floats (&x)[count], float limit, Floats (&sum)[count],
                          Floats (&rounded)[count]) {
  DEMPILOT_EACH(i, count) x[i] = clamp(x[i], -limit, limit);
  DEMPILOT_EACH(i, count) rounded[i] = hn::NegMulAdd(x[i], all(log2_e), all(round_to_exponent));
  DEMPILOT_EACH(i, count) sum[i] = hn::Sub(rounded[i], all(round_to_exponent));  // n
  // r = -x - n ln 2, by its negative
  DEMPILOT_EACH(i, count) x[i] = add_ln_2(x[i], sum[i], 1);
  constexpr float c[] = {exp_coefficients[0],  -exp_coefficients[1], exp_coefficients[2],
                         -exp_coefficients[3], exp_coefficients[4],  -exp_coefficients[5]};
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(x[i], all(c[5]), all(c[4]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(c[3]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(c[2]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(c[1]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(c[0]));
}

/// exp(-x), with x taken as at most 87 from 0, where exp is neither subnormal nor infinite. Within
/// 4 ulp; within 2 for |x| < 40.
HWY_INLINE Floats exp_of_minus(Floats x) {
  Floats at[] = {x};
  Floats sum[1];
  Floats rounded[1];
  exp_parts(at, 87.0F, sum, rounded);
  return hn::Mul(sum[0], power_of_two(rounded[0]));
}

/// Replaces x by 1 + exp(-x), the inverse of a sigmoid, with x taken as at most 33 from 0: then the
/// product of two of them and a third factor below 2^27 does not overflow.
template <int count>
HWY_INLINE void one_and_exp_of_minus(Floats (&x)[count]) {
  Floats sum[count];
  Floats rounded[count];
  exp_parts(x, 33.0F, sum, rounded);
  DEMPILOT_EACH(i, count) x[i] = hn::MulAdd(sum[i], power_of_two(rounded[i]), all(1));
}

/// Replaces x by exp(2 x) - 1, with x taken as at most 9.1 from 0, where tanh is 1 to a float.
template <int count>
HWY_INLINE void expm1_of_double(Floats (&x)[count]) {
  Floats rounded[count];
  Floats sum[count];
  DEMPILOT_EACH(i, count) x[i] = clamp(x[i], -9.1F, 9.1F);
  DEMPILOT_EACH(i, count) rounded[i] = hn::MulAdd(x[i], all(2 * log2_e), all(round_to_exponent));
  DEMPILOT_EACH(i, count) sum[i] = hn::Sub(rounded[i], all(round_to_exponent));  // n
  DEMPILOT_EACH(i, count) x[i] = add_ln_2(x[i], sum[i], -0.5F);                  // r / 2
  constexpr const float* c = expm1_coefficients;
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(x[i], all(64 * c[4]), all(32 * c[3]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(16 * c[2]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(8 * c[1]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(4 * c[0]));
  DEMPILOT_EACH(i, count) sum[i] = hn::MulAdd(sum[i], x[i], all(2));
  // 2^n (exp(r) - 1) + (2^n - 1), whose last part is exact for small x
  DEMPILOT_EACH(i, count) x[i] = hn::Mul(sum[i], x[i]);
  DEMPILOT_EACH(i, count) rounded[i] = power_of_two(rounded[i]);
  DEMPILOT_EACH(i, count)
  x[i] = hn::MulAdd(rounded[i], x[i], hn::Sub(rounded[i], all(1)));
}

HWY_INLINE Floats expm1_of_double(Floats x) {
  Floats one[] = {x};
  expm1_of_double(one);
  return one[0];
}

/// a / b to 1.5 ulp, for 2^-126 < b < 2^126.
HWY_INLINE Floats quotient(Floats a, Floats b) {
#if HWY_TARGET <= HWY_AVX3
  // A division of 16 lanes occupies the divider for 16 cycles, which is what the rest of an LSTM's
  // update takes. One step of Newton's from 14 bits does not.
  const Floats r = hn::ApproximateReciprocal(b);
  return hn::Mul(a, hn::MulAdd(r, hn::NegMulAdd(b, r, all(1)), r));
#else
  return hn::Div(a, b);
#endif
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
  x = at_least(-110, x);
  const Floats rounded = hn::MulAdd(x, all(log2_e), all(round_to_exponent));
  const Floats n = hn::Sub(rounded, all(round_to_exponent));
#if HWY_NATIVE_FMA
  const Floats r = hn::NegMulAdd(n, all(ln_2_rest), add_ln_2(x, n, -1));
#else
  const Floats r = add_ln_2(x, n, -1);
#endif
  // 2^n as 2^(n + 64) 2^-64 where n would leave the range of exponents
  const auto small = hn::Lt(n, all(-60));
  const Floats shifted = hn::Add(rounded, hn::IfThenElseZero(small, all(64)));
  const Floats second = hn::IfThenElse(small, all(0x1p-64F), all(1));
  return {hn::Mul(polynomial(r, exp_coefficients), power_of_two(shifted)), second};
}

/// 2 artanh(s) for |s| <= 1/3.
HWY_INLINE Floats twice_artanh(Floats s) {
  constexpr float c[] = {0.3333320915699005F, 0.2001076340675354F, 0.14000901579856873F,
                         0.1400599479675293F};
  const Floats z = hn::Mul(s, s);
  const Floats half = hn::MulAdd(hn::Mul(s, z), polynomial(z, c), s);
  return hn::Add(half, half);
}

/// log(1 + u) for 0 <= u <= 1.
HWY_INLINE Floats log1p_of_fraction(Floats u) {
  return twice_artanh(hn::Div(u, hn::Add(u, all(2))));
}

/// log(x) for normal x > 0; log(0) is -infinity.
HWY_INLINE Floats log_of_positive(Floats x) {
  const IntTag ints;
  // x = 2^n m with m from sqrt(1/2) to sqrt(2)
  const auto root_half = hn::Set(ints, 0x3F3504F3);
  const auto bits = hn::Sub(hn::BitCast(ints, x), root_half);
  const Floats n = hn::ConvertTo(FloatTag(), hn::ShiftRight<23>(bits));
  const auto mantissa = hn::Add(hn::And(bits, hn::Set(ints, 0x7FFFFF)), root_half);
  const Floats m = hn::BitCast(FloatTag(), mantissa);
  const Floats part = twice_artanh(hn::Div(hn::Sub(m, all(1)), hn::Add(m, all(1))));
  return hn::IfThenElse(hn::Eq(x, all(0)), all(-HUGE_VALF), hn::MulAdd(n, all(ln_2), part));
}

HWY_INLINE Floats sigmoid(Floats x) {
  // e / (1 + e) below 0, 1 / (1 + e) above
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  const auto below = hn::Lt(x, all(0));
  const Floats sum = hn::Add(hn::Mul(e.first, e.second), all(1));
  const Floats share = hn::Div(hn::IfThenElse(below, e.first, all(1)), sum);
  return hn::Mul(share, hn::IfThenElse(below, e.second, all(1)));
}

HWY_INLINE Floats silu(Floats x) {
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  const Floats sum = hn::Add(hn::Mul(e.first, e.second), all(1));
  const Floats finite = at_least(-110, x);  // no infinity times zero
  const Floats below = hn::Mul(hn::Div(hn::Mul(finite, e.first), sum), e.second);
  return hn::IfThenElse(hn::Lt(x, all(0)), below, hn::Div(x, sum));
}

HWY_INLINE Floats elu(Floats x) {
  const Floats half = hn::Mul(at_least(-20, x), all(0.5F));
  return hn::IfThenElse(hn::Gt(x, all(0)), x, expm1_of_double(half));
}

/// max(x, 0) - |x| e / (1 + e) with e = exp(-2 |u|): neither cancels where it is small, nor rounds
/// more than the last place of x.
HWY_INLINE Floats gelu(Floats x) {
  constexpr float c1 = 2 * 0.7978845608028653559F;
  constexpr float c3 = c1 * 0.044715F;
  const Floats size = at_most(9.5F, hn::Abs(x));  // beyond, e is 0 beside x
  const Floats exponent = hn::Mul(size, hn::MulAdd(hn::Mul(size, size), all(c3), all(c1)));
  const Floats e = exp_of_minus(exponent);
  const Floats part = hn::Div(hn::Mul(size, e), hn::Add(e, all(1)));
  return hn::Sub(at_least(0, x), part);
}

/// max(x, 0) - |x| Phi(-|x|), with the normal distribution's Phi.
HWY_INLINE Floats gelu_erf(Floats x) {
  // Phi(-m) exp(m^2 / 2) in t = (m - 3) / (m + 3): minimax, error 1.1e-9 of m Phi(-m)
  constexpr float c[] = {0.12151392549276352F,    -0.20640337467193604F,   0.12321918457746506F,
                         -0.04622621461749077F,   0.006150342058390379F,   0.0030151158571243286F,
                         -0.0008547442266717553F, -0.00035689366632141173F};
  const Floats size = at_most(13, hn::Abs(x));
  const Floats t = hn::Div(hn::Sub(size, all(3)), hn::Add(size, all(3)));
  const Floats e = exp_of_minus(hn::Mul(hn::Mul(size, size), all(0.5F)));
  return hn::NegMulAdd(hn::Mul(size, e), polynomial(t, c), at_least(0, x));
}

/// x for x > 0, x / 100 otherwise.
HWY_INLINE Floats leaky_relu(Floats x) {
  return hn::IfThenElse(hn::Gt(x, all(0)), x, hn::Mul(x, all(0.01F)));
}

HWY_INLINE Floats softplus(Floats x) {
  const TwoFactors e = exp_in_two(hn::Neg(hn::Abs(x)));
  return hn::Add(at_least(0, x), log1p_of_fraction(hn::Mul(e.first, e.second)));
}

template <class Function>
HWY_INLINE void replace(float* HWY_RESTRICT values, std::size_t count, Function function) {
  const FloatTag tag;
  constexpr std::size_t width = lanes;
  std::size_t i = 0;
  for (; i + width <= count; i += width)
    hn::StoreU(function(hn::LoadU(tag, values + i)), tag, values + i);
  if (i == count) return;
  HWY_ALIGN float rest[width] = {};
  for (std::size_t lane = 0; i + lane < count; ++lane)
    rest[lane] = values[i + lane];
  hn::Store(function(hn::Load(tag, rest)), tag, rest);
  for (std::size_t lane = 0; i + lane < count; ++lane)
    values[i + lane] = rest[lane];
}

// Without the attribute, a lambda would be compiled for the processor that every machine has.
#define DEMPILOT_CASE(name, expression) \
  case Activation::name:                \
    return replace(values, count, [](Floats x) HWY_ATTR { return expression; })

HWY_NOINLINE inline void activate(Activation activation, float* values, std::size_t count) {
  switch (activation) {
    DEMPILOT_CASE(gelu, gelu(x));
    DEMPILOT_CASE(gelu_erf, gelu_erf(x));
    DEMPILOT_CASE(tanh, tanh(x));
    DEMPILOT_CASE(relu, at_least(0, x));
    DEMPILOT_CASE(leaky_relu, leaky_relu(x));
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
