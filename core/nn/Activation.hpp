#pragma once

#include <cmath>

#include "core/Function.hpp"
#include "core/policy/Contract.hpp"

/// Activations, written so that no finite or infinite input gives NaN and that float32 stays within
/// 4 ulp (gelu: 1e-7 of max(1, |x|)): nothing cancels and nothing overflows on the way to a finite
/// result.
namespace dempilot::nn {

/// 1 / (1 + exp(-x))
template <class Real>
DEMPILOT_FUNCTION Real sigmoid(Real x) {
  using std::exp;
  if (x >= 0) return 1 / (1 + exp(-x));
  const Real e = exp(x);
  return e / (1 + e);
}

/// x sigmoid(x)
template <class Real>
DEMPILOT_FUNCTION Real silu(Real x) {
  using std::exp;
  if (x >= 0) return x / (1 + exp(-x));
  // Half the exponent twice: exp(x) alone loses digits as a subnormal before x is multiplied in.
  const Real root = exp(x / 2);
  return root == 0 ? Real(0) : x * root / (1 + root * root) * root;
}

/// x for x > 0, exp(x) - 1 otherwise
template <class Real>
DEMPILOT_FUNCTION Real elu(Real x) {
  using std::expm1;
  return x > 0 ? x : expm1(x);
}

/// The tanh form, x/2 (1 + tanh(u)) with u = sqrt(2/pi) (x + 0.044715 x^3), as x sigmoid(2u), which
/// does not cancel for negative x; for positive x as x - x sigmoid(-2u), which rounds less.
template <class Real>
DEMPILOT_FUNCTION Real gelu(Real x) {
  using std::exp;
  using std::fabs;
  const Real u = Real(0.7978845608028653559) * (x + Real(0.044715) * x * x * x);
  const Real e = exp(-2 * fabs(u));
  const Real part = e == 0 ? Real(0) : x * (e / (1 + e));
  return x > 0 ? x - part : part;
}

/// x Phi(x), with the normal distribution's Phi; erfc does not cancel for negative x. For positive
/// x as x - x Phi(-x), which rounds less.
template <class Real>
DEMPILOT_FUNCTION Real gelu_erf(Real x) {
  using std::erfc;
  using std::fabs;
  const Real tail = erfc(fabs(x) * Real(0.70710678118654752440)) / 2;
  const Real part = tail == 0 ? Real(0) : x * tail;
  return x > 0 ? x - part : part;
}

/// log(1 + exp(x))
template <class Real>
DEMPILOT_FUNCTION Real softplus(Real x) {
  using std::exp;
  using std::log1p;
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

template <class Real>
DEMPILOT_FUNCTION Real relu(Real x) {
  return x > 0 || x != x ? x : Real(0);
}

/// x for x > 0, x / 100 otherwise: PyTorch's and jax.nn's default slope.
template <class Real>
DEMPILOT_FUNCTION Real leaky_relu(Real x) {
  return x > 0 ? x : Real(0.01) * x;
}

template <class Real>
DEMPILOT_FUNCTION Real activate(Activation activation, Real x) {
  using std::tanh;
  switch (activation) {
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_erf:
      return gelu_erf(x);
    case Activation::tanh:
      return tanh(x);
    case Activation::relu:
      return relu(x);
    case Activation::leaky_relu:
      return leaky_relu(x);
    case Activation::silu:
      return silu(x);
    case Activation::elu:
      return elu(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::softplus:
      return softplus(x);
    case Activation::identity:
      return x;
  }
  return x;
}

}  // namespace dempilot::nn
