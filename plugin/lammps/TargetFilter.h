// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "plugin/lammps/Periodicity.h"

namespace dempilot::lammps {

/// Tells which points may be within a range of some agent, so that among a million grains only the
/// neighborhoods of a thousand agents are looked at any further.
class TargetFilter {
 public:
  /// Marks the surroundings of `agents` (agents, 3). Points farther than `range` from all of them
  /// are mostly told apart, nearer ones never.
  void build(std::span<const double> agents, double range);

  bool may_be_near(const double* point) const {
    std::array<std::int64_t, 3> cell;
    for (std::size_t d = 0; d < 3; ++d) {
      const double place = (point[d] - bounds_.lower[d]) * inverse_width_;
      if (!(place >= 0.0 && place < static_cast<double>(cells_[d]))) return false;
      cell[d] = static_cast<std::int64_t>(place);
    }
    return marked_[static_cast<std::size_t>((cell[2] * cells_[1] + cell[1]) * cells_[0] +
                                            cell[0])] != 0;
  }
  /// Outside of it nothing may be near.
  const Bounds& bounds() const { return bounds_; }

  double memory_usage() const { return static_cast<double>(marked_.capacity()); }

 private:
  void shape_grid(std::span<const double> agents, double range);
  void mark_around(const double* point);

  Bounds bounds_;
  double inverse_width_ = 0.0;
  std::array<std::int64_t, 3> cells_{};  ///< along each axis; 0: there is no agent
  std::vector<std::uint8_t> marked_;     ///< (cells), 0: far from all agents; 2: holds some
};

}  // namespace dempilot::lammps
