#include <gtest/gtest.h>

#include <cmath>

#include "core/policy/Policy.hpp"
#include "tests/core/Models.hpp"

/// Training mode of Policy: the seed's model drops a tenth of what its heads read.
namespace dempilot {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using test::random_array;
using test::random_parameters;

template <class Real>
class Dropout : public testing::Test {
 protected:
  const ModelSpec spec_ = test::recurrent_model(ModelVariant::seed);
  Policy<Real, Space> policy_{spec_, random_parameters(spec_, 1)};
  const Array<Real> observations_ = random_array<Real>({10, 1000, 5}, 2);
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Dropout, Reals);

TYPED_TEST(Dropout, DropsATenthAndScalesTheRest) {
  const auto plain = this->policy_.sequence(this->observations_);
  this->policy_.train(3);
  const auto dropped = this->policy_.sequence(this->observations_);
  std::size_t zeros = 0;
  const std::size_t count = plain.hidden.values.size();
  for (std::size_t i = 0; i < count; ++i) {
    const TypeParam h = plain.hidden.values[i];
    if (dropped.hidden.values[i] == 0) {
      ++zeros;
    } else {
      ASSERT_NEAR(dropped.hidden.values[i], h / 0.9, 2e-7 * std::abs(h)) << i;
    }
  }
  const double rate = static_cast<double>(zeros) / static_cast<double>(count);
  EXPECT_NEAR(rate, 0.1, 5 * std::sqrt(0.09 / static_cast<double>(count)));
}

TYPED_TEST(Dropout, HidesFromTheHeadsAloneNotFromTheCarry) {
  const Array<TypeParam> rows{
      {1000, 5}, {this->observations_.values.begin(), this->observations_.values.begin() + 5000}};
  for (int step = 0; step < 3; ++step)
    this->policy_.step(rows);
  const auto expected = this->policy_.carry().get().values;
  const auto expected_mean = this->policy_.step(rows).mean.values;
  this->policy_.carry().reset();
  this->policy_.train(3);
  for (int step = 0; step < 3; ++step)
    this->policy_.step(rows);
  EXPECT_TRUE(test::same_bits(this->policy_.carry().get().values, expected));
  EXPECT_FALSE(test::same_bits(this->policy_.step(rows).mean.values, expected_mean));
}

TYPED_TEST(Dropout, IsDrawnAnewAtEveryCallAndAgainFromItsSeed) {
  this->policy_.train(3);
  const auto first = this->policy_.sequence(this->observations_).hidden.values;
  const auto second = this->policy_.sequence(this->observations_).hidden.values;
  EXPECT_FALSE(test::same_bits(first, second));
  this->policy_.train(3);
  EXPECT_TRUE(test::same_bits(this->policy_.sequence(this->observations_).hidden.values, first));
  this->policy_.train(4);
  EXPECT_FALSE(test::same_bits(this->policy_.sequence(this->observations_).hidden.values, first));
}

TYPED_TEST(Dropout, IsOffAfterEval) {
  const auto plain = this->policy_.sequence(this->observations_).hidden.values;
  this->policy_.train(3);
  this->policy_.eval();
  EXPECT_TRUE(test::same_bits(this->policy_.sequence(this->observations_).hidden.values, plain));
}

TYPED_TEST(Dropout, IsNoneInTheCurrentModel) {
  const ModelSpec spec = test::recurrent_model(ModelVariant::current);
  Policy<TypeParam, Space> policy(spec, random_parameters(spec, 1));
  const auto plain = policy.sequence(this->observations_).hidden.values;
  policy.train(3);
  EXPECT_TRUE(test::same_bits(policy.sequence(this->observations_).hidden.values, plain));
}

}  // namespace
}  // namespace dempilot
