// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Periodicity.h"

#include <algorithm>
#include <cmath>

namespace dempilot::lammps {
namespace {

/// In periods: far more than rounding adds to the few periods that matter.
constexpr double slack = 1e-9;
/// In periods: farther away, rounding leaves nothing of where an image is.
constexpr double farthest_image = 1e9;
/// Squares and differences of what is farther away are not finite.
constexpr double farthest = 1e150;

}  // namespace

Bounds Periodicity::realm() const {
  Bounds realm;
  for (std::size_t d = 0; d < 3; ++d) {
    realm.lower[d] = period[d] > 0.0 ? lower[d] - period[d] : -farthest;
    realm.upper[d] = period[d] > 0.0 ? lower[d] + 2.0 * period[d] : farthest;
  }
  return realm;
}

Bounds Periodicity::realm_without_images(const Bounds& near) const {
  Bounds realm = this->realm();
  for (std::size_t d = 0; d < 3; ++d) {
    if (period[d] == 0.0) continue;
    const double shortened = (1.0 - slack) * period[d];
    realm.lower[d] = std::max(realm.lower[d], near.upper[d] - shortened);
    realm.upper[d] = std::min(realm.upper[d], near.lower[d] + shortened);
  }
  return realm;
}

Images Periodicity::images_between(double x, std::size_t d, double low, double high) const {
  // Most of what is asked for is in the middle of a box: no rounding for it.
  const bool alone = period[d] == 0.0 || (x - period[d] < low && x + period[d] > high);
  if (alone) return {0.0, x >= low && x <= high ? 1 : 0};
  const double first = std::ceil((low - x) / period[d] - slack);
  const double last = std::floor((high - x) / period[d] + slack);
  if (!(last >= first && std::fabs(first) <= farthest_image)) return {};
  return {first, static_cast<int>(last - first) + 1};
}

bool Periodicity::may_reach(const double* point, const Bounds& bounds, double reach) const {
  for (std::size_t d = 0; d < 3; ++d) {
    const double low = bounds.lower[d] - reach;
    const double high = bounds.upper[d] + reach;
    if (images_between(point[d], d, low, high).count == 0) return false;
  }
  return true;
}

bool Periodicity::may_reach(const Bounds& a, const Bounds& b, double reach) const {
  if (a.is_empty() || b.is_empty()) return false;
  for (std::size_t d = 0; d < 3; ++d) {
    // The lower side of b, if b is drawn together and a widened by its size.
    const double low = a.lower[d] - reach - (b.upper[d] - b.lower[d]);
    if (images_between(b.lower[d], d, low, a.upper[d] + reach).count == 0) return false;
  }
  return true;
}

}  // namespace dempilot::lammps
