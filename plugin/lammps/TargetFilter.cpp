// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/TargetFilter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dempilot::lammps {
namespace {

constexpr std::int64_t most_cells = std::int64_t{1} << 21;  // 2 MiB

bool is_finite(const double* point) {
  return std::isfinite(point[0]) && std::isfinite(point[1]) && std::isfinite(point[2]);
}

}  // namespace

void TargetFilter::shape_grid(const double* position, std::span<const std::int32_t> agents,
                              double range) {
  cells_ = {};
  lower_.fill(std::numeric_limits<double>::infinity());
  std::array<double, 3> upper;
  upper.fill(-std::numeric_limits<double>::infinity());
  for (const std::int32_t agent : agents) {
    const double* const point = position + 3 * static_cast<std::ptrdiff_t>(agent);
    if (!is_finite(point)) continue;
    for (std::size_t d = 0; d < 3; ++d) {
      lower_[d] = std::min(lower_[d], point[d]);
      upper[d] = std::max(upper[d], point[d]);
    }
  }
  if (!(lower_[0] <= upper[0])) return;

  // A little wider than the range: rounding must not put a neighbor two cells away.
  double width = 1.001 * range;
  const auto count = [&](std::size_t d) { return std::floor((upper[d] - lower_[d]) / width) + 3; };
  while (count(0) * count(1) * count(2) > static_cast<double>(most_cells))
    width *= 1.25;
  inverse_width_ = 1.0 / width;
  for (std::size_t d = 0; d < 3; ++d) {
    cells_[d] = static_cast<std::int64_t>(count(d));
    lower_[d] -= width;  // the outermost cells hold no agent
  }
}

void TargetFilter::mark_around(const double* point) {
  std::array<std::int64_t, 3> cell;
  for (std::size_t d = 0; d < 3; ++d) {
    cell[d] = static_cast<std::int64_t>((point[d] - lower_[d]) * inverse_width_);
    cell[d] = std::clamp<std::int64_t>(cell[d], 1, cells_[d] - 2);
  }
  for (std::int64_t z = cell[2] - 1; z <= cell[2] + 1; ++z) {
    for (std::int64_t y = cell[1] - 1; y <= cell[1] + 1; ++y) {
      const std::int64_t first = (z * cells_[1] + y) * cells_[0] + cell[0] - 1;
      std::fill_n(marked_.begin() + first, 3, std::uint8_t{1});
    }
  }
}

void TargetFilter::build(const double* position, std::span<const std::int32_t> agents,
                         double range) {
  shape_grid(position, agents, range);
  marked_.assign(static_cast<std::size_t>(cells_[0] * cells_[1] * cells_[2]), 0);
  for (const std::int32_t agent : agents) {
    const double* const point = position + 3 * static_cast<std::ptrdiff_t>(agent);
    if (is_finite(point)) mark_around(point);
  }
}

bool TargetFilter::may_be_near(const double* point) const {
  std::array<std::int64_t, 3> cell;
  for (std::size_t d = 0; d < 3; ++d) {
    const double place = (point[d] - lower_[d]) * inverse_width_;
    if (!(place >= 0.0 && place < static_cast<double>(cells_[d]))) return false;
    cell[d] = static_cast<std::int64_t>(place);
  }
  return marked_[static_cast<std::size_t>((cell[2] * cells_[1] + cell[1]) * cells_[0] + cell[0])] !=
         0;
}

}  // namespace dempilot::lammps
