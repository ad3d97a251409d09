#include <gtest/gtest.h>

#include "tests/core/nn/Rollouts.hpp"

/// Layers of vector instructions against those that teams of threads compute, of the same network.
namespace dempilot::nn {
namespace {

using Space = Kokkos::DefaultHostExecutionSpace;
using test::Batch;
using test::Result;

void expect_close(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-5F * std::max(1.0F, std::abs(b[i]))) << what << " " << i;
}

/// Few agents may be computed in another way than many.
class LayerForms : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Agents, LayerForms, testing::Values(5, 53, 130));

TEST_P(LayerForms, GiveTheSameNumbers) {
  for (const ModelSpec& spec : test::one_of_each_composition()) {
    const Parameters parameters = test::random_parameters(spec, 1);
    Batch<float> batch = test::random_batch<float>(spec, GetParam(), 4);
    batch.all_agents = 0;
    batch.training = true;
    const Network<float, Space> simd(spec, parameters, LayerForm::simd);
    const Network<float, Space> portable(spec, parameters, LayerForm::portable);
    const Result<float> a = test::run(simd, batch);
    const Result<float> b = test::run(portable, batch);
    expect_close(a.mean, b.mean, "mean");
    expect_close(a.std, b.std, "std");
    expect_close(a.action, b.action, "action");
    expect_close(a.value, b.value, "value");
    expect_close(a.log_prob, b.log_prob, "log_prob");
    expect_close(a.hidden, b.hidden, "hidden");
    expect_close(a.carry, b.carry, "carry");
  }
}

}  // namespace
}  // namespace dempilot::nn
