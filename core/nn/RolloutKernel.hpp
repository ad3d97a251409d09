#pragma once

#include <algorithm>

#include "core/nn/Decision.hpp"
#include "core/nn/Network.hpp"
#include "core/nn/PortableLayers.hpp"
#include "core/nn/SimdLayers.hpp"

namespace dempilot::nn::detail {

/// Keeps the dropout's random stream apart from the one that samples actions.
inline constexpr std::uint64_t dropout_stream = 0x9e3779b97f4a7c15ULL;

/// Takes one tile of agents through all steps of a rollout; what flows between the layers stays in
/// the team's scratch memory. `Layers` computes them: PortableLayers by a team of Kokkos', or
/// SimdLayers by OneThread.
template <class Real, class ExecutionSpace, class Layers, class Member>
struct RolloutKernel {
  using RowTile = Tile<Real, ExecutionSpace>;

  static constexpr int tile_rows = Layers::tile_rows;

  /// On a host, who launches it waits: the many handles need not be copied.
  using Held =
      std::conditional_t<runs_on_host<ExecutionSpace>, const Network<Real, ExecutionSpace>&,
                         Network<Real, ExecutionSpace>>;
  Held network;
  Rollout<Real, ExecutionSpace> rollout;
  Decision<Real> decision;
  Layers layers;
  int rows_each = tile_rows;  ///< agents of a tile, at most tile_rows
  int widest = 0;             ///< widest row between two layers, padded
  int joint_width = 0;        ///< recurrence: [x | h]
  int gates_width = 0;
  std::size_t layer_bytes = 0;  ///< that a layer needs meanwhile

  RolloutKernel(const Network<Real, ExecutionSpace>& n, const Rollout<Real, ExecutionSpace>& r,
                const Layers& l)
      : network(n), rollout(r), decision(decision_of(n, r)), layers(l) {
    widest = std::max({n.observation_size, n.head.inputs, n.head.padded_outputs()});
    for (const NetworkBranch<Real, ExecutionSpace>* branch : {&n.actor, &n.critic}) {
      for (const Torso<Real, ExecutionSpace>* torso : {&branch->before, &branch->after}) {
        for (int i = 0; i < torso->layer_count; ++i)
          widest = std::max(widest, torso->layers[i].padded_outputs());
      }
      for (int i = 0; i < branch->memory.layer_count; ++i) {
        const RecurrentLayer<Real, ExecutionSpace>& layer = branch->memory.layers[i];
        widest = std::max(widest, layer.width);
        layer_bytes = std::max(layer_bytes, layers.scratch_bytes(layer.gates.inputs));
        joint_width = std::max(joint_width, Layers::joint_width(layer));
        gates_width = std::max(gates_width, Layers::gates_width(layer));
      }
    }
    widest = round_up(widest, simd::max_lanes);
    layer_bytes = std::max(layer_bytes, layers.scratch_bytes(widest));
  }

  int tiles() const { return divide_up(rollout.agents, rows_each); }

  std::size_t scratch_bytes() const {
    std::size_t bytes = layer_bytes + tile_alignment;
    for (const int width : {widest, widest, scratch_carry(), joint_width, gates_width})
      bytes += tile_bytes(width) + tile_alignment;
    return bytes;
  }

  /// The team's tile: agents [first, first + rows), padded to `padded` rows; and its scratch
  /// memory.
  struct Work {
    int first, rows, padded;
    RowTile in, out;              ///< between layers
    RowTile carry, joint, gates;  ///< recurrence
    void* layer;                  ///< what a layer needs meanwhile
  };

