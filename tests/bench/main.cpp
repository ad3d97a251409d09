#include <benchmark/benchmark.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>

#include "core/Pilot.hpp"
#include "tests/bench/Benchmarks.hpp"
#include "tests/bench/Workload.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"Times what DEMPilot computes. Options --benchmark_... are Google Benchmark's"};
  std::string policy;
  int threads = 1;
  app.add_option("--policy", policy, "policy file (default: a fresh policy of the default model)");
  app.add_option("--threads", threads, "threads of this process")->capture_default_str();
  app.allow_extras();
  CLI11_PARSE(app, argc, argv);

  std::vector<std::string> rest = app.remaining();
  std::vector<char*> words{argv[0]};
  for (std::string& word : rest)
    words.push_back(word.data());
  auto count = static_cast<int>(words.size());
  benchmark::Initialize(&count, words.data());
  if (benchmark::ReportUnrecognizedArguments(count, words.data())) return 1;

  dempilot::initialize_runtime(threads);
  dempilot::bench::register_machine(threads);
  dempilot::bench::register_inference(
      policy.empty() ? dempilot::bench::fresh_policy(dempilot::bench::default_model())
                     : dempilot::load_policy_file(policy));
  dempilot::bench::register_observation(threads);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  benchmark::ClearRegisteredBenchmarks();  // their workloads end before Kokkos does
  Kokkos::finalize();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dempilot_bench: %s\n", error.what());
    return 1;
  }
}
