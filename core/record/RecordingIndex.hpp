#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/record/Launch.hpp"

namespace dempilot::record {

/// The file `index.json` of a recording's folder: whose rows there are, and which flushes are
/// complete on all ranks. It is replaced in one instant, after the segments of a flush: what it
/// does not name has not been recorded. One process of a simulation holds it.
class RecordingIndex {
 public:
  /// Opens the recording in `folder`, or begins one in a new or empty folder, and enters `launch`,
  /// which gets its number. Partial files of launches that were killed are removed. Throws Error:
  /// the folder cannot be written or holds something else, the index is damaged, the recording has
  /// another source or shape.
  RecordingIndex(std::filesystem::path folder, Launch launch);
  ~RecordingIndex();
  RecordingIndex(const RecordingIndex&) = delete;
  RecordingIndex& operator=(const RecordingIndex&) = delete;

  /// With its number.
  const Launch& launch() const;
  /// Rows of earlier launches that this one supersedes as soon as it has recorded anything, as far
  /// as whole flushes tell: those that begin at its first decision or later. What a launch in
  /// between has superseded already is not counted again.
  std::int64_t superseded() const;

  /// Enters a flush whose segments all ranks have written. Throws Error, also when somebody else
  /// has written to the index meanwhile.
  void commit(const Flush& flush);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dempilot::record
