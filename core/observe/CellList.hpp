#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/Backend.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/CellGrid.hpp"
#include "core/observe/Sightings.hpp"
#include "core/observe/Slot.hpp"
#include "core/observe/simd/Search.hpp"

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
  using Identities = Borrowed<const std::int64_t*, ExecutionSpace>;

  /// Sorts the targets at `position` (targets, 3), called `identity` (targets), into cells of
  /// `cell_width`, in buffers kept from the last time. The radius that is asked for later is a good
  /// width.
  void build(const ExecutionSpace& space, const Positions& position, const Identities& identity,
             double cell_width);

  /// Calls consume(sightings) for all targets in a vicinity, some of them at a time, in no
  /// particular order; they are the consumer's to change. Nothing is near a centre that is not
  /// finite.
  template <class Consumer>
  KOKKOS_FUNCTION void for_each_batch(const Vicinity& vicinity, const Consumer& consume) const;

  /// Calls visit(index, delta, distance) once for every such target; delta is the vector from the
  /// centre to it.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(const Vicinity& vicinity, const Visitor& visit) const;

  const CellGrid& grid() const { return grid_; }

 private:
  using Memory = typename ExecutionSpace::memory_space;
  using Integers = Kokkos::View<std::int32_t*, Memory>;
  using Slots = Kokkos::View<Slot*, Memory>;

  void reserve(std::size_t targets, std::size_t cells);

  template <class Consumer>
  KOKKOS_FUNCTION void search_row(std::int32_t row, std::int32_t first, std::int32_t count,
                                  const Vicinity& vicinity, Sightings& seen,
                                  const Consumer& consume) const;

  template <class Consumer>
  KOKKOS_FUNCTION void search_slots(std::int32_t begin, std::int32_t end, const Vicinity& vicinity,
                                    Sightings& seen, const Consumer& consume) const;

  template <class Consumer>
  KOKKOS_FUNCTION void hand_over(const Vicinity& vicinity, Sightings& seen,
                                 const Consumer& consume) const;

  KOKKOS_FUNCTION std::int32_t find_near(std::int32_t begin, std::int32_t end,
                                         const Vicinity& vicinity, Sightings& seen) const;

  CellGrid grid_;
  Integers start_;  ///< (cells + 2), first slot of each cell
  Integers index_;  ///< (slots), which target
  Slots slot_;      ///< (slots and some behind them)
  Integers cell_;   ///< (targets), cell of each target, -1 for none; only while sorting
  observe_simd::Search simd_ = observe_simd::best_search();  ///< on a host
};

template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::for_each_batch(const Vicinity& vicinity,
                                                              const Consumer& consume) const {
  std::int32_t first[3];
  std::int32_t count[3];
  for (int d = 0; d < 3; ++d) {
    const double centre = vicinity.centre[d];
    if (!is_finite(centre)) return;
    std::int64_t low = grid_.cell_of(centre - vicinity.range);
    std::int64_t high = grid_.cell_of(centre + vicinity.range);
    if (low < grid_.low[d]) low = grid_.low[d];
    if (high > grid_.high[d]) high = grid_.high[d];
    if (low > high) return;
    const std::int64_t cells = high - low + 1;
    count[d] = cells < grid_.size[d] ? static_cast<std::int32_t>(cells) : grid_.size[d];
    first[d] = grid_.place_of(low, d);
  }
  Sightings seen;
  for (std::int32_t k = 0, z = first[2]; k < count[2]; ++k, ++z) {
    if (z == grid_.size[2]) z = 0;
    for (std::int32_t j = 0, y = first[1]; j < count[1]; ++j, ++y) {
      if (y == grid_.size[1]) y = 0;
      search_row(grid_.index_of(0, y, z), first[0], count[0], vicinity, seen, consume);
    }
  }
  hand_over(vicinity, seen, consume);
}

/// The cells of a row lie one after the other, and so do their slots: one run of them, or two where
/// the row wraps around the end of the array.
template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::search_row(std::int32_t row, std::int32_t first,
                                                          std::int32_t count,
                                                          const Vicinity& vicinity, Sightings& seen,
                                                          const Consumer& consume) const {
  const std::int32_t beyond = first + count - grid_.size[0];
  const std::int32_t end = beyond > 0 ? grid_.size[0] : first + count;
  search_slots(start_(row + first), start_(row + end), vicinity, seen, consume);
  if (beyond > 0) search_slots(start_(row), start_(row + beyond), vicinity, seen, consume);
}

template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::search_slots(std::int32_t begin, std::int32_t end,
                                                            const Vicinity& vicinity,
                                                            Sightings& seen,
                                                            const Consumer& consume) const {
  while (begin < end) {
    begin = find_near(begin, end, vicinity, seen);
    if (seen.count >= Sightings::enough) hand_over(vicinity, seen, consume);
  }
}

template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::hand_over(const Vicinity& vicinity, Sightings& seen,
                                                         const Consumer& consume) const {
  if (seen.count == 0) return;
  if constexpr (runs_on_host<ExecutionSpace>) simd_.locate(slot_.data(), vicinity, seen);
  consume(seen);
  seen.count = 0;
}

/// As observe_simd::Search does it on a host; elsewhere what is found is located at once.
template <class ExecutionSpace>
KOKKOS_FUNCTION std::int32_t CellList<ExecutionSpace>::find_near(std::int32_t begin,
                                                                 std::int32_t end,
                                                                 const Vicinity& vicinity,
                                                                 Sightings& seen) const {
  if constexpr (runs_on_host<ExecutionSpace>) {
    return simd_.find(slot_.data(), begin, end, vicinity, seen);
  } else {
    for (; begin < end && seen.count < Sightings::enough; ++begin) {
      const Slot& slot = slot_(begin);
      const double x = -(vicinity.centre[0] - slot.position[0]);
      const double y = -(vicinity.centre[1] - slot.position[1]);
      const double z = -(vicinity.centre[2] - slot.position[2]);
      const double square = x * x + y * y + z * z;
      if (!(square < vicinity.range * vicinity.range) || slot.identity == vicinity.identity)
        continue;
      seen.x[seen.count] = x;
      seen.y[seen.count] = y;
      seen.z[seen.count] = z;
      seen.square[seen.count] = square;
      seen.slot[seen.count++] = begin;
    }
    return begin;
  }
}

template <class ExecutionSpace>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::for_each_within(const Vicinity& vicinity,
                                                               const Visitor& visit) const {
  for_each_batch(vicinity, [&](const Sightings& seen) {
    for (int n = 0; n < seen.count; ++n) {
      const double delta[3] = {seen.x[n], seen.y[n], seen.z[n]};
      visit(index_(seen.slot[n]), delta, std::sqrt(seen.square[n]));
    }
  });
}

}  // namespace dempilot

#include "core/observe/detail/CellSort.hpp"
