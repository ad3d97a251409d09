#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "core/Backend.hpp"
#include "core/action/ActionSpace.hpp"
#include "core/nn/Decision.hpp"
#include "core/nn/Linear.hpp"
#include "core/nn/Normalize.hpp"
#include "core/nn/Precision.hpp"
#include "core/nn/RecurrentLayer.hpp"
#include "core/nn/cuda/FusedNetwork.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::nn {

/// How a network computes its layers, and therefore in which order its weights lie.
enum class LayerForm {
  portable,  ///< by a team of threads, on any execution space
  simd,      ///< by vector instructions of the host: float32 on a host's execution space
  fused,     ///< by one CUDA kernel for all of them (nn/cuda): float32 on a CUDA device
};

template <class Real, class ExecutionSpace>
inline constexpr bool may_use_simd = std::is_same_v<Real, float>&& runs_on_host<ExecutionSpace>;

/// The faster one of those that there are.
template <class Real, class ExecutionSpace>
LayerForm best_layer_form();

/// Layers of a stack: those of a file (max_layer_count), and one that a model may add by itself.
inline constexpr int max_layers = static_cast<int>(max_layer_count) + 1;

/// Dense layers one after the other, each followed by the activation or not.
template <class Real, class ExecutionSpace>
struct Torso {
  Kokkos::Array<Linear<Real, ExecutionSpace>, max_layers> layers;
  Kokkos::Array<bool, max_layers> activated{};
  int layer_count = 0;
};

/// Recurrent layers one on top of the other.
template <class Real, class ExecutionSpace>
struct RecurrentStack {
  CellKind cell = CellKind::lstm;
  Kokkos::Array<RecurrentLayer<Real, ExecutionSpace>, max_layers> layers;
  int layer_count = 0;

  KOKKOS_INLINE_FUNCTION int width() const { return layers[0].width; }
};

/// Dense layers, recurrent layers, dense layers; each of the three may be empty.
template <class Real, class ExecutionSpace>
struct NetworkBranch {
  Torso<Real, ExecutionSpace> before;
  RecurrentStack<Real, ExecutionSpace> memory;
  Torso<Real, ExecutionSpace> after;
};

/// What is done to an observation before the first layer.
template <class ExecutionSpace>
struct Normalizer {
  Vector<double, ExecutionSpace> mean;         ///< (observation_size), or empty
  Vector<double, ExecutionSpace> inverse_std;  ///< (observation_size)
  double clip = 0;

  Normalizer() = default;
  explicit Normalizer(const Normalization& normalization);

  KOKKOS_INLINE_FUNCTION bool empty() const { return mean.extent(0) == 0; }

  /// Entry `i` of an observation as the model reads it.
  KOKKOS_INLINE_FUNCTION double operator()(int i, double x) const {
    return normalize(x, mean(i), inverse_std(i), clip);
  }
};

/// Every model is this one composition: a branch of the actor, dropout while training, a head that
/// gives mean (or logits), standard deviation if it is a function of the state, and value if no
/// branch of the critic's own gives it. Weights are packed once, in the order the kernels read.
/// Copying it copies handles.
template <class Real, class ExecutionSpace>
struct Network {
  Normalizer<ExecutionSpace> normalizer;
  NetworkBranch<Real, ExecutionSpace> actor;
  Linear<Real, ExecutionSpace> head;  ///< [mean or logits | sigma's pre-activation | value]
  NetworkBranch<Real, ExecutionSpace> critic;  ///< its last layer gives the value, if it has any
  bool critic_reads_memory = false;            ///< the actor's last h, not the observation
  Activation activation = Activation::gelu;
  Vector<Real, ExecutionSpace> log_std;  ///< (actions), unless sigma is a function of the state
  ActionSpace<Real, ExecutionSpace> space;
  int observation_size = 0;
  int actions = 0;
  bool sigma_head = false;
  bool discrete = false;
  int carry_size = 0;
  double dropout_rate = 0;  ///< applied before the head in training mode

  LayerForm form = LayerForm::portable;
#ifdef KOKKOS_ENABLE_CUDA
  std::shared_ptr<const cuda::FusedNetwork> fused;  ///< or null; training is done without it
#endif

  Network() = default;
  /// Packs checked parameters (see parameter_shapes); `precision` is that of the form `fused`.
  Network(const ModelSpec& spec, const Parameters& parameters,
          LayerForm layer_form = best_layer_form<Real, ExecutionSpace>(),
          Precision precision = precision_in_use());

  KOKKOS_INLINE_FUNCTION bool has_critic() const {
    return critic.after.layer_count > 0;
  }
};

/// So many that nobody takes them for few.
inline constexpr std::int64_t many_agents = 1'000'000;

/// Input and output of Network::forward. T steps of B agents; T is 1 in single-step mode. Outputs
/// with no extent are not computed.
template <class Real, class ExecutionSpace>
struct Rollout {
  template <class T>
  using Rows = Kokkos::View<T**, Kokkos::LayoutRight, typename ExecutionSpace::memory_space,
                            Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

  int steps = 1;
  int agents = 0;
  /// How many of all processes decide together, `agents` if that is more: very few may be computed
  /// in another way (simd::TileOps::for_fewer).
  std::int64_t all_agents = many_agents;
  Rows<const Real> observation;  ///< (T B, observation_size)
  Rows<Real> carry;  ///< (B, carry_size), read and replaced; ModelSpec::carry_size gives its order
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

/// What `network` makes of its head's rows in `rollout`.
template <class Real, class ExecutionSpace>
Decision<Real> decision_of(const Network<Real, ExecutionSpace>& network,
                           const Rollout<Real, ExecutionSpace>& rollout);

/// Runs `network` over `rollout` in one launch on `space`.
template <class Real, class ExecutionSpace>
void forward(const ExecutionSpace& space, const Network<Real, ExecutionSpace>& network,
             const Rollout<Real, ExecutionSpace>& rollout);

}  // namespace dempilot::nn
