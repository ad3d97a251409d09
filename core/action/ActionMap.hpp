#pragma once

#include <cmath>

#include "core/Function.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

/// The map f from the unbounded Gaussian to the action, and log |det df/dx|. Formulas: JaxDEM
/// rl/action_spaces (Box, MaxNorm, Free). A clipped action has no density of its own: its
/// log-determinant counts as 0 and its inverse is the action itself.
template <class Real>
struct ActionMap {
  ActionSpaceKind kind = ActionSpaceKind::free;
  int size = 0;
  const Real* centre = nullptr;  ///< box: (size)
  const Real* half = nullptr;    ///< box: (size), (1 - eps) (max - min) / 2
  const Real* lower = nullptr;   ///< clipped: (size)
  const Real* upper = nullptr;   ///< clipped: (size)
  Real width = 1;                ///< box
  Real radius = 1;               ///< max_norm: (1 - eps) max_norm
  Real eps = 0;       ///< distance kept from the boundary; max_norm: smooths the norm at 0
  Real log_gain = 0;  ///< what log |det df/dx| has beside its dependence on x

  /// Replaces x (size) by f(x) and returns log |det df/dx|.
  DEMPILOT_FUNCTION Real forward(Real* x) const {
    const Real log_det = log_det_at(x);
    if (kind == ActionSpaceKind::box) {
      for (int i = 0; i < size; ++i)
        x[i] = centre[i] + half[i] * std::tanh(x[i] / width);
    } else if (kind == ActionSpaceKind::max_norm) {
      const ScaledNorm norm = smooth_norm(x);
      const Real squashed = radius * std::tanh(norm.value());
      for (int i = 0; i < size; ++i)
        x[i] = squashed * norm.share(x[i]);
    } else if (kind == ActionSpaceKind::clipped) {
      for (int i = 0; i < size; ++i)
        x[i] = x[i] < lower[i] ? lower[i] : (x[i] > upper[i] ? upper[i] : x[i]);
    }
    return log_det;
  }

  /// Replaces y (size) by the x with f(x) = y, kept off the boundary, and returns log |det df/dx|
  /// there. Ill-conditioned near the boundary, as the inverse of any tanh is.
  DEMPILOT_FUNCTION Real inverse(Real* y) const {
    if (kind == ActionSpaceKind::box) {
      for (int i = 0; i < size; ++i) {
        y[i] = width * std::atanh(inside((y[i] - centre[i]) / half[i]));
      }
      return log_det_at(y);
    }
    if (kind == ActionSpaceKind::max_norm) {
      const ScaledNorm norm = smooth_norm(y);
      const Real r = std::atanh(inside(norm.value() / radius));
      for (int i = 0; i < size; ++i)
        y[i] = r * norm.share(y[i]);
      return log_det_of_norm(std::sqrt(r * r + eps * eps));
    }
    return 0;
  }

  /// log |det df/dx| at x (size).
  DEMPILOT_FUNCTION Real log_det_at(const Real* x) const {
    if (kind == ActionSpaceKind::max_norm) return log_det_of_norm(smooth_norm(x).value());
    Real log_det = 0;
    if (kind == ActionSpaceKind::box) {
      for (int i = 0; i < size; ++i)
        log_det += log_det_of_component(i, x[i]);
    }
    return log_det;
  }

  /// box: the share of component i, log |df_i/dx_i|.
  DEMPILOT_FUNCTION Real log_det_of_component(int i, Real x) const {
    return std::log(half[i]) - std::log(width) + log_sech2(x / width);
  }

  /// max_norm: log |det df/dx| where the smoothed norm of x is r.
  DEMPILOT_FUNCTION Real log_det_of_norm(Real r) const {
    return static_cast<Real>(size) * std::log(radius) +
           static_cast<Real>(size - 1) * (std::log(std::tanh(r)) - std::log(r)) + log_sech2(r);
  }

 private:
  /// log sech^2 z = 2 (log 2 - |z| - log(1 + exp(-2|z|))), which never overflows.
  DEMPILOT_FUNCTION static Real log_sech2(Real z) {
    constexpr Real log_2 = Real(0.6931471805599453094);
    const Real a = std::fabs(z);
    return 2 * (log_2 - a - std::log1p(std::exp(-2 * a)));
  }

  /// A norm as scale * length, so that squares of huge components do not overflow.
  struct ScaledNorm {
    Real scale, length;
    DEMPILOT_FUNCTION Real value() const { return scale * length; }
    /// x / value(), also where value() overflows.
    DEMPILOT_FUNCTION Real share(Real x) const { return x / scale / length; }
  };

  DEMPILOT_FUNCTION ScaledNorm smooth_norm(const Real* x) const {
    Real largest = 1;
    for (int i = 0; i < size; ++i)
      largest = std::fabs(x[i]) > largest ? std::fabs(x[i]) : largest;
    Real square = (eps / largest) * (eps / largest);
    for (int i = 0; i < size; ++i)
      square += (x[i] / largest) * (x[i] / largest);
    return {largest, std::sqrt(square)};
  }

  DEMPILOT_FUNCTION Real inside(Real u) const {
    const Real edge = 1 - eps;
    return u > edge ? edge : (u < -edge ? -edge : u);
  }
};

}  // namespace dempilot
