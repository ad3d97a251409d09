#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/Function.hpp"
#include "core/action/ActionMap.hpp"
#include "core/action/Noise.hpp"
#include "core/nn/Activation.hpp"

namespace dempilot::nn {

inline constexpr double half_log_two_pi = 0.91893853320467274178;

/// From one agent's row of the head, [mean or logits | sigma's pre-activation | value], to what it
/// does. Pointers lie in the memory of who calls it.
template <class Real>
struct Decision {
  int actions = 0;
  int action_width = 0;
  int head_outputs = 0;
  bool sigma_head = false;
  bool discrete = false;
  bool head_gives_value = true;
  const Real* log_std = nullptr;  ///< (actions), unless sigma is a function of the state
  ActionMap<Real> space;

  int agents = 0;
  bool sample = false;
  const std::int64_t* ids = nullptr;  ///< (agents), or null: 0, 1, 2, ...
  std::uint64_t seed = 0;
  std::int64_t first_decision = 0;

  // of all steps, one after the other; null: not asked for
  Real* mean = nullptr;      ///< (rows, actions)
  Real* std = nullptr;       ///< (rows, actions)
  Real* action = nullptr;    ///< (rows, action_width), of which a discrete action takes the first
  Real* value = nullptr;     ///< (rows)
  Real* log_prob = nullptr;  ///< (rows)

  /// Of an agent at a step, among the rows of all.
  DEMPILOT_FUNCTION std::size_t row_of(int step, int agent) const {
    return static_cast<std::size_t>(step) * agents + agent;
  }

  /// The agent's noise at this step; `stream` keeps several uses of it apart.
  DEMPILOT_FUNCTION Noise noise_of(int step, int agent, std::uint64_t stream = 0) const {
    const bool has_id = ids != nullptr && agent < agents;
    const std::int64_t id = has_id ? ids[agent] : agent;
    return Noise(seed ^ stream, id, first_decision + step);
  }

  /// Mean, standard deviation and the head's value, where they are asked for.
  DEMPILOT_FUNCTION void report(int step, int agent, const Real* head) const {
    using std::exp;
    const std::size_t row = row_of(step, agent);
    for (int i = 0; i < actions; ++i) {
      if (mean != nullptr) mean[row * actions + i] = head[i];
      if (std != nullptr) {
        std[row * actions + i] = sigma_head ? softplus(head[actions + i]) : exp(log_std[i]);
      }
    }
    if (value != nullptr && head_gives_value) value[row] = head[head_outputs - 1];
  }

  /// The action, and the logarithm of its probability or density.
  DEMPILOT_FUNCTION void act(int step, int agent, const Real* head) const {
    const std::size_t row = row_of(step, agent);
    Real log_density = 0;
    if (discrete) {
      log_density = choose(step, agent, head, action[row * action_width]);
    } else {
      Real* const mine = action + row * action_width;
      log_density = latent(step, agent, head, mine, 1);
      log_density -= space.forward(mine);
    }
    if (log_prob != nullptr) log_prob[row] = log_density;
  }

  /// The mean of the Gaussian or a sample of it into x, whose entries lie `stride` apart; returns
  /// its log-density.
  DEMPILOT_FUNCTION Real latent(int step, int agent, const Real* head, Real* x, int stride) const {
    using std::exp;
    const Noise noise = noise_of(step, agent);
    Real log_density = 0;
    double pair[2] = {0, 0};
    for (int i = 0; i < actions; ++i) {
      if (sample && i % 2 == 0) {
        noise.normal_pair(static_cast<std::uint32_t>(i / 2), pair[0], pair[1]);
      }
      const Real unit = static_cast<Real>(pair[i % 2]);
      const Real log_sigma = log_sigma_of(head, i);
      // Without a sample, no 0 * infinity where the distribution is very wide.
      x[i * stride] = sample ? head[i] + unit * exp(log_sigma) : head[i];
      log_density -= unit * unit / 2 + log_sigma + static_cast<Real>(half_log_two_pi);
    }
    return log_density;
  }

 private:
  DEMPILOT_FUNCTION Real log_sigma_of(const Real* head, int i) const {
    using std::log;
    if (!sigma_head) return log_std[i];
    return log(softplus(head[actions + i]));
  }

  /// The likeliest of the discrete actions, or one drawn with their probabilities; returns the
  /// logarithm of its probability.
  DEMPILOT_FUNCTION Real choose(int step, int agent, const Real* logits,
                                Real& chosen_action) const {
    using std::exp;
    using std::log;
    int best = 0;
    for (int i = 1; i < actions; ++i) {
      if (logits[i] > logits[best]) best = i;
    }
    Real total = 0;
    for (int i = 0; i < actions; ++i)
      total += exp(logits[i] - logits[best]);
    int chosen = best;
    if (sample) {
      Real left = static_cast<Real>(noise_of(step, agent).uniform(0)) * total;
      for (chosen = 0; chosen + 1 < actions; ++chosen) {
        left -= exp(logits[chosen] - logits[best]);
        if (left < 0) break;
      }
    }
    chosen_action = static_cast<Real>(chosen);
    return logits[chosen] - logits[best] - log(total);
  }
};

}  // namespace dempilot::nn
