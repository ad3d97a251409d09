#include "core/observe/simd/Search.hpp"

#include "core/Simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/observe/simd/Search.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef DEMPILOT_OBSERVE_SET_BITS
#define DEMPILOT_OBSERVE_SET_BITS
#include <array>

namespace dempilot::observe_simd {

/// Which of eight bits are set, one after the other: to store a part of a vector takes some
/// processors hundreds of cycles.
struct SetBits {
  std::uint8_t place[8] = {};
  std::int32_t count = 0;
};

constexpr std::array<SetBits, 256> set_bits = [] {
  std::array<SetBits, 256> all{};
  for (std::size_t bits = 0; bits < all.size(); ++bits) {
    for (std::uint8_t place = 0; place < 8; ++place) {
      if ((bits >> place & 1U) != 0) all[bits].place[all[bits].count++] = place;
    }
  }
  return all;
}();

}  // namespace dempilot::observe_simd
#endif

HWY_BEFORE_NAMESPACE();
namespace dempilot::observe_simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<double>;
using Integers = hn::RebindToSigned<Tag>;
using Vector = hn::Vec<Tag>;

using Numbers = hn::Rebind<std::int32_t, Tag>;

constexpr auto lanes = static_cast<std::int32_t>(hn::MaxLanes(Tag()));
static_assert(lanes <= slots_behind && Sightings::enough + 2 * lanes <= Sightings::most);

/// Vectors from a centre. Where positions agree it is -0, as it is to JaxDEM.
struct Differences {
  Vector x, y, z;

  HWY_INLINE Differences(Vector position_x, Vector position_y, Vector position_z,
                         const Vicinity& vicinity)
      : x(hn::Neg(hn::Sub(hn::Set(Tag(), vicinity.centre[0]), position_x))),
        y(hn::Neg(hn::Sub(hn::Set(Tag(), vicinity.centre[1]), position_y))),
        z(hn::Neg(hn::Sub(hn::Set(Tag(), vicinity.centre[2]), position_z))) {}

  HWY_INLINE Vector square() const {
    return hn::Add(hn::Add(hn::Mul(x, x), hn::Mul(y, y)), hn::Mul(z, z));
  }
};

/// Most candidates are too far away, and nobody can guess which: none of it branches. Only their
/// numbers are kept.
std::int32_t find(const Slot* slots, std::int32_t begin, std::int32_t end, const Vicinity& vicinity,
                  Sightings& seen) {
  const Integers integers;
  const Vector limit = hn::Set(Tag(), vicinity.range * vicinity.range);
  const auto me = hn::Set(integers, vicinity.identity);
  int count = seen.count;
  for (; begin < end && count < Sightings::enough; begin += lanes) {
    Vector x, y, z, identity;
    hn::LoadInterleaved4(Tag(), reinterpret_cast<const double*>(slots + begin), x, y, z, identity);
    const auto near = hn::Lt(Differences(x, y, z, vicinity).square(), limit);
    const auto other = hn::Ne(hn::BitCast(integers, identity), me);
    const auto asked = hn::FirstN(integers, static_cast<std::size_t>(end - begin));
    const auto found = hn::And(hn::And(hn::RebindMask(integers, near), other), asked);
    std::uint8_t bits[8];
    hn::StoreMaskBits(integers, found, bits);
    const SetBits& set = set_bits[bits[0]];
    const auto places =
        hn::PromoteTo(Numbers(), hn::LoadU(hn::Rebind<std::uint8_t, Tag>(), set.place));
    hn::StoreU(hn::Add(places, hn::Set(Numbers(), begin)), Numbers(), seen.slot + count);
    count += set.count;
  }
  seen.count = count;
  return begin < end ? begin : end;
}

void locate(const Slot* slots, const Vicinity& vicinity, Sightings& seen) {
  const auto* const entries = reinterpret_cast<const double*>(slots);
  for (int n = seen.count; n % lanes != 0; ++n)
    seen.slot[n] = 0;
  for (int n = 0; n < seen.count; n += lanes) {
    const auto slot = hn::PromoteTo(Integers(), hn::LoadU(Numbers(), seen.slot + n));
    const auto first = hn::ShiftLeft<2>(slot);  // of its four entries
    const Differences to(hn::GatherIndex(Tag(), entries, first),
                         hn::GatherIndex(Tag(), entries + 1, first),
                         hn::GatherIndex(Tag(), entries + 2, first), vicinity);
    hn::StoreU(to.x, Tag(), seen.x + n);
    hn::StoreU(to.y, Tag(), seen.y + n);
    hn::StoreU(to.z, Tag(), seen.z + n);
    hn::StoreU(to.square(), Tag(), seen.square + n);
  }
}

const Search& search() {
  static_assert(sizeof(Slot) == 4 * sizeof(double));
  static constexpr Search both{simd_name(HWY_TARGET), find, locate};
  return both;
}

}  // namespace dempilot::observe_simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dempilot::observe_simd {

std::vector<const Search*> supported_searches() {
  return DEMPILOT_SUPPORTED(Search, search);
}

const Search& best_search() {
  static const Search* const best = supported_searches().front();
  return *best;
}

}  // namespace dempilot::observe_simd
#endif
