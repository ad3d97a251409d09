// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "core/action/Wrench.hpp"

/// What a step does to agents on a device: kernels over rows, whose atoms are `agents` (rows).
namespace dempilot::lammps {

/// A force and a torque, or sums of them.
struct Wrench {
  double of[wrench_size] = {};
};

/// What each agent is given at this step: nothing if it has left the group.
struct WrenchMaker {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::compute_wrenches";
  const std::int32_t* agents;
  const int* mask;
  int bit;
  WrenchRule rule;
  const float* action;        ///< (rows, rule.width)
  const double* orientation;  ///< (rows, 4), or null
  const double* velocity;     ///< (atoms, 3)
  const double* omega;        ///< (atoms, 3), or null
  double* wrench;             ///< (rows, 6)

  KOKKOS_FUNCTION
  void operator()(int row) const {
    const auto i = static_cast<std::size_t>(agents[row]);
    double made[wrench_size] = {};
    if ((mask[i] & bit) != 0) {
      const double* const turn = orientation == nullptr ? nullptr : orientation + 4 * row;
      rule.push(action + static_cast<std::size_t>(row) * rule.width, turn, made);
      rule.add_drag(velocity + 3 * i, omega == nullptr ? nullptr : omega + 3 * i, made);
    }
    for (int k = 0; k < wrench_size; ++k)
      wrench[wrench_size * static_cast<std::size_t>(row) + k] = made[k];
  }
};

struct WrenchGiver {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::add_wrenches";
  const std::int32_t* agents;
  const double* wrench;  ///< (rows, 6)
  double* force;         ///< (atoms, 3)
  double* torque;        ///< (atoms, 3), or null: none is given

  KOKKOS_FUNCTION
  void operator()(int row) const {
    const auto i = static_cast<std::size_t>(agents[row]);
    const double* const mine = wrench + wrench_size * static_cast<std::size_t>(row);
    for (int d = 0; d < 3; ++d)
      force[3 * i + d] += mine[d];
    for (int d = 0; d < 3 && torque != nullptr; ++d)
      torque[3 * i + d] += mine[3 + d];
  }
};

/// Agents that left the group are no longer pushed.
struct LeaverDisarmer {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::disarm_leavers";
  const std::int32_t* agents;
  const int* mask;
  int bit;
  double* wrench;  ///< (rows, 6)

  KOKKOS_FUNCTION
  void operator()(int row) const {
    if ((mask[agents[row]] & bit) != 0) return;
    for (int k = 0; k < wrench_size; ++k)
      wrench[wrench_size * static_cast<std::size_t>(row) + k] = 0.0;
  }
};

struct WrenchSum {
  using value_type = Wrench;
  const double* wrench;  ///< (rows, 6)

  KOKKOS_FUNCTION
  void operator()(int row, Wrench& sum) const {
    for (int k = 0; k < wrench_size; ++k)
      sum.of[k] += wrench[wrench_size * static_cast<std::size_t>(row) + k];
  }
  KOKKOS_FUNCTION static void init(Wrench& sum) { sum = Wrench(); }
  KOKKOS_FUNCTION static void join(Wrench& sum, const Wrench& other) {
    for (int k = 0; k < wrench_size; ++k)
      sum.of[k] += other.of[k];
  }
};

/// Momentum given since the last step: each step's force acts for half a step before it and for
/// half a step after it, as in velocity Verlet.
template <class View>
struct ImpulseAdder {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::add_impulse";
  View sum;      ///< at this step
  View before;   ///< at the last; becomes that of this one
  View impulse;  ///< or without data: nothing is added
  double half_step;

  KOKKOS_FUNCTION
  void operator()(int) const {
    for (int k = 0; k < wrench_size; ++k) {
      if (impulse.data() != nullptr) impulse().of[k] += half_step * (before().of[k] + sum().of[k]);
      before().of[k] = sum().of[k];
    }
  }
};

struct ValueSum {
  const float* value;

  KOKKOS_FUNCTION
  void operator()(int row, double& sum) const { sum += static_cast<double>(value[row]); }
};

/// Counts atoms that are agents and not members of the group, or the other way round.
struct Strangers {
  const std::int32_t* row;  ///< of each atom
  const int* mask;
  int bit;

  KOKKOS_FUNCTION
  void operator()(int i, int& count) const {
    count += ((mask[i] & bit) != 0) != (row[i] >= 0) ? 1 : 0;
  }
};

/// Lets agents begin anew where told: their carry is zero, and they have done nothing yet.
struct Resetter {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::reset";
  const double* told;  ///< (rows), nonzero: begin anew; or null: all do
  float* carry;        ///< (rows, width)
  std::size_t width;
  double* reset_time;  ///< (rows)
  double now;

  KOKKOS_FUNCTION
  void operator()(int row) const {
    if (told != nullptr && told[row] == 0.0) return;
    for (std::size_t k = 0; k < width; ++k)
      carry[static_cast<std::size_t>(row) * width + k] = 0.0F;
    reset_time[row] = now;
  }
};

/// Keeps the force on the group's atoms, zeros for the others.
struct ForceKeeper {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::note_contact_forces";
  const double* force;  ///< (atoms, 3)
  const int* mask;
  int bit;
  double* kept;  ///< (atoms, 3)

  KOKKOS_FUNCTION
  void operator()(int i) const {
    for (std::size_t d = 3 * static_cast<std::size_t>(i), n = 0; n < 3; ++n)
      kept[d + n] = (mask[i] & bit) != 0 ? force[d + n] : 0.0;
  }
};

/// What agents see of their own past; null what they do not.
struct PastReader {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::remember";
  const std::int32_t* agents;
  const double* kept_force;  ///< (atoms, 3)
  double* contact_force;     ///< (rows, 3)
  const float* pending;      ///< (rows, width)
  float* previous_action;    ///< (rows, width)
  std::size_t width;
  const double* reset_time;  ///< (rows)
  double decision_time;      ///< of the last decision
  double* time_since_reset;  ///< (rows)
  double now;

  KOKKOS_FUNCTION
  void operator()(int row) const {
    const auto n = static_cast<std::size_t>(row);
    if (contact_force != nullptr) {
      for (std::size_t d = 0; d < 3; ++d)
        contact_force[3 * n + d] = kept_force[3 * static_cast<std::size_t>(agents[row]) + d];
    }
    if (previous_action != nullptr) {
      const bool acted = reset_time[row] <= decision_time;
      for (std::size_t k = 0; k < width; ++k)
        previous_action[n * width + k] = acted ? pending[n * width + k] : 0.0F;
    }
    if (time_since_reset != nullptr) time_since_reset[row] = now - reset_time[row];
  }
};

}  // namespace dempilot::lammps
