#include "core/nn/Network.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/nn/OneThread.hpp"
#include "core/nn/Packing.hpp"
#include "core/nn/RolloutKernel.hpp"
#include "core/policy/Transfer.hpp"

namespace dempilot::nn {
namespace {

using detail::Dense;

/// `cell_width`, `features`: as of detail::panelled().
template <class Real, class ExecutionSpace>
Linear<Real, ExecutionSpace> pack(const Dense& dense, LayerForm form, std::size_t cell_width,
                                  std::size_t features) {
  Linear<Real, ExecutionSpace> layer;
  layer.inputs = static_cast<int>(dense.inputs);
  layer.outputs = static_cast<int>(dense.outputs);
  if (form == LayerForm::simd) {
    const detail::Panelled panels = detail::panelled(simd::tile_ops(), dense, cell_width, features);
    layer.panels = upload<Real, ExecutionSpace>(panels.weights, "DEMPilot::Linear::panels");
    layer.pieces = upload<std::uint16_t, ExecutionSpace>(panels.pieces, "DEMPilot::Linear::pieces");
    layer.bias = upload<Real, ExecutionSpace>(panels.bias, "DEMPilot::Linear::bias");
    return layer;
  }
  const int padded = padded_to_lanes(layer.outputs);
  layer.kernel = Matrix<Real, ExecutionSpace>("DEMPilot::Linear::kernel", dense.inputs, padded);
  layer.bias = Vector<Real, ExecutionSpace>("DEMPilot::Linear::bias", padded);
  const auto kernel = Kokkos::create_mirror_view(layer.kernel);
  const auto bias = Kokkos::create_mirror_view(layer.bias);
  for (std::size_t k = 0; k < dense.inputs; ++k) {
    for (std::size_t o = 0; o < dense.outputs; ++o) {
      kernel(k, o) = static_cast<Real>(dense.kernel[k * dense.outputs + o]);
    }
  }
  for (std::size_t o = 0; o < dense.outputs; ++o)
    bias(o) = static_cast<Real>(dense.bias[o]);
  Kokkos::deep_copy(layer.kernel, kernel);
  Kokkos::deep_copy(layer.bias, bias);
  return layer;
}

template <class Real, class ExecutionSpace>
Linear<Real, ExecutionSpace> pack(const Dense& dense, LayerForm form) {
  return pack<Real, ExecutionSpace>(dense, form, 0, dense.inputs);
}

template <class Real, class ExecutionSpace>
Torso<Real, ExecutionSpace> pack(const Parameters& parameters,
                                 const std::vector<DenseLayer>& layers, LayerForm form) {
  Torso<Real, ExecutionSpace> torso;
  for (const DenseLayer& layer : layers) {
    torso.activated[torso.layer_count] = layer.activated;
    torso.layers[torso.layer_count++] =
        pack<Real, ExecutionSpace>(detail::dense(parameters, layer.name), form);
  }
  return torso;
}

/// `first_carry`: where this stack's part of the carry begins; moved to its end.
template <class Real, class ExecutionSpace>
RecurrentStack<Real, ExecutionSpace> pack(const Parameters& parameters,
                                          const RecurrentLayers& layers, LayerForm form,
                                          int& first_carry) {
  RecurrentStack<Real, ExecutionSpace> stack;
  stack.cell = layers.cell;
  const auto width = static_cast<int>(layers.width);
  for (std::size_t i = 0; i < layers.names.size(); ++i) {
    const Dense gates = detail::gates_of(parameters, layers, i);
    const std::size_t features =
        gates.inputs - (layers.cell == CellKind::min_gru ? 0 : layers.width);
    stack.layers[stack.layer_count++] = {
        pack<Real, ExecutionSpace>(gates, form, layers.width, features), width, first_carry};
    first_carry += detail::carry_width(layers);
  }
  return stack;
}

template <class Real, class ExecutionSpace>
NetworkBranch<Real, ExecutionSpace> pack(const Parameters& parameters, const Branch& branch,
                                         LayerForm form, int& first_carry) {
  return {pack<Real, ExecutionSpace>(parameters, branch.before, form),
          pack<Real, ExecutionSpace>(parameters, branch.memory, form, first_carry),
          pack<Real, ExecutionSpace>(parameters, branch.after, form)};
}

/// Zeros where the model has none: nobody looks at the standard deviation of categories.
std::vector<float> log_std_of(const ModelSpec& spec, const Parameters& parameters) {
  const auto found = parameters.find("_log_std");
  return found == parameters.end() ? std::vector<float>(spec.action_size, 0.0F)
                                   : found->second.values;
}

}  // namespace

template <class Real, class ExecutionSpace>
LayerForm best_layer_form() {
#ifdef KOKKOS_ENABLE_CUDA
  if (std::is_same_v<Real, float> && std::is_same_v<ExecutionSpace, Kokkos::Cuda>)
    return LayerForm::fused;
#endif
  // On one lane, the compiler's own vectors are faster.
  const bool simd = may_use_simd<Real, ExecutionSpace> && simd::tile_ops().lanes > 1;
  return simd ? LayerForm::simd : LayerForm::portable;
}

template <class ExecutionSpace>
Normalizer<ExecutionSpace>::Normalizer(const Normalization& normalization)
    : mean(upload<double, ExecutionSpace>(normalization.mean, "DEMPilot::Normalizer::mean")),
      inverse_std(upload<double, ExecutionSpace>(detail::inverse_std_of(normalization),
                                                 "DEMPilot::Normalizer::inverse_std")),
      clip(normalization.clip) {}

template <class Real, class ExecutionSpace>
Network<Real, ExecutionSpace>::Network(const ModelSpec& spec, const Parameters& parameters,
                                       LayerForm layer_form, [[maybe_unused]] Precision precision)
    : normalizer(spec.normalization),
      activation(spec.activation),
      log_std(
          upload<Real, ExecutionSpace>(log_std_of(spec, parameters), "DEMPilot::Network::log_std")),
      space(spec.discrete ? ActionSpaceSpec{} : spec.action_space, spec.action_size),
      observation_size(static_cast<int>(spec.observation_size)),
      actions(static_cast<int>(spec.action_size)),
      sigma_head(spec.actor_sigma_head),
      discrete(spec.discrete),
      carry_size(static_cast<int>(spec.carry_size())),
      form(layer_form) {
  const Architecture model = architecture_of(spec);
  int first_carry = 0;
  actor = pack<Real, ExecutionSpace>(parameters, model.actor, form, first_carry);
  critic = pack<Real, ExecutionSpace>(parameters, model.critic, form, first_carry);
  head = pack<Real, ExecutionSpace>(detail::heads_of(parameters, model), form);
  critic_reads_memory = model.critic_reads_memory;
  dropout_rate = model.dropout_rate;
#ifdef KOKKOS_ENABLE_CUDA
  if (form == LayerForm::fused)
    fused = std::make_shared<cuda::FusedNetwork>(spec, parameters, precision);
#endif
}

template <class Real, class ExecutionSpace>
Decision<Real> decision_of(const Network<Real, ExecutionSpace>& network,
                           const Rollout<Real, ExecutionSpace>& rollout) {
  const auto asked = [](const auto& rows) { return rows.extent(0) > 0 ? rows.data() : nullptr; };
  Decision<Real> decision;
  decision.actions = network.actions;
  decision.action_width = static_cast<int>(rollout.action.extent(1));
  decision.head_outputs = network.head.outputs;
  decision.sigma_head = network.sigma_head;
  decision.discrete = network.discrete;
  decision.head_gives_value = !network.has_critic();
  decision.log_std = network.log_std.data();
  decision.space = network.space;
  decision.agents = rollout.agents;
  decision.sample = rollout.sample;
  decision.ids = asked(rollout.ids);
  decision.seed = rollout.seed;
  decision.first_decision = rollout.first_decision;
  decision.mean = asked(rollout.mean);
  decision.std = asked(rollout.std);
  decision.action = asked(rollout.action);
  decision.value = asked(rollout.value);
  decision.log_prob = asked(rollout.log_prob);
  return decision;
}

/// Agents that share a tile: on a host, few enough that each thread has some, as far as blocks of
/// rows can be divided.
template <class Layers, class ExecutionSpace>
int rows_of_a_tile(const Layers& layers, const ExecutionSpace& space, int agents) {
  if constexpr (!runs_on_host<ExecutionSpace>) return Layers::tile_rows;
  const int threads = space.concurrency();
  const int multiple = layers.block_rows(threads);
  const int share = divide_up(agents, threads);
  const int tiles = divide_up(share, layers.most_rows());  // of each thread, nearly equal
  const int most = round_up(divide_up(share, tiles), multiple);
  if (threads == 1) return most;
  // The thread that has most decides how long it takes: of fewer rows to a tile, what divides best.
  const auto rows_of_one = [&](int rows) {
    return divide_up(divide_up(agents, rows), threads) * rows;
  };
  int best = most;
  for (int rows = most; rows > most / 2; rows -= multiple) {
    if (rows_of_one(rows) < rows_of_one(best)) best = rows;
  }
  return best;
}

/// Not made anew at every decision.
const std::string& launch_label() {
  static const std::string label("DEMPilot::Network::forward");
  return label;
}

/// By teams of threads, one tile each.
template <class Real, class ExecutionSpace>
void launch_teams(const ExecutionSpace& space, const Network<Real, ExecutionSpace>& network,
                  const Rollout<Real, ExecutionSpace>& rollout) {
  using Policy = Kokkos::TeamPolicy<ExecutionSpace>;
  const PortableLayers<Real, ExecutionSpace> layers;
  detail::RolloutKernel<Real, ExecutionSpace, PortableLayers<Real, ExecutionSpace>,
                        typename Policy::member_type>
      kernel(network, rollout, layers);
  kernel.rows_each = rows_of_a_tile(layers, space, rollout.agents);
  constexpr int team_size = runs_on_host<ExecutionSpace> ? 1 : 128;
  Policy policy(space, kernel.tiles(), team_size);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(kernel.scratch_bytes())));
  Kokkos::parallel_for(launch_label(), policy, kernel);
  space.fence();
}

