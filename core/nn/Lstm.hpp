#pragma once

#include <cmath>

#include "core/nn/Activation.hpp"
#include "core/nn/RecurrentLayer.hpp"

namespace dempilot::nn {

/// Order of the gates in the columns of an LSTM's kernels, as in flax's OptimizedLSTMCell.
enum class Gate { input, forget, cell, output };
inline constexpr int gate_count = 4;

/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'); nothing is added to the forget
/// gate. The four gates come from one product of [x | h] with the stacked kernels. Carry: [h | c].
struct LstmCell {
  /// New h and c of one unit from its pre-activations.
  template <class Real>
  KOKKOS_INLINE_FUNCTION static void update(Real input, Real forget, Real cell, Real output,
                                            Real& h, Real& c) {
    using std::tanh;
    c = sigmoid(forget) * c + sigmoid(input) * tanh(cell);
    h = sigmoid(output) * tanh(c);
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
      const auto z = [&](Gate gate) {
        return tile.gates(row, static_cast<int>(gate) * width + unit);
      };
      Real& h = tile.carry(row, layer.first_carry + unit);
      update(z(Gate::input), z(Gate::forget), z(Gate::cell), z(Gate::output), h,
             tile.carry(row, layer.first_carry + width + unit));
      tile.x(row, unit) = h;
    });
  }
};

}  // namespace dempilot::nn
