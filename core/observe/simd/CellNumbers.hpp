#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

/// In which cells of a box points are, as vector instructions of the host's processor. The same for
/// all instruction sets.
namespace dempilot::observe_simd {

/// A box of cubic cells. They are numbered, x fastest, and fewer than 2^31 - 1.
struct CellBox {
  std::array<double, 3> lower{};
  double inverse_width = 1;             ///< cells per length
  std::array<std::int64_t, 3> cells{};  ///< along each axis

  std::int64_t count() const { return cells[0] * cells[1] * cells[2]; }
};

/// What lies between two corners, themselves included.
struct Region {
  std::array<double, 3> lower{};
  std::array<double, 3> upper{};
};

struct CellNumbers {
  const char* name;  ///< of the instruction set

  /// For each of `points` (count, 3), where its cell has the number n: cell[...] = n, or
  /// box.count() outside of the box; in either case box.count() + 1 for those outside of `region`,
  /// as those that are not a number are.
  void (*find)(const CellBox& box, const Region& region, const double* points, std::size_t count,
               std::int32_t* cell);
};

/// Those that this processor can run, the best first.
std::vector<const CellNumbers*> supported_cell_numbers();

/// The best of them.
const CellNumbers& best_cell_numbers();

}  // namespace dempilot::observe_simd
