#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/Backend.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/CellGrid.hpp"
#include "core/observe/Sightings.hpp"
#include "core/observe/Slot.hpp"
#include "core/observe/simd/Search.hpp"

namespace dempilot {

/// How a list is built and searched.
enum class ListForm {
  vectors,  ///< as a host does: its grid is made while it waits, a vector of targets is seen at
            ///< once
  threads,  ///< as a device does: nobody waits, and one target is seen after the other
};

template <class ExecutionSpace>
inline constexpr ListForm best_list_form =
    runs_on_host<ExecutionSpace> ? ListForm::vectors : ListForm::threads;

/// Targets sorted by cubic cell, to be asked for those near a point.
///
/// Beyond the sorting only the points asked for cost anything: a thousand agents among a million
/// grains pay for a thousand neighborhoods. Memory is proportional to the number of targets
/// whatever the volume they fill (see CellGrid). Targets with a non-finite coordinate are left out.
/// A copy shares the buffers, as Kokkos views do: a kernel takes one by value.
template <class ExecutionSpace, ListForm form = best_list_form<ExecutionSpace>>
class CellList {
 public:
  using Positions = Borrowed<const double* [3], ExecutionSpace>;
  using Identities = Borrowed<const std::int64_t*, ExecutionSpace>;

  /// Sorts the targets at `position` (targets, 3), called `identity` (targets), into cells of
  /// `cell_width`, in buffers kept from the last time. The radius that is asked for later is a good
  /// width.
  void build(const ExecutionSpace& space, const Positions& position, const Identities& identity,
             double cell_width);

  /// Calls consume(sightings) for all targets in a vicinity, some of them at a time, in no
  /// particular order; they are the consumer's to change. Nothing is near a centre that is not
  /// finite. Of the form `vectors`.
  template <class Consumer>
  KOKKOS_FUNCTION void for_each_batch(const Vicinity& vicinity, const Consumer& consume) const;

  /// Calls visit(index, delta, distance) once for every such target; delta is the vector from the
  /// centre to it.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(const Vicinity& vicinity, const Visitor& visit) const;

  KOKKOS_FUNCTION const CellGrid& grid() const { return grid_(); }

 private:
  using Memory = typename ExecutionSpace::memory_space;
  using Integers = Kokkos::View<std::int32_t*, Memory>;
  using Slots = Kokkos::View<Slot*, Memory>;

  /// A grid that is copied with its list.
  struct OwnGrid {
    CellGrid grid;
    KOKKOS_FUNCTION const CellGrid& operator()() const { return grid; }
  };
  /// One in the memory of a device is read where it was made.
  using Grid =
      std::conditional_t<form == ListForm::vectors, OwnGrid, Kokkos::View<CellGrid, Memory>>;

  /// Makes the grid, and returns how many cells to reserve.
  std::size_t make_grid(const ExecutionSpace& space, const Positions& position, double cell_width);
  void reserve(std::size_t targets, std::size_t cells);

  template <class Visitor>
  KOKKOS_FUNCTION void for_each_run(const Vicinity& vicinity, const Visitor& visit) const;

  template <class Consumer>
  KOKKOS_FUNCTION void hand_over(const Vicinity& vicinity, Sightings& seen,
                                 const Consumer& consume) const;

  template <class Visitor>
  KOKKOS_FUNCTION void visit_slots(std::int32_t begin, std::int32_t end, const Vicinity& vicinity,
                                   const Visitor& visit) const;

