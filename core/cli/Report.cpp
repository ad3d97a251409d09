#include "core/cli/Report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dempilot::cli {
namespace {

struct Deviation {
  double absolute = 0;  ///< max |a - b|
  double relative = 0;  ///< max |a - b| / max(1, max |b|)
};

Deviation deviation_of(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size() || expected.empty()) return {INFINITY, INFINITY};
  Deviation result;
  double scale = 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(found[i] - expected[i]);
    result.absolute = std::isnan(difference) ? INFINITY : std::max(result.absolute, difference);
    scale = std::max(scale, std::abs(expected[i]));
  }
  result.relative = result.absolute / scale;
  return result;
}

}  // namespace

void Report::begin_file(const std::string& file) {
  fmt::print("{}\n", file);
  compared_ = false;
}

void Report::compare(const std::string& quantity, const std::string& backend, bool single_precision,
                     const std::vector<double>& found, const std::vector<double>& expected,
                     double tolerance) {
  if (!compared_) {
    fmt::print("  {:<34} {:<10} {:<7} {:>10} {:>10} {:>10}\n", "quantity", "back end", "real",
               "max abs", "max rel", "tolerance");
  }
  compared_ = true;
  const Deviation deviation = deviation_of(found, expected);
  const bool holds = deviation.relative <= tolerance;
  fmt::print("  {:<34} {:<10} {:<7} {:>10.2e} {:>10.2e} {:>10.0e}  {}\n", quantity, backend,
             single_precision ? "float" : "double", deviation.absolute, deviation.relative,
             tolerance, holds ? "ok" : "FAILED");
  ++(holds ? hold_ : failed_);
}

void Report::not_supported(const std::string& what) {
  fmt::print("  not supported yet: {}\n", what);
  ++not_supported_;
}

void Report::nothing_to_compare(const std::string& what) {
  fmt::print("  nothing to compare: {}\n", what);
}

void Report::fail(const std::string& what) {
  fmt::print("  FAILED: {}\n", what);
  ++failed_;
}

void Report::error(const std::string& what) {
  std::fflush(stdout);
  fmt::print(stderr, "ERROR: {}\n", what);
  ++failed_;
}

int Report::summarize(std::size_t files) const {
  const bool all_hold = failed_ == 0 && not_supported_ == 0 && hold_ > 0;
  fmt::print("verify: {} in {} file{}: {} hold, {} failed, {} not supported yet\n",
             all_hold ? "PASS" : "FAIL", files, files == 1 ? "" : "s", hold_, failed_,
             not_supported_);
  return all_hold ? 0 : 1;
}

}  // namespace dempilot::cli
