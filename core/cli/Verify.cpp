#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/Error.hpp"
#include "core/cli/Candidates.hpp"
#include "core/cli/Commands.hpp"

namespace dempilot::cli {
namespace {

/// Tolerances on max |a - b| / max(1, max |b|), from the golden files' own README.
constexpr double double_tolerance = 1e-12;
constexpr double float_tolerance = 2e-6;
constexpr double float_tolerance_large_scale = 2e-5;

/// The inverse of an action space is ill-conditioned near its boundary.
constexpr double double_inverse_tolerance = 1e-9;
constexpr double float_inverse_tolerance = 1e-3;
/// The seed's action spaces place their epsilons a little differently from ours.
constexpr double seed_density_tolerance = 1e-4;

const std::set<std::string> supported_parts{"single", "sequence", "action", "distribution"};

struct Tally {
  int passed = 0;
  int failed = 0;
  int not_supported = 0;
};

struct Deviation {
  double absolute = 0;  ///< max |a - b|
  double relative = 0;  ///< max |a - b| / max(1, max |b|)
};

Deviation compare(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return {INFINITY, INFINITY};
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

/// The part of the command line that a golden dataset belongs to.
std::string part_of(const std::string& dataset) {
  if (dataset == "distribution/deterministic_action") return "action";
  return dataset.substr(0, dataset.find('/'));
}

double tolerance_of(const std::string& dataset, const GoldenFile& golden,
                    const Candidate& candidate) {
  const bool single_precision = candidate.single_precision();
  double tolerance = double_tolerance;
  if (single_precision) {
    tolerance = golden.scale > 1 ? float_tolerance_large_scale : float_tolerance;
  }
  const bool through_inverse = dataset == "distribution/log_prob" && !golden.model.discrete;
  const bool of_latent = dataset == "distribution/log_prob of latent";
  // What the file expects went through the inverse in double, whichever way we go.
  if (!single_precision && (through_inverse || of_latent)) tolerance = double_inverse_tolerance;
  if (single_precision && through_inverse) tolerance = float_inverse_tolerance;
  const bool density = through_inverse || of_latent || dataset == "distribution/forward_log_det";
  if (density && golden.model.variant == ModelVariant::seed) {
    tolerance = std::max(tolerance, seed_density_tolerance);
  }
  return tolerance;
}

void print_row(const std::string& quantity, const Candidate& candidate, const Deviation& deviation,
               double tolerance, bool holds) {
  fmt::print("  {:<34} {:<10} {:<7} {:>10.2e} {:>10.2e} {:>10.0e}  {}\n", quantity,
             candidate.backend(), candidate.single_precision() ? "float" : "double",
             deviation.absolute, deviation.relative, tolerance, holds ? "ok" : "FAILED");
}

void verify_candidate(const GoldenFile& golden, const std::set<std::string>& parts,
                      Candidate& candidate, Tally& tally) {
  std::map<std::string, std::vector<double>> found;
  if (parts.contains("single")) found = candidate.single(golden);
  if (parts.contains("sequence") || parts.contains("action"))
    found.merge(candidate.sequence(golden));
  if (parts.contains("distribution")) found.merge(candidate.distribution(golden));
  for (const auto& [dataset, expected] : golden.expected) {
    if (!parts.contains(part_of(dataset))) continue;
    const Deviation deviation = compare(found[dataset], expected.values);
    const double tolerance = tolerance_of(dataset, golden, candidate);
    const bool holds = deviation.relative <= tolerance;
    print_row(dataset, candidate, deviation, tolerance, holds);
    ++(holds ? tally.passed : tally.failed);
  }
}

void verify_file(const std::string& file, std::set<std::string> parts, Tally& tally) {
  const GoldenFile golden = read_golden_file(file);
  if (parts.empty()) parts = golden.parts;
  fmt::print("{}\n", file);
  for (const std::string& part : parts) {
    if (!supported_parts.contains(part)) {
      fmt::print("  not supported yet: part '{}'\n", part);
      ++tally.not_supported;
    } else if (!golden.parts.contains(part)) {
      fmt::print("  nothing to compare: the file does not hold part '{}'\n", part);
    }
  }
  const bool any = std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
    return supported_parts.contains(part) && golden.parts.contains(part);
  });
  if (!any) {
    fmt::print("  FAILED: none of the parts asked for could be compared\n");
    ++tally.failed;
    return;
  }
  fmt::print("  {:<34} {:<10} {:<7} {:>10} {:>10} {:>10}\n", "quantity", "back end", "real",
             "max abs", "max rel", "tolerance");
  for (const auto& candidate : make_candidates(golden)) {
    verify_candidate(golden, parts, *candidate, tally);
  }
}

}  // namespace

int verify(const std::vector<std::string>& files, const std::set<std::string>& parts) {
  Tally tally;
  for (const std::string& file : files) {
    try {
      verify_file(file, parts, tally);
    } catch (const Error& error) {
      std::fflush(stdout);
      fmt::print(stderr, "ERROR: {}\n", error.what());
      ++tally.failed;
    }
  }
  const bool all_hold = tally.failed == 0 && tally.not_supported == 0 && tally.passed > 0;
  fmt::print("verify: {} in {} file{}: {} hold, {} failed, {} not supported yet\n",
             all_hold ? "PASS" : "FAIL", files.size(), files.size() == 1 ? "" : "s", tally.passed,
             tally.failed, tally.not_supported);
  return all_hold ? 0 : 1;
}

}  // namespace dempilot::cli
