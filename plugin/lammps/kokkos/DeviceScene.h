// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/Backend.hpp"
#include "plugin/lammps/SceneBuilder.h"
#include "plugin/lammps/kokkos/AtomArrays.h"
#include "plugin/lammps/kokkos/DeviceAgents.hpp"
#include "plugin/lammps/kokkos/DeviceHalo.hpp"

namespace dempilot::lammps {

/// What SceneBuilder is, for agents and atoms in the memory where KOKKOS computes.
///
/// What LAMMPS has there is read there: motion, particles around agents, faces of the box,
/// constants, and vectors of fix property/atom (d_name). Everything else that a script can bind is
/// computed on the host, for which atoms are copied there and the result back.
class DeviceScene : public SceneBuilder {
 public:
  using Device = LMPDeviceType;
  using Agents = DeviceAgents<Device>;

  DeviceScene(LAMMPS_NS::LAMMPS* lmp, const Observer& observer, const FixOptions& options,
              std::string purpose, const std::string& written, Device space);

  /// Looks up what the script refers to; to be called at the start of every run. Collective.
  void init() override;
  /// Forgets where atoms were; to be called before each decision.
  void begin_decision() { is_on_host_ = false; }
  /// Whether plan() must be called before each decision, as who may be seen changes at any time.
  bool changes() const { return changes_; }
  /// Finds who may be seen while neighbor lists last, by agents in the groups `agent_bits`.
  /// Collective.
  void plan(const Agents& agents, int agent_bits);
  /// The scene around agents of the group number `agent_group`; `past` lies where KOKKOS
  /// computes. Valid until it is called again, or until atoms change places. Collective.
  const Scene& build(const Agents& agents, int agent_group, const AgentMemory& past);

  /// Copies atoms to the host, where scripts' inputs are computed, and says which of them are
  /// agents.
  std::span<const std::int32_t> atoms_on_host(const Agents& agents);
  /// Orientations of agents, (agents, 4).
  const double* find_orientations(const Agents& agents);
  double memory_usage() const override;

 private:
  template <class T>
  using Buffer = Vector<T, Device>;
  using Range = Kokkos::RangePolicy<Device, Kokkos::IndexType<int>>;

  LAMMPS_NS::AtomKokkos& atoms() const { return *static_cast<LAMMPS_NS::AtomKokkos*>(atom); }
  template <class T>
  const T* upload(Buffer<T>& buffer, std::span<const T> values) const;
  OwnParticles own_particles() const;
  void check_orientations(const Agents& agents);
  void find_largest_radii(int agent_bits);
  bool reads_on_device(const Quantity& quantity) const;
  const double* find(Quantity& quantity, Buffer<double>& values, const Agents& agents,
                     int agent_group);
  void find_all_targets(const Agents& agents, int agent_group);
  SeenWalls find_all_walls(Walls& walls, Buffer<double>& vectors, const Agents& agents);
  void find_agents(const Agents& agents);

  Device space_;
  bool changes_ = false;
  DeviceHalo<Device> halo_;
  std::vector<std::int32_t> host_agents_;
  bool is_on_host_ = false;  ///< whether host_agents_ are those of this decision
  Buffer<std::int64_t> ids_;
  Buffer<double> turns_;
  std::vector<Buffer<double>> goal_values_, field_values_, wall_vectors_;
  struct Points {
    Buffer<double> position;
    Buffer<std::int64_t> identity;
  };
  std::vector<Points> points_;
};

}  // namespace dempilot::lammps
