#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/nn/Network.hpp"
#include "tests/core/nn/Rollouts.hpp"

/// Actions drawn by Network::forward: what they depend on, how they are distributed, and their
/// log-probability against formulas written here.
namespace dempilot::nn {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using test::agent_of;
using test::Batch;
using test::random_batch;
using test::random_parameters;
using test::Result;
using test::run;
using test::same_bits;

template <class Real>
class Sampling : public testing::Test {
 protected:
  ModelSpec spec_ = test::recurrent_model(ModelVariant::current, ActionSpaceKind::box);
  Network<Real, Space> network_{spec_, random_parameters(spec_, 1)};

  Batch<Real> batch(int agents) const {
    Batch<Real> batch = random_batch<Real>(spec_, agents);
    batch.sample = true;
    batch.first_decision = 12;
    for (int i = 0; i < agents; ++i)
      batch.ids.push_back(7 + 3 * i + (std::int64_t{1} << 40) * (i % 2));
    return batch;
  }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Sampling, Reals);

TYPED_TEST(Sampling, FollowsAPermutationOfTheAgents) {
  using Real = TypeParam;
  const std::size_t agents = 41;
  const Batch<Real> batch = this->batch(static_cast<int>(agents));
  const auto expected = run(this->network_, batch);
  Batch<Real> permuted = batch;
  permuted.observation.clear();
  permuted.carry.clear();
  permuted.ids.clear();
  const auto source = [](std::size_t i) { return i * 17 % 41; };
  for (std::size_t i = 0; i < agents; ++i) {
    const auto append = [](auto& to, const auto& from) {
      to.insert(to.end(), from.begin(), from.end());
    };
    append(permuted.observation, test::row_of(batch.observation, agents, source(i)));
    append(permuted.carry, test::row_of(batch.carry, agents, source(i)));
    permuted.ids.push_back(batch.ids[source(i)]);
  }
  const auto found = run(this->network_, permuted);
  for (std::size_t i = 0; i < agents; ++i) {
    EXPECT_TRUE(same_bits(agent_of(found, agents, i), agent_of(expected, agents, source(i)))) << i;
  }
}

TYPED_TEST(Sampling, DependsOnSeedIdAndDecisionAndLeavesTheRestAlone) {
  using Real = TypeParam;
  Batch<Real> batch = random_batch<Real>(this->spec_, 1);
  batch.sample = true;
  batch.ids = {5};
  const auto base = run(this->network_, batch);
  const auto expect_other_action = [&](const Batch<Real>& other, const char* what) {
    const auto out = run(this->network_, other);
    EXPECT_FALSE(same_bits(out.action, base.action)) << what;
    EXPECT_TRUE(same_bits(out.mean, base.mean)) << what;
    EXPECT_TRUE(same_bits(out.value, base.value)) << what;
    EXPECT_TRUE(same_bits(out.carry, base.carry)) << what;
  };
  Batch<Real> other = batch;
  other.seed += 1;
  expect_other_action(other, "seed");
  other = batch;
  other.seed += std::uint64_t{1} << 32U;
  expect_other_action(other, "upper half of the seed");
  other = batch;
  other.first_decision += 1;
  expect_other_action(other, "decision");
  other = batch;
  other.ids = {6};
  expect_other_action(other, "id");
  other = batch;
  other.ids = {5 + (std::int64_t{1} << 32U)};
  expect_other_action(other, "upper half of the id");
  EXPECT_TRUE(same_bits(run(this->network_, batch), base));
}

TYPED_TEST(Sampling, WithoutIdsAgentsAreNumberedFromZero) {
  using Real = TypeParam;
  Batch<Real> batch = random_batch<Real>(this->spec_, 21);
  batch.sample = true;
  const auto unnamed = run(this->network_, batch);
  batch.ids.resize(21);
  std::iota(batch.ids.begin(), batch.ids.end(), 0);
  EXPECT_TRUE(same_bits(run(this->network_, batch), unnamed));
}

TYPED_TEST(Sampling, AgentsOfTheSameIdDrawTheSameNoise) {
  using Real = TypeParam;
  Batch<Real> batch = random_batch<Real>(this->spec_, 1);
  batch.agents = 2;
  batch.observation.insert(batch.observation.end(), batch.observation.begin(),
                           batch.observation.begin() + 5);
  const auto carry = batch.carry;
  batch.carry.insert(batch.carry.end(), carry.begin(), carry.end());
  batch.sample = true;
  batch.ids = {9, 9};
  const auto out = run(this->network_, batch);
  EXPECT_TRUE(same_bits(agent_of(out, 2, 0), agent_of(out, 2, 1)));
}

TYPED_TEST(Sampling, IsGaussianWithTheModelsMeanAndStd) {
  using Real = TypeParam;
  ModelSpec spec = test::feed_forward_model();
  spec.architecture = {2};
  Parameters parameters = random_parameters(spec, 1);
  parameters["_log_std"].values = {-1.0F, 0.0F, 0.5F};
  Batch<Real> batch = random_batch<Real>(spec, 20'000, 4);
  batch.sample = true;
  const auto out = run<Space>(spec, parameters, batch);
  const std::size_t rows = 80'000;
  double sum[3] = {}, square[3] = {}, product[3] = {}, fourth[3] = {};
  for (std::size_t row = 0; row < rows; ++row) {
    double z[3];
    for (std::size_t i = 0; i < 3; ++i) {
      z[i] = (out.action[3 * row + i] - out.mean[3 * row + i]) /
             std::exp(double{parameters["_log_std"].values[i]});
      sum[i] += z[i];
      square[i] += z[i] * z[i];
      fourth[i] += z[i] * z[i] * z[i] * z[i];
    }
    for (std::size_t i = 0; i < 3; ++i)
      product[i] += z[i] * z[(i + 1) % 3];
  }
  // Five standard errors of each estimate.
  const double n = static_cast<double>(rows);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(sum[i] / n, 0, 5 * std::sqrt(1 / n)) << "mean of action " << i;
    EXPECT_NEAR(square[i] / n, 1, 5 * std::sqrt(2 / n)) << "variance of action " << i;
    EXPECT_NEAR(fourth[i] / n, 3, 5 * std::sqrt(96 / n)) << "kurtosis of action " << i;
    EXPECT_NEAR(product[i] / n, 0, 5 * std::sqrt(1 / n)) << "correlation of action " << i;
  }
}

/// log N(x; mean, std) summed over the actions.
template <class Real>
double log_normal(const std::vector<double>& x, const std::vector<Real>& mean,
                  const std::vector<Real>& std) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double density = std::exp(-std::pow((x[i] - mean[i]) / std[i], 2) / 2) /
                           (std[i] * std::sqrt(2 * 3.14159265358979323846));
    sum += std::log(density);
  }
  return sum;
}

