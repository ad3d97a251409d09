#include "core/observe/simd/LidarReadings.hpp"

#include "core/Simd.hpp"
#include "core/observe/RoughAngle.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/observe/simd/LidarReadings.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dempilot::observe_simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using detail::pi;

using Doubles = hn::ScalableTag<double>;
using Tag = hn::Rebind<float, Doubles>;
using Integers = hn::Rebind<std::int32_t, Doubles>;
using Floats = hn::Vec<Tag>;
using BinNumbers = hn::Vec<Integers>;

constexpr int lanes = static_cast<int>(hn::MaxLanes(Tag()));
static_assert(Sightings::most % lanes == 0);

HWY_INLINE Floats number(double x) {
  return hn::Set(Tag(), static_cast<float>(x));
}

/// Below it squares of floats vanish, and with them the angle.
constexpr double least_length = 1e-12;

/// As detail::rough_atan2; anything if neither is above least_length.
HWY_INLINE Floats rough_atan2(Floats y, Floats x, Floats longer) {
  const Floats ax = hn::Abs(x);
  const Floats ay = hn::Abs(y);
  const Floats t = hn::Div(hn::Min(ax, ay), hn::Max(longer, number(least_length)));
  const Floats s = hn::Mul(t, t);
  Floats octant = hn::Zero(Tag());
  for (const double coefficient : detail::arctangent().coefficients)
    octant = hn::MulAdd(octant, s, number(coefficient));
  const Floats quadrant =
      hn::Abs(hn::Sub(hn::IfThenElseZero(hn::Gt(ay, ax), number(pi / 2)), hn::Mul(t, octant)));
  const Floats half =
      hn::Abs(hn::Sub(hn::IfThenElseZero(hn::Lt(x, hn::Zero(Tag())), number(pi)), quadrant));
  return hn::CopySign(half, y);
}

/// floor((atan2(y, x) + offset) * scale), or -1 where the rough angle does not tell. x and y are
/// not beyond 1.
HWY_INLINE BinNumbers rough_bins(Floats y, Floats x, double offset, double scale) {
  const Floats longer = hn::Max(hn::Abs(x), hn::Abs(y));
  const Floats angle = rough_atan2(y, x, longer);
  const Floats place =
      hn::Max(hn::Mul(hn::Add(angle, number(offset)), number(scale)), hn::Zero(Tag()));
  const BinNumbers bin = hn::ConvertTo(Integers(), place);
  const Floats within = hn::Sub(place, hn::ConvertTo(Tag(), bin));
  const Floats from_edge = hn::Min(within, hn::Sub(number(1), within));
  const auto clear = hn::And(hn::Gt(from_edge, number(detail::rough_angle_error * scale)),
                             hn::Gt(longer, number(least_length)));
  return hn::IfThenElse(hn::RebindMask(Integers(), clear), bin, hn::Set(Integers(), -1));
}

/// Some of what is seen: columns from `first` on, and behind the last anything that can be computed
/// with.
struct Batch {
  const Sightings& seen;
  int first;

  HWY_INLINE hn::Vec<Doubles> load(const double* column) const {
    const auto asked = hn::FirstN(Doubles(), static_cast<std::size_t>(seen.count - first));
    return hn::IfThenElse(asked, hn::LoadU(Doubles(), column + first), hn::Set(Doubles(), 1));
  }
};

/// BinNumbers of vectors in units of the range: nothing is far beyond 1.
HWY_INLINE BinNumbers rough_bins(const LidarBins& bins, const Batch& batch, hn::Vec<Doubles> unit) {
  const auto component = [&](const double* column) {
    return hn::DemoteTo(Tag(), hn::Mul(batch.load(column), unit));
  };
  const Floats x = component(batch.seen.x);
  const Floats y = component(batch.seen.y);
  const BinNumbers azimuth = rough_bins(y, x, pi, bins.n_azimuth / (2 * pi));
  if (bins.n_elevation == 0) return azimuth;
  const Floats z = component(batch.seen.z);
  const Floats sideways = hn::Sqrt(hn::MulAdd(x, x, hn::Mul(y, y)));
  const BinNumbers elevation = rough_bins(z, sideways, pi / 2, bins.n_elevation / pi);
  const BinNumbers unknown = hn::BroadcastSignBit(hn::Or(azimuth, elevation));
  const BinNumbers bin =
      hn::Add(hn::Mul(azimuth, hn::Set(Integers(), bins.n_elevation)), elevation);
  return hn::Or(bin, unknown);
}

void find(const LidarBins& bins, double range, const Sightings& seen,
          double (&proximity)[Sightings::most], std::int32_t (&bin)[Sightings::most]) {
  const auto reach = hn::Set(Doubles(), range);
  const auto unit = hn::Set(Doubles(), 1 / range);
  for (int first = 0; first < seen.count; first += lanes) {
    const Batch batch{seen, first};
    hn::StoreU(rough_bins(bins, batch, unit), Integers(), bin + first);
    const auto distance = hn::Sqrt(batch.load(seen.square));
    hn::StoreU(hn::Div(hn::Sub(reach, distance), reach), Doubles(), proximity + first);
  }
}

const LidarReadings& lidar_readings() {
  static constexpr LidarReadings readings{simd_name(HWY_TARGET), find};
  return readings;
}

}  // namespace dempilot::observe_simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dempilot::observe_simd {

std::vector<const LidarReadings*> supported_lidar_readings() {
  return DEMPILOT_SUPPORTED(LidarReadings, lidar_readings);
}

const LidarReadings& best_lidar_readings() {
  static const LidarReadings* const best = supported_lidar_readings().front();
  return *best;
}

}  // namespace dempilot::observe_simd
#endif
