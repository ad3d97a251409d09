#pragma once

#include <cmath>

#include "core/Function.hpp"

namespace dempilot::nn::cuda {

/// A float whose quotients and exponentials need not be right to the last bit, where operands of
/// products have few digits anyway: activations and cells of it cost a fraction on a device. On a
/// host it is a float. `coarse`: sigmoid and tanh to 11 bits, by one instruction.
template <bool coarse>
struct Approximate {
  float value;

  DEMPILOT_FUNCTION Approximate(float x) : value(x) {}
  DEMPILOT_FUNCTION Approximate(double x) : value(static_cast<float>(x)) {}
  DEMPILOT_FUNCTION Approximate(int x) : value(static_cast<float>(x)) {}

  friend DEMPILOT_FUNCTION Approximate operator-(Approximate x) { return -x.value; }
  friend DEMPILOT_FUNCTION Approximate operator+(Approximate x, Approximate y) {
    return x.value + y.value;
  }
  friend DEMPILOT_FUNCTION Approximate operator-(Approximate x, Approximate y) {
    return x.value - y.value;
  }
  friend DEMPILOT_FUNCTION Approximate operator*(Approximate x, Approximate y) {
    return x.value * y.value;
  }
  friend DEMPILOT_FUNCTION Approximate operator/(Approximate x, Approximate y) {
#ifdef __CUDA_ARCH__
    return __fdividef(x.value, y.value);
#else
    return x.value / y.value;
#endif
  }
  friend DEMPILOT_FUNCTION bool operator>(Approximate x, Approximate y) {
    return x.value > y.value;
  }
  friend DEMPILOT_FUNCTION bool operator>=(Approximate x, Approximate y) {
    return x.value >= y.value;
  }
  friend DEMPILOT_FUNCTION bool operator==(Approximate x, Approximate y) {
    return x.value == y.value;
  }
  friend DEMPILOT_FUNCTION bool operator!=(Approximate x, Approximate y) {
    return x.value != y.value;
  }

  friend DEMPILOT_FUNCTION Approximate exp(Approximate x) {
#ifdef __CUDA_ARCH__
    return __expf(x.value);
#else
    return std::exp(x.value);
#endif
  }
  friend DEMPILOT_FUNCTION Approximate tanh(Approximate x) {
#ifdef __CUDA_ARCH__
    if constexpr (coarse) {
      float y;
      asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x.value));
      return y;
    }
    return 1 - __fdividef(2, 1 + __expf(2 * x.value));
#else
    return std::tanh(x.value);
#endif
  }
  friend DEMPILOT_FUNCTION Approximate sigmoid(Approximate x) {
    if constexpr (coarse) return tanh(x * 0.5F) * 0.5F + 0.5F;
    return Approximate(1) / (Approximate(1) + exp(-x));
  }

  friend DEMPILOT_FUNCTION Approximate fabs(Approximate x) {
    return std::fabs(x.value);
  }
  friend DEMPILOT_FUNCTION Approximate erfc(Approximate x) {
    return std::erfc(x.value);
  }
  friend DEMPILOT_FUNCTION Approximate expm1(Approximate x) {
    return std::expm1(x.value);
  }
  friend DEMPILOT_FUNCTION Approximate log1p(Approximate x) {
    return std::log1p(x.value);
  }
};

}  // namespace dempilot::nn::cuda
