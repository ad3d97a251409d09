#include "core/nn/Network.hpp"

#include <vector>

#include "core/Error.hpp"
#include "core/nn/RolloutKernel.hpp"

namespace dempilot::nn {
namespace {

/// A kernel and bias in host memory while it is being put together.
struct Dense {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<float> kernel;  ///< (inputs, outputs)
  std::vector<float> bias;    ///< (outputs)
};

Dense dense(const Parameters& parameters, const std::string& name) {
  const Tensor& kernel = parameters.at(name + ".kernel");
  return {kernel.shape[0], kernel.shape[1], kernel.values, parameters.at(name + ".bias").values};
}

/// Two layers that read the same input, as one: columns of `a`, then those of `b`.
Dense side_by_side(const Dense& a, const Dense& b) {
  Dense both{a.inputs, a.outputs + b.outputs, {}, a.bias};
  both.bias.insert(both.bias.end(), b.bias.begin(), b.bias.end());
  for (std::size_t k = 0; k < a.inputs; ++k) {
    const auto row_a = a.kernel.begin() + static_cast<std::ptrdiff_t>(k * a.outputs);
    const auto row_b = b.kernel.begin() + static_cast<std::ptrdiff_t>(k * b.outputs);
    both.kernel.insert(both.kernel.end(), row_a, row_a + static_cast<std::ptrdiff_t>(a.outputs));
    both.kernel.insert(both.kernel.end(), row_b, row_b + static_cast<std::ptrdiff_t>(b.outputs));
  }
  return both;
}

/// The gates' product over [x padded | h]: dense_i over rows of zeros over dense_h.
Dense joint_gates(const Parameters& parameters) {
  const Tensor& from_x = parameters.at("cell.dense_i.kernel");
  Dense gates = dense(parameters, "cell.dense_h");
  const auto features = static_cast<int>(from_x.shape[0]);
  std::vector<float> kernel = from_x.values;
  kernel.resize(static_cast<std::size_t>(padded_to_lanes(features)) * gates.outputs, 0.0F);
  kernel.insert(kernel.end(), gates.kernel.begin(), gates.kernel.end());
  gates.inputs += static_cast<std::size_t>(padded_to_lanes(features));
  gates.kernel = std::move(kernel);
  return gates;
}

template <class Real, class ExecutionSpace>
Linear<Real, ExecutionSpace> pack(const Dense& dense) {
  Linear<Real, ExecutionSpace> layer;
  layer.inputs = static_cast<int>(dense.inputs);
  layer.outputs = static_cast<int>(dense.outputs);
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

/// Layer `layer` of the stacked kernels (layers, width, 3 width), which have no bias.
Dense min_gru_layer(const Tensor& kernels, std::size_t layer) {
  const std::size_t in = kernels.shape[1];
  const std::size_t out = kernels.shape[2];
  const auto first = kernels.values.begin() + static_cast<std::ptrdiff_t>(layer * in * out);
  return {in,
          out,
          {first, first + static_cast<std::ptrdiff_t>(in * out)},
          std::vector<float>(out, 0.0F)};
}

Dense head_of(const ModelSpec& spec, const Parameters& parameters) {
  const bool fused = parameters.contains("fused_head.kernel");
  const std::string actor = spec.variant == ModelVariant::seed ? "actor" : "actor_mu";
  const auto columns = [](Dense dense, std::size_t first, std::size_t count) {
    Dense part{dense.inputs, count, {}, {}};
    for (std::size_t k = 0; k < dense.inputs; ++k) {
      for (std::size_t o = first; o < first + count; ++o) {
        part.kernel.push_back(dense.kernel[k * dense.outputs + o]);
      }
    }
    for (std::size_t o = first; o < first + count; ++o)
      part.bias.push_back(dense.bias[o]);
    return part;
  };
  Dense head = fused ? columns(dense(parameters, "fused_head"), 0, spec.action_size)
                     : dense(parameters, actor);
  if (spec.actor_sigma_head) {
    head = side_by_side(head, dense(parameters, "actor_sigma.net.layers.0"));
  }
  if (spec.kind == ModelKind::actor_critic) return head;
  return side_by_side(head, fused ? columns(dense(parameters, "fused_head"), spec.action_size, 1)
                                  : dense(parameters, "critic"));
}

template <class Real, class ExecutionSpace>
void add_layer(Torso<Real, ExecutionSpace>& torso, const Dense& dense, bool activated) {
  torso.activated[torso.layer_count] = activated;
  torso.layers[torso.layer_count++] = pack<Real, ExecutionSpace>(dense);
}

/// `count` dense layers of a flax Sequential, which counts the activations too.
template <class Real, class ExecutionSpace>
Torso<Real, ExecutionSpace> pack_torso(const Parameters& parameters, const std::string& name,
                                       std::size_t count) {
  Torso<Real, ExecutionSpace> torso;
  for (std::size_t i = 0; i < count; ++i) {
    add_layer(torso, dense(parameters, fmt::format("{}.layers.{}", name, 2 * i)), true);
  }
  return torso;
}

}  // namespace

template <class Real, class ExecutionSpace>
Network<Real, ExecutionSpace>::Network(const ModelSpec& spec, const Parameters& parameters)
    : activation(spec.activation),
      space(spec.discrete ? ActionSpaceSpec{} : spec.action_space, spec.action_size),
      actions(static_cast<int>(spec.action_size)),
      sigma_head(spec.actor_sigma_head),
      discrete(spec.discrete),
      carry_size(static_cast<int>(spec.carry_size())) {
  const auto torso_of = [&](const std::string& name, std::size_t count) {
    return pack_torso<Real, ExecutionSpace>(parameters, name, count);
  };
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      recurrence = Recurrence::lstm;
      torso = torso_of("encoder", spec.variant == ModelVariant::seed ? 2 : 1);
      lstm.gates = pack<Real, ExecutionSpace>(joint_gates(parameters));
      lstm.width = static_cast<int>(spec.lstm_features);
      // JaxDEM's seed drops out a tenth of the LSTM's output while training; current models none.
      dropout_rate = spec.variant == ModelVariant::seed ? 0.1 : 0.0;
      break;
    case ModelKind::min_gru_actor_critic:
      recurrence = Recurrence::min_gru;
      torso = torso_of("encoder", 1);
      if (parameters.contains("proj_in.kernel")) {
        add_layer(torso, dense(parameters, "proj_in"), false);
      }
      min_gru.width = static_cast<int>(spec.gru_features);
      for (std::size_t layer = 0; layer < spec.num_layers; ++layer) {
        min_gru.layers[min_gru.layer_count++] =
            pack<Real, ExecutionSpace>(min_gru_layer(parameters.at("mingru_kernel"), layer));
      }
      break;
    case ModelKind::shared_actor_critic:
      torso = torso_of("network", spec.architecture.size());
      break;
    case ModelKind::actor_critic:
      torso = torso_of("actor_torso", spec.architecture.size());
      critic = torso_of("critic", spec.critic_architecture.size() + 1);
      critic.activated[critic.layer_count - 1] = false;
      break;
  }
  head = pack<Real, ExecutionSpace>(head_of(spec, parameters));

