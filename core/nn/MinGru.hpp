#pragma once

#include "core/nn/CellUpdate.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// A minimal GRU with a highway connection (JaxDEM's MinGRUActorCritic in single-step mode): of the
/// product of x with the layer's kernel, split into hidden, gate and proj, h' = (1 - w) h + w
/// g(hidden) with w = sigmoid(gate), g(a) = a + 1/2 for a >= 0 else sigmoid(a), and x' =
/// sigmoid(proj) h' + (1 - sigmoid(proj)) x. Carry: h.
struct MinGruCell {
  /// One step of a tile.
  template <class Real, class ExecutionSpace, class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const RecurrentLayer<Real, ExecutionSpace>& layer,
                                  const RecurrentTile<Real, ExecutionSpace>& tile) const {
    const int width = layer.width;
    layer.gates(team, rows, tile.x, tile.gates);
    for_each_unit(team, rows, width, [&](int row, int unit) {
      const auto z = [&](int part) { return tile.gates(row, part * width + unit); };
      update_min_gru(z(0), z(1), z(2), tile.carry(row, layer.first_carry + unit),
                     tile.x(row, unit));
    });
  }
};

}  // namespace dempilot::nn
