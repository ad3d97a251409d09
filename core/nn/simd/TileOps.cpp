#include "core/nn/simd/TileOps.hpp"

#include "core/Simd.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/nn/simd/TileOps.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/nn/simd/ActionSpace-inl.hpp"
#include "core/nn/simd/AmxLayers-inl.hpp"
#include "core/nn/simd/Layers-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

std::size_t no_scratch(int) {
  return 0;
}

/// What this instruction set offers.
const TileOps& ops() {
  static_assert(8 * block_rows <= max_tile_rows);
  static constexpr TileOps table{.name = simd_name(HWY_TARGET),
                                 .lanes = lanes,
                                 .narrow_outputs = narrow_outputs,
                                 .block_rows = block_rows,
                                 .small_block_rows = block_rows,
                                 .tile_rows = 8 * block_rows,
                                 .reads_pieces = false,
                                 .for_fewer = nullptr,
                                 .min_agents = 0,
                                 .scratch_bytes = no_scratch,
                                 .dense = dense,
                                 .lstm = step<Lstm>,
                                 .gru = step<Gru>,
                                 .min_gru = step<MinGru>,
                                 .activate = activate,
                                 .squash = squash};
  return table;
}

#if HWY_TARGET == HWY_AVX3 && defined(DEMPILOT_HAS_AMX)
const TileOps& amx_ops() {
  static_assert(max_tile_rows % amx::block_rows == 0);
  static const TileOps table = [] {
    TileOps with_unit = ops();
    with_unit.name = "amx";
    with_unit.block_rows = amx::block_rows;
    with_unit.small_block_rows = amx::tile_rows;
    with_unit.tile_rows = max_tile_rows;
    with_unit.reads_pieces = true;
    with_unit.for_fewer = &ops();
    with_unit.min_agents = amx::tile_rows / 2;
    with_unit.scratch_bytes = amx_scratch_bytes;
    with_unit.dense = amx_dense;
    with_unit.lstm = amx_step<Lstm>;
    with_unit.gru = amx_step<Gru>;
    with_unit.min_gru = amx_step<MinGru>;
    return with_unit;
  }();
  return table;
}
#endif

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/Error.hpp"

namespace dempilot::nn::simd {

namespace {

std::vector<const TileOps*> supported_vectors() {
  return DEMPILOT_SUPPORTED(TileOps, ops);
}

}  // namespace

std::vector<const TileOps*> supported_tile_ops() {
  std::vector<const TileOps*> found = supported_vectors();
#if HWY_TARGETS & HWY_AVX3 && defined(DEMPILOT_HAS_AMX)
  if (found.front() == &N_AVX3::ops() && amx::available())
    found.insert(found.begin(), &N_AVX3::amx_ops());
#endif
  return found;
}

namespace {

const TileOps& chosen_tile_ops() {
  const char* const variable = std::getenv("DEMPILOT_SIMD");
  const std::string_view wanted = variable == nullptr ? "" : variable;
  if (wanted.empty()) return *supported_tile_ops().front();
  // The matrix unit is not asked for in vain.
  for (const TileOps* ops : supported_vectors()) {
    if (ops->name == wanted) return *ops;
  }
  std::string names;
  for (const TileOps* ops : supported_tile_ops()) {
    if (ops->name == wanted) return *ops;
    names += names.empty() ? ops->name : std::string(", ") + ops->name;
  }
  fail(
      "the environment variable DEMPILOT_SIMD asks for '{}' (this processor runs {}) unset it, or "
      "choose one of these",
      wanted, names);
}

}  // namespace

const TileOps& tile_ops() {
  static const TileOps& chosen = chosen_tile_ops();
  return chosen;
}

}  // namespace dempilot::nn::simd
#endif
