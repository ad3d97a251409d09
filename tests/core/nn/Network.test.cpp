#include "core/nn/Network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/core/nn/Rollouts.hpp"

/// A row's result is a function of that row alone, bit for bit, and a sequence is its steps.
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

/// `fill` everywhere but at `place`, where the first agent of `single` sits.
template <class Real>
Batch<Real> among_neighbours(const Batch<Real>& single, int agents, int place, Real fill) {
  const auto put = [&](std::vector<Real> row) {
    std::vector<Real> rows(row.size() * static_cast<std::size_t>(agents), fill);
    std::copy(row.begin(), row.end(),
              rows.begin() + static_cast<std::ptrdiff_t>(row.size()) * place);
    return rows;
  };
  Batch<Real> batch = single;
  batch.agents = agents;
  batch.observation = put(single.observation);
  batch.carry = put(single.carry);
  batch.ids.assign(static_cast<std::size_t>(agents), 1000);
  batch.ids[static_cast<std::size_t>(place)] = single.ids[0];
  return batch;
}

template <class Real>
class NetworkForward : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(NetworkForward, Reals);

TYPED_TEST(NetworkForward, ARowDependsNeitherOnItsPlaceNorOnItsNeighbours) {
  using Real = TypeParam;
  constexpr Real nan = std::numeric_limits<Real>::quiet_NaN();
  constexpr Real inf = std::numeric_limits<Real>::infinity();
  for (const ModelSpec& spec : test::one_of_each_composition()) {
    const Network<Real, Space> network(spec, random_parameters(spec, 1));
    for (const bool sample : {false, true}) {
      Batch<Real> single = random_batch<Real>(spec, 1);
      single.sample = sample;
      single.ids = {42};
      const Result<Real> alone = run(network, single);
      for (const int agents : {2, 3, 4, 5, 15, 16, 17, 31, 33, 50}) {
        for (const int place : {0, 1, agents / 2, agents - 1}) {
          for (const Real fill : {Real(0.25), Real(-1e30), nan, inf}) {
            const auto all = run(network, among_neighbours(single, agents, place, fill));
            ASSERT_TRUE(same_bits(
                agent_of(all, static_cast<std::size_t>(agents), static_cast<std::size_t>(place)),
                alone))
                << agents << " agents, place " << place << ", neighbours " << fill;
          }
        }
      }
    }
  }
}

TYPED_TEST(NetworkForward, IsBitwiseThatOfTheSerialBackEnd) {
#ifdef DEMPILOT_HAS_SERIAL
  using Real = TypeParam;
  if constexpr (!runs_on_host<Space>) {
    GTEST_SKIP() << "a device has functions and sums of its own";
  } else {
    for (const ModelSpec& spec : test::one_of_each_composition()) {
      Batch<Real> batch = random_batch<Real>(spec, 203, 3);
      batch.sample = true;
      const Parameters parameters = random_parameters(spec, 1);
      EXPECT_TRUE(same_bits(run<Space>(spec, parameters, batch),
                            run<Kokkos::Serial>(spec, parameters, batch)));
    }
  }
#else
  GTEST_SKIP() << "Kokkos was built without its Serial back end";
#endif
}

TYPED_TEST(NetworkForward, RepeatsItselfBitwise) {
  using Real = TypeParam;
  const ModelSpec spec = test::one_of_each_composition()[0];
  Batch<Real> batch = random_batch<Real>(spec, 203, 4);
  batch.sample = true;
  const Network<Real, Space> network(spec, random_parameters(spec, 1));
  const auto first = run(network, batch);
  for (int repeat = 0; repeat < 5; ++repeat)
    EXPECT_TRUE(same_bits(run(network, batch), first));
}

