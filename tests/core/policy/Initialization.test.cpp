#include "core/policy/Initialization.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using Eigen::MatrixXd;

MatrixXd kernel(const Parameters& parameters, const std::string& name) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Tensor& tensor = parameters.at(name);
  return Eigen::Map<const RowMajor>(tensor.values.data(),
                                    static_cast<Eigen::Index>(tensor.shape[0]),
                                    static_cast<Eigen::Index>(tensor.shape[1]))
      .cast<double>();
}

/// The rows or columns, whichever are fewer, are orthogonal and `scale` long.
void expect_orthogonal(const MatrixXd& k, double scale) {
  const MatrixXd product = k.rows() < k.cols() ? MatrixXd(k * k.transpose()) : k.transpose() * k;
  const MatrixXd expected = scale * scale * MatrixXd::Identity(product.rows(), product.cols());
  EXPECT_LT((product - expected).cwiseAbs().maxCoeff(), 1e-6 * std::max(scale * scale, 1e-4));
}

/// Normal of variance 1 / fan_in, cut off at two (untruncated) standard deviations.
void expect_lecun_normal(const MatrixXd& k) {
  const auto n = static_cast<double>(k.size());
  const double std = 1 / std::sqrt(static_cast<double>(k.rows()));
  EXPECT_NEAR(k.mean(), 0, 5 * std / std::sqrt(n));
  EXPECT_NEAR(k.squaredNorm() / n, std * std, 5 * std * std * std::sqrt(2 / n));
  EXPECT_LE(k.cwiseAbs().maxCoeff(), 2 * std / 0.87962566 * (1 + 1e-6));
  EXPECT_GT(k.cwiseAbs().maxCoeff(), 1.9 * std / 0.87962566);
}

ModelSpec default_model(ModelVariant variant) {
  ModelSpec spec;
  spec.variant = variant;
  spec.observation_size = 22;
  spec.action_size = 3;
  return spec;
}

void expect_zero_vectors(const Parameters& parameters) {
  for (const auto& [name, tensor] : parameters) {
    if (name.ends_with(".kernel")) continue;
    EXPECT_EQ(tensor.values, std::vector<float>(tensor.values.size(), 0.0F)) << name;
  }
}

TEST(Initialization, CurrentRecurrentModelIsOrthogonal) {
  const Parameters parameters = initialize_parameters(default_model(ModelVariant::current), 3);
  expect_orthogonal(kernel(parameters, "encoder.layers.0.kernel"), std::sqrt(2.0));
  expect_orthogonal(kernel(parameters, "cell.dense_h.kernel"), 1);
  expect_lecun_normal(kernel(parameters, "cell.dense_i.kernel"));
  const MatrixXd head = kernel(parameters, "fused_head.kernel");
  expect_orthogonal(head.leftCols(3), 1);
  expect_orthogonal(head.rightCols(1), 0.01);
  expect_zero_vectors(parameters);
}

TEST(Initialization, SeedsModelIsLecunNormal) {
  const Parameters parameters = initialize_parameters(default_model(ModelVariant::seed), 3);
  expect_lecun_normal(kernel(parameters, "encoder.layers.0.kernel"));
  expect_lecun_normal(kernel(parameters, "encoder.layers.2.kernel"));
  expect_lecun_normal(kernel(parameters, "cell.dense_i.kernel"));
  expect_orthogonal(kernel(parameters, "cell.dense_h.kernel"), 1);
  const MatrixXd actor = kernel(parameters, "actor.kernel");
  EXPECT_NEAR(actor.squaredNorm() / static_cast<double>(actor.size()), 1.0 / 128,
              5.0 / 128 * std::sqrt(2.0 / static_cast<double>(actor.size())));
  expect_zero_vectors(parameters);
}

TEST(Initialization, FeedForwardModelIsOrthogonal) {
  const ModelSpec spec = test::feed_forward_model();
  const Parameters parameters = initialize_parameters(spec, 3);
  for (const char* name :
       {"network.layers.0.kernel", "network.layers.2.kernel", "network.layers.4.kernel"}) {
    expect_orthogonal(kernel(parameters, name), std::sqrt(2.0));
  }
  expect_orthogonal(kernel(parameters, "actor_mu.kernel"), 1);
  expect_orthogonal(kernel(parameters, "critic.kernel"), 0.01);
  expect_zero_vectors(parameters);
}

TEST(Initialization, MinGruModelIsOrthogonalLayerByLayer) {
  const ModelSpec spec = test::with_sigma_head(test::min_gru_model());
  const Parameters parameters = initialize_parameters(spec, 3);
  expect_orthogonal(kernel(parameters, "encoder.layers.0.kernel"), std::sqrt(2.0));
  expect_orthogonal(kernel(parameters, "proj_in.kernel"), std::sqrt(2.0));
  expect_orthogonal(kernel(parameters, "actor_sigma.net.layers.0.kernel"), 0.01);
  const Tensor& stack = parameters.at("mingru_kernel");
  std::vector<MatrixXd> layers;
  for (const std::ptrdiff_t layer : {0, 1}) {
    const auto first = stack.values.begin() + layer * 6 * 18;
    layers.push_back(kernel({{"layer", {{6, 18}, {first, first + 6 * 18}}}}, "layer"));
    expect_orthogonal(layers.back(), 1);
  }
  EXPECT_NE(layers[0], layers[1]);
  EXPECT_EQ(parameters.at("actor_sigma.net.layers.0.bias").values, std::vector<float>(3, -1.0F));
}

TEST(Initialization, SeparateCriticEndsSmall) {
  const Parameters parameters = initialize_parameters(test::separate_model(), 3);
  expect_orthogonal(kernel(parameters, "critic.layers.0.kernel"), std::sqrt(2.0));
  expect_orthogonal(kernel(parameters, "critic.layers.4.kernel"), 0.01);
  expect_orthogonal(kernel(parameters, "actor_torso.layers.4.kernel"), std::sqrt(2.0));
  expect_orthogonal(kernel(parameters, "actor_mu.kernel"), 1);
}

TEST(Initialization, GivesWhatTheModelNeeds) {
  for (const ModelSpec& spec : test::all_models())
    EXPECT_NO_THROW(check_parameters(spec, initialize_parameters(spec, 1), "test"));
}

TEST(Initialization, IsAFunctionOfTheSeed) {
  const ModelSpec spec = default_model(ModelVariant::current);
  const Parameters a = initialize_parameters(spec, 5);
  const Parameters b = initialize_parameters(spec, 5);
  const Parameters c = initialize_parameters(spec, 6);
  for (const auto& [name, tensor] : a) {
    EXPECT_TRUE(test::same_bits(tensor.values, b.at(name).values)) << name;
    if (!name.ends_with(".kernel")) continue;
    EXPECT_FALSE(test::same_bits(tensor.values, c.at(name).values)) << name;
  }
}

TEST(Initialization, ParametersAreDrawnIndependently) {
  ModelSpec spec = default_model(ModelVariant::seed);
  spec.observation_size = 64;  // both encoder kernels are (64, 64)
  const Parameters parameters = initialize_parameters(spec, 5);
  const MatrixXd a = kernel(parameters, "encoder.layers.0.kernel");
  const MatrixXd b = kernel(parameters, "encoder.layers.2.kernel");
  const double correlation = a.cwiseProduct(b).sum() / (a.norm() * b.norm());
  EXPECT_NEAR(correlation, 0, 5 / 64.0);
}

}  // namespace
}  // namespace dempilot
