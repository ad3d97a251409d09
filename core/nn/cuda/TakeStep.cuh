#pragma once

#include "core/nn/cuda/DeviceMachine.cuh"
#include "core/nn/cuda/StepKernels.hpp"
#include "core/nn/cuda/TileStep.hpp"

namespace dempilot::nn::cuda {

/// Registers are left for a second block on the multiprocessor, which multiplies while the first
/// one reads and decides, if shared memory has room for both; but of forms that need more of them
/// for one alone.
template <Precision precision, int row_tiles>
inline constexpr int blocks_wanted = (precision == Precision::fp32 && row_tiles == 4) ||
                                             (precision == Precision::tf32x3 && row_tiles >= 2)
                                         ? 1
                                         : 2;

/// Takes all tiles through one step. Without `workspace` what flows between layers lies in shared
/// memory; with it, of each block in `workspace_bytes` of it.
template <Precision precision, int row_tiles, bool in_shared_memory>
__global__ void __launch_bounds__(kernel_threads, blocks_wanted<precision, row_tiles>)
    take_step(const __grid_constant__ Plan plan, const __grid_constant__ Step step, int row_blocks,
              unsigned char* workspace, std::size_t workspace_bytes) {
  extern __shared__ uint4 shared_memory[];
  TileRoom<typename Format<precision>::Element> room;
  const int rows = 16 * row_tiles * row_blocks;
  if constexpr (in_shared_memory) {
    room.place(plan, rows, reinterpret_cast<unsigned char*>(shared_memory));
  } else {
    room.place(plan, rows, workspace + blockIdx.x * workspace_bytes);
  }
  const DeviceMachine machine;
  TileStep<DeviceMachine, precision, row_tiles> tile_step(machine, plan, step, room, row_blocks);
  const int tiles = (step.decision.agents + rows - 1) / rows;
  for (int tile = static_cast<int>(blockIdx.x); tile < tiles; tile += static_cast<int>(gridDim.x))
    tile_step(tile);
}

template <Precision precision>
Kernels kernels_of() {
  const auto address = [](auto* kernel) { return reinterpret_cast<const void*>(kernel); };
  return {address(&take_step<precision, 4, true>), address(&take_step<precision, 2, true>),
          address(&take_step<precision, 1, true>), address(&take_step<precision, 1, false>),
          [](const Plan& plan, int rows) {
            return TileRoom<typename Format<precision>::Element>().place(plan, rows, nullptr);
          }};
}

}  // namespace dempilot::nn::cuda
