// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmptype.h"
#include "plugin/lammps/Mail.h"
#include "plugin/lammps/Periodicity.h"
#include "plugin/lammps/SeenCloud.h"
#include "plugin/lammps/TargetFilter.h"

namespace dempilot::lammps {

/// A rank's own particles, as LAMMPS stores them. Columns that nobody wants may be missing.
struct OwnParticles {
  std::size_t count = 0;
  const double* position = nullptr;  ///< (count, 3)
  const double* velocity = nullptr;  ///< (count, 3)
  const double* radius = nullptr;
  const int* type = nullptr;
  const int* mask = nullptr;
  const LAMMPS_NS::tagint* tag = nullptr;
  int drift_bit = 0;  ///< images of particles of these groups move with Periodicity::drift
};

/// What agents sense of the particles of a group.
struct Wanted {
  int group_bit = 0;  ///< 0: of no particles
  double range = 0.0;
  WantedColumns columns;
};

/// Finds what agents may see wherever it is: among the own particles, their periodic images, and
/// those of other ranks.
///
/// No rank knows where LAMMPS put which particle; so every rank tells all others the bounds of its
/// agents and of its particles. From these numbers both sides of each pair conclude alike whether
/// one may see the other's particles, and no further agreement is needed: the agents' positions go
/// one way, the particles near them come back. The cost is one look at each own particle, and
/// otherwise proportional to what is seen.
class HaloExchange {
 public:
  explicit HaloExchange(MPI_Comm world);

  /// Finds all particles and images that are within the ranges of `groups` from the own particles
  /// `agents`, and some a little farther away. Agents and particles that Periodicity does not hold
  /// see nothing and are not seen. Collective.
  void gather(const Periodicity& box, const OwnParticles& own, std::span<const std::int32_t> agents,
              std::span<const Wanted> groups);
  /// Adds those of `points` (points, 3) and of their images that are within the range of group
  /// `group` from the agents of the last gather(), with an identity that no particle has.
  void add_points(std::size_t group, std::span<const double> points);

  const SeenCloud& seen(std::size_t group) const { return seen_[group]; }
  double memory_usage() const;

 private:
  /// What ranks tell each other of themselves.
  struct Outline {
    Bounds agents;
    Bounds particles;
  };

  void find_own_agents(std::span<const std::int32_t> agents);
  void share_outlines();
  void find_partners();
  void find_candidates(const Wanted& group);
  void mark_images(std::span<const double> agents, double range);
  void serve(std::span<const double> agents, const Wanted& group, SeenCloud& out);
  void serve_own(const Wanted& group, SeenCloud& out);
  void tell_apart(const double* positions, std::span<const std::int32_t> particles,
                  const Bounds& alone, const Wanted& group, SeenCloud& out);
  void add_near(SeenCloud& out) const;
  void add_images(std::int32_t candidate, const WantedColumns& wanted, SeenCloud& out) const;

  MPI_Comm world_;
  int me_ = 0;
  Mail mail_;
  Periodicity box_;
  Bounds realm_;  ///< where particles can be
  OwnParticles own_;
  std::vector<Wanted> groups_;
  double reach_ = 0.0;  ///< the widest of the ranges

  std::vector<double> own_agents_;  ///< (agents, 3)
  std::vector<Outline> outlines_;   ///< of all ranks
  Parcels asked_;                   ///< to those whose particles my agents may see: my agents
  Parcels asking_;                  ///< from those whose agents may see my particles: their agents
  Parcels answers_;                 ///< to those who asked
  Parcels answered_;                ///< from those who were asked

  std::vector<double> around_;            ///< (points, 3), images of agents near own particles
  std::vector<std::int32_t> candidates_;  ///< own particles near any agent of any rank
  std::vector<std::int32_t> near_;        ///< own particles near agents of one rank
  TargetFilter filter_;
  SeenCloud answer_;
  std::vector<SeenCloud> seen_;  ///< for each group
};

}  // namespace dempilot::lammps
