#pragma once

#include <array>
#include <cstdio>
#include <string>

/// Input scripts shared by the tests of fix pilot.
namespace dempilot::lammps::testing {

/// A number that LAMMPS reads back bit for bit.
inline std::string exact(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.17g", value);
  return text.data();
}

/// A periodic bed of touching spheres that settle: type 1 are grains, type 2 agents. The group
/// `agents` is there, the fix is not.
inline std::string granular_bed() {
  return R"(
units lj
atom_style sphere
atom_modify map array sort 10 1.0
boundary p p f
newton off
comm_modify vel yes
region box block 0 12 0 12 0 8
create_box 2 box
create_atoms 1 random 420 4711 box overlap 0.95 maxtry 500
create_atoms 2 random 40 815 box overlap 0.95 maxtry 500
set type * diameter 1.0 density 1.0
group agents type 2
group grains type 1
pair_style gran/hooke/history 2000.0 NULL 50.0 NULL 0.4 1
pair_coeff * *
neighbor 0.3 bin
timestep 0.004
fix floor all wall/gran hooke/history 2000.0 NULL 50.0 NULL 0.4 1 zplane 0.0 8.0
fix weight all gravity 1.0 vector 0 0 -1
fix move all nve/sphere
thermo 1000
)";
}

/// A data file with agents (type 2) far enough apart never to touch, and grains (type 1) between
/// them, so that trajectories do not depend on the order of sums.
inline std::string sparse_world(int per_side) {
  std::string atoms;
  int id = 0;
  for (int i = 0; i < per_side; ++i) {
    for (int j = 0; j < per_side; ++j) {
      for (int k = 0; k < per_side; ++k) {
        ++id;
        const int type = (i + j + k) % 2 + 1;
        const double shift = 0.11 * ((7 * i + 3 * j + 5 * k) % 9);
        atoms += std::to_string(id) + " " + std::to_string(type) + " 0.5 1.0 " +
                 std::to_string(1.3 + 3.0 * i + shift) + " " +
                 std::to_string(1.1 + 3.0 * j - shift / 2) + " " +
                 std::to_string(1.2 + 3.0 * k + shift / 3) + "\n";
      }
    }
  }
  const std::string side = std::to_string(3 * per_side);
  return "sparse\n\n" + std::to_string(id) + " atoms\n2 atom types\n0 " + side + " xlo xhi\n0 " +
         side + " ylo yhi\n0 " + side + " zlo zhi\n\nAtoms # sphere\n\n" + atoms;
}

/// Reads that world from sparse.data; grains rest, agents move without touching.
inline std::string sparse_setup() {
  return R"(
units lj
atom_style sphere
atom_modify map array sort 7 1.0
boundary p p p
read_data sparse.data
group agents type 2
group grains type 1
pair_style zero 1.0
pair_coeff * *
neighbor 0.4 bin
timestep 0.01
fix move agents nve/sphere
thermo 1000
)";
}

/// Dumps everything that the fix with ID pilot tells of the agents, without loss.
inline std::string dump_agents(int every, const std::string& more = "") {
  return "dump agents agents custom " + std::to_string(every) + " agents.dump id proc " + more +
         " f_pilot[*]\ndump_modify agents sort id format float %.17g\n";
}

}  // namespace dempilot::lammps::testing
