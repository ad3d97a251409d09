// SPDX-License-Identifier: GPL-2.0-only

// Entry point of dempilotplugin.so.

#include "lammpsplugin.h"
#include "plugin/lammps/fix_pilot.h"
#include "version.h"

namespace {

LAMMPS_NS::Fix* create_fix_pilot(LAMMPS_NS::LAMMPS* lmp, int narg, char** arg) {
  return new LAMMPS_NS::FixPilot(lmp, narg, arg);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lmp, void* handle,
                                                                         void* regfunc) {
  lammpsplugin_t plugin{};
  plugin.version = LAMMPS_VERSION;
  plugin.style = "fix";
  plugin.name = "pilot";
  plugin.info = "trained policies at the controls of particles";
  plugin.author = "the DEMPilot authors";
  plugin.creator.v2 = reinterpret_cast<lammpsplugin_factory2*>(&create_fix_pilot);
  plugin.handle = handle;
  const auto register_plugin = reinterpret_cast<lammpsplugin_regfunc>(regfunc);
  register_plugin(&plugin, lmp);
}
