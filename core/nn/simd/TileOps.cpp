#include "core/nn/simd/TileOps.hpp"

// Three instruction sets of the x86 family are enough: those between AVX2 and the base line, and
// the extensions of AVX-512, have nothing that a policy would gain from.
#define HWY_DISABLED_TARGETS HWY_SSSE3
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/nn/simd/TileOps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/nn/simd/Layers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

/// What this instruction set offers.
const TileOps* ops() {
  static const TileOps table{hwy::TargetName(HWY_TARGET),
                                 lanes,
                                 dense,
                                 step<Lstm>,
                                 step<Gru>,
                                 step<MinGru>,
                                 activate};
  return &table;
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dempilot::nn::simd {

HWY_EXPORT(ops);

const TileOps& tile_ops() {
  static const TileOps& chosen = *HWY_DYNAMIC_DISPATCH(ops)();
  return chosen;
}

}  // namespace dempilot::nn::simd
#endif
