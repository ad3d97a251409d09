#pragma once

#include <cmath>

#include "core/action/Noise.hpp"
#include "core/nn/Activation.hpp"
#include "core/nn/Network.hpp"

namespace dempilot::nn {

/// From one agent's row of the head to what it does.
template <class Real, class ExecutionSpace>
struct Decision {
  const Network<Real, ExecutionSpace>& network;
  const Rollout<Real, ExecutionSpace>& rollout;

  /// The agent's noise at this step; `stream` keeps several uses of it apart.
  KOKKOS_FUNCTION Noise noise_of(int step, int agent, std::uint64_t stream = 0) const {
    const bool has_id = rollout.ids.extent(0) > 0 && agent < rollout.agents;
    const std::int64_t id = has_id ? rollout.ids(agent, 0) : agent;
    return Noise(rollout.seed ^ stream, id, rollout.first_decision + step);
  }

  /// Mean, standard deviation and the heads' value, where they are asked for.
  KOKKOS_FUNCTION void report(int step, int agent, const Real* head) const {
    using std::exp;
    const std::size_t row = row_of(step, agent);
    for (int i = 0; i < network.actions; ++i) {
      if (rollout.mean.extent(0) > 0) rollout.mean(row, i) = head[i];
      if (rollout.std.extent(0) > 0) {
        rollout.std(row, i) =
            network.sigma_head ? softplus(head[network.actions + i]) : exp(network.log_std(i));
      }
    }
    if (rollout.value.extent(0) > 0 && !network.has_critic()) {
      rollout.value(row, 0) = head[network.head.outputs - 1];
    }
  }

  /// The action, and the logarithm of its probability or density.
  KOKKOS_FUNCTION void act(int step, int agent, const Real* head) const {
    const std::size_t row = row_of(step, agent);
    Real log_prob = 0;
    if (network.discrete) {
      log_prob = choose(step, agent, head, rollout.action(row, 0));
    } else {
      Real* const action = &rollout.action(row, 0);
      log_prob = latent(step, agent, head, action, 1);
      log_prob -= network.space.forward(action);
    }
    if (rollout.log_prob.extent(0) > 0) rollout.log_prob(row, 0) = log_prob;
  }

  /// The mean of the Gaussian or a sample of it into x, whose entries lie `stride` apart; returns
  /// its log-density.
  KOKKOS_FUNCTION Real latent(int step, int agent, const Real* head, Real* x, int stride) const {
    using std::exp;
    const Noise noise = noise_of(step, agent);
    Real log_prob = 0;
    double pair[2] = {0, 0};
    for (int i = 0; i < network.actions; ++i) {
      if (rollout.sample && i % 2 == 0) {
        noise.normal_pair(static_cast<std::uint32_t>(i / 2), pair[0], pair[1]);
      }
      const Real unit = static_cast<Real>(pair[i % 2]);
      const Real log_std = log_sigma(head, i);
      // Without a sample, no 0 * infinity where the distribution is very wide.
      x[i * stride] = rollout.sample ? head[i] + unit * exp(log_std) : head[i];
      log_prob -= unit * unit / 2 + log_std + static_cast<Real>(half_log_two_pi);
    }
    return log_prob;
  }

 private:
  KOKKOS_FUNCTION std::size_t row_of(int step, int agent) const {
    return static_cast<std::size_t>(step) * rollout.agents + agent;
  }

  KOKKOS_FUNCTION Real log_sigma(const Real* head, int action) const {
    using std::log;
    if (!network.sigma_head) return network.log_std(action);
    return log(softplus(head[network.actions + action]));
  }

  /// The likeliest of the discrete actions, or one drawn with their probabilities; returns the
  /// logarithm of its probability.
  KOKKOS_FUNCTION Real choose(int step, int agent, const Real* logits, Real& action) const {
    using std::exp;
    using std::log;
    int best = 0;
    for (int i = 1; i < network.actions; ++i) {
      if (logits[i] > logits[best]) best = i;
    }
    Real total = 0;
    for (int i = 0; i < network.actions; ++i)
      total += exp(logits[i] - logits[best]);
    int chosen = best;
    if (rollout.sample) {
      Real left = static_cast<Real>(noise_of(step, agent).uniform(0)) * total;
      for (chosen = 0; chosen + 1 < network.actions; ++chosen) {
        left -= exp(logits[chosen] - logits[best]);
        if (left < 0) break;
      }
    }
    action = static_cast<Real>(chosen);
    return logits[chosen] - logits[best] - log(total);
  }
};

}  // namespace dempilot::nn