/// By threads of the host, several tiles each.
template <class ExecutionSpace>
void launch_threads(const ExecutionSpace& space, const Network<float, ExecutionSpace>& network,
                    const Rollout<float, ExecutionSpace>& rollout,
                    const SimdLayers<ExecutionSpace>& layers) {
  detail::RolloutKernel<float, ExecutionSpace, SimdLayers<ExecutionSpace>, detail::OneThread>
      kernel(network, rollout, layers);
  kernel.rows_each = rows_of_a_tile(layers, space, rollout.agents);
  using Kokkos::Experimental::UniqueToken;
  const UniqueToken<ExecutionSpace, Kokkos::Experimental::UniqueTokenScope::Global> threads(space);
  const std::size_t bytes = kernel.scratch_bytes();
  const std::size_t wanted = kernel.tiles() == 1 ? bytes : threads.size() * bytes;
  thread_local std::vector<std::byte> kept;  // for the next launch
  if (kept.size() < wanted) kept.resize(wanted);
  std::byte* const scratch = kept.data();  // the calling thread's
  if (kernel.tiles() == 1) return kernel(detail::OneThread(0, scratch, bytes));
  const auto compute = [&](int tile) {
    const int thread = threads.acquire();
    kernel(detail::OneThread(tile, scratch + static_cast<std::size_t>(thread) * bytes, bytes));
    threads.release(thread);
  };
  Kokkos::parallel_for(launch_label(),
                       Kokkos::RangePolicy<ExecutionSpace>(space, 0, kernel.tiles()), compute);
  space.fence();
}