/// Steps `batch` one by one, zeroing what is done after each.
template <class Real>
Result<Real> step_by_step(const Network<Real, Space>& network, const Batch<Real>& batch) {
  const auto agents = static_cast<std::size_t>(batch.agents);
  const auto width = static_cast<std::size_t>(network.carry_size);
  Result<Real> all;
  const auto append = [](std::vector<Real>& to, const std::vector<Real>& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  std::vector<Real> carry = batch.carry;
  for (std::size_t t = 0; t < static_cast<std::size_t>(batch.steps); ++t) {
    Batch<Real> step = batch;
    step.steps = 1;
    step.done.clear();
    step.first_decision = batch.first_decision + static_cast<std::int64_t>(t);
    step.carry = carry;
    step.observation = test::row_of(batch.observation, static_cast<std::size_t>(batch.steps), t);
    const Result<Real> out = run(network, step);
    append(all.mean, out.mean);
    append(all.std, out.std);
    append(all.action, out.action);
    append(all.value, out.value);
    append(all.log_prob, out.log_prob);
    append(all.hidden, out.hidden);
    carry = out.carry;
    for (std::size_t b = 0; b < agents && !batch.done.empty(); ++b) {
      if (batch.done[t * agents + b] == 0) continue;
      std::fill_n(carry.begin() + static_cast<std::ptrdiff_t>(b * width), width, Real(0));
    }
  }
  all.carry = carry;
  return all;
}

TYPED_TEST(NetworkForward, ASequenceIsItsSingleSteps) {
  using Real = TypeParam;
  for (const ModelSpec& spec : test::one_of_each_composition()) {
    const Network<Real, Space> network(spec, random_parameters(spec, 1));
    for (const bool training : {false, true}) {
      Batch<Real> batch = random_batch<Real>(spec, 37, 6);
      batch.sample = true;
      batch.training = training;
      batch.first_decision = 100;
      EXPECT_TRUE(same_bits(run(network, batch), step_by_step(network, batch)));
      for (std::size_t i = 0; i < 37 * 6; ++i)
        batch.done.push_back(static_cast<std::int8_t>(i % 5 == 2));
      EXPECT_TRUE(same_bits(run(network, batch), step_by_step(network, batch))) << "with done";
    }
  }
}

TYPED_TEST(NetworkForward, DoneForgetsAfterTheStepThatItMarks) {
  using Real = TypeParam;
  const ModelSpec spec = test::one_of_each_composition()[0];
  const Network<Real, Space> network(spec, random_parameters(spec, 1));
  Batch<Real> batch = random_batch<Real>(spec, 2, 3);
  const auto without = run(network, batch);
  batch.done = {0, 1, 0, 0, 0, 1};  // agent 1 after step 0, and after the last
  const auto with = run(network, batch);
  const auto row = [](const std::vector<Real>& values, std::size_t i) {
    return test::row_of(values, 6, i);
  };
  EXPECT_TRUE(same_bits(row(with.mean, 1), row(without.mean, 1))) << "the marked step itself";
  EXPECT_FALSE(same_bits(row(with.mean, 3), row(without.mean, 3))) << "the step after it";
  for (const std::size_t i : {0U, 2U, 4U})
    EXPECT_TRUE(same_bits(row(with.mean, i), row(without.mean, i))) << "the other agent";
  EXPECT_TRUE(same_bits(test::row_of(with.carry, 2, 0), test::row_of(without.carry, 2, 0)));
  EXPECT_EQ(test::row_of(with.carry, 2, 1), std::vector<Real>(spec.carry_size(), Real(0)));
}

TYPED_TEST(NetworkForward, OutputsThatNobodyAskedForChangeNothing) {
  using Real = TypeParam;
  const ModelSpec spec = test::one_of_each_composition()[0];
  const Network<Real, Space> network(spec, random_parameters(spec, 1));
  const Batch<Real> batch = random_batch<Real>(spec, 19);
  const auto expected = run(network, batch);
  const auto carry = test::on_device<Real, Space>(batch.carry, 19, spec.carry_size());
  const auto observation = test::on_device<Real, Space>(batch.observation, 19, 5);
  const Matrix<Real, Space> action("DEMPilot::test", 19, 3);
  Rollout<Real, Space> rollout;
  rollout.agents = 19;
  rollout.observation = observation;
  rollout.carry = carry;
  rollout.action = action;
  forward(Space{}, network, rollout);
  EXPECT_TRUE(same_bits(test::to_host<Real>(action), expected.action));
  EXPECT_TRUE(same_bits(test::to_host<Real>(carry), expected.carry));
}

TYPED_TEST(NetworkForward, NoAgentsAndNoStepsAreAllowed) {
  using Real = TypeParam;
  const ModelSpec spec = test::one_of_each_composition()[0];
  const Network<Real, Space> network(spec, random_parameters(spec, 1));
  Batch<Real> nobody;
  EXPECT_TRUE(run(network, nobody).action.empty());
  Batch<Real> no_step = random_batch<Real>(spec, 3);
  no_step.steps = 0;
  no_step.observation.clear();
  EXPECT_TRUE(same_bits(run(network, no_step).carry, no_step.carry));
}

/// tanh of an infinite pre-activation is ±1; what pads the features must not turn it into NaN.
TYPED_TEST(NetworkForward, AnInfiniteObservationSaturatesTheEncoder) {
  using Real = TypeParam;
  const ModelSpec spec =
      test::recurrent_model(ModelVariant::current, ActionSpaceKind::free, Activation::tanh);
  const Network<Real, Space> network(spec, random_parameters(spec, 1));
  Batch<Real> batch = random_batch<Real>(spec, 1);
  batch.observation[2] = Real(1e30);
  const auto huge = run(network, batch);
  batch.observation[2] = std::numeric_limits<Real>::infinity();
  EXPECT_TRUE(same_bits(run(network, batch), huge));
}

TYPED_TEST(NetworkForward, AWideDistributionLeavesTheMeanAlone) {
  using Real = TypeParam;
  const ModelSpec spec = test::feed_forward_model();
  Parameters parameters = random_parameters(spec, 1);
  parameters["_log_std"].values = {1e4F, 1e4F, 1e4F};  // exp overflows
  const auto out = run<Space>(spec, parameters, random_batch<Real>(spec, 2));
  EXPECT_TRUE(same_bits(out.action, out.mean));
}

}  // namespace
}  // namespace dempilot::nn
