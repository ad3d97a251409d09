#pragma once

#include "core/Backend.hpp"
#include "core/action/ActionSpace.hpp"
#include "core/policy/Array.hpp"

namespace dempilot {

/// The distribution of actions: a diagonal Gaussian taken through an action space. All arrays are
/// (..., actions) or, for one number per distribution, (...).
template <class Real, class ExecutionSpace>
class GaussianDistribution {
 public:
  GaussianDistribution(const ActionSpaceSpec& spec, std::size_t action_size,
                       ExecutionSpace space = {});

  struct Point {
    Array<Real> action;    ///< f(x)
    Array<Real> log_det;   ///< log |det df/dx|
    Array<Real> log_prob;  ///< log-density of `action`
  };
  /// At the latent x drawn from N(mean, std^2).
  Point at_latent(const Array<Real>& mean, const Array<Real>& std, const Array<Real>& latent) const;

  /// log-density of an action, through the inverse of the action space.
  Array<Real> log_prob(const Array<Real>& mean, const Array<Real>& std,
                       const Array<Real>& action) const;

  /// Entropy of the Gaussian alone.
  Array<Real> base_entropy(const Array<Real>& std) const;

  /// Entropy of the action: the Gaussian's + E[log |det df/dx|], by Gauss-Hermite quadrature with
  /// 16 nodes a component (box) or a grid of 5 nodes a component (max_norm). Throws Error for a
  /// max_norm of more than 8 components, whose grid would be too large.
  Array<Real> entropy(const Array<Real>& mean, const Array<Real>& std) const;

 private:
  ExecutionSpace space_;
  ActionSpace<Real, ExecutionSpace> action_space_;
  Vector<Real, ExecutionSpace> nodes_;
  Vector<Real, ExecutionSpace> weights_;
};

/// log p(action) of categorical distributions with `logits` (..., actions); `action` (...) are
/// indices.
template <class Real, class ExecutionSpace>
Array<Real> categorical_log_prob(const ExecutionSpace& space, const Array<Real>& logits,
                                 const Array<std::int64_t>& action);

/// Entropy of categorical distributions with `logits` (..., actions).
template <class Real, class ExecutionSpace>
Array<Real> categorical_entropy(const ExecutionSpace& space, const Array<Real>& logits);

}  // namespace dempilot
