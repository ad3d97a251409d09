// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dempilot::lammps {

/// What the arguments of `fix ID group pilot policy.h5 …` say, not yet compared with the policy or
/// with the simulation.
struct FixOptions {
  /// `bind NAME ARGUMENT…`
  struct Binding {
    std::string name;
    std::vector<std::string> arguments;
  };

  /// `record PATH every N …`
  struct Record {
    std::string path;    ///< of the folder
    long every = 1;      ///< decisions
    long flush = 0;      ///< recorded decisions; 0: when memory is full
    bool carry = false;  ///< whether carries are recorded
    std::string reward;  ///< what gives the number; empty: not said
    std::string done;
  };

  std::string policy_path;
  long every = 0;  ///< 0: not said
  bool sample = false;
  std::uint64_t seed = 0;
  std::vector<Binding> bindings;
  std::vector<std::string> walls;  ///< "box" or IDs of regions
  long reset_every = 0;            ///< 0: not said
  std::string reset_variable;      ///< with its "v_"; empty: not said
  std::string reset_region;        ///< empty: not said
  /// What one unit of the policy's world is in the units of the simulation: length, time, mass.
  std::array<double, 3> scale{1, 1, 1};
  std::string restart_path;
  bool observations = false;
  std::optional<Record> record;
  std::string precision;  ///< of a device's products; empty: not said
  bool strict = false;    ///< what does not match the policy's training is an error
};

/// What to say about a word where a keyword should be.
std::string unknown_keyword(const std::string& word);

/// Parses the arguments that follow the style's name. Throws Error.
FixOptions parse_options(std::span<const std::string> arguments);

}  // namespace dempilot::lammps
