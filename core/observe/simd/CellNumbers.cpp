#include "core/observe/simd/CellNumbers.hpp"

#include "core/Simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/observe/simd/CellNumbers.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace dempilot::observe_simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<double>;
using Vector = hn::Vec<Tag>;
using Mask = hn::Mask<Tag>;

constexpr std::size_t lanes = hn::MaxLanes(Tag());

HWY_INLINE Mask between(Vector x, Vector low, Vector high) {
  return hn::And(hn::Ge(x, low), hn::Le(x, high));
}

/// Nobody can guess where points are: it does not branch. Numbers are small enough to be exact.
class Finder {
 public:
  Finder(const CellBox& box, const Region& region)
      : box_(box), region_(region), outside_(static_cast<double>(box.count())) {}

  HWY_INLINE void find(const double* points, std::int32_t* cell) const {
    Vector position[3];
    hn::LoadInterleaved3(Tag(), points, position[0], position[1], position[2]);
    Vector number = hn::Zero(Tag());
    Mask inside = hn::Eq(number, number);
    Mask in_region = inside;
    for (std::size_t d = 3; d-- > 0;) {
      const Vector cells = set(static_cast<double>(box_.cells[d]));
      const Vector place =
          hn::Mul(hn::Sub(position[d], set(box_.lower[d])), set(box_.inverse_width));
      inside = hn::And(inside, hn::And(hn::Ge(place, hn::Zero(Tag())), hn::Lt(place, cells)));
      in_region =
          hn::And(in_region, between(position[d], set(region_.lower[d]), set(region_.upper[d])));
      number = hn::Add(hn::Mul(number, cells), hn::Trunc(place));
    }
    number = hn::IfThenElse(inside, number, set(outside_));
    number = hn::IfThenElse(in_region, number, set(outside_ + 1));
    hn::StoreU(hn::DemoteTo(hn::Rebind<std::int32_t, Tag>(), number),
               hn::Rebind<std::int32_t, Tag>(), cell);
  }

 private:
  static HWY_INLINE Vector set(double x) { return hn::Set(Tag(), x); }

  const CellBox& box_;
  const Region& region_;
  double outside_;
};

void find(const CellBox& box, const Region& region, const double* points, std::size_t count,
          std::int32_t* cell) {
  const Finder finder(box, region);
  std::size_t n = 0;
  for (; n + lanes <= count; n += lanes)
    finder.find(points + 3 * n, cell + n);
  if (n == count) return;
  double last[3 * lanes] = {};
  std::int32_t numbers[lanes];
  std::copy(points + 3 * n, points + 3 * count, last);
  finder.find(last, numbers);
  std::copy_n(numbers, count - n, cell + n);
}

const CellNumbers& cell_numbers() {
  static constexpr CellNumbers numbers{simd_name(HWY_TARGET), find};
  return numbers;
}

}  // namespace dempilot::observe_simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dempilot::observe_simd {

std::vector<const CellNumbers*> supported_cell_numbers() {
  return DEMPILOT_SUPPORTED(CellNumbers, cell_numbers);
}

const CellNumbers& best_cell_numbers() {
  static const CellNumbers* const best = supported_cell_numbers().front();
  return *best;
}

}  // namespace dempilot::observe_simd
#endif
