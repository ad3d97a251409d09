#pragma once

#include <Kokkos_Core.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "core/observe/CellList.hpp"
#include "core/observe/Launch.hpp"

/// How a CellList is built: targets are counted cell by cell, and put where the cells before leave
/// off.
namespace dempilot {
namespace detail {

/// Adds one and returns what was there before. Where there is one thread it needs no lock, which
/// would cost more than all else that is done to a target.
template <class ExecutionSpace>
KOKKOS_INLINE_FUNCTION std::int32_t count_one(std::int32_t& count) {
#ifdef KOKKOS_ENABLE_SERIAL
  if constexpr (std::is_same_v<ExecutionSpace, Kokkos::Serial>) return count++;
#endif
  return Kokkos::atomic_fetch_add(&count, 1);
}

/// Smallest box around the finite targets. Six sums of their own: those of Kokkos 3.4 that hold two
/// numbers cannot be combined.
template <class ExecutionSpace>
struct TargetBounds {
  /// Targets that are looked at together: on a host as many as make up for storing six sums.
  static constexpr int together = runs_on_host<ExecutionSpace> ? 256 : 1;

  typename CellList<ExecutionSpace>::Positions position;

  int groups() const { return (static_cast<int>(position.extent(0)) + together - 1) / together; }

  KOKKOS_FUNCTION
  void operator()(int group, double& low_x, double& low_y, double& low_z, double& high_x,
                  double& high_y, double& high_z) const {
    double low[3] = {low_x, low_y, low_z};
    double high[3] = {high_x, high_y, high_z};
    const auto count = static_cast<int>(position.extent(0));
    const int end = count - group * together < together ? count : (group + 1) * together;
    for (int target = group * together; target < end; ++target) {
      const double at[3] = {position(target, 0), position(target, 1), position(target, 2)};
      if (!is_finite(at[0]) || !is_finite(at[1]) || !is_finite(at[2])) continue;
      for (int d = 0; d < 3; ++d) {
        low[d] = at[d] < low[d] ? at[d] : low[d];
        high[d] = at[d] > high[d] ? at[d] : high[d];
      }
    }
    low_x = low[0];
    low_y = low[1];
    low_z = low[2];
    high_x = high[0];
    high_y = high[1];
    high_z = high[2];
  }
};

template <class Integers>
struct Clearer {
  static constexpr const char* label = "DEMPilot::CellList::clear";
  Integers count;

  KOKKOS_FUNCTION
  void operator()(int cell) const { count(cell) = 0; }
};

/// Counts the targets of each cell, two places further on.
template <class ExecutionSpace, class Integers>
struct TargetCounter {
  static constexpr const char* label = "DEMPilot::CellList::count";
  typename CellList<ExecutionSpace>::Positions position;
  CellGrid grid;
  Integers cell, count;

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
    const std::int32_t here = grid.index_of(places[0], places[1], places[2]);
    cell(target) = here;
    count_one<ExecutionSpace>(count(here + 2));
  }
};

/// Adds to each count those before it.
template <class Integers>
struct RunningSum {
  Integers count;

  KOKKOS_FUNCTION
  void operator()(int cell, std::int32_t& sum, bool final) const {
    sum += count(cell);
    if (final) count(cell) = sum;
  }
};

/// Puts each target into the next slot of its cell. What counts them one place further on ends as
/// the first slot of the cell after.
template <class ExecutionSpace, class Integers, class Slots>
struct TargetPlacer {
  static constexpr const char* label = "DEMPilot::CellList::place";
  typename CellList<ExecutionSpace>::Positions position;
  typename CellList<ExecutionSpace>::Identities identity;
  Integers cell, next, index;
  Slots slots;

  KOKKOS_FUNCTION
  void operator()(int target) const {
    if (cell(target) < 0) return;
    const std::int32_t number = count_one<ExecutionSpace>(next(cell(target) + 1));
    index(number) = target;
    for (int d = 0; d < 3; ++d)
      slots(number).position[d] = position(target, d);
    slots(number).identity = identity(target);
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
  grow(start_, "DEMPilot::CellList::start", cells + 2);
  grow(index_, "DEMPilot::CellList::index", targets);
  grow(slot_, "DEMPilot::CellList::slot", targets + observe_simd::slots_behind);
  grow(cell_, "DEMPilot::CellList::cell", targets);
}

template <class ExecutionSpace>
void CellList<ExecutionSpace>::build(const ExecutionSpace& space, const Positions& position,
                                     const Identities& identity, double cell_width) {
  using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
  static const std::string bounds_label("DEMPilot::CellList::bounds");
  static const std::string start_label("DEMPilot::CellList::start");

  const std::size_t targets = position.extent(0);
  std::array<double, 3> lower{};
  std::array<double, 3> upper{};
  using Min = Kokkos::Min<double>;
  using Max = Kokkos::Max<double>;
  const detail::TargetBounds<ExecutionSpace> bounds{position};
  Kokkos::parallel_reduce(bounds_label, Range(space, 0, bounds.groups()), bounds, Min(lower[0]),
                          Min(lower[1]), Min(lower[2]), Max(upper[0]), Max(upper[1]),
                          Max(upper[2]));
  grid_ = make_cell_grid(lower, upper, cell_width, targets);
  const auto cells = static_cast<std::size_t>(grid_.cell_count());
  reserve(targets, cells);

  launch(space, cells + 2, detail::Clearer<Integers>{start_});
  launch(space, targets,
         detail::TargetCounter<ExecutionSpace, Integers>{position, grid_, cell_, start_});
  Kokkos::parallel_scan(start_label, Range(space, 0, static_cast<int>(cells + 2)),
                        detail::RunningSum<Integers>{start_});
  launch(space, targets,
         detail::TargetPlacer<ExecutionSpace, Integers, Slots>{position, identity, cell_, start_,
                                                               index_, slot_});
}

}  // namespace dempilot
