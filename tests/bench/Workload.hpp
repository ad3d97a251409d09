#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/Pilot.hpp"
#include "core/policy/PolicyFile.hpp"

/// The work that the benchmarks time: agents that decide, with what it costs counted from the
/// model's sizes.
namespace dempilot::bench {

/// JaxDEM's first LSTMActorCritic: 22 observations, two hidden layers of 64, LSTM of 128, 3
/// actions.
ModelSpec default_model();

/// A policy of this model with fresh weights from a seed, and neither contract nor golden rows.
PolicyFile fresh_policy(const ModelSpec& model, std::uint64_t seed = 1);

/// Multiplications and additions of the matrix products of one step of one agent. Activations, a
/// few per cent of a step, are not counted.
double flop_per_step(const ModelSpec& model);

/// Bytes that a step of one agent must move however it is computed: the observation and the carry
/// are read, the carry, the mean of the actions and the value are written.
double bytes_per_step(const ModelSpec& model);

/// All weights and biases, in bytes.
std::size_t weight_bytes(const ModelSpec& model);

/// Uniform numbers in [-1, 1), the same on every machine.
std::vector<float> random_floats(std::size_t count, std::uint64_t seed);

/// Agents of one policy with their carries, which start from zeros.
class Workload {
 public:
  virtual ~Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  /// One call of the policy: of all agents for one step, or for `steps` in a sequence.
  virtual void run() = 0;

  /// All agents forget.
  void reset();

  std::size_t steps() const { return steps_; }
  std::size_t agents() const { return agents_; }
  std::span<const float> mean() const { return mean_; }    ///< (steps, agents, actions)
  std::span<const float> value() const { return value_; }  ///< (steps, agents)
  std::span<const float> carry() const { return carry_; }  ///< (agents, carry_size)

 protected:
  /// `observation` (steps, agents, observation_size).
  Workload(const ModelSpec& model, std::size_t steps, std::size_t agents,
           std::vector<float> observation);

  std::size_t steps_;
  std::size_t agents_;
  std::vector<float> observation_;
  std::vector<float> carry_;
  std::vector<float> mean_;
  std::vector<float> value_;
};

/// Single-step mode as the LAMMPS fix calls it: Pilot::decide with the actions' mean, for which it
/// has action, value and log-probability computed. The mean is that of the Gaussian if the policy's
/// action space is free, and else what acts.
std::unique_ptr<Workload> make_single_step(const PolicyFile& policy, std::size_t agents,
                                           std::vector<float> observation);

/// Sequence mode, one launch over all steps: mean and value.
std::unique_ptr<Workload> make_sequence(const PolicyFile& policy, std::size_t steps,
                                        std::size_t agents, std::vector<float> observation);

}  // namespace dempilot::bench
