#pragma once

#include <cstdint>

#include "core/Backend.hpp"
#include "core/action/ActionSpace.hpp"
#include "core/action/Noise.hpp"
#include "core/nn/Linear.hpp"
#include "core/nn/Lstm.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::nn {

inline constexpr int max_encoder_layers = 8;
inline constexpr double half_log_two_pi = 0.91893853320467274178;

/// Every model is this one composition: encoder layers, a recurrent cell or none, dropout while
/// training, and one head that gives the mean of the actions and then the value. Weights are packed
/// once, in the order the kernels read. Copying it copies handles.
template <class Real, class ExecutionSpace>
struct Network {
  Kokkos::Array<Linear<Real, ExecutionSpace>, max_encoder_layers> encoder;
  int encoder_layers = 0;
  Activation activation = Activation::gelu;
  bool recurrent = false;
  LstmCell<Real, ExecutionSpace> cell;
  Linear<Real, ExecutionSpace> head;
  Vector<Real, ExecutionSpace> log_std;  ///< (actions)
  ActionSpace<Real, ExecutionSpace> space;
  double dropout_rate = 0;  ///< applied before the head in training mode

  Network() = default;
  /// Packs checked parameters (see parameter_shapes).
  Network(const ModelSpec& spec, const Parameters& parameters);

  int observation_size() const { return encoder[0].inputs; }
  int action_size() const { return head.outputs - 1; }
  int carry_size() const { return recurrent ? 2 * cell.width : 0; }
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
  Rows<Real> carry;              ///< (B, carry_size), [h | c]; read and replaced
  Rows<const std::int8_t> done;  ///< (T, B) or empty; nonzero zeroes the carry after the step
  Rows<Real> mean;               ///< (T B, actions) before the action space
  Rows<Real> action;             ///< (T B, actions)
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