template <class Real, class ExecutionSpace>
void forward(const ExecutionSpace& space, const Network<Real, ExecutionSpace>& network,
             const Rollout<Real, ExecutionSpace>& rollout) {
  if (rollout.agents == 0) return;
  if constexpr (may_use_simd<Real, ExecutionSpace>) {
    if (network.form == LayerForm::simd) {
      const simd::TileOps& ops = simd::tile_ops();
      const std::int64_t agents = std::max<std::int64_t>(rollout.agents, rollout.all_agents);
      const bool few = agents < ops.min_agents;
      launch_threads(space, network, rollout,
                     SimdLayers<ExecutionSpace>{few ? ops.for_fewer : &ops});
      return;
    }
  }
#ifdef KOKKOS_ENABLE_CUDA
  if constexpr (std::is_same_v<Real, float> && std::is_same_v<ExecutionSpace, Kokkos::Cuda>) {
    const bool drops = rollout.training && network.dropout_rate > 0;
    if (network.fused && !drops)
      return network.fused->forward(space, rollout, decision_of(network, rollout));
  }
#endif
  launch_teams(space, network, rollout);
}

#define DEMPILOT_INSTANTIATE(Real, Space)                                        \
  template LayerForm best_layer_form<Real, Space>();                             \
  template struct Network<Real, Space>;                                          \
  template Decision<Real> decision_of<Real, Space>(const Network<Real, Space>&,  \
                                                   const Rollout<Real, Space>&); \
  template void forward<Real, Space>(const Space&, const Network<Real, Space>&,  \
                                     const Rollout<Real, Space>&);
#ifdef DEMPILOT_HAS_SERIAL
DEMPILOT_INSTANTIATE(float, Kokkos::Serial)
DEMPILOT_INSTANTIATE(double, Kokkos::Serial)
#endif
#ifdef KOKKOS_ENABLE_OPENMP
DEMPILOT_INSTANTIATE(float, Kokkos::OpenMP)
DEMPILOT_INSTANTIATE(double, Kokkos::OpenMP)
#endif
#ifdef KOKKOS_ENABLE_CUDA
DEMPILOT_INSTANTIATE(float, Kokkos::Cuda)
DEMPILOT_INSTANTIATE(double, Kokkos::Cuda)
#endif
#undef DEMPILOT_INSTANTIATE

}  // namespace dempilot::nn
