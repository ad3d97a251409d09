#pragma once

#include <cmath>

#include "core/nn/Activation.hpp"
#include "core/nn/Linear.hpp"

namespace dempilot::nn {

/// Order of the gates in the columns of an LSTM's kernels, as in flax's OptimizedLSTMCell.
enum class Gate { input, forget, cell, output };
inline constexpr int gate_count = 4;

/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'); nothing is added to the forget
/// gate. The four gates come from one product of [x | h] with the stacked kernels.
template <class Real, class ExecutionSpace>
struct LstmCell {
  Linear<Real, ExecutionSpace> gates;  ///< (features + width) -> 4 width
  int width = 0;

  /// New h and c of one unit from its pre-activations.
  KOKKOS_INLINE_FUNCTION
  static void update(Real input, Real forget, Real cell, Real output, Real& h, Real& c) {
    using std::tanh;
    c = sigmoid(forget) * c + sigmoid(input) * tanh(cell);
    h = sigmoid(output) * tanh(c);
  }

  /// One step of a tile: `in` holds [x | h] and its h part is replaced, `c` is replaced, `z` is
  /// room for the pre-activations (rows, 4 width).
  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows,
                                  const Tile<Real, ExecutionSpace>& in,
                                  const Tile<Real, ExecutionSpace>& c,
                                  const Tile<Real, ExecutionSpace>& z) const {
    gates(team, rows, in, z);
    const int features = gates.inputs - width;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * width), [&](int index) {
      const int row = index / width;
      const int unit = index % width;
      const auto gate = [&](Gate g) { return z(row, static_cast<int>(g) * width + unit); };
      update(gate(Gate::input), gate(Gate::forget), gate(Gate::cell), gate(Gate::output),
             in(row, features + unit), c(row, unit));
    });
    team.team_barrier();
  }
};

}  // namespace dempilot::nn
