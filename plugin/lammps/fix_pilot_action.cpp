// SPDX-License-Identifier: GPL-2.0-only
// How an action becomes a force and a torque on its particle.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "atom.h"
#include "core/Pilot.hpp"
#include "core/action/Wrench.hpp"
#include "domain.h"
#include "plugin/lammps/PropertyOutput.h"
#include "plugin/lammps/SceneBuilder.h"
#include "plugin/lammps/fix_pilot.h"
#include "update.h"

using namespace LAMMPS_NS;

void FixPilot::give_pending() {
  if (counters_.is_pending == 0) return;
  pool_->columns().applied = pool_->columns().pending;
  counters_.is_pending = 0;
}

/* ----------------------------------------------------------------------
   what the policy file says of actions, in units of the simulation
------------------------------------------------------------------------- */

dempilot::WrenchRule FixPilot::find_rule() const {
  const dempilot::ActionSpec& spec = pilot_->contract().action;
  const dempilot::Scales& scales = scene_->scales();
  const bool aims = spec.target == dempilot::ActionTarget::velocity;
  dempilot::WrenchRule rule;
  rule.width = static_cast<int>(entries_.size());
  std::ranges::copy(entries_, rule.entry);
  rule.thrusts = dempilot::is_thrust(spec.target);
  rule.in_body = rule.thrusts || spec.frame == dempilot::Frame::body;
  rule.axis = spec.axis;
  rule.is_plane = domain->dimension == 2;
  rule.linear = spec.scale * (aims ? scales.velocity() : scales.force());
  rule.angular = spec.scale * scales.torque();
  rule.drag = spec.drag * scales.force() / scales.velocity();
  rule.angular_drag = spec.angular_drag * scales.torque() * scales.time;
  return rule;
}

/* ----------------------------------------------------------------------
   what each agent is given at this step; those that left the group since the last
   decision are given nothing
------------------------------------------------------------------------- */

void FixPilot::compute_wrenches() {
  const std::size_t width = pilot_->action_size();
  const dempilot::WrenchRule rule = find_rule();
  dempilot::lammps::AgentColumns& agents = pool_->columns();
  const std::span<const std::int32_t> atoms = pool_->atoms();
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    const int i = atoms[row];
    double* const wrench = agents.wrench.data() + 6 * row;
    std::fill_n(wrench, 6, 0.0);
    const bool member = (atom->mask[i] & groupbit) != 0;
    if (member) {
      std::array<double, 4> orientation{};
      if (rule.in_body) orientation = scene_->orientation().of(i);
      rule.push(agents.applied.data() + row * width, orientation.data(), wrench);
    }
    if (property_output_) {
      property_output_->write(i, {wrench, property_output_->size()});
      std::fill_n(wrench, 6, 0.0);
    }
    if (member) rule.add_drag(atom->v[i], atom->omega_flag ? atom->omega[i] : nullptr, wrench);
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
    double* const wrench = pool_->columns().wrench.data() + 6 * row;
    std::fill_n(wrench, 6, 0.0);
    if (property_output_) property_output_->write(atoms[row], {wrench, property_output_->size()});
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

/* ----------------------------------------------------------------------
   momentum given to the agents of this rank: as velocity Verlet does, each step's
   force acts for half a step before it and for half a step after it
------------------------------------------------------------------------- */

std::array<double, 6> FixPilot::total_wrench() const {
  std::array<double, 6> total{};
  const double* wrench = pool_->columns().wrench.data();
  for (std::size_t row = 0; row < pool_->size(); ++row, wrench += 6) {
    for (std::size_t k = 0; k < 6; ++k)
      total[k] += wrench[k];
  }
  return total;
}

void FixPilot::note_wrench() {
  step_wrench_ = total_wrench();
}

void FixPilot::add_impulse() {
  const std::array<double, 6> before = std::exchange(step_wrench_, total_wrench());
  for (std::size_t k = 0; k < 6; ++k)
    counters_.impulse[k] += 0.5 * update->dt * (before[k] + step_wrench_[k]);
}
