#include "core/action/Distribution.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/reference/ReferenceDistribution.hpp"
#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using testing::HasSubstr;

constexpr ActionSpaceKind all_spaces[] = {ActionSpaceKind::free, ActionSpaceKind::box,
                                          ActionSpaceKind::max_norm};

/// Means, standard deviations and latents of 20 distributions of three actions.
template <class Real>
struct Samples {
  Array<Real> mean = test::random_array<Real>({4, 5, 3}, 1);
  Array<Real> std = test::random_array<Real>({4, 5, 3}, 2);
  Array<Real> latent = test::random_array<Real>({4, 5, 3}, 3, 1.5);
  Samples() {
    for (Real& value : std.values)
      value = Real(0.6) + value / 2;
  }
};

std::vector<double> row(const auto& array, std::size_t index) {
  const auto first = array.values.begin() + static_cast<std::ptrdiff_t>(3 * index);
  return {first, first + 3};
}

template <class Real>
class Distribution : public testing::Test {
 protected:
  static constexpr bool single_ = std::is_same_v<Real, float>;
  static constexpr double tolerance_ = single_ ? 4e-6 : 1e-12;
  static constexpr double inverse_tolerance_ = single_ ? 1e-3 : 1e-9;
  const Samples<Real> samples_;
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(Distribution, Reals);

TYPED_TEST(Distribution, IsThatOfTheReference) {
  for (const auto kind : all_spaces) {
    const ActionSpaceSpec spec = test::action_space(kind, 3);
    const GaussianDistribution<TypeParam, Space> distribution(spec, 3);
    const auto& [mean, std, latent] = this->samples_;
    const auto point = distribution.at_latent(mean, std, latent);
    const auto log_prob = distribution.log_prob(mean, std, point.action);
    const auto base = distribution.base_entropy(std);
    const auto entropy = distribution.entropy(mean, std);
    EXPECT_EQ(point.action.shape, (Shape{4, 5, 3}));
    EXPECT_EQ(point.log_prob.shape, (Shape{4, 5}));
    EXPECT_EQ(entropy.shape, (Shape{4, 5}));
    for (std::size_t i = 0; i < 20; ++i) {
      SCOPED_TRACE(testing::Message() << "space " << static_cast<int>(kind) << ", row " << i);
      const auto m = row(mean, i);
      const auto s = row(std, i);
      const auto expected = reference::at_latent(spec, m, s, row(latent, i));
      for (std::size_t a = 0; a < 3; ++a)
        EXPECT_NEAR(point.action.values[3 * i + a], expected.action[a], this->tolerance_);
      EXPECT_NEAR(point.log_det.values[i], expected.log_det, 2 * this->tolerance_);
      EXPECT_NEAR(point.log_prob.values[i], expected.log_prob, 8 * this->tolerance_);
      EXPECT_NEAR(log_prob.values[i], expected.log_prob, this->inverse_tolerance_);
      EXPECT_NEAR(base.values[i], reference::gaussian_entropy(s), this->tolerance_);
      EXPECT_NEAR(entropy.values[i], reference::entropy(spec, m, s), 4 * this->tolerance_);
    }
  }
}

/// -log_prob averaged over samples, which the quadrature is to give.
TEST(DistributionEntropy, IsTheMeanOfMinusLogProb) {
  const std::size_t n = 40'000;
  std::mt19937_64 engine(11);
  std::normal_distribution<double> normal;
  for (const auto kind : all_spaces) {
    const GaussianDistribution<double, Space> distribution(test::action_space(kind, 2), 2);
    Array<double> mean{{n, 2}, {}}, std{{n, 2}, {}}, latent{{n, 2}, {}};
    for (std::size_t i = 0; i < n; ++i) {
      mean.values.insert(mean.values.end(), {0.3, -0.6});
      std.values.insert(std.values.end(), {0.5, 0.8});
      latent.values.push_back(0.3 + 0.5 * normal(engine));
      latent.values.push_back(-0.6 + 0.8 * normal(engine));
    }
    double sum = 0, square = 0;
    for (const double log_prob : distribution.at_latent(mean, std, latent).log_prob.values) {
      sum -= log_prob;
      square += log_prob * log_prob;
    }
    const double average = sum / static_cast<double>(n);
    const double error =
        std::sqrt((square / static_cast<double>(n) - average * average) / static_cast<double>(n));
    const double entropy = distribution.entropy({{2}, {0.3, -0.6}}, {{2}, {0.5, 0.8}}).values[0];
    // The grid of five nodes for MaxNorm is itself good to a percent.
    EXPECT_NEAR(entropy, average, 5 * error + (kind == ActionSpaceKind::max_norm ? 0.02 : 0))
        << static_cast<int>(kind);
  }
}

TYPED_TEST(Distribution, InverseUndoesForwardAndStaysFiniteOnTheBoundary) {
  using Real = TypeParam;
  const ActionSpaceSpec box = test::action_space(ActionSpaceKind::box, 3);
  const GaussianDistribution<Real, Space> distribution(box, 3);
  const Array<Real> mean{{3}, {0, 0, 0}};
  const Array<Real> std{{3}, {1, 1, 1}};
  Array<Real> corner{{3}, {box.x_max.begin(), box.x_max.end()}};
  EXPECT_TRUE(std::isfinite(distribution.log_prob(mean, std, corner).values[0]));
  corner.values = {100, -100, 0};
  EXPECT_TRUE(std::isfinite(distribution.log_prob(mean, std, corner).values[0]));

  const ActionSpaceSpec ball = test::action_space(ActionSpaceKind::max_norm, 3);
  const GaussianDistribution<Real, Space> in_ball(ball, 3);
  for (const Real x : {Real(0), Real(2.5), Real(100)})
    EXPECT_TRUE(std::isfinite(in_ball.log_prob(mean, std, {{3}, {x, 0, 0}}).values[0])) << x;
}

TYPED_TEST(Distribution, CategoricalIsThatOfTheReference) {
  using Real = TypeParam;
  const auto logits = test::random_array<Real>({6, 3}, 4, 5);
  const Array<std::int64_t> action{{6}, {0, 1, 2, 2, 1, 0}};
  const auto log_prob = categorical_log_prob(Space{}, logits, action);
  const auto entropy = categorical_entropy(Space{}, logits);
  EXPECT_EQ(log_prob.shape, (Shape{6}));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto index = static_cast<std::size_t>(action.values[i]);
    EXPECT_NEAR(log_prob.values[i], reference::categorical_log_prob(row(logits, i), index),
                4 * this->tolerance_);
    EXPECT_NEAR(entropy.values[i], reference::categorical_entropy(row(logits, i)),
                this->tolerance_);
  }
}

