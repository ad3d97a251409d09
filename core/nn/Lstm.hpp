#pragma once

#include "core/nn/CellUpdate.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'); nothing is added to the forget
/// gate. The four gates come from one product of [x | h] with the stacked kernels. Carry: [h | c].
struct LstmCell {
  /// One step of a tile.
  template <class Real, class ExecutionSpace, class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const RecurrentLayer<Real, ExecutionSpace>& layer,
                                  const RecurrentTile<Real, ExecutionSpace>& tile) const {
    const int width = layer.width;
    join(team, rows, layer, tile);
    layer.gates(team, rows, tile.joint, tile.gates);
    for_each_unit(team, rows, width, [&](int row, int unit) {
      const auto z = [&](Gate gate) {
        return tile.gates(row, static_cast<int>(gate) * width + unit);
      };
      Real& h = tile.carry(row, layer.first_carry + unit);
      update_lstm(z(Gate::input), z(Gate::forget), z(Gate::cell), z(Gate::output), h,
                  tile.carry(row, layer.first_carry + width + unit));
      tile.x(row, unit) = h;
    });
  }
};

}  // namespace dempilot::nn
