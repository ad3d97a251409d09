// SPDX-License-Identifier: GPL-2.0-only
// How an action becomes a force and a torque on its particle.
#include <algorithm>
#include <span>

#include "atom.h"
#include "atom_vec_ellipsoid.h"
#include "core/Pilot.hpp"
#include "domain.h"
#include "error.h"
#include "math_extra.h"
#include "plugin/lammps/fix_pilot.h"

using namespace LAMMPS_NS;

void FixPilot::give_pending() {
  if (counters_.is_pending == 0) return;
  pool_->columns().applied = pool_->columns().pending;
  counters_.is_pending = 0;
}

/* ----------------------------------------------------------------------
   the action in the lab frame, added up in wrench: force, then torque
------------------------------------------------------------------------- */

void FixPilot::push(int i, const float* action, double* wrench) const {
  const dempilot::ActionSpec& spec = pilot_->contract().action;
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    wrench[entries_[k]] = spec.scale * static_cast<double>(action[k]);
  }
  if (spec.frame == dempilot::Frame::lab) return;
  const auto* const ellipsoids =
      static_cast<const AtomVecEllipsoid*>(atom->style_match("ellipsoid"));
  if (atom->ellipsoid[i] < 0) {
    error->one(FLERR,
               "{}: atom {} is no ellipsoid (the policy acts in the frame of its body). Write 'set "
               "group ID shape DX DY DZ'",
               me_, atom->tag[i]);
  }
  const double* const quat = ellipsoids->bonus[atom->ellipsoid[i]].quat;
  if (domain->dimension == 2 && quat[1] * quat[1] + quat[2] * quat[2] > 1e-12) {
    error->one(FLERR,
               "{}: atom {} is tilted out of the plane (the policy acts in the frame of its body, "
               "in 2 dimensions). Turn it about z alone",
               me_, atom->tag[i]);
  }
  double rotation[3][3];
  MathExtra::quat_to_mat(quat, rotation);
  for (double* const vector : {wrench, wrench + 3}) {
    double turned[3];
    MathExtra::matvec(rotation, vector, turned);
    std::copy_n(turned, 3, vector);
  }
}

void FixPilot::compute_wrenches() {
  const dempilot::ActionSpec& spec = pilot_->contract().action;
  const bool plane = domain->dimension == 2;
  const std::size_t width = pilot_->action_size();
  dempilot::lammps::AgentColumns& agents = pool_->columns();
  const std::span<const std::int32_t> atoms = pool_->atoms();
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    const int i = atoms[row];
    double* const wrench = agents.wrench.data() + 6 * row;
    std::fill_n(wrench, 6, 0.0);
    if (!(atom->mask[i] & groupbit)) continue;  // left the group since the last decision
    push(i, agents.applied.data() + row * width, wrench);
    for (int d = 0; d < (plane ? 2 : 3); ++d)
      wrench[d] -= spec.drag * atom->v[i][d];
    if (spec.angular_drag == 0.0) continue;
    for (int d = plane ? 2 : 0; d < 3; ++d) {
      wrench[3 + d] -= spec.angular_drag * atom->omega[i][d];
    }
  }
  totals_valid_ = false;
}

/* ----------------------------------------------------------------------
   atoms that left the group since the last step are no longer pushed
------------------------------------------------------------------------- */

void FixPilot::disarm_leavers() {
  const std::span<const std::int32_t> atoms = pool_->atoms();
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    if (atom->mask[atoms[row]] & groupbit) continue;
    std::fill_n(pool_->columns().wrench.data() + 6 * row, 6, 0.0);
  }
  totals_valid_ = false;
}

void FixPilot::add_wrenches() {
  const std::span<const std::int32_t> atoms = pool_->atoms();
  const std::vector<double>& wrenches = pool_->columns().wrench;
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    const int i = atoms[row];
    const double* const wrench = wrenches.data() + 6 * row;
    for (int d = 0; d < 3; ++d)
      atom->f[i][d] += wrench[d];
    if (!turns_) continue;
    for (int d = 0; d < 3; ++d)
      atom->torque[i][d] += wrench[3 + d];
  }
}
