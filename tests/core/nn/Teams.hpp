#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "core/nn/RecurrentLayer.hpp"

/// The smallest launch in which a layer can be called.
namespace dempilot::test {

/// Rows in the memory of the execution space, from row-major host values.
template <class Real, class ExecutionSpace>
Matrix<Real, ExecutionSpace> on_device(const std::vector<Real>& values, std::size_t rows,
                                       std::size_t columns) {
  Matrix<Real, ExecutionSpace> matrix("DEMPilot::test", rows, columns);
  const auto host = Kokkos::create_mirror_view(matrix);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j)
      host(i, j) = values[i * columns + j];
  }
  Kokkos::deep_copy(matrix, host);
  return matrix;
}

template <class Real, class View>
std::vector<Real> to_host(const View& matrix) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, matrix);
  std::vector<Real> values;
  for (std::size_t i = 0; i < host.extent(0); ++i) {
    for (std::size_t j = 0; j < host.extent(1); ++j)
      values.push_back(host(i, j));
  }
  return values;
}

/// A layer whose padding holds what padding must hold: zeros.
template <class Real, class ExecutionSpace>
nn::Linear<Real, ExecutionSpace> make_linear(const std::vector<Real>& kernel,
                                             const std::vector<Real>& bias, std::size_t inputs) {
  const std::size_t outputs = bias.size();
  const auto padded = static_cast<std::size_t>(nn::padded_to_lanes(static_cast<int>(outputs)));
  std::vector<Real> padded_kernel(inputs * padded, Real(0));
  std::vector<Real> padded_bias(padded, Real(0));
  for (std::size_t o = 0; o < outputs; ++o) {
    padded_bias[o] = bias[o];
    for (std::size_t k = 0; k < inputs; ++k)
      padded_kernel[k * padded + o] = kernel[k * outputs + o];
  }
  nn::Linear<Real, ExecutionSpace> layer;
  layer.kernel = on_device<Real, ExecutionSpace>(padded_kernel, inputs, padded);
  layer.bias = Vector<Real, ExecutionSpace>("DEMPilot::test", padded);
  const auto host = Kokkos::create_mirror_view(layer.bias);
  for (std::size_t o = 0; o < padded; ++o)
    host(o) = padded_bias[o];
  Kokkos::deep_copy(layer.bias, host);
  layer.inputs = static_cast<int>(inputs);
  layer.outputs = static_cast<int>(outputs);
  return layer;
}

/// Rows of scratch memory, filled from `source`.
template <class Real, class ExecutionSpace, class Member>
KOKKOS_FUNCTION nn::Tile<Real, ExecutionSpace> loaded_tile(
    const Member& team, const Matrix<Real, ExecutionSpace>& source) {
  const auto rows = static_cast<int>(source.extent(0));
  const auto columns = static_cast<int>(source.extent(1));
  const nn::Tile<Real, ExecutionSpace> tile(team.team_scratch(1), rows, columns);
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * columns), [&](int i) {
    tile(i / columns, i % columns) = source(i / columns, i % columns);
  });
  team.team_barrier();
  return tile;
}

template <class Real, class ExecutionSpace, class Member>
KOKKOS_FUNCTION void store_tile(const Member& team, const nn::Tile<Real, ExecutionSpace>& tile,
                                const Matrix<Real, ExecutionSpace>& to) {
  const auto rows = static_cast<int>(to.extent(0));
  const auto columns = static_cast<int>(to.extent(1));
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * columns), [&](int i) {
    to(i / columns, i % columns) = tile(i / columns, i % columns);
  });
  team.team_barrier();
}

/// Calls body(team) in one team with scratch memory for a few tiles.
template <class ExecutionSpace, class Body>
void in_one_team(const Body& body) {
  Kokkos::TeamPolicy<ExecutionSpace> policy(1, runs_on_host<ExecutionSpace> ? 1 : 32);
  policy.set_scratch_size(1, Kokkos::PerTeam(1 << 18));
  Kokkos::parallel_for("DEMPilot::test::in_one_team", policy, body);
  Kokkos::fence();
}

/// What a recurrent layer gives and what it remembers afterwards.
template <class Real>
struct AfterStep {
  std::vector<Real> x;      ///< (rows, width)
  std::vector<Real> carry;  ///< (rows, carry size)
};

template <class Cell, class Real, class ExecutionSpace>
struct ApplyCell {
  nn::RecurrentLayer<Real, ExecutionSpace> layer;
  Matrix<Real, ExecutionSpace> x, carry;  ///< x: at least as wide as the layer

  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& team) const {
    const auto rows = static_cast<int>(x.extent(0));
    const auto room = [&](int columns) {
      return nn::Tile<Real, ExecutionSpace>(team.team_scratch(1), rows, columns);
    };
    const nn::RecurrentTile<Real, ExecutionSpace> tile{
        loaded_tile<Real, ExecutionSpace>(team, x), loaded_tile<Real, ExecutionSpace>(team, carry),
        room(layer.gates.inputs), room(layer.gates.padded_outputs())};
    Cell{}(team, rows, layer, tile);
    store_tile<Real, ExecutionSpace>(team, tile.x, x);
    store_tile<Real, ExecutionSpace>(team, tile.carry, carry);
  }
};

/// One step of `layer` for rows of `features` numbers.
template <class Cell, class Real, class ExecutionSpace>
AfterStep<Real> step_of(const nn::RecurrentLayer<Real, ExecutionSpace>& layer,
                        const std::vector<Real>& x, std::size_t features,
                        const std::vector<Real>& carry, std::size_t rows) {
  const auto width = static_cast<std::size_t>(layer.width);
  const std::size_t stride = std::max(features, width);
  std::vector<Real> padded(rows * stride, Real(0));
  for (std::size_t row = 0; row < rows; ++row)
    std::copy_n(&x[row * features], features, &padded[row * stride]);
  const auto in = on_device<Real, ExecutionSpace>(padded, rows, stride);
  const auto memory = on_device<Real, ExecutionSpace>(carry, rows, carry.size() / rows);
  in_one_team<ExecutionSpace>(ApplyCell<Cell, Real, ExecutionSpace>{layer, in, memory});
  const auto after = to_host<Real>(in);
  AfterStep<Real> result{{}, to_host<Real>(memory)};
  for (std::size_t row = 0; row < rows; ++row)
    result.x.insert(result.x.end(), &after[row * stride], &after[row * stride] + width);
  return result;
}

}  // namespace dempilot::test
