#pragma once

#include <cmath>

#include "core/nn/Activation.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// Order of the columns in which a GRU's kernels are packed: the new gate's two parts stay apart,
/// since the reset gate acts between them.
enum class GruColumn { reset, update, new_from_x, new_from_h };
inline constexpr int gru_column_count = 4;

/// n = tanh(W x + b + sigmoid(r) (U h + b')), h' = (1 - sigmoid(u)) n + sigmoid(u) h, as in PyTorch
/// and flax. All pre-activations come from one product of [x | h]. Carry: h.
struct GruCell {
  /// New h of one unit from its pre-activations.
  template <class Real>
  KOKKOS_INLINE_FUNCTION static void update(Real reset, Real update_gate, Real new_from_x,
                                            Real new_from_h, Real& h) {
    using std::tanh;
    const Real candidate = tanh(new_from_x + sigmoid(reset) * new_from_h);
    // sigmoid(-a) is 1 - sigmoid(a) without the cancellation.
    h = sigmoid(-update_gate) * candidate + sigmoid(update_gate) * h;
  }

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
      update(z(GruColumn::reset), z(GruColumn::update), z(GruColumn::new_from_x),
             z(GruColumn::new_from_h), h);
      tile.x(row, unit) = h;
    });
  }
};

}  // namespace dempilot::nn
