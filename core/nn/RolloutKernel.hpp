#pragma once

#include <algorithm>

#include "core/nn/Network.hpp"

namespace dempilot::nn::detail {

/// Keeps the dropout's random stream apart from the one that samples actions.
inline constexpr std::uint64_t dropout_stream = 0x9e3779b97f4a7c15ULL;

/// Takes one tile of agents through all steps of a rollout; what flows between the layers stays in
/// the team's scratch memory.
template <class Real, class ExecutionSpace>
struct RolloutKernel {
  using Member = typename Kokkos::TeamPolicy<ExecutionSpace>::member_type;
  using RowTile = Tile<Real, ExecutionSpace>;

  Network<Real, ExecutionSpace> network;
  Rollout<Real, ExecutionSpace> rollout;
  int widest = 0;       ///< widest row between two layers, padded
  int joint_width = 0;  ///< [features padded | h]
  int gates_width = 0;

  RolloutKernel(const Network<Real, ExecutionSpace>& n, const Rollout<Real, ExecutionSpace>& r)
      : network(n), rollout(r) {
    widest = std::max(padded_to_lanes(n.observation_size()), n.head.padded_outputs());
    widest = std::max(widest, n.head.inputs);
    for (int i = 0; i < n.encoder_layers; ++i) {
      widest = std::max(widest, n.encoder[i].padded_outputs());
    }
    if (n.recurrent) {
      joint_width = n.cell.gates.inputs;
      gates_width = n.cell.gates.padded_outputs();
    }
  }

  std::size_t scratch_bytes() const {
    return 2 * RowTile::shmem_size(tile_rows, widest) +
           RowTile::shmem_size(tile_rows, joint_width) +
           RowTile::shmem_size(tile_rows, network.cell.width) +
           RowTile::shmem_size(tile_rows, gates_width);
  }

  /// The team's tile: agents [first, first + rows), padded to `padded` rows; and its scratch
  /// memory.
  struct Work {
    int first, rows, padded;
    RowTile in, out;          ///< between layers
    RowTile joint, c, gates;  ///< recurrent cell
  };

  KOKKOS_FUNCTION
  void operator()(const Member& team) const {
    Work work;
    work.first = static_cast<int>(team.league_rank()) * tile_rows;
    work.rows = rollout.agents - work.first < tile_rows ? rollout.agents - work.first : tile_rows;
    work.padded = (work.rows + block_rows - 1) / block_rows * block_rows;
    work.in = RowTile(team.team_scratch(1), tile_rows, widest);
    work.out = RowTile(team.team_scratch(1), tile_rows, widest);
    work.joint = RowTile(team.team_scratch(1), tile_rows, joint_width);
    work.c = RowTile(team.team_scratch(1), tile_rows, network.cell.width);
    work.gates = RowTile(team.team_scratch(1), tile_rows, gates_width);

    if (network.recurrent) load_carry(team, work);
    for (int step = 0; step < rollout.steps; ++step) {
      load_observation(team, work, step);
      encode(team, work);
      if (network.recurrent) network.cell(team, work.padded, work.joint, work.c, work.gates);
      prepare_head(team, work, step);
      network.head(team, work.padded, work.in, work.out);
      Kokkos::parallel_for(Kokkos::TeamThreadRange(team, work.rows), [&](int row) {
        write_outputs(step, work.first + row, &work.out(row, 0));
        if (network.recurrent) forget_if_done(step, row, work);
      });
      team.team_barrier();
    }
    if (network.recurrent) store_carry(team, work);
  }

