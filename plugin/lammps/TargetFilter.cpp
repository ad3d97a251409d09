// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/TargetFilter.h"

#include <algorithm>
#include <cmath>

namespace dempilot::lammps {
namespace {

constexpr std::int64_t most_cells = std::int64_t{1} << 21;  // 2 MiB

bool is_finite(const double* point) {
  return std::isfinite(point[0]) && std::isfinite(point[1]) && std::isfinite(point[2]);
}

}  // namespace

void TargetFilter::shape_grid(std::span<const double> agents, double range) {
  cells_ = {};
  bounds_ = {};
  for (std::size_t n = 0; n + 2 < agents.size(); n += 3) {
    if (is_finite(agents.data() + n)) bounds_.include(agents.data() + n);
  }
  if (bounds_.is_empty()) return;

  // A little wider than the range: rounding must not put a neighbor two cells away.
  double width = 1.001 * range;
  const auto count = [&](std::size_t d) {
    return std::floor((bounds_.upper[d] - bounds_.lower[d]) / width) + 3;
  };
  while (count(0) * count(1) * count(2) > static_cast<double>(most_cells))
    width *= 1.25;
  inverse_width_ = 1.0 / width;
  for (std::size_t d = 0; d < 3; ++d) {
    cells_[d] = static_cast<std::int64_t>(count(d));
    bounds_.lower[d] -= width;  // the outermost cells hold no agent
    bounds_.upper[d] = bounds_.lower[d] + static_cast<double>(cells_[d]) * width;
  }
}

void TargetFilter::mark_around(const double* point) {
  std::array<std::int64_t, 3> cell;
  for (std::size_t d = 0; d < 3; ++d) {
    cell[d] = static_cast<std::int64_t>((point[d] - bounds_.lower[d]) * inverse_width_);
    cell[d] = std::clamp<std::int64_t>(cell[d], 1, cells_[d] - 2);
  }
  const auto mark = [this](std::int64_t number) -> std::uint8_t& {
    return marked_[static_cast<std::size_t>(number)];
  };
  const std::int64_t centre = (cell[2] * cells_[1] + cell[1]) * cells_[0] + cell[0];
  if (mark(centre) == 2) return;  // as for the agent before in this cell
  for (std::int64_t z = -1; z <= 1; ++z) {
    for (std::int64_t y = -1; y <= 1; ++y) {
      const std::int64_t middle = centre + (z * cells_[1] + y) * cells_[0];
      for (std::int64_t x = -1; x <= 1; ++x)
        mark(middle + x) = std::max(mark(middle + x), std::uint8_t{1});
    }
  }
  mark(centre) = 2;
}

void TargetFilter::build(std::span<const double> agents, double range) {
  shape_grid(agents, range);
  marked_.assign(static_cast<std::size_t>(cells_[0] * cells_[1] * cells_[2]), 0);
  for (std::size_t n = 0; n + 2 < agents.size(); n += 3) {
    if (is_finite(agents.data() + n)) mark_around(agents.data() + n);
  }
}

}  // namespace dempilot::lammps
