#pragma once

// Of the x86 family AVX-512, AVX2 and SSE4 are compiled, and the base line. Vectors whose size is
// not known to the compiler cannot lie in arrays, and may be wider than there is room for.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#include <hwy/detect_targets.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

/// What code that Highway compiles for several instruction sets shares. To be included before
/// <hwy/foreach_target.h>.
namespace dempilot {

/// The name of an instruction set, one of Highway's targets.
constexpr const char* simd_name(std::int64_t target) {
  return target == HWY_AVX3   ? "avx512"
         : target == HWY_AVX2 ? "avx2"
         : target == HWY_SSE4 ? "sse4"
                              : "baseline";
}

/// What `operations` gives when compiled for `target`.
template <class Operations>
struct CompiledFor {
  std::int64_t target;
  const Operations& (*operations)();
};

/// Those that this processor can run, in their order, each once.
template <class Operations>
std::vector<const Operations*> supported(std::initializer_list<CompiledFor<Operations>> compiled) {
  std::vector<const Operations*> found;
  const auto targets = static_cast<std::int64_t>(hwy::SupportedTargets());
  for (const CompiledFor<Operations>& each : compiled) {
    const Operations* const operations = &each.operations();
    const bool runs = each.target == HWY_STATIC_TARGET || (targets & each.target) != 0;
    if (runs && std::ranges::find(found, operations) == found.end()) found.push_back(operations);
  }
  return found;
}

#if HWY_TARGETS & HWY_AVX3
#define DEMPILOT_FOR_AVX3(function) {HWY_AVX3, &N_AVX3::function},
#else
#define DEMPILOT_FOR_AVX3(function)
#endif
#if HWY_TARGETS & HWY_AVX2
#define DEMPILOT_FOR_AVX2(function) {HWY_AVX2, &N_AVX2::function},
#else
#define DEMPILOT_FOR_AVX2(function)
#endif
#if HWY_TARGETS & HWY_SSE4
#define DEMPILOT_FOR_SSE4(function) {HWY_SSE4, &N_SSE4::function},
#else
#define DEMPILOT_FOR_SSE4(function)
#endif

/// What a function gives on the instruction sets of this processor, the best first. What the
/// compiler takes for granted may be one of them.
#define DEMPILOT_SUPPORTED(Operations, function)                                    \
  ::dempilot::supported<Operations>({DEMPILOT_FOR_AVX3(function) DEMPILOT_FOR_AVX2( \
      function) DEMPILOT_FOR_SSE4(function){HWY_STATIC_TARGET, &HWY_STATIC_DISPATCH(function)}})

}  // namespace dempilot
