#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/record/Launch.hpp"

namespace dempilot::record {

/// One decision of the agents of one rank. Columns that the recording's shape lacks stay empty.
struct DecisionRows {
  std::int64_t decision = 0;
  std::int64_t step = 0;
  std::span<const std::int64_t> agent;  ///< (agents)
  std::span<const std::int64_t> tag;    ///< (agents), of the moment
  std::span<const float> observation;   ///< (agents, observation)
  std::span<const float> action;        ///< (agents, action)
  std::span<const float> log_prob;      ///< (agents)
  std::span<const float> value;         ///< (agents)
  std::span<const float> carry;         ///< (agents, carry), before the decision
  std::span<const double> reward;       ///< (agents)
  std::span<const double> done;         ///< (agents), where it is not zero an episode has ended
};

/// Keeps the rows of one rank in memory and writes them, when told, to compressed HDF5 files of
/// which each is complete in itself. Knows nothing of other ranks: whoever has several lets them
/// write at the same decisions.
class Recorder {
 public:
  /// `launch` has its number. `limit` is how many bytes are kept before is_full().
  Recorder(std::filesystem::path folder, Launch launch, std::int64_t rank, std::size_t limit);

  /// Takes the rows of a decision, which may be none. Throws Error when their sizes do not fit.
  void append(const DecisionRows& rows);

  /// Whether the next decision may need more memory than the limit.
  bool is_full() const { return rows_ >= row_limit_; }
  /// Rows that wait to be written.
  std::size_t rows() const { return rows_; }
  /// Decisions that wait to be written; they may have no rows.
  std::int64_t decisions() const { return decisions_; }
  const Launch& launch() const { return launch_; }
  /// What the next file holds, but for the rows of the ranks.
  const Flush& next_flush() const { return flush_; }

  /// Writes the waiting rows to the file of next_flush(), complete or not at all; they stay until
  /// clear(). Throws Error.
  void write_segment() const;
  /// Removes that file: another rank could not write its own.
  void remove_segment() const;
  /// Forgets the waiting rows, and goes on to the next flush.
  void clear();

  /// Bytes in use.
  std::size_t memory_usage() const;

 private:
  struct Columns {
    std::vector<std::int64_t> decision;
    std::vector<std::int64_t> step;
    std::vector<std::int64_t> agent;
    std::vector<std::int64_t> tag;
    std::vector<float> observation;
    std::vector<float> action;
    std::vector<float> log_prob;
    std::vector<float> value;
    std::vector<float> carry;
    std::vector<double> reward;
    std::vector<std::int8_t> done;
  };

  template <class Visitor>
  static void for_each_column(auto& columns, const Shape& shape, const Visitor& visit);
  void check(const DecisionRows& rows) const;
  void reserve(std::size_t rows);
  std::filesystem::path segment() const;

  std::filesystem::path folder_;
  Launch launch_;
  std::int64_t rank_ = 0;
  std::size_t row_limit_ = 1;
  Columns columns_;
  Flush flush_;
  std::size_t rows_ = 0;
  std::int64_t decisions_ = 0;
};

}  // namespace dempilot::record
