#pragma once

#include "core/nn/CellUpdate.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// n = tanh(W x + b + sigmoid(r) (U h + b')), h' = (1 - sigmoid(u)) n + sigmoid(u) h, as in PyTorch
/// and flax. All pre-activations come from one product of [x | h]. Carry: h.
struct GruCell {
  /// One step of a tile.
  template <class Real, class ExecutionSpace, class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const RecurrentLayer<Real, ExecutionSpace>& layer,
                                  const RecurrentTile<Real, ExecutionSpace>& tile) const {
    const int width = layer.width;
    join(team, rows, layer, tile);
    layer.gates(team, rows, tile.joint, tile.gates);
    for_each_unit(team, rows, width, [&](int row, int unit) {
      const auto z = [&](GruColumn column) {
        return tile.gates(row, static_cast<int>(column) * width + unit);
      };
      Real& h = tile.carry(row, layer.first_carry + unit);
      update_gru(z(GruColumn::reset), z(GruColumn::update), z(GruColumn::new_from_x),
                 z(GruColumn::new_from_h), h);
      tile.x(row, unit) = h;
    });
  }
};

}  // namespace dempilot::nn