  KOKKOS_FUNCTION void operator()(const Member& team) const {
    Work work;
    work.first = static_cast<int>(team.league_rank()) * rows_each;
    const int left = rollout.agents - work.first;
    work.rows = left < rows_each ? left : rows_each;
    work.padded = round_up(work.rows, Layers::row_multiple);
    work.in = new_tile(team, widest);
    work.out = new_tile(team, widest);
    if constexpr (Layers::carry_in_place) {
      const auto skipped = static_cast<std::size_t>(work.first) * network.carry_size;
      work.carry = RowTile(rollout.carry.data() + skipped, tile_rows, network.carry_size);
    } else {
      work.carry = new_tile(team, network.carry_size);
    }
    work.joint = new_tile(team, joint_width);
    work.gates = new_tile(team, gates_width);
    work.layer = team.team_scratch(1).get_shmem_aligned(layer_bytes, tile_alignment);

    if constexpr (!Layers::carry_in_place) load_carry(team, work);
    for (int step = 0; step < rollout.steps; ++step) {
      load_observation(team, work, step);
      take_through(team, network.actor, work);
      finish_features(team, work, step);
      layers.dense(team, network.head, Activation::identity, work.padded, work.in, work.out,
                   work.layer);
      decide(team, work, step);
      if (network.has_critic()) criticise(team, work, step);
      for_each_row(team, work, [&](int row) { forget_if_done(step, row, work); });
    }
    if constexpr (!Layers::carry_in_place) store_carry(team, work);
  }

 private:
  static constexpr std::size_t tile_alignment = 64;  ///< of the widest vectors

  int scratch_carry() const { return Layers::carry_in_place ? 0 : network.carry_size; }

  KOKKOS_FUNCTION static std::size_t tile_bytes(int width) {
    return static_cast<std::size_t>(tile_rows) * width * sizeof(Real);
  }

  KOKKOS_FUNCTION static RowTile new_tile(const Member& team, int width) {
    void* const memory = team.team_scratch(1).get_shmem_aligned(tile_bytes(width), tile_alignment);
    return RowTile(static_cast<Real*>(memory), tile_rows, width);
  }

