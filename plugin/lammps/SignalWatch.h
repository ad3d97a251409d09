// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace dempilot::lammps {

/// While one of these lives, SIGTERM and SIGINT are noted rather than followed, so that what is in
/// memory can be saved first. A second signal is followed at once. A signal that the process
/// ignores stays ignored. Whoever handled the signals before is asked again, by follow() or when
/// the last of these goes away, for a signal that is still waiting.
///
/// For one process, however many objects, threads or simulations it has.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  /// The signal that waits; 0 when none does.
  static int noted();
  /// Does what the process did before with the signal that waits: by default, it ends. If it does
  /// not, the watch goes on.
  static void follow();
};

}  // namespace dempilot::lammps
