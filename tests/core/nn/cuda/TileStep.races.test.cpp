// Compiled with ThreadSanitizer: warps of a block are threads of the host, and what one of them
// writes while another one may read it ends the test.
#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

#include "core/nn/cuda/PlanBuilder.hpp"
#include "core/nn/cuda/TileStep.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/nn/cuda/ThreadMachine.hpp"

namespace dempilot::nn::cuda {
namespace {

using test::ThreadMachine;
constexpr Precision precision = Precision::bf16;  // its rows are the narrowest
constexpr int agents = 70;
constexpr int row_blocks = 2;
constexpr int rows = 16 * row_blocks;
constexpr int tiles = 3;

/// One step of a batch, three tiles one after the other, as a persistent block takes them.
class Block {
 public:
  explicit Block(const ModelSpec& spec)
      : parts_(build_plan(spec, test::random_parameters(spec, 1), precision)),
        observation_(test::random_values<float>(agents * spec.observation_size, 2)),
        carry_(test::random_values<float>(agents * spec.carry_size(), 3)),
        log_std_(spec.action_size),
        mean_(agents * spec.action_size),
        value_(agents),
        done_(agents, 1) {
    parts_.plan.weights = parts_.weights.data();
    parts_.plan.biases = parts_.biases.data();
    step_.observation = observation_.data();
    step_.carry = carry_.data();
    step_.done = done_.data();
    step_.decision.actions = static_cast<int>(spec.action_size);
    step_.decision.head_outputs = parts_.plan.head.width;
    step_.decision.head_gives_value = parts_.plan.critic.layer_count == 0;
    step_.decision.log_std = log_std_.data();
    step_.decision.agents = agents;
    step_.decision.mean = mean_.data();
    step_.decision.value = value_.data();
    room_bytes_.resize(room_.place(parts_.plan, rows, nullptr));
    room_.place(parts_.plan, rows, room_bytes_.data());
  }

  /// All means, values and carries.
  std::vector<float> all() const {
    std::vector<float> all = mean_;
    all.insert(all.end(), value_.begin(), value_.end());
    all.insert(all.end(), carry_.begin(), carry_.end());
    return all;
  }

  template <class Machine>
  void run(const Machine& machine) {
    TileStep<Machine, precision, 1> tile_step(machine, parts_.plan, step_, room_, row_blocks);
    for (int tile = 0; tile < tiles; ++tile)
      tile_step(tile);
  }

 private:
  PlanParts parts_;
  std::vector<float> observation_, carry_, log_std_, mean_, value_;
  std::vector<std::int8_t> done_;
  Step step_;
  TileRoom<Format<precision>::Element> room_;
  std::vector<unsigned char> room_bytes_;
};

std::vector<float> by_threads(const ModelSpec& spec) {
  Block block(spec);
  std::barrier<> barrier(ThreadMachine::warps);
  std::vector<std::thread> warps;
  for (int warp = 0; warp < ThreadMachine::warps; ++warp)
    warps.emplace_back([&block, &barrier, warp] { block.run(ThreadMachine(barrier, warp)); });
  for (std::thread& warp : warps)
    warp.join();
  return block.all();
}

TEST(Races, ThereAreNone) {
  std::vector<ModelSpec> models = {test::recurrent_model(ModelVariant::current),
                                   test::feed_forward_model(),
                                   test::separate_model(),
                                   test::min_gru_model(),
                                   test::without_torso(test::feed_forward_model()),
                                   test::without_torso(test::separate_model())};
  for (const ModelSpec& spec : test::stacked_models({}, Activation::tanh, 2))
    models.push_back(spec);
  for (const ModelSpec& spec : models) {
    Block alone(spec);
    alone.run(test::HostMachine());
    for (int times = 0; times < 3; ++times)
      EXPECT_TRUE(test::same_bits(by_threads(spec), alone.all()));
  }
}

}  // namespace
}  // namespace dempilot::nn::cuda
