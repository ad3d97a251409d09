#pragma once

#include "core/nn/Activation.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// A minimal GRU with a highway connection (JaxDEM's MinGRUActorCritic in single-step mode): of the
/// product of x with the layer's kernel, split into hidden, gate and proj, h' = (1 - w) h + w
/// g(hidden) with w = sigmoid(gate), g(a) = a + 1/2 for a >= 0 else sigmoid(a), and x' =
/// sigmoid(proj) h' + (1 - sigmoid(proj)) x. Carry: h.
struct MinGruCell {
  /// New h and x of one unit from its pre-activations.
  template <class Real>
  KOKKOS_INLINE_FUNCTION static void update(Real hidden, Real gate, Real proj, Real& h, Real& x) {
    const Real candidate = hidden >= 0 ? hidden + Real(0.5) : sigmoid(hidden);
    // sigmoid(-a) is 1 - sigmoid(a) without the cancellation.
    h = sigmoid(-gate) * h + sigmoid(gate) * candidate;
    x = sigmoid(proj) * h + sigmoid(-proj) * x;
  }

  /// One step of a tile.
  template <class Real, class ExecutionSpace, class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const RecurrentLayer<Real, ExecutionSpace>& layer,
                                  const RecurrentTile<Real, ExecutionSpace>& tile) const {
    const int width = layer.width;
    layer.gates(team, rows, tile.x, tile.gates);
    for_each_unit(team, rows, width, [&](int row, int unit) {
      const auto z = [&](int part) { return tile.gates(row, part * width + unit); };
      update(z(0), z(1), z(2), tile.carry(row, layer.first_carry + unit), tile.x(row, unit));
    });
  }
};

}  // namespace dempilot::nn
