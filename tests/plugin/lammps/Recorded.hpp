#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace dempilot::lammps::testing {

/// One row of a recording.
struct RecordedRow {
  std::int64_t step = 0;
  std::int64_t tag = 0;
  std::int64_t launch = 0;
  std::vector<float> observation;
  std::vector<float> action;
  float log_prob = 0;
  float value = 0;
  std::vector<float> carry;
  double reward = 0;
  bool done = false;
};

/// Rows by decision and agent.
using Recorded = std::map<std::pair<std::int64_t, std::int64_t>, RecordedRow>;

nlohmann::json index_of(const std::filesystem::path& folder);

/// All rows of the flushes that the index names. Of a decision that several launches made, that of
/// the last one counts. The test fails where a launch holds a row twice.
Recorded read_recording(const std::filesystem::path& folder);

}  // namespace dempilot::lammps::testing