/// The latent of an action, and log |det df/dx| there, from the inverse of f.
std::pair<std::vector<double>, double> latent_of(const ActionSpaceSpec& space,
                                                 const std::vector<double>& action) {
  std::vector<double> x(action.size());
  double log_det = 0;
  const double shrink = 1 - space.eps;
  if (space.kind == ActionSpaceKind::box) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double half = shrink * (space.x_max[i] - space.x_min[i]) / 2;
      const double t = (action[i] - (space.x_max[i] + space.x_min[i]) / 2) / half;
      x[i] = space.width * std::atanh(t);
      log_det += std::log(half / space.width * (1 - t * t));
    }
  } else if (space.kind == ActionSpaceKind::max_norm) {
    double norm = 0;
    for (const double a : action)
      norm += a * a;
    norm = std::sqrt(norm);
    const double radius = shrink * space.max_norm;
    const double r = std::atanh(norm / radius);
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] = action[i] / norm * r;
    // d - 1 tangential directions are scaled by norm / r, the radial one by the slope of tanh.
    log_det = static_cast<double>(x.size() - 1) * std::log(norm / r) +
              std::log(radius * (1 - std::pow(norm / radius, 2)));
  } else {
    x = action;
  }
  return {x, log_det};
}

TYPED_TEST(Sampling, LogProbIsThatOfTheActionTaken) {
  using Real = TypeParam;
  // The inverse amplifies the rounding of actions near the boundary.
  const double tolerance = std::is_same_v<Real, float> ? 2e-3 : 1e-9;
  for (const auto kind : {ActionSpaceKind::free, ActionSpaceKind::box, ActionSpaceKind::max_norm}) {
    for (const bool sigma_head : {false, true}) {
      ModelSpec spec = test::recurrent_model(ModelVariant::current, kind);
      spec.actor_sigma_head = sigma_head;
      Parameters parameters = random_parameters(spec, 1);
      parameters["_log_std"].values = {-1.5F, -0.25F, -0.75F};
      if (sigma_head) parameters["actor_sigma.net.layers.0.bias"].values.assign(3, -1.0F);
      Batch<Real> batch = random_batch<Real>(spec, 64);
      for (const bool sample : {false, true}) {
        batch.sample = sample;
        const auto out = run<Space>(spec, parameters, batch);
        for (std::size_t row = 0; row < 64; ++row) {
          const auto action = test::row_of(out.action, 64, row);
          const auto [x, log_det] = latent_of(spec.action_space, {action.begin(), action.end()});
          const double expected =
              log_normal(x, test::row_of(out.mean, 64, row), test::row_of(out.std, 64, row)) -
              log_det;
          EXPECT_NEAR(out.log_prob[row], expected, tolerance * std::max(1.0, std::abs(expected)))
              << "space " << static_cast<int>(kind) << ", sigma head " << sigma_head << ", sample "
              << sample << ", row " << row;
        }
      }
    }
  }
}

