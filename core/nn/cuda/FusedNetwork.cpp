#include "core/nn/cuda/FusedNetwork.hpp"

#ifdef KOKKOS_ENABLE_CUDA

#include <stdexcept>

#include "core/Error.hpp"
#include "core/nn/Network.hpp"
#include "core/nn/cuda/PlanBuilder.hpp"

namespace dempilot::nn::cuda {
namespace {

template <class T>
Vector<T, Kokkos::Cuda> to_device(const std::vector<T>& values, const char* label) {
  Vector<T, Kokkos::Cuda> vector(Kokkos::ViewAllocateWithoutInitializing(label), values.size());
  Kokkos::deep_copy(vector, HostVector<const T>(values.data(), values.size()));
  return vector;
}

/// What CUDA says of itself, as an error of ours.
template <class Work>
void of_cuda(const Work& work) {
  try {
    work();
  } catch (const std::runtime_error& problem) {
    fail("the device did not take a step ({}) look at it with nvidia-smi, or run on the host",
         problem.what());
  }
}

}  // namespace

FusedNetwork::FusedNetwork(const ModelSpec& spec, const Parameters& parameters,
                           Precision precision) {
  PlanParts parts = build_plan(spec, parameters, precision);
  weights_ = to_device(parts.weights, "DEMPilot::FusedNetwork::weights");
  biases_ = to_device(parts.biases, "DEMPilot::FusedNetwork::biases");
  mean_ = to_device(parts.mean, "DEMPilot::FusedNetwork::mean");
  inverse_std_ = to_device(parts.inverse_std, "DEMPilot::FusedNetwork::inverse_std");
  Plan& plan = parts.plan;
  plan.weights = weights_.data();
  plan.biases = biases_.data();
  plan.mean = parts.mean.empty() ? nullptr : mean_.data();
  plan.inverse_std = inverse_std_.data();
  observation_size_ = plan.observation_size;
  features_ = plan.head.features;
  of_cuda([&] { launcher_.emplace(plan, precision); });
  workspace_ = Vector<unsigned char, Space>("DEMPilot::FusedNetwork::workspace",
                                            launcher_->workspace_bytes());
}

void FusedNetwork::forward(const Kokkos::Cuda& space, const Rollout<float, Kokkos::Cuda>& rollout,
                           const Decision<float>& decision) const {
  const auto agents = static_cast<std::size_t>(rollout.agents);
  for (int number = 0; number < rollout.steps; ++number) {
    const std::size_t rows = agents * static_cast<std::size_t>(number);
    Step step;
    step.observation =
        rollout.observation.data() + rows * static_cast<std::size_t>(observation_size_);
    step.carry = rollout.carry.data();
    if (rollout.done.extent(0) > 0) step.done = rollout.done.data() + rows;
    if (rollout.hidden.extent(0) > 0)
      step.hidden = rollout.hidden.data() + rows * static_cast<std::size_t>(features_);
    step.decision = decision;
    step.number = number;
    of_cuda([&] { launcher_->launch(step, workspace_.data(), space.cuda_stream()); });
  }
}

}  // namespace dempilot::nn::cuda

#endif
