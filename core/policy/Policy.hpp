#pragma once

#include <cstdint>
#include <optional>

#include "core/nn/Network.hpp"
#include "core/policy/Array.hpp"
#include "core/policy/Carry.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot {

/// What a model says about observations of leading shape (...).
template <class Real>
struct Outputs {
  Array<Real> mean;      ///< (..., actions), of the Gaussian before the action space, or logits
  Array<Real> std;       ///< (..., actions)
  Array<Real> action;    ///< (..., actions), deterministic: f(mean), or the likeliest's index
  Array<Real> value;     ///< (..., 1)
  Array<Real> log_prob;  ///< (...), of `action`
  Array<Real> hidden;    ///< (..., features), what the heads read, after dropout
};

/// A model with its carry, for arrays in host memory: what tests, tools and bindings use. Engines
/// with their own carry use Pilot. `Real` is float or double.
template <class Real, class ExecutionSpace = Kokkos::DefaultExecutionSpace>
class Policy {
 public:
  /// Throws Error when `parameters` do not fit the model.
  Policy(const ModelSpec& spec, const Parameters& parameters, ExecutionSpace space = {});
  /// A new model, initialised from a seed.
  Policy(const ModelSpec& spec, std::uint64_t seed, ExecutionSpace space = {});

  const ModelSpec& spec() const { return spec_; }

  /// Training mode: dropout on (for models that have it), drawn from `seed` anew at every call.
  void train(std::uint64_t seed);
  /// Evaluation mode, the default: no dropout.
  void eval() { training_ = false; }

  /// Single-step mode: observations (..., observation_size) of any leading shape; uses and updates
  /// the carry held here, which starts from zeros whenever the leading shape changes. Throws Error
  /// on a wrong width.
  Outputs<Real> step(const Array<Real>& observations);

  /// Sequence mode: observations (T, B, observation_size), from zeros or from `initial_carry`
  /// (B, carry_size), which is [h | c]; where `done` (T, B) is nonzero the carry is zeroed after
  /// that step. The carry held here is neither used nor changed.
  Outputs<Real> sequence(const Array<Real>& observations,
                         const std::optional<Array<Real>>& initial_carry = {},
                         const std::optional<Array<std::int8_t>>& done = {});

  /// The carry of single-step mode; reset it here: all, by environment mask, or single agents.
  Carry<Real, ExecutionSpace>& carry() { return carry_; }

 private:
  Outputs<Real> run(int steps, int agents, const Array<Real>& observations,
                    const Matrix<Real, ExecutionSpace>& carry,
                    const std::optional<Array<std::int8_t>>& done);

  ModelSpec spec_;
  ExecutionSpace space_;
  nn::Network<Real, ExecutionSpace> network_;
  Carry<Real, ExecutionSpace> carry_;
  bool training_ = false;
  std::uint64_t dropout_seed_ = 0;
  std::int64_t dropout_calls_ = 0;
};

}  // namespace dempilot
