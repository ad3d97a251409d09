#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "core/nn/simd/Amx.hpp"
#include "tests/bench/Benchmarks.hpp"
#include "tests/bench/Peak.hpp"
#include "tests/bench/Workload.hpp"

namespace dempilot::bench {
namespace {

using benchmark::Counter;
using benchmark::State;

/// Well beyond L2. A cache of hundreds of megabytes, as some servers' L3, is not left.
constexpr std::size_t large_array = std::size_t{256} << 20U;
constexpr double machine_seconds = 0.5;  // for one figure of the machine's

void report_rates(State& state, const ModelSpec& model, std::size_t agent_steps_each) {
  const auto agent_steps =
      static_cast<double>(state.iterations()) * static_cast<double>(agent_steps_each);
  state.counters["agent_steps"] = Counter(agent_steps, Counter::kIsRate);
  state.counters["FLOP"] = Counter(agent_steps * flop_per_step(model), Counter::kIsRate);
}

void time_single_step(State& state, const PolicyFile& policy) {
  const auto agents = static_cast<std::size_t>(state.range(0));
  const ModelSpec& model = policy.contract.model;
  const auto workload =
      make_single_step(policy, agents, random_floats(agents * model.observation_size, 2));
  for ([[maybe_unused]] auto _ : state)
    workload->run();
  report_rates(state, model, agents);
}

void time_sequence(State& state, const PolicyFile& policy) {
  const auto steps = static_cast<std::size_t>(state.range(0));
  const auto agents = static_cast<std::size_t>(state.range(1));
  const ModelSpec& model = policy.contract.model;
  const auto workload = make_sequence(policy, steps, agents,
                                      random_floats(steps * agents * model.observation_size, 2));
  for ([[maybe_unused]] auto _ : state)
    workload->run();
  report_rates(state, model, steps * agents);
}

/// How the time grows with the width of the LSTM; the hidden layers are half as wide.
void time_width(State& state) {
  constexpr std::size_t agents = 1024;
  ModelSpec model = default_model();
  model.lstm_features = static_cast<std::size_t>(state.range(0));
  model.hidden_features = model.lstm_features / 2;
  const auto workload = make_single_step(fresh_policy(model), agents,
                                         random_floats(agents * model.observation_size, 2));
  for ([[maybe_unused]] auto _ : state)
    workload->run();
  report_rates(state, model, agents);
}

/// A figure of the machine's as a counter.
template <class Measure>
void report_machine(State& state, const char* counter, const Measure& measure) {
  double figure = 0;
  for ([[maybe_unused]] auto _ : state)
    figure = measure();
  state.counters[counter] = figure;
}

#ifdef DEMPILOT_HAS_AMX
/// The matrix unit, with operands in the first level's cache: products that are as accurate as in
/// float32.
void time_matrix_unit(State& state) {
  namespace amx = nn::simd::amx;
  constexpr int tiles = 2 * amx::piece_count;
  alignas(64) static std::uint16_t rows[tiles * amx::tile_size];
  alignas(64) static std::uint16_t weights[tiles * amx::tile_size];
  alignas(64) static float sums[amx::block_rows * 2 * amx::tile_rows];
  for (int n = 0; n < tiles * amx::tile_size; ++n) {  // 1 to 2, and as much below 0
    rows[n] = static_cast<std::uint16_t>(0x3f80 + n % 128);
    weights[n] = static_cast<std::uint16_t>(0x3f80 + n % 113 + n % 2 * 0x8000);
  }
  constexpr int products = 64;
  const amx::Registers registers;
  const amx::Steps& unit = amx::steps(2, 2);
  for ([[maybe_unused]] auto _ : state) {
    unit.begin(sums);
    for (int n = 0; n < products; ++n) {
      for (const auto& add : unit.add)
        add(rows, weights);
    }
    unit.end(sums, 2 * amx::tile_rows);
  }
  constexpr double flop = 2.0 * amx::block_rows * 2 * amx::tile_rows * amx::tile_inputs;
  state.counters["FLOP"] =
      Counter(flop * products * static_cast<double>(state.iterations()), Counter::kIsRate);
}
#endif

}  // namespace

void register_machine(int threads) {
  benchmark::RegisterBenchmark("fma_peak",
                               [=](State& state) {
                                 report_machine(state, "FLOP/s",
                                                [=] { return fma_peak(threads, machine_seconds); });
                                 state.SetLabel(vector_kind());
                               })
      ->Iterations(1)
      ->UseRealTime();
#ifdef DEMPILOT_HAS_AMX
  if (nn::simd::amx::available()) benchmark::RegisterBenchmark("matrix_unit", time_matrix_unit);
#endif
  benchmark::RegisterBenchmark("read_bandwidth",
                               [=](State& state) {
                                 report_machine(state, "B/s", [=] {
                                   return read_bandwidth(large_array, threads, machine_seconds);
                                 });
                               })
      ->Iterations(1)
      ->UseRealTime();
  benchmark::RegisterBenchmark("copy_bandwidth",
                               [=](State& state) {
                                 report_machine(state, "B/s", [=] {
                                   return copy_bandwidth(large_array, threads, machine_seconds);
                                 });
                               })
      ->Iterations(1)
      ->UseRealTime();
}

void register_inference(const PolicyFile& policy) {
  // Real time: with several threads the processor time of one of them says little.
  benchmark::RegisterBenchmark("single_step",
                               [=](State& state) { time_single_step(state, policy); })
      ->ArgName("agents")
      ->Arg(1)
      ->Arg(64)
      ->RangeMultiplier(4)
      ->Range(1 << 10U, 1 << 20U)
      ->UseRealTime();
  benchmark::RegisterBenchmark("sequence", [=](State& state) { time_sequence(state, policy); })
      ->ArgNames({"steps", "agents"})
      ->Args({64, 1024})
      ->UseRealTime();
  benchmark::RegisterBenchmark("width", time_width)
      ->ArgName("lstm")
      ->RangeMultiplier(2)
      ->Range(32, 512)
      ->UseRealTime();
}

}  // namespace dempilot::bench