 private:
  /// Calls body(row, column) for all of a tile's rows, padding included.
  template <class Body>
  KOKKOS_FUNCTION
  static void for_each(const Member& team, int rows, int columns, const Body& body) {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, rows * columns),
                         [&](int index) { body(index / columns, index % columns); });
    team.team_barrier();
  }

  KOKKOS_FUNCTION
  int features() const { return joint_width - network.cell.width; }

  KOKKOS_FUNCTION
  void load_carry(const Member& team, const Work& work) const {
    const int width = network.cell.width;
    for_each(team, work.padded, width, [&](int row, int unit) {
      const bool real = row < work.rows;
      work.joint(row, features() + unit) = real ? rollout.carry(work.first + row, unit) : Real(0);
      work.c(row, unit) = real ? rollout.carry(work.first + row, width + unit) : Real(0);
    });
  }

  KOKKOS_FUNCTION
  void store_carry(const Member& team, const Work& work) const {
    const int width = network.cell.width;
    for_each(team, work.rows, width, [&](int row, int unit) {
      rollout.carry(work.first + row, unit) = work.joint(row, features() + unit);
      rollout.carry(work.first + row, width + unit) = work.c(row, unit);
    });
  }

  KOKKOS_FUNCTION
  void load_observation(const Member& team, const Work& work, int step) const {
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    for_each(team, work.padded, network.observation_size(), [&](int row, int i) {
      work.in(row, i) = row < work.rows ? rollout.observation(first + row, i) : Real(0);
    });
  }

  /// Leaves the features in `joint` for the cell, else in `in`.
  KOKKOS_FUNCTION
  void encode(const Member& team, Work& work) const {
    for (int i = 0; i < network.encoder_layers; ++i) {
      const auto& layer = network.encoder[i];
      const bool to_cell = network.recurrent && i + 1 == network.encoder_layers;
      const RowTile& out = to_cell ? work.joint : work.out;
      layer(team, work.padded, work.in, out);
      for_each(team, work.padded, layer.outputs, [&](int row, int unit) {
        out(row, unit) = activate(network.activation, out(row, unit));
      });
      if (to_cell) continue;
      const RowTile out_before = work.out;
      work.out = work.in;
      work.in = out_before;
    }
  }

  /// Brings what the head reads into `in`: h after dropout, or the features of a feed-forward
  /// model.
  KOKKOS_FUNCTION
  void prepare_head(const Member& team, const Work& work, int step) const {
    const bool drop = rollout.training && network.dropout_rate > 0;
    const auto first = static_cast<std::size_t>(step) * rollout.agents + work.first;
    for_each(team, work.padded, network.head.inputs, [&](int row, int unit) {
      Real h = network.recurrent ? work.joint(row, features() + unit) : work.in(row, unit);
      if (drop) h *= dropout_factor(step, work.first + row, unit);
      work.in(row, unit) = h;
      if (row < work.rows && rollout.hidden.extent(0) > 0) rollout.hidden(first + row, unit) = h;
    });
  }

  KOKKOS_FUNCTION
  std::int64_t id_of(int agent) const {
    return rollout.ids.extent(0) > 0 && agent < rollout.agents ? rollout.ids(agent, 0) : agent;
  }

  /// 0 with probability dropout_rate, else 1 / (1 - dropout_rate).
  KOKKOS_FUNCTION
  Real dropout_factor(int step, int agent, int unit) const {
    const Noise noise(rollout.seed ^ dropout_stream, id_of(agent), rollout.first_decision + step);
    const bool keep = noise.uniform(static_cast<std::uint32_t>(unit)) >= network.dropout_rate;
    return keep ? static_cast<Real>(1 / (1 - network.dropout_rate)) : Real(0);
  }

  /// `out` holds the head's row: means, then the value. It is used up.
  KOKKOS_FUNCTION
  void write_outputs(int step, int agent, Real* out) const {
    const auto row = static_cast<std::size_t>(step) * rollout.agents + agent;
    const int actions = network.action_size();
    if (rollout.value.extent(0) > 0) rollout.value(row, 0) = out[actions];
    if (rollout.mean.extent(0) > 0) {
      for (int i = 0; i < actions; ++i)
        rollout.mean(row, i) = out[i];
    }
    if (rollout.action.extent(0) == 0) return;
    const Real log_prob = draw(step, agent, out);
    const Real log_det = network.space.forward(out);
    for (int i = 0; i < actions; ++i)
      rollout.action(row, i) = out[i];
    if (rollout.log_prob.extent(0) > 0) rollout.log_prob(row, 0) = log_prob - log_det;
  }

  /// Replaces the means by a sample if asked for; returns its log-density under the Gaussian.
  KOKKOS_FUNCTION
  Real draw(int step, int agent, Real* x) const {
    using std::exp;
    const Noise noise(rollout.seed, id_of(agent), rollout.first_decision + step);
    Real log_prob = 0;
    double pair[2] = {0, 0};
    for (int i = 0; i < network.action_size(); ++i) {
      if (rollout.sample && i % 2 == 0) {
        noise.normal_pair(static_cast<std::uint32_t>(i / 2), pair[0], pair[1]);
      }
      const Real unit = static_cast<Real>(pair[i % 2]);
      x[i] += unit * exp(network.log_std(i));
      log_prob -= unit * unit / 2 + network.log_std(i) + static_cast<Real>(half_log_two_pi);
    }
    return log_prob;
  }

  KOKKOS_FUNCTION
  void forget_if_done(int step, int row, const Work& work) const {
    if (rollout.done.extent(0) == 0 || rollout.done(step, work.first + row) == 0) return;
    for (int unit = 0; unit < network.cell.width; ++unit) {
      work.joint(row, features() + unit) = 0;
      work.c(row, unit) = 0;
    }
  }
};

}  // namespace dempilot::nn::detail
