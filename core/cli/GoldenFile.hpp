#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "core/policy/Array.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::cli {

/// What the original model computed, read from a golden file (tests/golden/README.md gives the
/// schema).
struct GoldenFile {
  std::string name;
  std::set<std::string> parts;  ///< of single, sequence, action, distribution, gradient, lidar
  /// Empty where the file holds no model (a lidar file), as is what follows.
  ModelSpec model;
  Parameters parameters;
  double scale = 1;  ///< of the case's inputs: a large one loosens float32's tolerance

  std::optional<Array<std::int8_t>> reset_before;  ///< (T, E)
  std::optional<Array<std::int8_t>> done_after;    ///< (T, B)
  Array<double> single_observation;                ///< (T, E, A, observation_size)
  Array<double> latent;                            ///< (T, B, actions), of the distribution
  Array<std::int64_t> discrete_action;             ///< (T, B), of the distribution
  Array<double> sequence_observation;              ///< (T, B, observation_size)
  std::map<std::string, Array<double>> expected;   ///< by dataset, "single/mean" for instance
};

/// Reads what `verify` needs for the parts that are wanted (empty: all that the file holds). Throws
/// Error when the file is missing, damaged or of another schema.
GoldenFile read_golden_file(const std::filesystem::path& path,
                            const std::set<std::string>& wanted = {});

}  // namespace dempilot::cli
