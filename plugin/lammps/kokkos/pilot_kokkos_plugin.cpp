// SPDX-License-Identifier: GPL-2.0-only

// Entry point of dempilotkkplugin.so, which is made for one LAMMPS with KOKKOS and shares its
// Kokkos.

#include <sstream>
#include <string>

#include "error.h"
#include "lammps.h"
#include "lammpsplugin.h"
#include "plugin/lammps/kokkos/fix_pilot_kokkos.h"
#include "version.h"

namespace {

using LAMMPS_NS::LAMMPS;

/// What Kokkos, the one that runs, says of its version, e.g. "4.6.99".
std::string running_kokkos() {
  std::ostringstream text;
  Kokkos::print_configuration(text);
  const std::string key = "Kokkos Version:";
  const std::string said = text.str();
  const auto found = said.find(key);
  if (found == std::string::npos) return "unknown";
  std::string version;
  std::istringstream(said.substr(found + key.size())) >> version;
  return version;
}

void check_kokkos(LAMMPS* lmp) {
  if (lmp->kokkos == nullptr) {
    lmp->error->all(
        FLERR,
        "Fix pilot/kk: KOKKOS is not switched on (its atoms are where KOKKOS computes). "
        "Start LAMMPS with '-k on' and '-sf kk', or use fix pilot");
  }
  const std::string mine = std::to_string(KOKKOS_VERSION_MAJOR) + "." +
                           std::to_string(KOKKOS_VERSION_MINOR) + "." +
                           std::to_string(KOKKOS_VERSION_PATCH);
  const std::string running = running_kokkos();
  if (running == mine) return;
  lmp->error->all(FLERR,
                  "Fix pilot/kk: this LAMMPS runs Kokkos {} (the plugin was made for Kokkos {}). "
                  "Build the plugin with the Kokkos that LAMMPS was built with",
                  running, mine);
}

LAMMPS_NS::Fix* create_fix(LAMMPS* lmp, int narg, char** arg) {
  check_kokkos(lmp);
  return new LAMMPS_NS::FixPilotKokkos(lmp, narg, arg);
}

LAMMPS_NS::Fix* create_host_fix(LAMMPS* lmp, int narg, char** arg) {
  return new LAMMPS_NS::FixPilot(lmp, narg, arg);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lmp, void* handle,
                                                                         void* regfunc) {
  lammpsplugin_t plugin{};
  plugin.version = LAMMPS_VERSION;
  plugin.style = "fix";
  plugin.info = "trained policies at the controls of particles, where KOKKOS computes";
  plugin.author = "the DEMPilot authors";
  plugin.creator.v2 = reinterpret_cast<lammpsplugin_factory2*>(&create_fix);
  plugin.handle = handle;
  const auto register_plugin = reinterpret_cast<lammpsplugin_regfunc>(regfunc);
  for (const char* const name : {"pilot/kk", "pilot/kk/device"}) {
    plugin.name = name;
    register_plugin(&plugin, lmp);
  }
  // For scripts that switch suffixes off; with '-sf kk', LAMMPS takes the other.
  plugin.name = "pilot";
  plugin.creator.v2 = reinterpret_cast<lammpsplugin_factory2*>(&create_host_fix);
  register_plugin(&plugin, lmp);
}
