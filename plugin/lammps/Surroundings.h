// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Scene.hpp"
#include "plugin/lammps/HaloExchange.h"
#include "plugin/lammps/Periodicity.h"
#include "pointers.h"

namespace dempilot::lammps {

/// What the agents of this rank can see, gathered anew for every decision, whatever LAMMPS's ghost
/// atoms are: those reach as far as contacts do, hold velocities of half a step ago, and would slow
/// every step if they reached as far as agents see.
class Surroundings : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("Fix pilot agents").
  Surroundings(LAMMPS_NS::LAMMPS* lmp, std::string purpose);

  /// Gathers what may be seen by the own atoms `agents` of each of `groups`. The groups are the
  /// same on all ranks. Stops with an error when a range spans too many periods of the box.
  /// Collective.
  void gather(std::span<const std::int32_t> agents, std::span<const Wanted> groups);

  /// Adds points (points, 3) to what is seen of group `target`: those of all ranks, or, if every
  /// rank gives the same ones, these. Their identity is 0, which no atom has. Collective.
  void add_points(std::size_t target, std::span<const double> mine, bool same_everywhere);

  /// Views memory of this object, valid until it gathers again.
  SeenParticles seen(std::size_t target) const { return halo_.seen(target).view(); }

  /// How the box repeats itself now.
  Periodicity find_periodicity() const;
  /// Stops with an error when a range spans too many periods of the box.
  void check_ranges(const Periodicity& box, std::span<const Wanted> groups) const;

  double memory_usage() const;

 private:
  std::string purpose_;
  HaloExchange halo_;
  std::vector<double> points_;  ///< of all ranks
};

}  // namespace dempilot::lammps
