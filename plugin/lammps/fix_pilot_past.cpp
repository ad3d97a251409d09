// SPDX-License-Identifier: GPL-2.0-only

// What the agents of fix pilot know of their own past, and when they begin anew.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "atom.h"
#include "core/Pilot.hpp"
#include "domain.h"
#include "error.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/SceneBuilder.h"
#include "plugin/lammps/fix_pilot.h"
#include "region.h"

using namespace LAMMPS_NS;
using dempilot::ComponentKind;
using dempilot::lammps::AgentMemory;

/* ----------------------------------------------------------------------
   agents that begin anew: their carry is zero, and they have done nothing yet
------------------------------------------------------------------------- */

void FixPilot::reset(std::size_t row) {
  const std::size_t width = pilot_->carry_size();
  std::fill_n(pool_->columns().carry.data() + row * width, width, 0.0F);
  pool_->columns().reset_time[row] = counters_.time;
}

void FixPilot::reset_all() {
  for (std::size_t row = 0; row < pool_->size(); ++row)
    reset(row);
}

void FixPilot::reset_where_told() {
  resets_.assign(std::max<std::size_t>(1, pool_->size()), 0.0);
  reset_input_->evaluate(pool_->atoms(), igroup, resets_.data(), 1);
  for (std::size_t row = 0; row < pool_->size(); ++row) {
    if (resets_[row] != 0.0) reset(row);
  }
}

void FixPilot::find_reset_region() {
  if (options_.reset_region.empty()) return;
  reset_region_ = domain->get_region_by_id(options_.reset_region);
  if (reset_region_ != nullptr) return;
  error->all(FLERR,
             "{}: there is no region '{}' (keyword reset). Define it with the region command", me_,
             options_.reset_region);
}

bool FixPilot::resetting_invokes_computes() const {
  if (reset_input_ && reset_input_->invokes_computes()) return true;
  return reset_region_ != nullptr && (reset_region_->varshape != 0 || reset_region_->dynamic != 0);
}

/* ----------------------------------------------------------------------
   on entry: an agent that was outside at the last decision and is inside now
------------------------------------------------------------------------- */

void FixPilot::reset_in_region() {
  reset_region_->prematch();
  for (std::size_t row = 0; row < pool_->size(); ++row) {
    const double* const x = atom->x[pool_->atoms()[row]];
    const bool inside = reset_region_->match(x[0], x[1], x[2]) != 0;
    double& was_inside = pool_->columns().inside[row];
    if (inside && was_inside == 0.0) reset(row);
    was_inside = inside ? 1.0 : 0.0;
  }
}

/* ----------------------------------------------------------------------
   the force on the group's atoms before this fix acts: that of pair styles and of
   the fixes that precede it in the script
------------------------------------------------------------------------- */

void FixPilot::note_contact_forces() {
  if (!pilot_->observer().senses(ComponentKind::contact_force)) return;
  contact_atoms_.clear();
  contact_forces_.clear();
  for (int i = 0; i < atom->nlocal; ++i) {
    if (!(atom->mask[i] & groupbit)) continue;
    contact_atoms_.push_back(i);
    contact_forces_.insert(contact_forces_.end(), atom->f[i], atom->f[i] + 3);
  }
}

/* ----------------------------------------------------------------------
   what agents see of their own past
------------------------------------------------------------------------- */

AgentMemory FixPilot::remember() {
  const dempilot::lammps::AgentColumns& agents = pool_->columns();
  const std::size_t rows = pool_->size();
  const dempilot::Observer& observer = pilot_->observer();
  AgentMemory seen;
  if (observer.senses(ComponentKind::contact_force)) {
    seen_contact_force_.assign(3 * rows, 0.0);
    for (std::size_t row = 0; row < rows; ++row) {
      const auto found = std::ranges::lower_bound(contact_atoms_, pool_->atoms()[row]);
      if (found == contact_atoms_.end() || *found != pool_->atoms()[row]) continue;  // just joined
      std::copy_n(contact_forces_.begin() + 3 * (found - contact_atoms_.begin()), 3,
                  seen_contact_force_.begin() + static_cast<std::ptrdiff_t>(3 * row));
    }
    seen.contact_force = seen_contact_force_.data();
  }
  if (observer.senses(ComponentKind::previous_action)) {
    const std::size_t width = pilot_->action_size();
    seen_action_ = agents.pending;
    for (std::size_t row = 0; row < rows; ++row) {
      if (agents.reset_time[row] > counters_.decision_time)
        std::fill_n(seen_action_.data() + row * width, width, 0.0F);
    }
    seen.previous_action = seen_action_.data();
  }
  if (observer.senses(ComponentKind::time_since_reset)) {
    seen_time_.clear();
    for (const double reset_time : agents.reset_time)
      seen_time_.push_back(counters_.time - reset_time);
    seen.time_since_reset = seen_time_.data();
  }
  return seen;
}
