// Uses a little of the installed core: enough to link Kokkos and HDF5.

#include <cstdio>
#include <string>

#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "core/policy/PolicyFile.hpp"

int main() {
  dempilot::initialize_runtime(1);
  try {
    dempilot::load_policy_file("no-such.policy.h5");
  } catch (const dempilot::Error& error) {
    const bool names_the_file =
        std::string(error.what()).find("no-such.policy.h5") != std::string::npos;
    return names_the_file ? 0 : 1;
  }
  std::puts("a missing policy file was accepted");
  return 1;
}