  log_std = Vector<Real, ExecutionSpace>("DEMPilot::Network::log_std", spec.action_size);
  const auto host = Kokkos::create_mirror_view(log_std);
  const std::vector<float>& values = parameters.at("_log_std").values;
  for (std::size_t i = 0; i < spec.action_size; ++i)
    host(i) = static_cast<Real>(values[i]);
  Kokkos::deep_copy(log_std, host);
}

template <class Real, class ExecutionSpace>
void forward(const ExecutionSpace& space, const Network<Real, ExecutionSpace>& network,
             const Rollout<Real, ExecutionSpace>& rollout) {
  if (rollout.agents == 0) return;
  const detail::RolloutKernel<Real, ExecutionSpace> kernel(network, rollout);
  const int tiles = (rollout.agents + tile_rows - 1) / tile_rows;
  constexpr int team_size = runs_on_host<ExecutionSpace> ? 1 : 128;
  Kokkos::TeamPolicy<ExecutionSpace> policy(space, tiles, team_size);
  policy.set_scratch_size(1, Kokkos::PerTeam(static_cast<int>(kernel.scratch_bytes())));
  Kokkos::parallel_for("DEMPilot::Network::forward", policy, kernel);
  space.fence();
}

#define DEMPILOT_INSTANTIATE(Real, Space)                                       \
  template struct Network<Real, Space>;                                         \
  template void forward<Real, Space>(const Space&, const Network<Real, Space>&, \
                                     const Rollout<Real, Space>&);
#ifdef KOKKOS_ENABLE_SERIAL
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
