#pragma once

#include <span>
#include <vector>

#include "core/policy/Contract.hpp"

/// The distribution of one agent's action once more, in double and from the formulas alone.
namespace dempilot::reference {

/// f(x), log |det df/dx| and the log-density of f(x) for a latent x of N(mean, std^2).
struct LatentPoint {
  std::vector<double> action;
  double log_det = 0;
  double log_prob = 0;
};
LatentPoint at_latent(const ActionSpaceSpec& space, std::span<const double> mean,
                      std::span<const double> std, std::span<const double> latent);

/// The x with f(x) = action.
std::vector<double> to_latent(const ActionSpaceSpec& space, std::span<const double> action);

double gaussian_entropy(std::span<const double> std);

/// gaussian_entropy + E[log |det df/dx|]: 16 Gauss-Hermite nodes a component for a box, a grid of 5
/// each for MaxNorm, as JaxDEM takes them.
double entropy(const ActionSpaceSpec& space, std::span<const double> mean,
               std::span<const double> std);

double categorical_log_prob(std::span<const double> logits, std::size_t action);
double categorical_entropy(std::span<const double> logits);

}  // namespace dempilot::reference
