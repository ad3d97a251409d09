#include "core/policy/Policy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using test::random_array;
using test::random_parameters;
using test::same_bits;
using testing::AllOf;
using testing::HasSubstr;

template <class Real>
bool same_bits(const Outputs<Real>& a, const Outputs<Real>& b) {
  return same_bits(a.mean.values, b.mean.values) && same_bits(a.std.values, b.std.values) &&
         same_bits(a.action.values, b.action.values) && same_bits(a.value.values, b.value.values) &&
         same_bits(a.log_prob.values, b.log_prob.values) &&
         same_bits(a.hidden.values, b.hidden.values);
}

template <class Real>
class PolicyTest : public testing::Test {
 protected:
  const ModelSpec spec_ = test::recurrent_model(ModelVariant::current, ActionSpaceKind::box);
  const Parameters parameters_ = random_parameters(spec_, 1);
  Policy<Real, Space> policy_{spec_, parameters_};
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(PolicyTest, Reals);

TYPED_TEST(PolicyTest, TakesObservationsOfAnyLeadingShape) {
  const auto flat = random_array<TypeParam>({24, 5}, 2);
  const auto expected = this->policy_.step(flat);
  for (const Shape& leading : {Shape{24}, Shape{6, 4}, Shape{2, 3, 4}, Shape{1, 24}}) {
    Shape shape = leading;
    shape.push_back(5);
    this->policy_.carry().reset(leading);
    const auto out = this->policy_.step({shape, flat.values});
    EXPECT_TRUE(same_bits(out, expected));
    EXPECT_EQ(out.mean.shape, with_last(shape, 3));
    EXPECT_EQ(out.std.shape, with_last(shape, 3));
    EXPECT_EQ(out.action.shape, with_last(shape, 3));
    EXPECT_EQ(out.value.shape, with_last(shape, 1));
    EXPECT_EQ(out.log_prob.shape, leading);
    EXPECT_EQ(out.hidden.shape, with_last(shape, 9));
    EXPECT_EQ(this->policy_.carry().leading_shape(), leading);
  }
  const Array<TypeParam> one{{5}, {flat.values.begin(), flat.values.begin() + 5}};
  const auto out = this->policy_.step(one);
  EXPECT_EQ(out.mean.shape, (Shape{3}));
  EXPECT_EQ(out.log_prob.shape, Shape{});
  EXPECT_TRUE(same_bits(out.mean.values.data(), expected.mean.values.data(), 3));
}

TYPED_TEST(PolicyTest, RemembersFromStepToStepUntilTheShapeChanges) {
  const auto observation = random_array<TypeParam>({4, 5}, 2);
  const auto first = this->policy_.step(observation);
  const auto second = this->policy_.step(observation);
  EXPECT_FALSE(same_bits(first, second)) << "the carry plays no part";
  this->policy_.step({{2, 2, 5}, observation.values});
  EXPECT_TRUE(same_bits(this->policy_.step(observation), first)) << "zeros after another shape";
  this->policy_.carry().reset();
  EXPECT_TRUE(same_bits(this->policy_.step(observation), first)) << "zeros after a reset";
}

TYPED_TEST(PolicyTest, ResettingOneAgentLeavesTheOthersAlone) {
  const auto observation = random_array<TypeParam>({4, 5}, 2);
  const auto first = this->policy_.step(observation);
  const auto carry = this->policy_.carry().get();
  const auto second = this->policy_.step(observation);
  this->policy_.carry().set(carry);
  const std::vector<std::size_t> agents{2};
  this->policy_.carry().reset_agents(agents);
  const auto mixed = this->policy_.step(observation);
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_EQ(mixed.mean.values[i], (i / 3 == 2 ? first : second).mean.values[i]) << i;
}

TYPED_TEST(PolicyTest, ASequenceIsItsStepsAndLeavesTheCarryAlone) {
  const auto observations = random_array<TypeParam>({3, 4, 5}, 2);
  const auto start = random_array<TypeParam>({4, 18}, 3);
  const Array<std::int8_t> done{{3, 4}, {0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0}};
  this->policy_.carry().reset({2});
  const auto all = this->policy_.sequence(observations, start, done);
  EXPECT_EQ(all.mean.shape, (Shape{3, 4, 3}));
  EXPECT_EQ(all.log_prob.shape, (Shape{3, 4}));
  EXPECT_EQ(this->policy_.carry().leading_shape(), (Shape{2}));

  this->policy_.carry().set(start);
  for (std::size_t t = 0; t < 3; ++t) {
    const auto first = observations.values.begin() + static_cast<std::ptrdiff_t>(t * 20);
    const auto out = this->policy_.step({{4, 5}, {first, first + 20}});
    EXPECT_TRUE(
        same_bits(out.mean.values.data(), &all.mean.values[t * 12], 12 * sizeof(TypeParam)));
    EXPECT_TRUE(
        same_bits(out.value.values.data(), &all.value.values[t * 4], 4 * sizeof(TypeParam)));
    this->policy_.carry().reset(std::span(done.values).subspan(t * 4, 4));
  }
}

TYPED_TEST(PolicyTest, ASequenceStartsFromZerosUnlessTold) {
  const auto observations = random_array<TypeParam>({2, 4, 5}, 2);
  const Array<TypeParam> zeros{{4, 18}, std::vector<TypeParam>(72)};
  const auto start = random_array<TypeParam>({4, 18}, 3);
  const auto out = this->policy_.sequence(observations);
  EXPECT_TRUE(same_bits(out, this->policy_.sequence(observations, zeros)));
  EXPECT_FALSE(same_bits(out, this->policy_.sequence(observations, start)));
}

TYPED_TEST(PolicyTest, NobodyAndNoStepGiveEmptyOutputs) {
  EXPECT_EQ(this->policy_.step({{0, 5}, {}}).mean.shape, (Shape{0, 3}));
  EXPECT_TRUE(this->policy_.sequence({{0, 4, 5}, {}}).mean.values.empty());
  EXPECT_TRUE(this->policy_.sequence({{4, 0, 5}, {}}).mean.values.empty());
}

TYPED_TEST(PolicyTest, RefusesWhatDoesNotFit) {
  const auto wrong_width = random_array<TypeParam>({4, 6}, 2);
  EXPECT_THAT(test::message_of([&] { this->policy_.step(wrong_width); }),
              HasSubstr("observations of shape (4, 6) do not fit (the model takes (..., 5)) check "
                        "the observation"));
  EXPECT_THAT(test::message_of([&] {
                this->policy_.step({{4, 5}, {1, 2, 3}});
              }),
              HasSubstr("observations of shape (4, 5) do not fit"));
  EXPECT_THAT(test::message_of([&] {
                this->policy_.step({{}, {}});
              }),
              HasSubstr("observations of shape () do not fit"));
  const auto flat = random_array<TypeParam>({4, 5}, 2);
  EXPECT_THAT(test::message_of([&] { this->policy_.sequence(flat); }),
              HasSubstr("a sequence of shape (4, 5) does not fit (the model takes (T, B, 5))"));
  const auto sequence = random_array<TypeParam>({2, 4, 5}, 2);
  const auto three = random_array<TypeParam>({3, 18}, 2);
  EXPECT_THAT(
      test::message_of([&] { this->policy_.sequence(sequence, three); }),
      AllOf(HasSubstr("initial carry or done mask does not fit a sequence of shape (2, 4, 5)"),
            HasSubstr("wanted (4, 18) and (2, 4)")));
  const Array<std::int8_t> done{{2, 3}, {0, 0, 0, 0, 0, 0}};
  EXPECT_THAT(test::message_of([&] { this->policy_.sequence(sequence, {}, done); }),
              HasSubstr("initial carry or done mask does not fit"));
}

TYPED_TEST(PolicyTest, RefusesParametersOfAnotherModel) {
  Parameters parameters = this->parameters_;
  parameters.erase("fused_head.bias");
  const auto make = [&] { Policy<TypeParam, Space>(this->spec_, parameters); };
  EXPECT_THAT(
      test::message_of(make),
      HasSubstr("'model': parameter 'fused_head.bias' is missing (a LSTMActorCritic has it)"));
  parameters["fused_head.bias"] = {{3}, {1, 2, 3}};
  EXPECT_THAT(test::message_of(make),
              HasSubstr("parameter 'fused_head.bias' has shape (3) (expected (4))"));
  parameters["fused_head.bias"] = {{4}, {1, 2, 3}};
  EXPECT_THAT(test::message_of(make), HasSubstr("parameter 'fused_head.bias' has 3 values"));
}

TYPED_TEST(PolicyTest, IsReproducibleFromASeed) {
  const auto observation = random_array<TypeParam>({4, 5}, 2);
  const auto act = [&](std::uint64_t seed) {
    return Policy<TypeParam, Space>(this->spec_, seed).step(observation);
  };
  EXPECT_TRUE(same_bits(act(5), act(5)));
  EXPECT_FALSE(same_bits(act(5), act(6)));
}

TYPED_TEST(PolicyTest, FeedForwardModelsCarryNothing) {
  const ModelSpec spec = test::feed_forward_model();
  Policy<TypeParam, Space> policy(spec, random_parameters(spec, 1));
  const auto observation = random_array<TypeParam>({2, 3, 5}, 2);
  const auto first = policy.step(observation);
  const std::vector<std::int8_t> mask{1, 0};
  policy.carry().reset(mask);
  EXPECT_TRUE(same_bits(policy.step(observation), first));
  EXPECT_EQ(policy.carry().get().shape, (Shape{2, 3, 0}));
  EXPECT_TRUE(same_bits(policy.sequence(observation).mean.values, first.mean.values));
  EXPECT_EQ(first.hidden.shape, (Shape{2, 3, 13}));
}

TYPED_TEST(PolicyTest, StdIsTheExponentialOfLogStd) {
  const auto out = this->policy_.step(random_array<TypeParam>({2, 5}, 2));
  for (std::size_t i = 0; i < 6; ++i) {
    const TypeParam log_std = this->parameters_.at("_log_std").values[i % 3];
    EXPECT_EQ(out.std.values[i], std::exp(log_std));
  }
}

TEST(PolicyPrecision, FloatAndDoubleAgree) {
  for (const auto variant : {ModelVariant::seed, ModelVariant::current}) {
    const ModelSpec spec = test::recurrent_model(variant, ActionSpaceKind::max_norm);
    const Parameters parameters = random_parameters(spec, 1);
    const auto in_double = random_array<double>({20, 8, 5}, 2, 3);
    const Array<float> in_float{in_double.shape,
                                {in_double.values.begin(), in_double.values.end()}};
    const auto a = Policy<double, Space>(spec, parameters).sequence(in_double);
    const auto b = Policy<float, Space>(spec, parameters).sequence(in_float);
    for (std::size_t i = 0; i < a.action.values.size(); ++i)
      ASSERT_NEAR(a.action.values[i], b.action.values[i], 5e-6) << i;
    for (std::size_t i = 0; i < a.value.values.size(); ++i)
      ASSERT_NEAR(a.value.values[i], b.value.values[i], 5e-6) << i;
  }
}

}  // namespace
}  // namespace dempilot
