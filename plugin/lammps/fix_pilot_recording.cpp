// SPDX-License-Identifier: GPL-2.0-only

// What fix pilot tells its recording, and when.

#include <cstddef>

#include "core/Pilot.hpp"
#include "plugin/lammps/Recording.h"
#include "plugin/lammps/fix_pilot.h"
#include "update.h"

using namespace LAMMPS_NS;
using dempilot::lammps::Recording;

void FixPilot::declare_recording() {
  if (!options_.record) return;
  recording_ = std::make_unique<Recording>(lmp, *options_.record, me_);
  recording_->describe(id, policy_digest_, pilot_->observation_size(), pilot_->action_size(),
                       pilot_->carry_size());
}

void FixPilot::init_recording() {
  if (!recording_) return;
  recording_->init();
  if (update->whichflag == 1) recording_->begin(counters_.decisions, restored_);
}

bool FixPilot::recording_invokes_computes() const {
  return recording_ && recording_->invokes_computes();
}

/* ----------------------------------------------------------------------
   after carries were reset, before the policy moves them on
------------------------------------------------------------------------- */

void FixPilot::record_state() {
  if (recording_ && recording_->is_due(counters_.decisions)) {
    recording_->take_state(*pool_, igroup);
  }
}

void FixPilot::record_decision() {
  if (recording_ && recording_->is_due(counters_.decisions)) {
    recording_->take_decision(counters_.decisions, *pool_, observation_rows());
  }
}
