// SPDX-License-Identifier: GPL-2.0-only
// How an action becomes a force and a torque on its particle.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "atom.h"
#include "core/Pilot.hpp"
#include "domain.h"
#include "math_extra.h"
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
   the factors of the policy file in units of the simulation
------------------------------------------------------------------------- */

FixPilot::Gains FixPilot::find_gains() const {
  const dempilot::ActionSpec& spec = pilot_->contract().action;
  const dempilot::Scales& scales = scene_->scales();
  const bool aims = spec.target == dempilot::ActionTarget::velocity;
  return {spec.scale * (aims ? scales.velocity() : scales.force()), spec.scale * scales.torque(),
          spec.drag * scales.force() / scales.velocity(),
          spec.angular_drag * scales.torque() * scales.time};
}

/* ----------------------------------------------------------------------
   the action in the lab frame and in units of the simulation, added up in wrench:
   force, then torque; a target velocity takes the place of the force
------------------------------------------------------------------------- */

void FixPilot::push(int i, const float* action, const Gains& gains, double* wrench) const {
  const dempilot::ActionSpec& spec = pilot_->contract().action;
  const bool thrusts = dempilot::is_thrust(spec.target);
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    const double gain = entries_[k] < 3 ? gains.linear : gains.angular;
    wrench[entries_[k]] = gain * static_cast<double>(action[k]);
  }
  // The torque of a thrust_and_turn is in the lab.
  if (thrusts) std::swap(wrench[0], wrench[spec.axis]);
  if (!thrusts && spec.frame == dempilot::Frame::lab) return;
  const std::array<double, 4> quat = scene_->orientation().of(i);
  double rotation[3][3];
  MathExtra::quat_to_mat(quat.data(), rotation);
  const auto turn = [&rotation](double* vector) {
    double turned[3];
    MathExtra::matvec(rotation, vector, turned);
    std::copy_n(turned, 3, vector);
  };
  turn(wrench);
  if (!thrusts) turn(wrench + 3);
}

/* ----------------------------------------------------------------------
   what each agent is given at this step; those that left the group since the last
   decision are given nothing
------------------------------------------------------------------------- */

void FixPilot::compute_wrenches() {
  const std::size_t width = pilot_->action_size();
  const Gains gains = find_gains();
  dempilot::lammps::AgentColumns& agents = pool_->columns();
  const std::span<const std::int32_t> atoms = pool_->atoms();
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    const int i = atoms[row];
    double* const wrench = agents.wrench.data() + 6 * row;
    std::fill_n(wrench, 6, 0.0);
    const bool member = (atom->mask[i] & groupbit) != 0;
    if (member) push(i, agents.applied.data() + row * width, gains, wrench);
    if (property_output_) {
      property_output_->write(i, {wrench, property_output_->size()});
      std::fill_n(wrench, 6, 0.0);
    }
    if (member) add_drag(i, gains, wrench);
  }
  totals_valid_ = false;
}

void FixPilot::add_drag(int i, const Gains& gains, double* wrench) const {
  const bool plane = domain->dimension == 2;
  for (int d = 0; d < (plane ? 2 : 3); ++d)
    wrench[d] -= gains.drag * atom->v[i][d];
  if (gains.angular_drag == 0.0) return;
  for (int d = plane ? 2 : 0; d < 3; ++d)
    wrench[3 + d] -= gains.angular_drag * atom->omega[i][d];
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

void FixPilot::add_impulse() {
  const std::array<double, 6> before = std::exchange(step_wrench_, total_wrench());
  for (std::size_t k = 0; k < 6; ++k)
    counters_.impulse[k] += 0.5 * update->dt * (before[k] + step_wrench_[k]);
}