TYPED_TEST(Sampling, StdIsThatOfTheModel) {
  using Real = TypeParam;
  ModelSpec spec = test::feed_forward_model();
  const Batch<Real> batch = random_batch<Real>(spec, 8);
  Parameters parameters = random_parameters(spec, 1);
  const double tolerance = 8 * std::numeric_limits<Real>::epsilon();
  const auto fixed = run<Space>(spec, parameters, batch);
  for (std::size_t i = 0; i < 24; ++i) {
    const double expected = std::exp(double{parameters["_log_std"].values[i % 3]});
    EXPECT_NEAR(fixed.std[i], expected, tolerance * expected);
  }
  spec.actor_sigma_head = true;
  parameters = random_parameters(spec, 1);
  const auto& kernel = parameters["actor_sigma.net.layers.0.kernel"].values;
  const auto& bias = parameters["actor_sigma.net.layers.0.bias"].values;
  const auto learned = run<Space>(spec, parameters, batch);
  for (std::size_t row = 0; row < 8; ++row) {
    for (std::size_t i = 0; i < 3; ++i) {
      double z = bias[i];
      for (std::size_t k = 0; k < 13; ++k)
        z += learned.hidden[13 * row + k] * double{kernel[3 * k + i]};
      EXPECT_NEAR(learned.std[3 * row + i], std::log(1 + std::exp(z)), 8 * tolerance);
    }
  }
}

TYPED_TEST(Sampling, DiscreteActionsAreDrawnWithTheirProbabilities) {
  using Real = TypeParam;
  ModelSpec spec = test::with_discrete_actions(test::feed_forward_model({}, {}, 4));
  spec.architecture = {2};
  const Parameters parameters = random_parameters(spec, 1);
  const int agents = 40'000;
  Batch<Real> batch = random_batch<Real>(spec, 1);
  const auto row = batch.observation;
  batch.agents = agents;
  batch.observation.clear();
  for (int i = 0; i < agents; ++i)
    batch.observation.insert(batch.observation.end(), row.begin(), row.end());
  const auto likeliest = run<Space>(spec, parameters, batch);
  batch.sample = true;
  const auto drawn = run<Space>(spec, parameters, batch);

  double total = 0;
  for (std::size_t i = 0; i < 4; ++i)
    total += std::exp(double{drawn.mean[i]});
  std::vector<double> probability;
  for (std::size_t i = 0; i < 4; ++i)
    probability.push_back(std::exp(double{drawn.mean[i]}) / total);
  const auto best = std::max_element(probability.begin(), probability.end());
  EXPECT_EQ(likeliest.action[0], static_cast<Real>(best - probability.begin()));
  EXPECT_NEAR(likeliest.log_prob[0], std::log(*best), 1e-5);

  std::vector<double> count(4, 0.0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(agents); ++i) {
    const auto action = static_cast<std::size_t>(drawn.action[i]);
    ASSERT_LT(action, 4U);
    ++count[action];
    ASSERT_NEAR(drawn.log_prob[i], std::log(probability[action]), 1e-5);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const double p = probability[i];
    EXPECT_NEAR(count[i] / agents, p, 5 * std::sqrt(p * (1 - p) / agents)) << "action " << i;
  }
}

}  // namespace
}  // namespace dempilot::nn
