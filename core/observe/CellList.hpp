#pragma once

#include <Kokkos_Core.hpp>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "core/observe/Borrowed.hpp"
#include "core/observe/CellGrid.hpp"

namespace dempilot {

/// Targets sorted by cubic cell, to be asked for those near a point.
///
/// Beyond the sorting only the points asked for cost anything: a thousand agents among a million
/// grains pay for a thousand neighborhoods. Memory is proportional to the number of targets
/// whatever the volume they fill (see CellGrid). Targets with a non-finite coordinate are left out.
/// A copy shares the buffers, as Kokkos views do: a kernel takes one by value.
template <class ExecutionSpace>
class CellList {
 public:
  using Positions = Borrowed<const double* [3], ExecutionSpace>;

  /// Sorts the targets at `position` (targets, 3) into cells of `cell_width`, in buffers kept from
  /// the last time. Half the radius that is asked for later is a good width.
  void build(const ExecutionSpace& space, const Positions& position, double cell_width);

  /// Calls visit(index, delta, distance) once for every target closer than `range` to `centre`, in
  /// no particular order; delta is the vector from `centre` to the target. Nothing is near a centre
  /// that is not finite.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(const double (&centre)[3], double range,
                                       const Visitor& visit) const;

  const CellGrid& grid() const { return grid_; }

 private:
  using Memory = typename ExecutionSpace::memory_space;
  using Integers = Kokkos::View<std::int32_t*, Memory>;

  void reserve(std::size_t targets, std::size_t cells);

  template <class Visitor>
  KOKKOS_FUNCTION void visit_row(std::int32_t row, std::int32_t first, std::int32_t count,
                                 const double (&centre)[3], double range,
                                 const Visitor& visit) const;

  template <class Visitor>
  KOKKOS_FUNCTION void visit_slots(std::int32_t begin, std::int32_t end, const double (&centre)[3],
                                   double range, const Visitor& visit) const;

  CellGrid grid_;
  Integers start_;  ///< (cells + 1), first slot of each cell
  Integers index_;  ///< (slots), which target
  Kokkos::View<double* [3], Kokkos::LayoutRight, Memory> position_;  ///< (slots, 3), where it is
  Integers cell_;   ///< (targets), cell of each target, -1 for none; only while sorting
  Integers place_;  ///< (targets), place of each target within its cell; only while sorting
};

namespace detail {

KOKKOS_INLINE_FUNCTION
bool is_finite(double x) {
  return std::fabs(x) <= DBL_MAX;
}

/// Smallest box around the finite targets, one axis at a time.
template <class ExecutionSpace>
struct TargetBounds {
  typename CellList<ExecutionSpace>::Positions position;
  int axis;

  KOKKOS_FUNCTION
  void operator()(int target, Kokkos::MinMaxScalar<double>& bounds) const {
    for (int d = 0; d < 3; ++d)
      if (!is_finite(position(target, d))) return;
    const double x = position(target, axis);
    if (x < bounds.min_val) bounds.min_val = x;
    if (x > bounds.max_val) bounds.max_val = x;
  }
};

/// Counts the targets of each cell and numbers them within it.
template <class ExecutionSpace, class Integers>
struct TargetCounter {
  typename CellList<ExecutionSpace>::Positions position;
  CellGrid grid;
  Integers cell, place, count;

  KOKKOS_FUNCTION
  void operator()(int target) const {
    std::int32_t places[3];
    for (int d = 0; d < 3; ++d) {
      if (!is_finite(position(target, d))) {
        cell(target) = -1;
        return;
      }
      places[d] = grid.place_of(grid.cell_of(position(target, d)), d);
    }
    cell(target) = grid.index_of(places[0], places[1], places[2]);
    place(target) = Kokkos::atomic_fetch_add(&count(cell(target)), 1);
  }
};

/// Replaces counts by the sum of those before.
template <class Integers>
struct RunningSum {
  Integers count;

  KOKKOS_FUNCTION
  void operator()(int cell, std::int32_t& sum, bool final) const {
    const std::int32_t here = count(cell);
    if (final) count(cell) = sum;
    sum += here;
  }
};

/// Puts each target into its slot.
template <class ExecutionSpace, class Integers, class Sorted>
struct TargetPlacer {
  typename CellList<ExecutionSpace>::Positions position;
  Integers cell, place, start, index;
  Sorted sorted;

  KOKKOS_FUNCTION
  void operator()(int target) const {
    if (cell(target) < 0) return;
    const std::int32_t slot = start(cell(target)) + place(target);
    index(slot) = target;
    for (int d = 0; d < 3; ++d)
      sorted(slot, d) = position(target, d);
  }
};

}  // namespace detail