TYPED_TEST(Distribution, CategoricalTakesExtremeLogits) {
  using Real = TypeParam;
  const Array<Real> logits{{2, 3}, {Real(1e30), 0, Real(-1e30), 5, 5, 5}};
  const auto entropy = categorical_entropy(Space{}, logits);
  EXPECT_EQ(entropy.values[0], 0);
  EXPECT_NEAR(entropy.values[1], std::log(3.0), 1e-6);
  EXPECT_EQ(categorical_log_prob(Space{}, logits, {{2}, {0, 1}}).values[0], 0);
}

TEST(DistributionErrors, SayWhatDoesNotFit) {
  const Array<double> logits{{1, 3}, {0, 0, 0}};
  EXPECT_THAT(test::message_of([&] {
                categorical_log_prob(Space{}, logits, {{1}, {3}});
              }),
              HasSubstr("no discrete action 3 (there are 3) give indices below that"));
  EXPECT_THAT(test::message_of([&] {
                categorical_log_prob(Space{}, logits, {{1}, {-1}});
              }),
              HasSubstr("no discrete action -1"));
  const GaussianDistribution<double, Space> wide(test::action_space(ActionSpaceKind::max_norm, 9),
                                                 9);
  const auto nine = test::random_array<double>({1, 9}, 1);
  EXPECT_THAT(test::message_of([&] { wide.entropy(nine, nine); }),
              HasSubstr("cannot compute the entropy in a MaxNorm space of 9 components"));
}

}  // namespace
}  // namespace dempilot
