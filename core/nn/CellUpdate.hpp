#pragma once

#include <cmath>

#include "core/Function.hpp"
#include "core/nn/Activation.hpp"

/// What recurrent cells do to one unit, and the order of their pre-activations.
namespace dempilot::nn {

/// Order of the gates in the columns of an LSTM's kernels, as in flax's OptimizedLSTMCell.
enum class Gate { input, forget, cell, output };
inline constexpr int gate_count = 4;

/// New h and c of one unit of an LSTM from its pre-activations.
template <class Real>
DEMPILOT_FUNCTION void update_lstm(Real input, Real forget, Real cell, Real output, Real& h,
                                   Real& c) {
  using std::tanh;
  c = sigmoid(forget) * c + sigmoid(input) * tanh(cell);
  h = sigmoid(output) * tanh(c);
}

/// Order of the columns in which a GRU's kernels are packed: the new gate's two parts stay apart,
/// since the reset gate acts between them.
enum class GruColumn { reset, update, new_from_x, new_from_h };
inline constexpr int gru_column_count = 4;

/// New h of one unit of a GRU from its pre-activations.
template <class Real>
DEMPILOT_FUNCTION void update_gru(Real reset, Real update_gate, Real new_from_x, Real new_from_h,
                                  Real& h) {
  using std::tanh;
  const Real candidate = tanh(new_from_x + sigmoid(reset) * new_from_h);
  // sigmoid(-a) is 1 - sigmoid(a) without the cancellation.
  h = sigmoid(-update_gate) * candidate + sigmoid(update_gate) * h;
}

/// New h and x of one unit of a minimal GRU from its pre-activations.
template <class Real>
DEMPILOT_FUNCTION void update_min_gru(Real hidden, Real gate, Real proj, Real& h, Real& x) {
  const Real candidate = hidden >= 0 ? hidden + Real(0.5) : sigmoid(hidden);
  // sigmoid(-a) is 1 - sigmoid(a) without the cancellation.
  h = sigmoid(-gate) * h + sigmoid(gate) * candidate;
  x = sigmoid(proj) * h + sigmoid(-proj) * x;
}

}  // namespace dempilot::nn
