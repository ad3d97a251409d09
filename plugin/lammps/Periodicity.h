// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace dempilot::lammps {

/// The smallest box around some points; empty as long as there are none.
struct Bounds {
  std::array<double, 3> lower = filled(std::numeric_limits<double>::infinity());
  std::array<double, 3> upper = filled(-std::numeric_limits<double>::infinity());

  bool is_empty() const { return !(lower[0] <= upper[0]); }
  void include(const double* point) {
    for (std::size_t d = 0; d < 3; ++d) {
      lower[d] = point[d] < lower[d] ? point[d] : lower[d];
      upper[d] = point[d] > upper[d] ? point[d] : upper[d];
    }
  }
  bool holds(const double* point) const {
    return point[0] >= lower[0] && point[0] <= upper[0] && point[1] >= lower[1] &&
           point[1] <= upper[1] && point[2] >= lower[2] && point[2] <= upper[2];
  }

 private:
  static constexpr std::array<double, 3> filled(double value) { return {value, value, value}; }
};

/// Images number first, first + 1, … of a coordinate.
struct Images {
  double first = 0.0;
  int count = 0;
};

/// How the simulation box repeats itself. Image n of a coordinate x is x + n * period, rounded as
/// LAMMPS rounds the positions of its ghost atoms.
struct Periodicity {
  std::array<double, 3> lower{};   ///< of the box
  std::array<double, 3> period{};  ///< 0: not periodic
  std::array<double, 3> drift{};   ///< how much faster image n + 1 moves than image n

  /// Where particles can be: LAMMPS loses those that are farther than one period outside of the
  /// box, and nothing can be near a place that is not finite.
  Bounds realm() const;
  /// Where particles can be and have no image in `near` but themselves. Not all of it, so that no
  /// rounding matters.
  Bounds realm_without_images(const Bounds& near) const;
  /// Images of coordinate `x` along axis `d` from `low` to `high`; one too many at either end where
  /// rounding leaves it open.
  Images images_between(double x, std::size_t d, double low, double high) const;
  /// Whether some image of `point` may be no farther than `reach` from `bounds`.
  bool may_reach(const double* point, const Bounds& bounds, double reach) const;
  /// Whether some image of some point in `b` may be no farther than `reach` from one in `a`. The
  /// same on every rank that asks.
  bool may_reach(const Bounds& a, const Bounds& b, double reach) const;
};

}  // namespace dempilot::lammps
