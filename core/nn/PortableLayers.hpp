#pragma once

#include "core/nn/Gru.hpp"
#include "core/nn/Lstm.hpp"
#include "core/nn/MinGru.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// The layers of a network on a tile of agents, as a team of threads of any execution space
/// computes them.
template <class Real, class ExecutionSpace>
struct PortableLayers {
  using Rows = Tile<Real, ExecutionSpace>;

  static constexpr int tile_rows = nn::tile_rows;
  /// Blocks of rows are complete; rows that no agent has are computed and thrown away.
  static constexpr int row_multiple = nn::block_rows;
  static constexpr bool squashes_columns = false;
  static constexpr bool steps_into_out = false;
  /// Padding is written too, so the carry is kept in scratch memory.
  static constexpr bool carry_in_place = false;

  static int block_rows(int) { return nn::block_rows; }
  static int most_rows() { return tile_rows; }
  /// Room that a layer of so many inputs takes beside what flows in and out.
  static std::size_t scratch_bytes(int) { return 0; }

  /// The room that a step of `layer` takes, in entries of a row.
  static int joint_width(const RecurrentLayer<Real, ExecutionSpace>& layer) {
    return layer.gates.inputs;
  }
  static int gates_width(const RecurrentLayer<Real, ExecutionSpace>& layer) {
    return layer.gates.padded_outputs();
  }

  /// out = activation(layer(in))
  template <class Member>
  KOKKOS_FUNCTION void dense(const Member& team, const Linear<Real, ExecutionSpace>& layer,
                             Activation activation, int rows, const Rows& in, const Rows& out,
                             void*) const {
    layer(team, rows, in, out);
    if (activation == Activation::identity) return;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * layer.outputs), [&](int index) {
      Real& value = out(index / layer.outputs, index % layer.outputs);
      value = activate(activation, value);
    });
    team.team_barrier();
  }

  /// Replaces tile.x by what the layer gives, and its part of the carry.
  template <class Member>
  KOKKOS_FUNCTION void step(const Member& team, CellKind cell,
                            const RecurrentLayer<Real, ExecutionSpace>& layer, int rows,
                            const RecurrentTile<Real, ExecutionSpace>& tile, const Rows&,
                            void*) const {
    switch (cell) {
      case CellKind::lstm:
        LstmCell{}(team, rows, layer, tile);
        break;
      case CellKind::gru:
        GruCell{}(team, rows, layer, tile);
        break;
      case CellKind::min_gru:
        MinGruCell{}(team, rows, layer, tile);
        break;
    }
  }
};

}  // namespace dempilot::nn
