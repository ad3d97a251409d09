#pragma once

#include <Kokkos_Core.hpp>
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
#ifdef DEMPILOT_HAS_SERIAL
  if constexpr (std::is_same_v<ExecutionSpace, Kokkos::Serial>) return count++;
#endif
  return Kokkos::atomic_fetch_add(&count, 1);
}

/// Smallest box around the finite targets.
template <class ExecutionSpace>
struct TargetBounds : BoxReduction {
  /// Targets that are looked at together: on a host as many as make up for storing the box.
  static constexpr int together = runs_on_host<ExecutionSpace> ? 256 : 1;

  Borrowed<const double* [3], ExecutionSpace> position;

  int groups() const { return (static_cast<int>(position.extent(0)) + together - 1) / together; }

  KOKKOS_FUNCTION
  void operator()(int group, PointBox& box) const {
    PointBox mine = box;
    const auto count = static_cast<int>(position.extent(0));
    const int end = count - group * together < together ? count : (group + 1) * together;
    for (int target = group * together; target < end; ++target)
      mine.include(position(target, 0), position(target, 1), position(target, 2));
    box = mine;
  }
};

/// Makes the grid where its box is.
template <class Box, class Grid>
struct GridMaker {
  static constexpr const char* label = "DEMPilot::CellList::grid";
  Box box;
  Grid grid;
  double cell_width;
  std::int64_t targets;

  KOKKOS_FUNCTION
  void operator()(int) const { grid() = make_cell_grid(box(), cell_width, targets); }
};

template <class Integers>
struct Clearer {
  static constexpr const char* label = "DEMPilot::CellList::clear";
  Integers count;

  KOKKOS_FUNCTION
  void operator()(int cell) const { count(cell) = 0; }
};

/// Counts the targets of each cell, two places further on.
template <class ExecutionSpace, class Grid, class Integers>
struct TargetCounter {
  static constexpr const char* label = "DEMPilot::CellList::count";
  Borrowed<const double* [3], ExecutionSpace> position;
  Grid grid_of_cells;
  Integers cell, count;

  KOKKOS_FUNCTION
  void operator()(int target) const {
    const CellGrid& grid = grid_of_cells();
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
  Borrowed<const double* [3], ExecutionSpace> position;
  Borrowed<const std::int64_t*, ExecutionSpace> identity;
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

template <class ExecutionSpace, ListForm form>
void CellList<ExecutionSpace, form>::reserve(std::size_t targets, std::size_t cells) {
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

/// On a device the host never learns how many cells there are, only how many there can be.
template <class ExecutionSpace, ListForm form>
std::size_t CellList<ExecutionSpace, form>::make_grid(const ExecutionSpace& space,
                                                      const Positions& position,
                                                      double cell_width) {
  using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
  static const std::string label("DEMPilot::CellList::bounds");
  const detail::TargetBounds<ExecutionSpace> bounds{{}, position};
  const Range groups(space, 0, bounds.groups());
  const auto targets = static_cast<std::int64_t>(position.extent(0));
  if constexpr (form == ListForm::vectors) {
    PointBox box;
    Kokkos::parallel_reduce(label, groups, bounds, box);
    grid_.grid = make_cell_grid(box, cell_width, targets);
    return static_cast<std::size_t>(grid_.grid.cell_count());
  } else {
    if (box_.data() == nullptr) {
      box_ = decltype(box_)("DEMPilot::CellList::box");
      grid_ = Grid("DEMPilot::CellList::grid");
    }
    Kokkos::parallel_reduce(label, groups, bounds, box_);
    launch(space, 1, detail::GridMaker<decltype(box_), Grid>{box_, grid_, cell_width, targets});
    return static_cast<std::size_t>(most_cells(targets));
  }
}

template <class ExecutionSpace, ListForm form>
void CellList<ExecutionSpace, form>::build(const ExecutionSpace& space, const Positions& position,
                                           const Identities& identity, double cell_width) {
  using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
  static const std::string start_label("DEMPilot::CellList::start");

  const std::size_t targets = position.extent(0);
  const std::size_t cells = make_grid(space, position, cell_width);
  reserve(targets, cells);

  launch(space, cells + 2, detail::Clearer<Integers>{start_});
  launch(space, targets,
         detail::TargetCounter<ExecutionSpace, Grid, Integers>{position, grid_, cell_, start_});
  Kokkos::parallel_scan(start_label, Range(space, 0, static_cast<int>(cells + 2)),
                        detail::RunningSum<Integers>{start_});
  launch(space, targets,
         detail::TargetPlacer<ExecutionSpace, Integers, Slots>{position, identity, cell_, start_,
                                                               index_, slot_});
}

}  // namespace dempilot
