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

std::vector<std::string> encoder_names(const ModelSpec& spec) {
  const bool feed_forward = spec.kind == ModelKind::shared_actor_critic;
  const std::size_t layers = feed_forward                         ? spec.architecture.size()
                             : spec.variant == ModelVariant::seed ? 2
                                                                  : 1;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers; ++i) {
    // flax's Sequential counts the activations too, so dense layers have even numbers.
    names.push_back(fmt::format("{}.layers.{}", feed_forward ? "network" : "encoder", 2 * i));
  }
  return names;
}

Dense head_of(const ModelSpec& spec, const Parameters& parameters) {
  if (spec.kind == ModelKind::shared_actor_critic) {
    return side_by_side(dense(parameters, "actor_mu"), dense(parameters, "critic"));
  }
  if (spec.variant == ModelVariant::seed) {
    return side_by_side(dense(parameters, "actor"), dense(parameters, "critic"));
  }
  return dense(parameters, "fused_head");
}

}  // namespace

template <class Real, class ExecutionSpace>
Network<Real, ExecutionSpace>::Network(const ModelSpec& spec, const Parameters& parameters)
    : activation(spec.activation),
      recurrent(spec.kind == ModelKind::lstm_actor_critic),
      space(spec.action_space, spec.action_size) {
  for (const std::string& name : encoder_names(spec)) {
    encoder[encoder_layers++] = pack<Real, ExecutionSpace>(dense(parameters, name));
  }
  if (recurrent) {
    cell.gates = pack<Real, ExecutionSpace>(joint_gates(parameters));
    cell.width = static_cast<int>(spec.lstm_features);
  }
  head = pack<Real, ExecutionSpace>(head_of(spec, parameters));
  // JaxDEM's seed drops out a tenth of the LSTM's output while training; the current models none.
  if (recurrent && spec.variant == ModelVariant::seed) dropout_rate = 0.1;

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
