#pragma once

#include "core/action/ActionMap.hpp"
#include "core/nn/RecurrentLayer.hpp"
#include "core/nn/simd/TileOps.hpp"

namespace dempilot::nn {

/// An action space as the vector instructions read it, without a tile.
KOKKOS_INLINE_FUNCTION simd::SquashTile squash_tile(const ActionMap<float>& space) {
  simd::SquashTile tile;
  tile.kind = space.kind;
  tile.size = space.size;
  tile.centre = space.centre;
  tile.half = space.half;
  tile.lower = space.lower;
  tile.upper = space.upper;
  tile.width = space.width;
  tile.radius = space.radius;
  tile.eps = space.eps;
  tile.log_gain = space.log_gain;
  return tile;
}

/// The layers of a network on a tile of agents, as vector instructions of one thread of the host.
/// RolloutKernel is compiled for devices too, and so is what it calls here, though never there.
template <class ExecutionSpace>
struct SimdLayers {
  using Rows = Tile<float, ExecutionSpace>;
  using Layer = Linear<float, ExecutionSpace>;

  static constexpr int tile_rows = simd::max_tile_rows;
  static constexpr int row_multiple = 1;
  static constexpr bool squashes_columns = true;
  static constexpr bool steps_into_out = true;
  static constexpr bool carry_in_place = true;

  const simd::TileOps* ops = nullptr;

  /// That tiles should be multiples of. Several threads are given work more evenly by smaller ones.
  int block_rows(int threads) const {
    return threads > 1 ? ops->small_block_rows : ops->block_rows;
  }
  int most_rows() const { return ops->tile_rows; }
  std::size_t scratch_bytes(int inputs) const { return ops->scratch_bytes(inputs); }

  static int joint_width(const RecurrentLayer<float, ExecutionSpace>&) { return 0; }
  static int gates_width(const RecurrentLayer<float, ExecutionSpace>&) { return 0; }

  template <class Member>
  KOKKOS_FUNCTION void dense(const Member&, const Layer& layer, Activation activation, int rows,
                             const Rows& in, const Rows& out, void* scratch) const {
    if (layer.outputs <= ops->narrow_outputs) {
      // read four inputs at a time
      for (int row = 0; row < rows; ++row) {
        for (int i = layer.inputs; i % 4 != 0; ++i)
          in(row, i) = 0;
      }
    }
    ops->dense(panels(layer), activation, rows, view<const float>(in), view<float>(out), scratch);
  }

  /// Replaces the layer's part of tile.carry, and leaves what the layer gives in `out`.
  template <class Member>
  KOKKOS_FUNCTION void step(const Member&, CellKind cell,
                            const RecurrentLayer<float, ExecutionSpace>& layer, int rows,
                            const RecurrentTile<float, ExecutionSpace>& tile, const Rows& out,
                            void* scratch) const {
    simd::CellTile part{panels(layer.gates),     layer.width,      view<const float>(tile.x),
                        view<float>(tile.carry), view<float>(out), scratch};
    part.carry.data += layer.first_carry;
    switch (cell) {
      case CellKind::lstm:
        ops->lstm(part, rows);
        break;
      case CellKind::gru:
        ops->gru(part, rows);
        break;
      case CellKind::min_gru:
        ops->min_gru(part, rows);
        break;
    }
  }

  /// Takes the columns x (actions, rows padded to lanes), `stride` apart, through the action space.
  KOKKOS_FUNCTION void squash(const ActionMap<float>& space, int rows, float* x, int stride,
                              float* log_det) const {
    simd::SquashTile tile = squash_tile(space);
    tile.x = {x, stride};
    tile.log_det = log_det;
    ops->squash(tile, rows);
  }

 private:
  KOKKOS_FUNCTION static simd::Panels panels(const Layer& layer) {
    return {layer.panels.data(), layer.bias.data(), layer.pieces.data(), layer.inputs,
            layer.outputs};
  }
  template <class T>
  KOKKOS_FUNCTION static simd::Rows<T> view(const Rows& rows) {
    return {rows.data(), static_cast<std::ptrdiff_t>(rows.stride_0())};
  }
};

}  // namespace dempilot::nn
