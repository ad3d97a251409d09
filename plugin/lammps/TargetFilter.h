// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/observe/simd/CellNumbers.hpp"
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
      const double place = (point[d] - cells_.lower[d]) * cells_.inverse_width;
      if (!(place >= 0.0 && place < static_cast<double>(cells_.cells[d]))) return false;
      cell[d] = static_cast<std::int64_t>(place);
    }
    return marked_[static_cast<std::size_t>(
               (cell[2] * cells_.cells[1] + cell[1]) * cells_.cells[0] + cell[0])] != Mark::far;
  }

  /// What is known of a place.
  enum class Mark : std::uint8_t {
    far,          ///< from all agents
    near,         ///< to one, maybe
    holds_agent,  ///< and is near
    elsewhere,    ///< outside of the region that was asked about
  };
  /// The marks of `points` (count, 3) in `region`: mark[n], or elsewhere.
  void find_marks(const double* points, std::size_t count, const Bounds& region, Mark* mark);

  /// Outside of it nothing may be near.
  const Bounds& bounds() const { return bounds_; }

  double memory_usage() const {
    return static_cast<double>(marked_.capacity() * sizeof(Mark) +
                               numbers_.capacity() * sizeof(std::int32_t));
  }

 private:
  void shape_grid(std::span<const double> agents, double range);
  void mark_around(const double* point);

  Bounds bounds_;
  observe_simd::CellBox cells_;        ///< no cells without agents
  std::vector<Mark> marked_;           ///< (cells + 2), then what is outside, and elsewhere
  std::vector<std::int32_t> numbers_;  ///< of cells, while their marks are sought
  const observe_simd::CellNumbers& simd_ = observe_simd::best_cell_numbers();
};

}  // namespace dempilot::lammps
