#pragma once

#include "core/nn/Linear.hpp"

namespace dempilot::nn {

/// A layer with a memory: the product that gives its gates' pre-activations, its width, and where
/// its part of an agent's carry begins.
template <class Real, class ExecutionSpace>
struct RecurrentLayer {
  Linear<Real, ExecutionSpace> gates;  ///< reads x, or [x | h]
  int width = 0;
  int first_carry = 0;
};

/// A tile of agents and the room that a recurrent step needs, in a team's scratch memory.
template <class Real, class ExecutionSpace>
struct RecurrentTile {
  using Rows = Tile<Real, ExecutionSpace>;
  Rows x;      ///< (rows, features) what the layer reads; replaced by what it gives (rows, width)
  Rows carry;  ///< (rows, carry size); the layer's part is replaced
  Rows joint;  ///< room for [x | h]
  Rows gates;  ///< room for the pre-activations
};

/// Brings x and the layer's h side by side.
template <class Real, class ExecutionSpace, class Member>
KOKKOS_FUNCTION void join(const Member& team, int rows,
                          const RecurrentLayer<Real, ExecutionSpace>& layer,
                          const RecurrentTile<Real, ExecutionSpace>& tile) {
  const int features = layer.gates.inputs - layer.width;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows), [&](int row) {
    for (int i = 0; i < features; ++i)
      tile.joint(row, i) = tile.x(row, i);
    for (int i = 0; i < layer.width; ++i)
      tile.joint(row, features + i) = tile.carry(row, layer.first_carry + i);
  });
  team.team_barrier();
}

/// Calls update(row, unit) for all units of a tile.
template <class Member, class Update>
KOKKOS_FUNCTION void for_each_unit(const Member& team, int rows, int width, const Update& update) {
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * width),
                       [&](int index) { update(index / width, index % width); });
  team.team_barrier();
}

}  // namespace dempilot::nn
