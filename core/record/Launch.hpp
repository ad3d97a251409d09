#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dempilot::record {

/// What a row of a recording holds besides step, decision, agent, tag, log-probability and value.
struct Shape {
  std::size_t observation = 0;
  std::size_t action = 0;
  std::size_t carry = 0;  ///< 0: carries are not recorded
  bool reward = false;
  bool done = false;

  bool operator==(const Shape&) const = default;
};

/// One launch of a simulation that writes to a recording. A recording is made by one launch after
/// the other: each goes on from a restart file of an earlier one, and what that recorded beyond is
/// superseded.
struct Launch {
  std::string source;  ///< what records: the id of a fix
  std::string policy;  ///< digest of the policy that the agents follow
  Shape shape;
  std::int64_t every = 1;          ///< decisions from one that is recorded to the next
  std::int64_t ranks = 1;          ///< processes that record, each to files of its own
  std::int64_t from_decision = 0;  ///< number of the first decision that this launch makes
  std::int64_t from_step = 0;      ///< step at which the launch took over
  std::int64_t number = 0;         ///< from 1, given by the recording
};

/// Decisions that all ranks wrote together.
struct Flush {
  std::int64_t number = 0;  ///< from 0 in each launch
  std::int64_t first_decision = 0;
  std::int64_t last_decision = 0;
  std::int64_t first_step = 0;
  std::int64_t last_step = 0;
  std::vector<std::int64_t> rows;  ///< (ranks); a rank without rows writes no file
};

/// Names of a row's entries, in order.
std::vector<std::string> columns_of(const Shape& shape);

/// Name of the file with what `rank` wrote at a flush: "segment-0001-00000-000000.h5" is the first
/// of rank 0 in launch 1.
std::string segment_name(std::int64_t launch, std::int64_t rank, std::int64_t flush);

}  // namespace dempilot::record
