// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Surroundings.h"

#include <new>
#include <utility>

#include "atom.h"
#include "core/Error.hpp"
#include "domain.h"
#include "error.h"
#include "plugin/lammps/Collective.h"

namespace dempilot::lammps {
namespace {

/// Every atom is seen (2 n + 1)^3 times over n periods.
constexpr double most_periods = 20.0;

constexpr const char* no_memory =
    "not enough memory for what the agents see (the allocation failed). Use more ranks, fewer "
    "agents, or a shorter range";

}  // namespace

Surroundings::Surroundings(LAMMPS_NS::LAMMPS* engine, std::string purpose)
    : Pointers(engine), purpose_(std::move(purpose)), halo_(world) {}

Periodicity Surroundings::find_periodicity() const {
  Periodicity box;
  const auto dimensions = static_cast<std::size_t>(domain->dimension);
  for (std::size_t d = 0; d < 3; ++d) {
    box.lower[d] = domain->boxlo[d];
    // A plane simulation has a period along z, but sees nothing there.
    if (d < dimensions && domain->periodicity[d] != 0) box.period[d] = domain->prd[d];
    if (domain->deform_vremap != 0) box.drift[d] = domain->h_rate[d];
  }
  return box;
}

void Surroundings::check_ranges(const Periodicity& box, std::span<const Wanted> groups) const {
  for (const Wanted& target : groups) {
    for (const double period : box.period) {
      if (period == 0.0 || target.range <= most_periods * period) continue;
      error->all(FLERR,
                 "{}: the policy senses {:.10g} far in a box that repeats itself every {:.10g} "
                 "(every atom would be seen more than {} times along this side). Use a larger box",
                 purpose_, target.range, period, 2 * static_cast<int>(most_periods));
    }
  }
}

void Surroundings::gather(std::span<const std::int32_t> agents, std::span<const Wanted> groups) {
  const Periodicity box = find_periodicity();
  check_ranges(box, groups);
  OwnParticles own;
  own.count = static_cast<std::size_t>(atom->nlocal);
  if (atom->nmax > 0) {
    own.position = atom->x[0];
    own.velocity = atom->v[0];
  }
  own.radius = atom->radius_flag != 0 ? atom->radius : nullptr;
  own.type = atom->type;
  own.mask = atom->mask;
  own.tag = atom->tag;
  own.drift_bit = domain->deform_groupbit;
  try {
    halo_.gather(box, own, agents, groups);
  } catch (const std::bad_alloc&) {
    error->one(FLERR, "{}: {}", purpose_, no_memory);
  }
}

void Surroundings::add_points(std::size_t target, std::span<const double> mine,
                              bool same_everywhere) {
  try {
    if (!same_everywhere) {
      gather_everywhere(mine, points_, world);
      mine = points_;
    }
    halo_.add_points(target, mine);
  } catch (const Error& problem) {
    error->all(FLERR, "{}: {}", purpose_, problem.what());
  } catch (const std::bad_alloc&) {
    error->one(FLERR, "{}: {}", purpose_, no_memory);
  }
}

double Surroundings::memory_usage() const {
  return halo_.memory_usage() + static_cast<double>(points_.capacity() * sizeof(double));
}

}  // namespace dempilot::lammps
