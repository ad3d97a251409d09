// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace dempilot::lammps {

/// Tells which points may be within a range of some agent, so that among a million grains only the
/// neighborhoods of a thousand agents are looked at any further.
class TargetFilter {
 public:
  /// Marks the surroundings of the particles `agents` of `position` (particles, 3). Points farther
  /// than `range` from all of them are mostly told apart, nearer ones never.
  void build(const double* position, std::span<const std::int32_t> agents, double range);

  bool may_be_near(const double* point) const;

  double memory_usage() const { return static_cast<double>(marked_.capacity()); }

 private:
  void shape_grid(const double* position, std::span<const std::int32_t> agents, double range);
  void mark_around(const double* point);

  std::array<double, 3> lower_{};
  double inverse_width_ = 0.0;
  std::array<std::int64_t, 3> cells_{};  ///< along each axis; 0: there is no agent
  std::vector<std::uint8_t> marked_;
};

}  // namespace dempilot::lammps
