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
  cells_.inverse_width = 1.0 / width;
  for (std::size_t d = 0; d < 3; ++d) {
    cells_.cells[d] = static_cast<std::int64_t>(count(d));
    bounds_.lower[d] -= width;  // the outermost cells hold no agent
    bounds_.upper[d] = bounds_.lower[d] + static_cast<double>(cells_.cells[d]) * width;
  }
  cells_.lower = bounds_.lower;
}

void TargetFilter::mark_around(const double* point) {
  std::array<std::int64_t, 3> cell;
  for (std::size_t d = 0; d < 3; ++d) {
    cell[d] = static_cast<std::int64_t>((point[d] - cells_.lower[d]) * cells_.inverse_width);
    cell[d] = std::clamp<std::int64_t>(cell[d], 1, cells_.cells[d] - 2);
  }
  const auto mark = [this](std::int64_t number) -> Mark& {
    return marked_[static_cast<std::size_t>(number)];
  };
  const auto [x_cells, y_cells, z_cells] = cells_.cells;
  const std::int64_t centre = (cell[2] * y_cells + cell[1]) * x_cells + cell[0];
  if (mark(centre) == Mark::holds_agent) return;  // as for the agent before in this cell
  for (std::int64_t z = -1; z <= 1; ++z) {
    for (std::int64_t y = -1; y <= 1; ++y) {
      const std::int64_t middle = centre + (z * y_cells + y) * x_cells;
      for (std::int64_t x = -1; x <= 1; ++x)
        mark(middle + x) = std::max(mark(middle + x), Mark::near);
    }
  }
  mark(centre) = Mark::holds_agent;
}

void TargetFilter::build(std::span<const double> agents, double range) {
  shape_grid(agents, range);
  const auto cells = static_cast<std::size_t>(cells_.count());
  marked_.assign(cells + 2, Mark::far);
  marked_[cells + 1] = Mark::elsewhere;
  for (std::size_t n = 0; n + 2 < agents.size(); n += 3) {
    if (is_finite(agents.data() + n)) mark_around(agents.data() + n);
  }
}

void TargetFilter::find_marks(const double* points, std::size_t count, const Bounds& region,
                              Mark* mark) {
  numbers_.resize(count);
  simd_.find(cells_, {region.lower, region.upper}, points, count, numbers_.data());
  for (std::size_t n = 0; n < count; ++n)
    mark[n] = marked_[static_cast<std::size_t>(numbers_[n])];
}

}  // namespace dempilot::lammps
