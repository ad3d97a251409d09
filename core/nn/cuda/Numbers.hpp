#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/nn/cuda/Approximate.hpp"
#include "core/nn/cuda/Plan.hpp"

/// Numbers of few digits, alike on a host and on a device.
namespace dempilot::nn::cuda {

/// What activations and cells of a precision compute with.
template <Precision precision>
using Real =
    std::conditional_t<precision == Precision::bf16, Approximate<true>,
                       std::conditional_t<precision == Precision::tf32, Approximate<false>, float>>;

DEMPILOT_FUNCTION float value_of(float x) {
  return x;
}
template <bool coarse>
DEMPILOT_FUNCTION float value_of(Approximate<coarse> x) {
  return x.value;
}

DEMPILOT_FUNCTION std::uint32_t bits_of(float x) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(x);
#else
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
#endif
}

DEMPILOT_FUNCTION float float_of(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
#endif
}

/// The nearest tf32, which has 13 digits of the fraction less than a float; of two, that farther
/// from 0. Of a NaN, whose fraction may be all ones, a NaN.
DEMPILOT_FUNCTION float round_to_tf32(float x) {
  if (!(x == x)) return x;
  return float_of((bits_of(x) + 0x1000U) & 0xffffe000U);
}

/// What is left of x when the digits that a tf32 does not have are cut off.
DEMPILOT_FUNCTION float cut_to_tf32(float x) {
  return float_of(bits_of(x) & 0xffffe000U);
}

/// The nearest bf16, of two the even one; of a NaN a NaN.
DEMPILOT_FUNCTION std::uint16_t bf16_of(float x) {
  const std::uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
}

DEMPILOT_FUNCTION float float_of_bf16(std::uint32_t bits) {
  return float_of(bits << 16U);
}

/// An entry of a row, or a weight, as products of a precision read it.
template <Precision precision>
DEMPILOT_FUNCTION typename Format<precision>::Element element_of(float x) {
  if constexpr (precision == Precision::bf16) {
    return bf16_of(x);
  } else if constexpr (precision == Precision::tf32) {
    return round_to_tf32(x);
  } else {
    return x;
  }
}

DEMPILOT_FUNCTION float number_of(float element) {
  return element;
}
DEMPILOT_FUNCTION float number_of(std::uint16_t element) {
  return float_of_bf16(element);
}

}  // namespace dempilot::nn::cuda
