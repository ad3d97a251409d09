#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/policy/PolicyFile.hpp"

namespace dempilot::reference {

/// The oracle: every model once more, for one agent, in Eigen and double, written from the formulas
/// alone (JaxDEM's models and action spaces, flax's OptimizedLSTMCell). It shares nothing with the
/// kernels and is never fast.
class ReferencePolicy {
 public:
  /// `parameters` have been checked against `spec`.
  ReferencePolicy(const ModelSpec& spec, const Parameters& parameters);
  ~ReferencePolicy();
  ReferencePolicy(ReferencePolicy&&) noexcept;
  ReferencePolicy& operator=(ReferencePolicy&&) noexcept;

  struct Decision {
    std::vector<double> mean;    ///< (actions), of the Gaussian
    std::vector<double> std;     ///< (actions)
    std::vector<double> action;  ///< (actions), f(mean)
    double value = 0;
  };

  /// One step from `observation` (observation_size); `carry` (carry_size), [h | c], is replaced.
  Decision step(std::span<const double> observation, std::span<double> carry) const;

  /// f of the action space, by itself.
  std::vector<double> to_action(std::span<const double> latent) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dempilot::reference
