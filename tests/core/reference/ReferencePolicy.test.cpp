#include "core/reference/ReferencePolicy.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/policy/Metadata.hpp"
#include "core/policy/Policy.hpp"
#include "tests/core/Models.hpp"

/// Two independent implementations of every model must agree.
namespace dempilot::reference {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;

void expect_close(const std::vector<double>& found, const double* expected, double scale) {
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], 1e-12 * scale) << i;
}

void expect_agreement(const ModelSpec& spec, double observation_scale) {
  SCOPED_TRACE(metadata_of(spec).dump());
  const Parameters parameters = test::random_parameters(spec, 1);
  Policy<double, Space> policy(spec, parameters);
  const ReferencePolicy reference(spec, parameters);
  const std::size_t agents = 5;
  std::vector<double> carry(agents * spec.carry_size());
  for (std::size_t t = 0; t < 4; ++t) {
    const auto rows =
        test::random_array<double>({agents, spec.observation_size}, 10 + t, observation_scale);
    const auto out = policy.step(rows);
    const auto new_carry = policy.carry().get().values;
    for (std::size_t agent = 0; agent < agents; ++agent) {
      const auto decision = reference.step(
          std::span(rows.values).subspan(agent * spec.observation_size, spec.observation_size),
          std::span(carry).subspan(agent * spec.carry_size(), spec.carry_size()));
      const std::size_t first = agent * spec.action_size;
      const std::size_t width = spec.action_width();
      const double scale = std::max(1.0, observation_scale);
      ASSERT_EQ(decision.mean.size(), spec.action_size);
      ASSERT_EQ(decision.action.size(), width);
      expect_close(decision.mean, &out.mean.values[first], scale);
      expect_close(decision.std, &out.std.values[first], scale);
      expect_close(decision.action, &out.action.values[agent * width], scale);
      expect_close({decision.value}, &out.value.values[agent], scale);
    }
    expect_close(carry, new_carry.data(), 1);
  }
}

TEST(ReferencePolicy, AgreesWithTheKernelsForEveryModel) {
  for (const ModelSpec& spec : test::all_models())
    expect_agreement(spec, 1.5);
}

TEST(ReferencePolicy, AgreesForLargeInputs) {
  for (const ModelSpec& spec : test::all_models())
    expect_agreement(spec, 100);
}

TEST(ReferencePolicy, AgreesForTheDefaultSizes) {
  ModelSpec spec;
  spec.observation_size = 22;
  spec.action_size = 3;
  expect_agreement(spec, 1);
}

/// A model small enough to be worked out by hand.
TEST(ReferencePolicy, IsTheFormulaForOneUnit) {
  ModelSpec spec;
  spec.observation_size = 1;
  spec.action_size = 1;
  spec.hidden_features = 1;
  spec.lstm_features = 1;
  spec.activation = Activation::relu;
  Parameters parameters;
  parameters["encoder.layers.0.kernel"] = {{1, 1}, {2}};
  parameters["encoder.layers.0.bias"] = {{1}, {0.5F}};
  parameters["cell.dense_i.kernel"] = {{1, 4}, {0.1F, 0.2F, 0.3F, 0.4F}};
  parameters["cell.dense_h.kernel"] = {{1, 4}, {1, 2, 3, 4}};
  parameters["cell.dense_h.bias"] = {{4}, {0, 1, 0, -1}};
  parameters["fused_head.kernel"] = {{1, 2}, {3, 5}};
  parameters["fused_head.bias"] = {{2}, {0.25F, -0.25F}};
  parameters["_log_std"] = {{1, 1}, {-1}};
  const std::vector<double> observation{0.75};
  std::vector<double> carry{0.5, -0.25};
  const auto decision = ReferencePolicy(spec, parameters).step(observation, carry);
  const double x = 2;  // 2 * 0.75 + 0.5
  const auto logistic = [](double z) { return 1 / (1 + std::exp(-z)); };
  const double input = logistic(double{0.1F} * x + 0.5);
  const double forget = logistic(double{0.2F} * x + 2 * 0.5 + 1);
  const double cell = std::tanh(double{0.3F} * x + 3 * 0.5);
  const double output = logistic(double{0.4F} * x + 4 * 0.5 - 1);
  const double c = forget * -0.25 + input * cell;
  const double h = output * std::tanh(c);
  EXPECT_NEAR(carry[0], h, 1e-15);
  EXPECT_NEAR(carry[1], c, 1e-15);
  EXPECT_NEAR(decision.mean[0], 3 * h + 0.25, 1e-15);
  EXPECT_NEAR(decision.action[0], 3 * h + 0.25, 1e-15);
  EXPECT_NEAR(decision.value, 5 * h - 0.25, 1e-15);
  EXPECT_NEAR(decision.std[0], std::exp(-1.0), 1e-15);
}

}  // namespace
}  // namespace dempilot::reference
