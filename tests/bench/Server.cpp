#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "core/policy/PolicyFile.hpp"
#include "tests/bench/Peak.hpp"
#include "tests/bench/Workload.hpp"

/// DEMPilot as a contestant of `./run bench`: reads commands from stdin, one JSON object a line,
/// and answers each by one line on stdout. tests/bench/contestants/serve.py says what they are;
/// here there are also those that measure the machine.
namespace dempilot::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<float> read_floats(const std::string& path, std::size_t count) {
  std::vector<float> values(count);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(count * sizeof(float));
  if (!file.read(reinterpret_cast<char*>(values.data()), bytes))
    fail("'{}' cannot be read ({} floats are expected in it) write it again", path, count);
  return values;
}

class Server {
 public:
  Server(const std::string& policy, int threads) : threads_(threads) {
    if (!policy.empty()) policy_ = load_policy_file(policy);
  }

  Json answer(const Json& command) {
    const std::string what = command.at("do");
    if (what == "prepare") return prepare(command);
    if (what == "check") return check(command);
    if (what == "run") return run(command);
    if (what == "peak") return peak(command.at("seconds"));
    if (what == "read")
      return {
          {"bytes_per_s", read_bandwidth(command.at("bytes"), threads_, command.at("seconds"))}};
    if (what == "copy")
      return {
          {"bytes_per_s", copy_bandwidth(command.at("bytes"), threads_, command.at("seconds"))}};
    fail("unknown command '{}' (see tests/bench/contestants/serve.py) correct it", what);
  }

 private:
  /// The peak at the clock of the workload's steps, if there is one.
  Json peak(double seconds) {
    const double flop_per_s =
        workload_ == nullptr ? fma_peak(threads_, seconds)
                             : fma_peak_at_work(threads_, seconds, [this] { workload_->run(); });
    return {{"flop_per_s", flop_per_s}, {"vectors", vector_kind()}};
  }

  Json prepare(const Json& command) {
    workload_.reset();
    const std::size_t steps = command.at("steps");
    const std::size_t agents = command.at("agents");
    std::vector<float> rows = read_floats(command.at("observation"),
                                          steps * agents * policy_.contract.model.observation_size);
    const bool sequence = command.at("mode") == "sequence";
    workload_ = sequence ? make_sequence(policy_, steps, agents, std::move(rows))
                         : make_single_step(policy_, agents, std::move(rows));
    return {{"form", sequence ? "nn::forward" : "Pilot::decide"}};
  }

  /// Writes mean and value of every step, then the last carry, of the agents asked for.
  Json check(const Json& command) {
    const std::vector<std::size_t> agents = command.at("rows");
    std::vector<float> carry;
    std::ofstream file(command.at("file").get<std::string>(), std::ios::binary);
    const auto write = [&](std::span<const float> values, std::size_t step) {
      const std::size_t width = values.size() / workload_->agents() / workload_->steps();
      for (const std::size_t agent : agents) {
        const auto row = values.subspan((step * workload_->agents() + agent) * width, width);
        file.write(reinterpret_cast<const char*>(row.data()),
                   static_cast<std::streamsize>(row.size_bytes()));
      }
    };
    workload_->reset();
    for (std::size_t call = 0; call < command.at("calls"); ++call) {
      workload_->run();
      for (std::size_t step = 0; step < workload_->steps(); ++step) {
        write(workload_->mean(), step);
        write(workload_->value(), step);
      }
    }
    const std::size_t width = workload_->carry().size() / workload_->agents();
    for (const std::size_t agent : agents) {
      const auto row = workload_->carry().subspan(agent * width, width);
      file.write(reinterpret_cast<const char*>(row.data()),
                 static_cast<std::streamsize>(row.size_bytes()));
    }
    if (!file.flush())
      fail("'{}' cannot be written (see the disk) make room", command.at("file").dump());
    return Json::object();
  }

  Json run(const Json& command) {
    const double budget = command.at("seconds");
    const std::size_t least = command.at("least");
    std::size_t calls = 0;
    double seconds = 0;
    const std::clock_t used = std::clock();
    const Clock::time_point begin = Clock::now();
    while (calls < least || seconds < budget) {
      workload_->run();
      ++calls;
      seconds = seconds_since(begin);
    }
    const double cpu = static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC;
    return {{"calls", calls}, {"seconds", seconds}, {"cpu", cpu}};
  }

  int threads_;
  PolicyFile policy_;
  std::unique_ptr<Workload> workload_;
};

int serve(int argc, char** argv) {
  CLI::App app{"DEMPilot as a contestant of ./run bench"};
  std::string policy;
  int threads = 1;
  app.add_option("--policy", policy, "policy file; none: only the machine is measured");
  app.add_option("--threads", threads, "threads")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  initialize_runtime(threads);
  {
    Server server(policy, threads);
    std::cout << Json{{"ready", true}} << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      Json answer;
      try {
        answer = server.answer(Json::parse(line));
      } catch (const std::exception& error) {
        answer = {{"error", error.what()}};
      }
      std::cout << answer << std::endl;
    }
  }
  Kokkos::finalize();
  return 0;
}

}  // namespace
}  // namespace dempilot::bench

int main(int argc, char** argv) {
  try {
    return dempilot::bench::serve(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dempilot_bench_server: %s\n", error.what());
    return 1;
  }
}
