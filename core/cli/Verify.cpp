#include <fmt/format.h>

#include <algorithm>

#include "core/Error.hpp"
#include "core/cli/Candidates.hpp"
#include "core/cli/Commands.hpp"
#include "core/cli/Report.hpp"
#include "core/cli/VerifyLidar.hpp"

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

const std::set<std::string> supported_parts{"single", "sequence", "action", "distribution",
                                            "lidar"};

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
  return std::max(tolerance, candidate.rounding());
}

void verify_candidate(const GoldenFile& golden, const std::set<std::string>& parts,
                      Candidate& candidate, Report& report) {
  std::map<std::string, std::vector<double>> found;
  if (parts.contains("single")) found = candidate.single(golden);
  if (parts.contains("sequence") || parts.contains("action"))
    found.merge(candidate.sequence(golden));
  if (parts.contains("distribution")) found.merge(candidate.distribution(golden));
  for (const auto& [dataset, expected] : golden.expected) {
    if (!parts.contains(part_of(dataset))) continue;
    report.compare(dataset, candidate.backend(), candidate.single_precision(), found[dataset],
                   expected.values, tolerance_of(dataset, golden, candidate));
  }
}

void verify_file(const std::string& file, std::set<std::string> parts, Report& report) {
  report.begin_file(file);
  const GoldenFile golden = read_golden_file(file, parts);
  const bool lidar = golden.parts.contains("lidar");
  if (parts.empty()) parts = golden.parts;
  std::set<std::string> possible;
  for (const std::string& part : parts) {
    if (!supported_parts.contains(part)) {
      report.not_supported(fmt::format("part '{}'", part));
    } else if (!golden.parts.contains(part)) {
      // A discrete model has no deterministic action to compare, and LiDAR is a file of its own.
      const bool excused =
          (part == "action" && golden.model.discrete) || (part == "lidar") != lidar;
      const std::string what = fmt::format("the file does not hold part '{}'", part);
      excused ? report.nothing_to_compare(what) : report.fail(what);
    } else {
      possible.insert(part);
    }
  }
  if (possible.contains("lidar")) {
    verify_lidar(file, report);
  } else if (!possible.empty()) {
    for (const auto& candidate : make_candidates(golden)) {
      verify_candidate(golden, possible, *candidate, report);
    }
  }
  if (!report.compared()) report.fail("none of the parts asked for could be compared");
}

}  // namespace

int verify(const std::vector<std::string>& files, const std::set<std::string>& parts) {
  Report report;
  for (const std::string& file : files) {
    try {
      verify_file(file, parts, report);
    } catch (const std::exception& error) {  // also bad_alloc: the other files are still verified
      report.error(error.what());
    }
  }
  return report.summarize(files.size());
}

}  // namespace dempilot::cli
