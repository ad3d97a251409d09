#include "tests/bench/Workload.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "core/Backend.hpp"
#include "core/nn/Network.hpp"
#include "core/policy/Initialization.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot::bench {
namespace {

double size_of(const std::vector<std::size_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), 1.0, [](double product, std::size_t extent) {
    return product * static_cast<double>(extent);
  });
}

class SingleStep final : public Workload {
 public:
  SingleStep(const PolicyFile& policy, std::size_t agents, std::vector<float> observation)
      : Workload(policy.contract.model, 1, agents, std::move(observation)),
        pilot_(policy, "benchmark"),
        ids_(agents),
        log_prob_(agents) {
    mean_.resize(agents * pilot_.action_size());
    std::iota(ids_.begin(), ids_.end(), 1);
  }

  void run() override {
    pilot_.decide(observation_, carry_, ids_, DecisionMode::mean, 0, decision_++,
                  {mean_, value_, log_prob_}, static_cast<std::int64_t>(ids_.size()));
  }

 private:
  Pilot pilot_;
  std::vector<std::int64_t> ids_;
  std::vector<float> log_prob_;
  std::int64_t decision_ = 0;
};

template <class ExecutionSpace>
class Sequence final : public Workload {
 public:
  Sequence(const PolicyFile& policy, std::size_t steps, std::size_t agents,
           std::vector<float> observation)
      : Workload(policy.contract.model, steps, agents, std::move(observation)),
        network_(policy.contract.model, policy.parameters) {
    const ModelSpec& model = policy.contract.model;
    rollout_.steps = static_cast<int>(steps);
    rollout_.agents = static_cast<int>(agents);
    rollout_.observation =
        HostMatrix<const float>(observation_.data(), steps * agents, model.observation_size);
    rollout_.carry = HostMatrix<float>(carry_.data(), agents, model.carry_size());
    rollout_.mean = HostMatrix<float>(mean_.data(), steps * agents, model.action_size);
    rollout_.value = HostMatrix<float>(value_.data(), steps * agents, 1);
  }

  void run() override { nn::forward(space_, network_, rollout_); }

 private:
  ExecutionSpace space_;
  nn::Network<float, ExecutionSpace> network_;
  nn::Rollout<float, ExecutionSpace> rollout_;
};

}  // namespace

ModelSpec default_model() {
  ModelSpec model;
  model.variant = ModelVariant::seed;
  model.observation_size = 22;
  model.action_size = 3;
  return model;
}

PolicyFile fresh_policy(const ModelSpec& model, std::uint64_t seed) {
  PolicyFile policy;
  policy.contract.model = model;
  policy.parameters = initialize_parameters(model, seed);
  return policy;
}

double flop_per_step(const ModelSpec& model) {
  double products = 0;
  for (const auto& [name, shape] : parameter_shapes(model)) {
    if (shape.size() > 1 && name != "_log_std") products += size_of(shape);
  }
  return 2 * products;
}

double bytes_per_step(const ModelSpec& model) {
  const std::size_t floats =
      model.observation_size + 2 * model.carry_size() + model.action_size + 1;
  return static_cast<double>(floats * sizeof(float));
}

std::size_t weight_bytes(const ModelSpec& model) {
  double count = 0;
  for (const auto& [name, shape] : parameter_shapes(model))
    count += size_of(shape);
  return static_cast<std::size_t>(count) * sizeof(float);
}

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    const double unit = static_cast<double>(engine() >> 11U) * 0x1p-53;
    value = static_cast<float>(2 * unit - 1);
  }
  return values;
}

Workload::Workload(const ModelSpec& model, std::size_t steps, std::size_t agents,
                   std::vector<float> observation)
    : steps_(steps),
      agents_(agents),
      observation_(std::move(observation)),
      carry_(agents * model.carry_size()),
      mean_(steps * agents * model.action_size),
      value_(steps * agents) {}

void Workload::reset() {
  std::fill(carry_.begin(), carry_.end(), 0.0F);
}

std::unique_ptr<Workload> make_single_step(const PolicyFile& policy, std::size_t agents,
                                           std::vector<float> observation) {
  return std::make_unique<SingleStep>(policy, agents, std::move(observation));
}

std::unique_ptr<Workload> make_sequence(const PolicyFile& policy, std::size_t steps,
                                        std::size_t agents, std::vector<float> observation) {
  // On the back end that a Pilot chooses.
#ifdef KOKKOS_ENABLE_OPENMP
  if (Kokkos::OpenMP{}.concurrency() > 1) {
    return std::make_unique<Sequence<Kokkos::OpenMP>>(policy, steps, agents,
                                                      std::move(observation));
  }
#endif
#ifdef DEMPILOT_HAS_SERIAL
  return std::make_unique<Sequence<Kokkos::Serial>>(policy, steps, agents, std::move(observation));
#else
  return std::make_unique<Sequence<Kokkos::DefaultHostExecutionSpace>>(policy, steps, agents,
                                                                       std::move(observation));
#endif
}

}  // namespace dempilot::bench