  Grid grid_;
  Kokkos::View<PointBox, Memory> box_;  ///< around the targets; of the form `threads`
  Integers start_;                      ///< (cells + 2), first slot of each cell
  Integers index_;                      ///< (slots), which target
  Slots slot_;                          ///< (slots and some behind them)
  Integers cell_;  ///< (targets), cell of each target, -1 for none; only while sorting
  observe_simd::Search simd_ = observe_simd::best_search();  ///< of the form `vectors`
};

/// Calls visit(begin, end) for runs of slots that hold all targets in a vicinity. The cells of a
/// row lie one after the other, and so do their slots: one run of them, or two where the row wraps
/// around the end of the array.
template <class ExecutionSpace, ListForm form>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace, form>::for_each_run(const Vicinity& vicinity,
                                                                  const Visitor& visit) const {
  const CellGrid& grid = grid_();
  std::int32_t first[3];
  std::int32_t count[3];
  for (int d = 0; d < 3; ++d) {
    const double centre = vicinity.centre[d];
    if (!is_finite(centre)) return;
    std::int64_t low = grid.cell_of(centre - vicinity.range);
    std::int64_t high = grid.cell_of(centre + vicinity.range);
    if (low < grid.low[d]) low = grid.low[d];
    if (high > grid.high[d]) high = grid.high[d];
    if (low > high) return;
    const std::int64_t cells = high - low + 1;
    count[d] = cells < grid.size[d] ? static_cast<std::int32_t>(cells) : grid.size[d];
    first[d] = grid.place_of(low, d);
  }
  const std::int32_t beyond = first[0] + count[0] - grid.size[0];
  const std::int32_t end = beyond > 0 ? grid.size[0] : first[0] + count[0];
  for (std::int32_t k = 0, z = first[2]; k < count[2]; ++k, ++z) {
    if (z == grid.size[2]) z = 0;
    for (std::int32_t j = 0, y = first[1]; j < count[1]; ++j, ++y) {
      if (y == grid.size[1]) y = 0;
      const std::int32_t row = grid.index_of(0, y, z);
      visit(start_(row + first[0]), start_(row + end));
      if (beyond > 0) visit(start_(row), start_(row + beyond));
    }
  }
}

template <class ExecutionSpace, ListForm form>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace, form>::for_each_batch(const Vicinity& vicinity,
                                                                    const Consumer& consume) const {
  static_assert(form == ListForm::vectors);
  Sightings seen;
  for_each_run(vicinity, [&](std::int32_t begin, std::int32_t end) {
    while (begin < end) {
      begin = simd_.find(slot_.data(), begin, end, vicinity, seen);
      if (seen.count >= Sightings::enough) hand_over(vicinity, seen, consume);
    }
  });
  hand_over(vicinity, seen, consume);
}

template <class ExecutionSpace, ListForm form>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace, form>::hand_over(const Vicinity& vicinity,
                                                               Sightings& seen,
                                                               const Consumer& consume) const {
  if (seen.count == 0) return;
  simd_.locate(slot_.data(), vicinity, seen);
  consume(seen);
  seen.count = 0;
}

template <class ExecutionSpace, ListForm form>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace, form>::visit_slots(std::int32_t begin,
                                                                 std::int32_t end,
                                                                 const Vicinity& vicinity,
                                                                 const Visitor& visit) const {
  for (; begin < end; ++begin) {
    const Slot& slot = slot_(begin);
    const double delta[3] = {-(vicinity.centre[0] - slot.position[0]),
                             -(vicinity.centre[1] - slot.position[1]),
                             -(vicinity.centre[2] - slot.position[2])};
    const double square = delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2];
    if (!(square < vicinity.range * vicinity.range) || slot.identity == vicinity.identity) continue;
    visit(index_(begin), delta, std::sqrt(square));
  }
}

template <class ExecutionSpace, ListForm form>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace, form>::for_each_within(const Vicinity& vicinity,
                                                                     const Visitor& visit) const {
  if constexpr (form == ListForm::vectors) {
    for_each_batch(vicinity, [&](const Sightings& seen) {
      for (int n = 0; n < seen.count; ++n) {
        const double delta[3] = {seen.x[n], seen.y[n], seen.z[n]};
        visit(index_(seen.slot[n]), delta, std::sqrt(seen.square[n]));
      }
    });
  } else {
    for_each_run(vicinity, [&](std::int32_t begin, std::int32_t end) {
      visit_slots(begin, end, vicinity, visit);
    });
  }
}

}  // namespace dempilot

#include "core/observe/detail/CellSort.hpp"
