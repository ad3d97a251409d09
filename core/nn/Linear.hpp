#pragma once

#include <cstdint>

#include "core/Backend.hpp"
#include "core/nn/Lanes.hpp"

namespace dempilot::nn {

/// Agents that one team takes through the network together. Tail tiles are padded to it, so that a
/// row meets the same instructions wherever it lies.
inline constexpr int tile_rows = 16;

/// Rows and outputs whose sums are held in registers at a time.
inline constexpr int block_rows = 4;
inline constexpr int block_lanes = 8;

template <class Integer>
KOKKOS_INLINE_FUNCTION constexpr Integer divide_up(Integer count, Integer divisor) {
  return (count + divisor - 1) / divisor;
}

/// The least multiple of `multiple` that is no less than `count`.
template <class Integer>
KOKKOS_INLINE_FUNCTION constexpr Integer round_up(Integer count, Integer multiple) {
  return divide_up(count, multiple) * multiple;
}

inline int padded_to_lanes(int width) {
  return round_up(width, block_lanes);
}

/// (tile_rows, width) of scratch memory.
template <class Real, class ExecutionSpace>
using Tile =
    Kokkos::View<Real**, Kokkos::LayoutRight, typename ExecutionSpace::scratch_memory_space,
                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// y = x kernel + bias on a tile of rows, as a team computes it on any execution space; or, where
/// the layers are vector instructions of a host (nn/SimdLayers.hpp), the weights that they read.
template <class Real, class ExecutionSpace>
struct Linear {
  Matrix<Real, ExecutionSpace> kernel;  ///< (inputs, outputs padded to block_lanes), or empty
  Vector<Real, ExecutionSpace> panels;  ///< the same, ordered as simd::Panels says, or empty
  Vector<std::uint16_t, ExecutionSpace> pieces;  ///< the same in bf16, or empty
  Vector<Real, ExecutionSpace> bias;  ///< in the order of the kernel's or the panels' columns
  int inputs = 0;
  int outputs = 0;

  KOKKOS_INLINE_FUNCTION int padded_outputs() const { return static_cast<int>(bias.extent(0)); }

  /// `out` must hold the padded outputs of each row. `rows` is a multiple of block_rows.
  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const Tile<Real, ExecutionSpace>& in,
                                  const Tile<Real, ExecutionSpace>& out) const {
    const int lane_blocks = static_cast<int>(kernel.extent(1)) / block_lanes;
    const int row_blocks = rows / block_rows;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, lane_blocks * row_blocks), [&](int block) {
      // Row blocks innermost: a column of weights is used for all rows while it is in cache.
      const int first_lane = block / row_blocks * block_lanes;
      const int first_row = block % row_blocks * block_rows;
      multiply_block(&in(first_row, 0), static_cast<int>(in.stride_0()), first_lane,
                     &out(first_row, first_lane), static_cast<int>(out.stride_0()));
    });
    team.team_barrier();
  }

 private:
  /// Sums over inputs in their order, so that the result depends on the row alone.
  KOKKOS_FUNCTION
  void multiply_block(const Real* in, int in_stride, int first_lane, Real* out,
                      int out_stride) const {
    constexpr int parts = block_lanes / Lanes<Real>::width;
    Lanes<Real> sum[block_rows][parts];
    for (auto& row : sum)
      load(row, &bias(first_lane));
    const Real* weights = &kernel(0, first_lane);
    const auto stride = kernel.stride_0();
    for (int k = 0; k < inputs; ++k, weights += stride) {
      Lanes<Real> weight[parts];
      load(weight, weights);
      for (int row = 0; row < block_rows; ++row) {
        const Real x = in[row * in_stride + k];
        for (int part = 0; part < parts; ++part)
          sum[row][part].add(x, weight[part]);
      }
    }
    for (int row = 0; row < block_rows; ++row) {
      for (int part = 0; part < parts; ++part) {
        sum[row][part].store(out + row * out_stride + part * Lanes<Real>::width);
      }
    }
  }

  template <int parts>
  KOKKOS_INLINE_FUNCTION static void load(Lanes<Real> (&to)[parts], const Real* from) {
    for (int part = 0; part < parts; ++part) {
      to[part] = Lanes<Real>::load(from + part * Lanes<Real>::width);
    }
  }
};

}  // namespace dempilot::nn
