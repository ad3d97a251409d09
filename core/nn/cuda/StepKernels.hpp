#pragma once

#include <cstddef>

#include "core/nn/cuda/Plan.hpp"

namespace dempilot::nn::cuda {

/// Threads of a block of each kernel.
inline constexpr int kernel_threads = 256;

/// The kernels of one precision, by how many rows a warp handles together, and where what flows
/// between layers lies. All take (Plan, Step, int row_blocks, unsigned char* workspace, std::size_t
/// workspace bytes of a block).
struct Kernels {
  const void* of_64;
  const void* of_32;
  const void* of_16;
  const void* in_workspace;                         ///< of 16 rows
  std::size_t (*room)(const Plan& plan, int rows);  ///< bytes that a tile takes
};

/// Each precision's are compiled by themselves.
template <Precision precision>
Kernels kernels_of();

}  // namespace dempilot::nn::cuda
