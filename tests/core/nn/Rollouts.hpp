#pragma once

#include <limits>

#include "core/nn/Network.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/nn/Teams.hpp"

namespace dempilot::test {

/// One of each composition, with widths that leave padding everywhere.
inline std::vector<ModelSpec> one_of_each_composition() {
  return {recurrent_model(ModelVariant::current, ActionSpaceKind::box),
          recurrent_model(ModelVariant::seed, ActionSpaceKind::max_norm, Activation::tanh, 2),
          with_sigma_head(min_gru_model(ActionSpaceKind::box)),
          feed_forward_model(ActionSpaceKind::free),
          with_discrete_actions(separate_model()),
          stacked_model(CellKind::lstm, CriticMemory::own, ActionSpaceKind::clipped),
          with_normalization(stacked_model(CellKind::gru, CriticMemory::shared)),
          bare_recurrent_model(CellKind::gru, CriticMemory::none)};
}

/// The input of nn::forward in host memory.
template <class Real>
struct Batch {
  int steps = 1;
  int agents = 0;
  std::int64_t all_agents = nn::many_agents;
  std::vector<Real> observation;  ///< (T B, observation_size)
  std::vector<Real> carry;        ///< (B, carry_size)
  std::vector<std::int8_t> done;  ///< (T, B) or empty
  std::vector<std::int64_t> ids;  ///< (B) or empty
  bool sample = false;
  bool training = false;
  std::uint64_t seed = 7;
  std::int64_t first_decision = 0;
};

/// Its output.
template <class Real>
struct Result {
  std::vector<Real> mean, std, action, value, log_prob, hidden, carry;
};

template <class T>
bool same_bits(const Result<T>& a, const Result<T>& b) {
  return same_bits(a.mean, b.mean) && same_bits(a.std, b.std) && same_bits(a.action, b.action) &&
         same_bits(a.value, b.value) && same_bits(a.log_prob, b.log_prob) &&
         same_bits(a.hidden, b.hidden) && same_bits(a.carry, b.carry);
}

/// Row `row` of `values` that hold `rows` rows.
template <class T>
std::vector<T> row_of(const std::vector<T>& values, std::size_t rows, std::size_t row) {
  const std::size_t width = values.size() / rows;
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * width);
  return {first, first + static_cast<std::ptrdiff_t>(width)};
}

/// What one agent of a single step got.
template <class Real>
Result<Real> agent_of(const Result<Real>& all, std::size_t agents, std::size_t agent) {
  return {row_of(all.mean, agents, agent),     row_of(all.std, agents, agent),
          row_of(all.action, agents, agent),   row_of(all.value, agents, agent),
          row_of(all.log_prob, agents, agent), row_of(all.hidden, agents, agent),
          row_of(all.carry, agents, agent)};
}

template <class Real>
Batch<Real> random_batch(const ModelSpec& spec, int agents, int steps = 1, std::uint64_t seed = 3) {
  Batch<Real> batch;
  batch.steps = steps;
  batch.agents = agents;
  const auto rows = static_cast<std::size_t>(agents) * static_cast<std::size_t>(steps);
  batch.observation = random_values<Real>(rows * spec.observation_size, seed, 2);
  batch.carry =
      random_values<Real>(static_cast<std::size_t>(agents) * spec.carry_size(), seed + 1, 0.9);
  return batch;
}

template <class Real, class ExecutionSpace>
Result<Real> run(const nn::Network<Real, ExecutionSpace>& network, const Batch<Real>& batch) {
  const auto agents = static_cast<std::size_t>(batch.agents);
  const auto steps = static_cast<std::size_t>(batch.steps);
  const std::size_t rows = agents * steps;
  const auto columns = [](int width) { return static_cast<std::size_t>(width); };
  const auto outputs = [&](int width) {
    const std::vector<Real> untouched(rows * columns(width), Real(-99));
    return on_device<Real, ExecutionSpace>(untouched, rows, columns(width));
  };
  const auto observation =
      on_device<Real, ExecutionSpace>(batch.observation, rows, columns(network.observation_size));
  const auto carry =
      on_device<Real, ExecutionSpace>(batch.carry, agents, columns(network.carry_size));
  const auto mean = outputs(network.actions);
  const auto std = outputs(network.actions);
  const auto action = outputs(network.discrete ? 1 : network.actions);
  const auto value = outputs(1);
  const auto log_prob = outputs(1);
  const auto hidden = outputs(network.head.inputs);

  nn::Rollout<Real, ExecutionSpace> rollout;
  rollout.steps = batch.steps;
  rollout.agents = batch.agents;
  rollout.all_agents = batch.all_agents;
  rollout.observation = observation;
  rollout.carry = carry;
  Matrix<std::int8_t, ExecutionSpace> done;
  if (!batch.done.empty()) {
    done = on_device<std::int8_t, ExecutionSpace>(batch.done, steps, agents);
    rollout.done = done;
  }
  Matrix<std::int64_t, ExecutionSpace> ids;
  if (!batch.ids.empty()) {
    ids = on_device<std::int64_t, ExecutionSpace>(batch.ids, agents, 1);
    rollout.ids = ids;
  }
  rollout.mean = mean;
  rollout.std = std;
  rollout.action = action;
  rollout.value = value;
  rollout.log_prob = log_prob;
  rollout.hidden = hidden;
  rollout.sample = batch.sample;
  rollout.training = batch.training;
  rollout.seed = batch.seed;
  rollout.first_decision = batch.first_decision;
  nn::forward(ExecutionSpace{}, network, rollout);
  return {to_host<Real>(mean),  to_host<Real>(std),      to_host<Real>(action),
          to_host<Real>(value), to_host<Real>(log_prob), to_host<Real>(hidden),
          to_host<Real>(carry)};
}

template <class ExecutionSpace, class Real>
Result<Real> run(const ModelSpec& spec, const Parameters& parameters, const Batch<Real>& batch) {
  return run(nn::Network<Real, ExecutionSpace>(spec, parameters), batch);
}

}  // namespace dempilot::test
