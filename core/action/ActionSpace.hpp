#pragma once

#include <cmath>

#include "core/Backend.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

/// The map f from the unbounded Gaussian to the action, and log |det df/dx|. Formulas: JaxDEM
/// rl/action_spaces (Box, MaxNorm, Free).
template <class Real, class ExecutionSpace>
struct ActionSpace {
  ActionSpaceKind kind = ActionSpaceKind::free;
  int size = 0;
  Vector<Real, ExecutionSpace> centre;  ///< box: (size)
  Vector<Real, ExecutionSpace> half;    ///< box: (size), (1 - eps) (max - min) / 2
  Real width = 1;                       ///< box
  Real radius = 1;                      ///< max_norm: (1 - eps) max_norm
  Real eps = 0;                         ///< max_norm: smooths the norm at 0

  ActionSpace() = default;
  ActionSpace(const ActionSpaceSpec& spec, std::size_t action_size);

  /// Replaces x (size) by f(x) and returns log |det df/dx|.
  KOKKOS_FUNCTION
  Real forward(Real* x) const {
    switch (kind) {
      case ActionSpaceKind::free:
        return 0;
      case ActionSpaceKind::box:
        return forward_box(x);
      case ActionSpaceKind::max_norm:
        return forward_max_norm(x);
    }
    return 0;
  }

 private:
  /// log sech^2 z = 2 (log 2 - z - softplus(-2z)), for z of either sign without overflow.
  KOKKOS_INLINE_FUNCTION
  static Real log_sech2(Real z) {
    using std::exp;
    using std::fabs;
    using std::log1p;
    constexpr Real log_2 = Real(0.6931471805599453094);
    const Real a = fabs(z);
    return 2 * (log_2 - a - log1p(exp(-2 * a)));
  }

  KOKKOS_FUNCTION
  Real forward_box(Real* x) const {
    using std::log;
    using std::tanh;
    Real log_det = 0;
    for (int i = 0; i < size; ++i) {
      const Real z = x[i] / width;
      x[i] = centre(i) + half(i) * tanh(z);
      log_det += log(half(i)) - log(width) + log_sech2(z);
    }
    return log_det;
  }

  KOKKOS_FUNCTION
  Real forward_max_norm(Real* x) const {
    using std::log;
    using std::sqrt;
    using std::tanh;
    Real square = eps * eps;
    for (int i = 0; i < size; ++i)
      square += x[i] * x[i];
    const Real r = sqrt(square);
    const Real squashed = tanh(r);
    for (int i = 0; i < size; ++i)
      x[i] = radius * squashed * (x[i] / r);
    return static_cast<Real>(size) * log(radius) +
           static_cast<Real>(size - 1) * (log(squashed) - log(r)) + log_sech2(r);
  }
};

template <class Real, class ExecutionSpace>
ActionSpace<Real, ExecutionSpace>::ActionSpace(const ActionSpaceSpec& spec, std::size_t action_size)
    : kind(spec.kind),
      size(static_cast<int>(action_size)),
      width(static_cast<Real>(spec.width)),
      radius(static_cast<Real>((1.0 - spec.eps) * spec.max_norm)),
      eps(static_cast<Real>(spec.eps)) {
  if (kind != ActionSpaceKind::box) return;
  centre = Vector<Real, ExecutionSpace>("DEMPilot::ActionSpace::centre", action_size);
  half = Vector<Real, ExecutionSpace>("DEMPilot::ActionSpace::half", action_size);
  const auto host_centre = Kokkos::create_mirror_view(centre);
  const auto host_half = Kokkos::create_mirror_view(half);
  for (std::size_t i = 0; i < action_size; ++i) {
    host_centre(i) = static_cast<Real>((spec.x_min[i] + spec.x_max[i]) / 2);
    host_half(i) = static_cast<Real>((1.0 - spec.eps) * (spec.x_max[i] - spec.x_min[i]) / 2);
  }
  Kokkos::deep_copy(centre, host_centre);
  Kokkos::deep_copy(half, host_half);
}

}  // namespace dempilot