template <class ExecutionSpace>
void CellList<ExecutionSpace>::reserve(std::size_t targets, std::size_t cells) {
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  const auto grow = [](auto& view, const char* label, std::size_t size) {
    using View = std::decay_t<decltype(view)>;
    if (view.extent(0) >= size) return;
    view = View();  // gives the old memory back first
    view = View(view_alloc(std::string(label), WithoutInitializing), size + size / 8);
  };
  grow(start_, "DEMPilot::CellList::start", cells + 1);
  grow(index_, "DEMPilot::CellList::index", targets);
  grow(position_, "DEMPilot::CellList::position", targets);
  grow(cell_, "DEMPilot::CellList::cell", targets);
  grow(place_, "DEMPilot::CellList::place", targets);
}

template <class ExecutionSpace>
void CellList<ExecutionSpace>::build(const ExecutionSpace& space, const Positions& position,
                                     double cell_width) {
  using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
  const Range each_target(space, 0, static_cast<int>(position.extent(0)));

  std::array<double, 3> lower{}, upper{};
  for (int axis = 0; axis < 3; ++axis) {
    Kokkos::MinMaxScalar<double> bounds;
    Kokkos::parallel_reduce("DEMPilot::CellList::bounds", each_target,
                            detail::TargetBounds<ExecutionSpace>{position, axis},
                            Kokkos::MinMax<double>(bounds));
    lower[axis] = bounds.min_val;
    upper[axis] = bounds.max_val;
  }
  grid_ = make_cell_grid(lower, upper, cell_width, position.extent(0));
  reserve(position.extent(0), grid_.cell_count());

  const int cells = grid_.cell_count();
  Kokkos::deep_copy(space, Kokkos::subview(start_, std::make_pair(0, cells + 1)), 0);
  Kokkos::parallel_for(
      "DEMPilot::CellList::count", each_target,
      detail::TargetCounter<ExecutionSpace, Integers>{position, grid_, cell_, place_, start_});
  Kokkos::parallel_scan("DEMPilot::CellList::start", Range(space, 0, cells + 1),
                        detail::RunningSum<Integers>{start_});
  Kokkos::parallel_for("DEMPilot::CellList::place", each_target,
                       detail::TargetPlacer<ExecutionSpace, Integers, decltype(position_)>{
                           position, cell_, place_, start_, index_, position_});
}

template <class ExecutionSpace>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::for_each_within(const double (&centre)[3],
                                                               double range,
                                                               const Visitor& visit) const {
  std::int32_t first[3];
  std::int32_t count[3];
  for (int d = 0; d < 3; ++d) {
    if (!detail::is_finite(centre[d])) return;
    std::int64_t low = grid_.cell_of(centre[d] - range);
    std::int64_t high = grid_.cell_of(centre[d] + range);
    if (low < grid_.low[d]) low = grid_.low[d];
    if (high > grid_.high[d]) high = grid_.high[d];
    if (low > high) return;
    const std::int64_t cells = high - low + 1;
    count[d] = cells < grid_.size[d] ? static_cast<std::int32_t>(cells) : grid_.size[d];
    first[d] = grid_.place_of(low, d);
  }
  for (std::int32_t k = 0, z = first[2]; k < count[2]; ++k, ++z) {
    if (z == grid_.size[2]) z = 0;
    for (std::int32_t j = 0, y = first[1]; j < count[1]; ++j, ++y) {
      if (y == grid_.size[1]) y = 0;
      visit_row(grid_.index_of(0, y, z), first[0], count[0], centre, range, visit);
    }
  }
}

/// The cells of a row lie one after the other, and so do their slots: one run of them, or two where
/// the row wraps around the end of the array.
template <class ExecutionSpace>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::visit_row(std::int32_t row, std::int32_t first,
                                                         std::int32_t count,
                                                         const double (&centre)[3], double range,
                                                         const Visitor& visit) const {
  const std::int32_t beyond = first + count - grid_.size[0];
  const std::int32_t end = beyond > 0 ? grid_.size[0] : first + count;
  visit_slots(start_(row + first), start_(row + end), centre, range, visit);
  if (beyond > 0) visit_slots(start_(row), start_(row + beyond), centre, range, visit);
}

template <class ExecutionSpace>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::visit_slots(std::int32_t begin, std::int32_t end,
                                                           const double (&centre)[3], double range,
                                                           const Visitor& visit) const {
  const double square = range * range;
  for (std::int32_t slot = begin; slot < end; ++slot) {
    const double delta[3] = {-(centre[0] - position_(slot, 0)), -(centre[1] - position_(slot, 1)),
                             -(centre[2] - position_(slot, 2))};
    const double here = delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2];
    if (here < square) visit(index_(slot), delta, std::sqrt(here));
  }
}

}  // namespace dempilot
