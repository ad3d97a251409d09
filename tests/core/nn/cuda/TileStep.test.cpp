#include "core/nn/cuda/TileStep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/nn/cuda/PlanBuilder.hpp"
#include "core/reference/ReferencePolicy.hpp"
#include "tests/core/nn/Rollouts.hpp"
#include "tests/core/nn/cuda/HostMachine.hpp"

/// What the CUDA kernels do, done by a host, against the oracle in double.
namespace dempilot::nn::cuda {
namespace {

using test::Batch;
using test::HostMachine;
using test::Result;

/// A step of a batch by tiles of row_tiles x 16 x row_blocks agents.
template <Precision precision, int row_tiles>
Result<float> step(const ModelSpec& spec, const Parameters& parameters, const Batch<float>& batch,
                   int row_blocks) {
  PlanParts parts = build_plan(spec, parameters, precision);
  Plan& plan = parts.plan;
  plan.weights = parts.weights.data();
  plan.biases = parts.biases.data();
  plan.mean = parts.mean.empty() ? nullptr : parts.mean.data();
  plan.inverse_std = parts.inverse_std.data();

  // What decides is that of a network of the portable kind.
  const Network<float, Kokkos::Serial> network(spec, parameters, LayerForm::portable);
  const auto agents = static_cast<std::size_t>(batch.agents);
  const auto hidden = static_cast<std::size_t>(plan.head.features);
  const auto room = [agents](std::size_t width) {
    return std::vector<float>(agents * width, -99.0F);
  };
  Result<float> result{room(spec.action_size),
                       room(spec.action_size),
                       room(spec.action_width()),
                       room(1),
                       room(1),
                       room(hidden),
                       batch.carry};
  Rollout<float, Kokkos::Serial> rollout;
  rollout.agents = batch.agents;
  rollout.sample = batch.sample;
  rollout.seed = batch.seed;
  rollout.first_decision = batch.first_decision;
  Step step;
  step.observation = batch.observation.data();
  step.carry = result.carry.data();
  step.done = batch.done.empty() ? nullptr : batch.done.data();
  step.hidden = result.hidden.data();
  step.decision = decision_of(network, rollout);
  step.decision.ids = batch.ids.empty() ? nullptr : batch.ids.data();
  step.decision.mean = result.mean.data();
  step.decision.std = result.std.data();
  step.decision.action = result.action.data();
  step.decision.action_width = static_cast<int>(spec.action_width());
  step.decision.value = result.value.data();
  step.decision.log_prob = result.log_prob.data();

  const HostMachine machine;
  const int rows = 16 * row_tiles * row_blocks;
  TileRoom<typename Format<precision>::Element> tile_room;
  std::vector<unsigned char> bytes(tile_room.place(plan, rows, nullptr), 0xff);  // NaN everywhere
  tile_room.place(plan, rows, bytes.data());
  TileStep<HostMachine, precision, row_tiles> tiles(machine, plan, step, tile_room, row_blocks);
  for (int first = 0; first < batch.agents; first += rows)
    tiles(first / rows);
  return result;
}

template <int row_tiles>
Result<float> step(Precision precision, const ModelSpec& spec, const Parameters& parameters,
                   const Batch<float>& batch, int row_blocks) {
  switch (precision) {
    case Precision::fp32:
      return step<Precision::fp32, row_tiles>(spec, parameters, batch, row_blocks);
    case Precision::tf32x3:
      return step<Precision::tf32x3, row_tiles>(spec, parameters, batch, row_blocks);
    case Precision::tf32:
      return step<Precision::tf32, row_tiles>(spec, parameters, batch, row_blocks);
    case Precision::bf16:
      return step<Precision::bf16, row_tiles>(spec, parameters, batch, row_blocks);
  }
  return {};
}

/// Of max(1, |x|).
double tolerance(Precision precision) {
  switch (precision) {
    case Precision::fp32:
    case Precision::tf32x3:
      return 2e-6;
    case Precision::tf32:
      return 4e-3;
    case Precision::bf16:
      return 3e-2;
  }
  return 0;
}

double worst_difference(const std::vector<float>& found, const std::vector<double>& expected) {
  EXPECT_EQ(found.size(), expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference =
        std::abs(found[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
    worst = difference <= worst ? worst : difference;  // a NaN is the worst
  }
  return worst;
}

/// The oracle's means, values and carries, agent by agent.
struct Expected {
  std::vector<double> mean, value, carry;
};
Expected expected_of(const ModelSpec& spec, const Parameters& parameters,
                     const Batch<float>& batch) {
  const reference::ReferencePolicy oracle(spec, parameters);
  Expected expected;
  for (std::size_t agent = 0; agent < static_cast<std::size_t>(batch.agents); ++agent) {
    const auto row = [&](const std::vector<float>& rows, std::size_t width) {
      const auto first = rows.begin() + static_cast<std::ptrdiff_t>(agent * width);
      return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(width));
    };
    std::vector<double> carry = row(batch.carry, spec.carry_size());
    const auto decision = oracle.step(row(batch.observation, spec.observation_size), carry);
    const auto append = [](std::vector<double>& to, const std::vector<double>& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(expected.mean, decision.mean);
    append(expected.value, {decision.value});
    append(expected.carry, carry);
  }
  return expected;
}

class EachPrecision : public testing::TestWithParam<Precision> {};
INSTANTIATE_TEST_SUITE_P(Cuda, EachPrecision, testing::ValuesIn(precisions),
                         [](const auto& instance) { return name_of(instance.param); });

/// Small ones, one as it is by default, and one wider than a tile.
std::vector<ModelSpec> models() {
  std::vector<ModelSpec> all = test::one_of_each_composition();
  ModelSpec usual;
  usual.observation_size = 22;
  usual.action_size = 3;
  all.push_back(usual);
  ModelSpec wide = test::stacked_model(CellKind::lstm, CriticMemory::own);
  wide.features = 150;
  wide.architecture = {200};
  all.push_back(wide);
  return all;
}

/// As large as sums of a layer stay in training.
Parameters tame_parameters(const ModelSpec& spec) {
  Parameters parameters = test::random_parameters(spec, 1, 1);
  for (auto& [name, tensor] : parameters) {
    if (tensor.shape.size() < 2) continue;
    const auto inputs = static_cast<float>(tensor.shape[tensor.shape.size() - 2]);
    for (float& weight : tensor.values)
      weight /= std::sqrt(inputs);
  }
  return parameters;
}

TEST_P(EachPrecision, AgreesWithTheOracle) {
  for (const ModelSpec& spec : models()) {
    const Parameters parameters = tame_parameters(spec);
    const Batch<float> batch = test::random_batch<float>(spec, 37);
    const Expected expected = expected_of(spec, parameters, batch);
    const Result<float> found = step<1>(GetParam(), spec, parameters, batch, 1);
    EXPECT_LE(worst_difference(found.mean, expected.mean), tolerance(GetParam()));
    EXPECT_LE(worst_difference(found.value, expected.value), tolerance(GetParam()));
    EXPECT_LE(worst_difference(found.carry, expected.carry), tolerance(GetParam()));
  }
}

TEST_P(EachPrecision, GivesEachAgentTheSameInEveryTile) {
  for (const ModelSpec& spec : models()) {
    const Parameters parameters = tame_parameters(spec);
    Batch<float> batch = test::random_batch<float>(spec, 75);
    batch.sample = true;
    const Result<float> found = step<1>(GetParam(), spec, parameters, batch, 1);
    EXPECT_TRUE(same_bits(found, step<1>(GetParam(), spec, parameters, batch, 2)));
    EXPECT_TRUE(same_bits(found, step<2>(GetParam(), spec, parameters, batch, 1)));
    EXPECT_TRUE(same_bits(found, step<4>(GetParam(), spec, parameters, batch, 2)));
  }
}

TEST_P(EachPrecision, HidesNoNaN) {
  ModelSpec spec = test::recurrent_model(ModelVariant::current);
  const Parameters parameters = tame_parameters(spec);
  Batch<float> batch = test::random_batch<float>(spec, 3);
  batch.observation[spec.observation_size] = NAN;  // of the second agent
  const Result<float> found = step<1>(GetParam(), spec, parameters, batch, 1);
  for (std::size_t agent = 0; agent < 3; ++agent) {
    for (const float mean : test::row_of(found.mean, 3, agent))
      EXPECT_EQ(std::isnan(mean), agent == 1);
  }
}

TEST_P(EachPrecision, BearsWhatIsInfinite) {
  const ModelSpec spec = test::recurrent_model(ModelVariant::current, {}, Activation::tanh);
  const Parameters parameters = tame_parameters(spec);
  Batch<float> batch = test::random_batch<float>(spec, 1);
  batch.observation[0] = INFINITY;
  const Result<float> found = step<1>(GetParam(), spec, parameters, batch, 1);
  for (const float mean : found.mean)
    EXPECT_TRUE(std::isfinite(mean));
}

TEST(Cuda, DoesAllThatTheHostDoes) {
  for (const ModelSpec& spec : test::one_of_each_composition()) {
    const Parameters parameters = tame_parameters(spec);
    Batch<float> batch = test::random_batch<float>(spec, 21);
    batch.sample = true;
    for (int agent = 0; agent < batch.agents; ++agent)
      batch.done.push_back(static_cast<std::int8_t>(agent % 3 == 1));
    batch.first_decision = 5;
    for (int agent = 0; agent < batch.agents; ++agent)
      batch.ids.push_back(1000 - 3 * agent);
    const Result<float> host = test::run<Kokkos::Serial>(spec, parameters, batch);
    const Result<float> found = step<1>(Precision::fp32, spec, parameters, batch, 1);
    const auto expect_close = [](const std::vector<float>& a, const std::vector<float>& b) {
      EXPECT_LE(worst_difference(a, std::vector<double>(b.begin(), b.end())), 1e-5);
    };
    expect_close(found.action, host.action);
    expect_close(found.log_prob, host.log_prob);
    expect_close(found.std, host.std);
    expect_close(found.hidden, host.hidden);
    expect_close(found.carry, host.carry);
  }
}

}  // namespace
}  // namespace dempilot::nn::cuda
