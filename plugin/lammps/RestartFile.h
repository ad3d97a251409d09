// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "plugin/lammps/AgentColumns.h"

namespace dempilot::lammps {

/// Where a file of agents belongs.
struct RestartStamp {
  std::string token;  ///< unique; the restart file of the engine holds the same
  std::string fix_id;
  std::string policy;  ///< digest of the policy that the agents followed
  std::int64_t timestep = 0;
};

/// Writes what agents remember to an HDF5 file beside the engine's restart file, complete or not at
/// all: written under another name, flushed to the disk, and renamed. Agents are put in the order
/// of their ids. Throws Error.
void write_agents(const std::filesystem::path& path, const RestartStamp& stamp,
                  const AgentShape& shape, AgentColumns agents);

/// Reads such a file, a few agents at a time.
class AgentReader {
 public:
  /// Throws Error when the file is missing, damaged or of another kind.
  explicit AgentReader(const std::filesystem::path& path);
  ~AgentReader();
  AgentReader(const AgentReader&) = delete;
  AgentReader& operator=(const AgentReader&) = delete;

  const RestartStamp& stamp() const;
  const AgentShape& shape() const;
  /// Number of agents in the file.
  std::size_t size() const;
  /// Agents first to first + count - 1.
  AgentColumns read(std::size_t first, std::size_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dempilot::lammps
