#include "core/observe/simd/Search.hpp"

// Vectors whose size is not known to the compiler may be wider than there is room for.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
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

#if HWY_TARGET == HWY_AVX3
constexpr const char* name = "avx512";
#elif HWY_TARGET == HWY_AVX2
constexpr const char* name = "avx2";
#elif HWY_TARGET == HWY_SSE4
constexpr const char* name = "sse4";
#else
constexpr const char* name = "baseline";
#endif

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
  static constexpr Search both{name, find, locate};
  return both;
}

}  // namespace dempilot::observe_simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

namespace dempilot::observe_simd {

std::vector<const Search*> supported_searches() {
  std::vector<const Search*> found;
  [[maybe_unused]] const auto supported = hwy::SupportedTargets();
#if HWY_TARGETS & HWY_AVX3
  if ((supported & HWY_AVX3) != 0) found.push_back(&N_AVX3::search());
#endif
#if HWY_TARGETS & HWY_AVX2
  if ((supported & HWY_AVX2) != 0) found.push_back(&N_AVX2::search());
#endif
#if HWY_TARGETS & HWY_SSE4
  if ((supported & HWY_SSE4) != 0) found.push_back(&N_SSE4::search());
#endif
  // What the compiler takes for granted may be one of these.
  const Search* const granted = &HWY_STATIC_DISPATCH(search)();
  if (std::ranges::find(found, granted) == found.end()) found.push_back(granted);
  return found;
}

const Search& best_search() {
  static const Search* const best = supported_searches().front();
  return *best;
}

}  // namespace dempilot::observe_simd
#endif
