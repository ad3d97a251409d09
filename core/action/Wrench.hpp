#pragma once

#include "core/Function.hpp"
#include "core/Rotation.hpp"

namespace dempilot {

/// Entries of a wrench: force, then torque.
inline constexpr int wrench_size = 6;

/// How an action becomes a force and a torque on its particle, in the lab and in units of the
/// simulation (see ActionSpec). Plain numbers, alike on a host and on a device.
struct WrenchRule {
  int width = 0;                ///< entries of an action
  int entry[wrench_size] = {};  ///< where each of them goes in a wrench
  bool thrusts = false;         ///< the force is along the director, the torque in the lab
  bool in_body = false;         ///< the force is given in the body's axes; it is for a thrust
  int axis = 0;                 ///< of the body that a thrust acts along
  bool is_plane = false;        ///< of the simulation
  double linear = 0.0;          ///< what an action of 1 becomes: force, or target velocity
  double angular = 0.0;         ///< torque
  double drag = 0.0;            ///< force against a velocity of 1
  double angular_drag = 0.0;    ///< torque against an angular velocity of 1

  /// Writes the wrench (6) of an action (width) of a particle with this orientation, a unit
  /// quaternion w, x, y, z from body to lab, or null where no axes of the body are needed.
  DEMPILOT_FUNCTION void push(const float* action, const double* orientation,
                              double* wrench) const {
    for (int k = 0; k < width; ++k)
      wrench[entry[k]] = (entry[k] < 3 ? linear : angular) * static_cast<double>(action[k]);
    if (!in_body) return;
    if (thrusts) {
      const double force = wrench[0];
      wrench[0] = 0.0;
      wrench[axis] = force;
    }
    const double* const q = orientation;
    rotate(q[0], q[1], q[2], q[3], wrench);
    if (!thrusts) rotate(q[0], q[1], q[2], q[3], wrench + 3);
  }

  /// Adds the drag on a particle's motion to its wrench (6); `angular_velocity` may be null where
  /// there is no angular drag.
  DEMPILOT_FUNCTION void add_drag(const double* velocity, const double* angular_velocity,
                                  double* wrench) const {
    for (int d = 0; d < (is_plane ? 2 : 3); ++d)
      wrench[d] -= drag * velocity[d];
    if (angular_drag == 0.0) return;
    for (int d = is_plane ? 2 : 0; d < 3; ++d)
      wrench[3 + d] -= angular_drag * angular_velocity[d];
  }
};

}  // namespace dempilot
