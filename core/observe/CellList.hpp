#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

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
  using Identities = Borrowed<const std::int64_t*, ExecutionSpace>;

  /// A target where it was sorted to, with all that a search reads side by side.
  struct Slot {
    double position[3];
    std::int64_t identity;
  };

  /// Most targets that are handed over at once.
  static constexpr int most_in_batch = 96;

  /// Sorts the targets at `position` (targets, 3), called `identity` (targets), into cells of
  /// `cell_width`, in buffers kept from the last time. Half the radius that is asked for later is a
  /// good width.
  void build(const ExecutionSpace& space, const Positions& position, const Identities& identity,
             double cell_width);

  /// Calls consume(numbers, count) for all slots whose targets are closer than `range` to `centre`,
  /// some of them at a time, in no particular order. Nothing is near a centre that is not finite.
  template <class Consumer>
  KOKKOS_FUNCTION void for_each_batch(const double (&centre)[3], double range,
                                      const Consumer& consume) const;

  /// Calls visit(index, delta, distance) once for every target closer than `range` to `centre`, in
  /// no particular order; delta is the vector from `centre` to the target.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(const double (&centre)[3], double range,
                                       const Visitor& visit) const;

  KOKKOS_INLINE_FUNCTION const Slot& slot(std::int32_t number) const { return slot_(number); }
  /// Which target is in a slot.
  KOKKOS_INLINE_FUNCTION std::int32_t index(std::int32_t number) const { return index_(number); }

  const CellGrid& grid() const { return grid_; }

 private:
  using Memory = typename ExecutionSpace::memory_space;
  using Integers = Kokkos::View<std::int32_t*, Memory>;
  using Slots = Kokkos::View<Slot*, Memory>;

  /// Slots that were found and not yet handed over.
  struct Batch {
    std::int32_t number[most_in_batch];
    int count = 0;
  };

  void reserve(std::size_t targets, std::size_t cells);

  template <class Consumer>
  KOKKOS_FUNCTION void search_row(std::int32_t row, std::int32_t first, std::int32_t count,
                                  const double (&centre)[3], double square, Batch& batch,
                                  const Consumer& consume) const;

  template <class Consumer>
  KOKKOS_FUNCTION void search_slots(std::int32_t begin, std::int32_t end, const double (&centre)[3],
                                    double square, Batch& batch, const Consumer& consume) const;

  CellGrid grid_;
  Integers start_;  ///< (cells + 2), first slot of each cell
  Integers index_;  ///< (slots), which target
  Slots slot_;      ///< (slots)
  Integers cell_;   ///< (targets), cell of each target, -1 for none; only while sorting
};

/// Vector from `centre` to `position`. Where they agree it is -0, as it is to JaxDEM.
KOKKOS_INLINE_FUNCTION
void subtract(const double (&position)[3], const double (&centre)[3], double (&delta)[3]) {
  for (int d = 0; d < 3; ++d)
    delta[d] = -(centre[d] - position[d]);
}

KOKKOS_INLINE_FUNCTION
double square_of(const double (&v)[3]) {
  return v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
}

template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::for_each_batch(const double (&centre)[3],
                                                              double range,
                                                              const Consumer& consume) const {
  std::int32_t first[3];
  std::int32_t count[3];
  for (int d = 0; d < 3; ++d) {
    if (!is_finite(centre[d])) return;
    std::int64_t low = grid_.cell_of(centre[d] - range);
    std::int64_t high = grid_.cell_of(centre[d] + range);
    if (low < grid_.low[d]) low = grid_.low[d];
    if (high > grid_.high[d]) high = grid_.high[d];
    if (low > high) return;
    const std::int64_t cells = high - low + 1;
    count[d] = cells < grid_.size[d] ? static_cast<std::int32_t>(cells) : grid_.size[d];
    first[d] = grid_.place_of(low, d);
  }
  Batch batch;
  for (std::int32_t k = 0, z = first[2]; k < count[2]; ++k, ++z) {
    if (z == grid_.size[2]) z = 0;
    for (std::int32_t j = 0, y = first[1]; j < count[1]; ++j, ++y) {
      if (y == grid_.size[1]) y = 0;
      search_row(grid_.index_of(0, y, z), first[0], count[0], centre, range * range, batch,
                 consume);
    }
  }
  if (batch.count > 0) consume(batch.number, batch.count);
}

/// The cells of a row lie one after the other, and so do their slots: one run of them, or two where
/// the row wraps around the end of the array.
template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::search_row(std::int32_t row, std::int32_t first,
                                                          std::int32_t count,
                                                          const double (&centre)[3], double square,
                                                          Batch& batch,
                                                          const Consumer& consume) const {
  const std::int32_t beyond = first + count - grid_.size[0];
  const std::int32_t end = beyond > 0 ? grid_.size[0] : first + count;
  search_slots(start_(row + first), start_(row + end), centre, square, batch, consume);
  if (beyond > 0) search_slots(start_(row), start_(row + beyond), centre, square, batch, consume);
}

/// Three of four candidates are too far away, and nobody can guess which: they are told apart
/// without a branch, and what is found is looked at later.
template <class ExecutionSpace>
template <class Consumer>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::search_slots(std::int32_t begin, std::int32_t end,
                                                            const double (&centre)[3],
                                                            double square, Batch& batch,
                                                            const Consumer& consume) const {
  constexpr int worth_consuming = 64;
  while (begin < end) {
    const std::int32_t room = most_in_batch - batch.count;
    const std::int32_t stop = end - begin < room ? end : begin + room;
    int found = batch.count;
    for (; begin < stop; ++begin) {
      double delta[3];
      subtract(slot_(begin).position, centre, delta);
      batch.number[found] = begin;
      found += static_cast<int>(square_of(delta) < square);
    }
    batch.count = found;
    if (found < worth_consuming) continue;
    consume(batch.number, found);
    batch.count = 0;
  }
}

template <class ExecutionSpace>
template <class Visitor>
KOKKOS_FUNCTION void CellList<ExecutionSpace>::for_each_within(const double (&centre)[3],
                                                               double range,
                                                               const Visitor& visit) const {
  for_each_batch(centre, range, [&](const std::int32_t* numbers, int count) {
    for (int n = 0; n < count; ++n) {
      double delta[3];
      subtract(slot_(numbers[n]).position, centre, delta);
      visit(index_(numbers[n]), delta, std::sqrt(square_of(delta)));
    }
  });
}

}  // namespace dempilot

#include "core/observe/detail/CellSort.hpp"
