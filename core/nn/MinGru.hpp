#pragma once

#include "core/nn/Activation.hpp"
#include "core/nn/Linear.hpp"

namespace dempilot::nn {

inline constexpr int max_layers = 8;

/// A stack of minimal GRUs with highway connections (JaxDEM's MinGRUActorCritic in single-step
/// mode): of each layer's product of x with its kernel, split into hidden, gate and proj, h' = (1 -
/// w) h + w g(hidden) with w = sigmoid(gate), g(a) = a + 1/2 for a >= 0 else sigmoid(a), and x' =
/// sigmoid(proj) h' + (1 - sigmoid(proj)) x.
template <class Real, class ExecutionSpace>
struct MinGru {
  Kokkos::Array<Linear<Real, ExecutionSpace>, max_layers> layers;  ///< each width -> 3 width
  int layer_count = 0;
  int width = 0;

  /// New h and x of one unit from its pre-activations.
  KOKKOS_INLINE_FUNCTION
  static void update(Real hidden, Real gate, Real proj, Real& h, Real& x) {
    const Real candidate = hidden >= 0 ? hidden + Real(0.5) : sigmoid(hidden);
    // sigmoid(-a) is 1 - sigmoid(a) without the cancellation.
    h = sigmoid(-gate) * h + sigmoid(gate) * candidate;
    x = sigmoid(proj) * h + sigmoid(-proj) * x;
  }

  /// One step of a tile: `x` (rows, width) is replaced, `h` (rows, layers * width) is replaced, `z`
  /// is room for the pre-activations (rows, 3 width).
  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& team, int rows, const Tile<Real, ExecutionSpace>& x,
                                  const Tile<Real, ExecutionSpace>& h,
                                  const Tile<Real, ExecutionSpace>& z) const {
    for (int layer = 0; layer < layer_count; ++layer) {
      layers[layer](team, rows, x, z);
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * width), [&](int index) {
        const int row = index / width;
        const int unit = index % width;
        update(z(row, unit), z(row, width + unit), z(row, 2 * width + unit),
               h(row, layer * width + unit), x(row, unit));
      });
      team.team_barrier();
    }
  }
};

}  // namespace dempilot::nn
