#pragma once

#include <Kokkos_Macros.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>

/// Angles that are nearly right, several at once. Compilers for hosts know types of a few
/// neighboring numbers that the processor handles together; the width is the smallest that every
/// host has, so that one build runs anywhere.
namespace dempilot::detail {

#if defined(__GNUC__) && !defined(__CUDACC__)
using Floats [[gnu::vector_size(16)]] = float;
using Integers [[gnu::vector_size(16)]] = std::int32_t;

inline Floats magnitude(Floats x) {
  return reinterpret_cast<Floats>(reinterpret_cast<Integers>(x) & 0x7fffffff);
}
inline Floats with_sign_of(Floats y, Floats size) {
  const Integers sign = reinterpret_cast<Integers>(y) & ~0x7fffffff;
  return reinterpret_cast<Floats>(reinterpret_cast<Integers>(size) | sign);
}
inline Integers towards_zero(Floats x) {
  return __builtin_convertvector(x, Integers);
}
inline Floats to_floats(Integers x) {
  return __builtin_convertvector(x, Floats);
}
#else
using Floats = float;
using Integers = std::int32_t;

KOKKOS_INLINE_FUNCTION Integers towards_zero(float x) {
  return static_cast<Integers>(x);
}
KOKKOS_INLINE_FUNCTION Floats to_floats(Integers x) {
  return static_cast<Floats>(x);
}
KOKKOS_INLINE_FUNCTION float magnitude(float x) {
  return std::fabs(x);
}
KOKKOS_INLINE_FUNCTION float with_sign_of(float y, float size) {
  return std::copysign(size, y);
}
#endif
KOKKOS_INLINE_FUNCTION double magnitude(double x) {
  return std::fabs(x);
}
KOKKOS_INLINE_FUNCTION double with_sign_of(double y, double size) {
  return std::copysign(size, y);
}

/// How many numbers there are in Floats.
inline constexpr int lanes = static_cast<int>(sizeof(Floats) / sizeof(float));

inline constexpr double pi = 3.14159265358979323846;

/// How far rough_atan2 may be from the angle, and then some.
inline constexpr double rough_atan2_error = 2e-5;

/// atan2 to 1e-5 at a fraction of its cost, by the polynomial 4.4.49 of Abramowitz and Stegun. NaN
/// if both are 0. `Real` is `Number`, or several of it.
template <class Number, class Real>
KOKKOS_INLINE_FUNCTION Real rough_atan2(Real y, Real x) {
  const Real zero{};
  const Real ax = magnitude(x);
  const Real ay = magnitude(y);
  const Real t = (ax < ay ? ax : ay) / (ay > ax ? ay : ax);
  const Real s = t * t;
  const Real octant =
      t * (Number(0.9998660) +
           s * (Number(-0.3302995) +
                s * (Number(0.1801410) + s * (Number(-0.0851330) + s * Number(0.0208351)))));
  // |base - angle| mirrors or keeps the angle without a branch: nobody can guess a neighbor's
  // octant
  const Real quadrant = magnitude((ay > ax ? zero + Number(pi / 2) : zero) - octant);
  return with_sign_of(y, magnitude((x < zero ? zero + Number(pi) : zero) - quadrant));
}

/// Below it squares of floats vanish, and with them the angle.
inline constexpr float least_rough_length = 1e-12F;

/// floor((atan2(y, x) + offset) * scale), or -1 where the rough angle does not tell. x and y are
/// not beyond 1.
KOKKOS_INLINE_FUNCTION
Integers rough_bins(Floats y, Floats x, float offset, float scale) {
  const float margin = static_cast<float>(rough_atan2_error) * scale;
  const Floats zero{};
  const Floats rough = (rough_atan2<float>(y, x) + offset) * scale;
  const Floats ax = magnitude(x);
  const Floats ay = magnitude(y);
  const Floats length = ax > ay ? ax : ay;
  const Floats known = length > zero + least_rough_length ? rough : zero;  // never NaN
  const Floats place = known > zero ? known : zero;
  const Integers bin = towards_zero(place);
  const Floats within = place - to_floats(bin);
  const Floats from_edge = within < 1 - within ? within : 1 - within;
  return from_edge > zero + margin ? bin : Integers{} - 1;
}

/// The numbers that begin at `from`.
template <class Several, class Number>
KOKKOS_INLINE_FUNCTION Several load(const Number* from) {
  Several several;
  std::memcpy(&several, from, sizeof(Several));
  return several;
}

template <class Several, class Number>
KOKKOS_INLINE_FUNCTION void store(Several several, Number* to) {
  std::memcpy(to, &several, sizeof(Several));
}

}  // namespace dempilot::detail