  /// Calls body(row, column) for all of a tile's rows, padding included.
  template <class Body>
  KOKKOS_FUNCTION static void for_each(const Member& team, int rows, int columns,
                                       const Body& body) {
    if constexpr (runs_on_host<ExecutionSpace>) {  // one thread, which need not divide
      for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column)
          body(row, column);
      }
    } else {
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * columns),
                           [&](int index) { body(index / columns, index % columns); });
      team.team_barrier();
    }
  }

  template <class Body>
  KOKKOS_FUNCTION static void for_each_row(const Member& team, const Work& work, const Body& body) {
    for_each(team, work.rows, 1, [&](int row, int) { body(row); });
  }

  KOKKOS_FUNCTION void load_carry(const Member& team, const Work& work) const {
    for_each(team, work.padded, network.carry_size, [&](int row, int i) {
      work.carry(row, i) = row < work.rows ? rollout.carry(work.first + row, i) : Real(0);
    });
  }

  KOKKOS_FUNCTION void store_carry(const Member& team, const Work& work) const {
    for_each(team, work.rows, network.carry_size,
             [&](int row, int i) { rollout.carry(work.first + row, i) = work.carry(row, i); });
  }

  KOKKOS_FUNCTION void forget_if_done(int step, int row, const Work& work) const {
    if (rollout.done.extent(0) == 0 || rollout.done(step, work.first + row) == 0) return;
    for (int i = 0; i < network.carry_size; ++i)
      work.carry(row, i) = 0;
  }

  KOKKOS_FUNCTION void load_observation(const Member& team, const Work& work, int step) const {
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    const bool raw = network.normalizer.empty();
    for_each(team, work.padded, network.observation_size, [&](int row, int i) {
      const Real x = row < work.rows ? rollout.observation(first + row, i) : Real(0);
      work.in(row, i) = raw ? x : static_cast<Real>(network.normalizer(i, x));
    });
  }

  KOKKOS_FUNCTION static void swap(RowTile& a, RowTile& b) {
    const RowTile before = a;
    a = b;
    b = before;
  }

  KOKKOS_FUNCTION void take_through(const Member& team, const Torso<Real, ExecutionSpace>& torso,
                                    Work& work) const {
    for (int i = 0; i < torso.layer_count; ++i) {
      const Activation activation = torso.activated[i] ? network.activation : Activation::identity;
      layers.dense(team, torso.layers[i], activation, work.padded, work.in, work.out, work.layer);
      swap(work.in, work.out);
    }
  }

  KOKKOS_FUNCTION void take_through(const Member& team,
                                    const RecurrentStack<Real, ExecutionSpace>& stack,
                                    Work& work) const {
    for (int i = 0; i < stack.layer_count; ++i) {
      const RecurrentTile<Real, ExecutionSpace> tile{work.in, work.carry, work.joint, work.gates};
      layers.step(team, stack.cell, stack.layers[i], work.padded, tile, work.out, work.layer);
      if constexpr (Layers::steps_into_out) swap(work.in, work.out);
    }
  }

  /// Replaces what is in `in`.
  KOKKOS_FUNCTION void take_through(const Member& team,
                                    const NetworkBranch<Real, ExecutionSpace>& branch,
                                    Work& work) const {
    take_through(team, branch.before, work);
    take_through(team, branch.memory, work);
    take_through(team, branch.after, work);
  }

  /// Drops out some of the features in `in`, and shows them to who asked.
  KOKKOS_FUNCTION void finish_features(const Member& team, const Work& work, int step) const {
    const bool drop = rollout.training && network.dropout_rate > 0;
    const bool show = rollout.hidden.extent(0) > 0;
    if (!drop && !show) return;
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    for_each(team, work.padded, network.head.inputs, [&](int row, int unit) {
      if (drop) work.in(row, unit) *= dropout_factor(step, work.first + row, unit);
      if (show && row < work.rows) rollout.hidden(first + row, unit) = work.in(row, unit);
    });
  }

  /// The value of a critic with layers of its own, once the actor is done.
  KOKKOS_FUNCTION void criticise(const Member& team, Work& work, int step) const {
    if (rollout.value.extent(0) == 0 && network.critic.memory.layer_count == 0) return;
    if (network.critic_reads_memory) {
      load_memory(team, work);
    } else {
      load_observation(team, work, step);
    }
    take_through(team, network.critic, work);
    if (rollout.value.extent(0) == 0) return;
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    for_each_row(team, work, [&](int row) { rollout.value(first + row, 0) = work.in(row, 0); });
  }

  /// Brings h of the actor's last recurrent layer into `in`.
  KOKKOS_FUNCTION void load_memory(const Member& team, const Work& work) const {
    const RecurrentStack<Real, ExecutionSpace>& stack = network.actor.memory;
    const int first = stack.layers[stack.layer_count - 1].first_carry;
    for_each(team, work.padded, stack.width(),
             [&](int row, int i) { work.in(row, i) = work.carry(row, first + i); });
  }

  /// 0 with probability dropout_rate, else 1 / (1 - dropout_rate).
  KOKKOS_FUNCTION Real dropout_factor(int step, int agent, int unit) const {
    const Noise noise = decision.noise_of(step, agent, dropout_stream);
    const bool keep = noise.uniform(static_cast<std::uint32_t>(unit)) >= network.dropout_rate;
    return keep ? static_cast<Real>(1 / (1 - network.dropout_rate)) : Real(0);
  }

  /// From the heads' rows in `out` to what the rollout asks for.
  KOKKOS_FUNCTION void decide(const Member& team, const Work& work, int step) const {
    for_each_row(team, work,
                 [&](int row) { decision.report(step, work.first + row, &work.out(row, 0)); });
    if (rollout.action.extent(0) == 0) return;
    if constexpr (Layers::squashes_columns) {
      if (!network.discrete) return decide_by_columns(work, step);
    }
    for_each_row(team, work,
                 [&](int row) { decision.act(step, work.first + row, &work.out(row, 0)); });
  }

  /// The same for a whole tile of one thread, whose actions lie in columns in `in` meanwhile.
  KOKKOS_FUNCTION void decide_by_columns(const Work& work, int step) const {
    Real* const columns = work.in.data();
    Real base[tile_rows];
    alignas(tile_alignment) Real log_det[tile_rows];
    static_assert(tile_rows % simd::max_lanes == 0);
    for (int row = 0; row < work.rows; ++row)
      base[row] =
          decision.latent(step, work.first + row, &work.out(row, 0), columns + row, tile_rows);
    for (int row = work.rows; row % simd::max_lanes != 0; ++row) {
      for (int i = 0; i < network.actions; ++i)
        columns[i * tile_rows + row] = 0;
    }
    layers.squash(network.space, work.rows, columns, tile_rows, log_det);
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    for (int row = 0; row < work.rows; ++row) {
      for (int i = 0; i < network.actions; ++i)
        rollout.action(first + row, i) = columns[i * tile_rows + row];
      if (rollout.log_prob.extent(0) > 0)
        rollout.log_prob(first + row, 0) = base[row] - log_det[row];
    }
  }
};

}  // namespace dempilot::nn::detail
