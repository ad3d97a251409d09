#pragma once

#include <cstdint>

#include "core/Backend.hpp"
#include "core/action/ActionSpace.hpp"
#include "core/action/Noise.hpp"
#include "core/nn/Linear.hpp"
#include "core/nn/Lstm.hpp"
#include "core/nn/MinGru.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::nn {

inline constexpr double half_log_two_pi = 0.91893853320467274178;

/// Dense layers one after the other, each followed by the activation or not.
template <class Real, class ExecutionSpace>
struct Torso {
  Kokkos::Array<Linear<Real, ExecutionSpace>, max_layers> layers;
  Kokkos::Array<bool, max_layers> activated{};
  int layer_count = 0;
};

enum class Recurrence { none, lstm, min_gru };

/// Every model is this one composition: a torso, a recurrence or none, dropout while training, a
/// head that gives mean (or logits), standard deviation if it is a function of the state, and
/// value; and for models whose critic has a torso of its own, that torso. Weights are packed once,
/// in the order the kernels read. Copying it copies handles.
template <class Real, class ExecutionSpace>
struct Network {
  Torso<Real, ExecutionSpace> torso;
  Activation activation = Activation::gelu;
  Recurrence recurrence = Recurrence::none;
  LstmCell<Real, ExecutionSpace> lstm;
  MinGru<Real, ExecutionSpace> min_gru;
  Linear<Real, ExecutionSpace> head;   ///< [mean or logits | sigma's pre-activation | value]
  Torso<Real, ExecutionSpace> critic;  ///< gives the value, from the observation, if it has layers
  Vector<Real, ExecutionSpace> log_std;  ///< (actions), unless sigma is a function of the state
  ActionSpace<Real, ExecutionSpace> space;
  int actions = 0;
  bool sigma_head = false;
  bool discrete = false;
  int carry_size = 0;
  double dropout_rate = 0;  ///< applied before the head in training mode

  Network() = default;
  /// Packs checked parameters (see parameter_shapes).
  Network(const ModelSpec& spec, const Parameters& parameters);

  int observation_size() const { return torso.layers[0].inputs; }
};

/// Input and output of Network::forward. T steps of B agents; T is 1 in single-step mode. Outputs
/// with no extent are not computed.
template <class Real, class ExecutionSpace>
struct Rollout {
  template <class T>
  using Rows = Kokkos::View<T**, Kokkos::LayoutRight, typename ExecutionSpace::memory_space,
                            Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  int steps = 1;
  int agents = 0;
  Rows<const Real> observation;  ///< (T B, observation_size)
  Rows<Real> carry;  ///< (B, carry_size), read and replaced: [h | c], or h of each layer
  Rows<const std::int8_t> done;  ///< (T, B) or empty; nonzero zeroes the carry after the step
  Rows<Real> mean;               ///< (T B, actions) before the action space, or the logits
  Rows<Real> std;                ///< (T B, actions)
  Rows<Real> action;             ///< (T B, actions), or (T B, 1): the index of a discrete one
  Rows<Real> value;              ///< (T B, 1)
  Rows<Real> log_prob;           ///< (T B, 1) of `action`
  Rows<Real> hidden;             ///< (T B, width of the head's input) as the head saw it

  /// Sampling: the noise of row (t, b) is that of (seed, ids(b), first_decision + t). Without it
  /// the action is f(mean).
  bool sample = false;
  Rows<const std::int64_t> ids;  ///< (B, 1); empty: 0, 1, 2, ...
  std::uint64_t seed = 0;
  std::int64_t first_decision = 0;
  bool training = false;  ///< dropout on
};

/// Runs `network` over `rollout` in one launch on `space`.
template <class Real, class ExecutionSpace>
void forward(const ExecutionSpace& space, const Network<Real, ExecutionSpace>& network,
             const Rollout<Real, ExecutionSpace>& rollout);

}  // namespace dempilot::nn
