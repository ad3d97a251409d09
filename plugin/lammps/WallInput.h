// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Walls.hpp"
#include "pointers.h"

namespace LAMMPS_NS {
class Region;
}

namespace dempilot::lammps {

/// Where walls are: faces of the simulation box, surfaces of LAMMPS regions.
struct WallSources {
  bool box = false;             ///< all faces that are not periodic
  std::array<bool, 6> faces{};  ///< these: lower x, upper x, lower y, ...
  std::vector<std::string> regions;

  bool empty() const { return !box && regions.empty() && faces == std::array<bool, 6>{}; }
  /// Adds what a word means: box, a face (xlo, xhi, ylo, ...) or the ID of a region.
  void add(const std::string& word);
};

/// A set of walls that agents can sense.
class WallInput : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("fix pilot agents").
  WallInput(LAMMPS_NS::LAMMPS* lmp, WallSources sources, std::string purpose);

  /// Looks the regions up; to be called at the start of every run. Collective.
  void init();
  /// Whether evaluation may invoke computes (through variables that move a region).
  bool invokes_computes() const;
  /// Vectors from each agent to the nearest point of each wall within `range`, (agents,
  /// per_agent(), 3); infinity where there is none. Valid until the next call. Collective.
  std::span<const double> find(std::span<const std::int32_t> agents, double range);
  /// Whether there are walls beside the faces of the box.
  bool sees_regions() const { return !regions_.empty(); }
  /// The box as it is, with its faces that are walls.
  WallBox box() const;
  /// Places for walls of one agent.
  std::size_t per_agent() const { return per_agent_; }

 private:
  void find_box(std::span<const std::int32_t> agents);
  void find_region(LAMMPS_NS::Region& region, std::size_t first,
                   std::span<const std::int32_t> agents, double range);

  bool is_fixed(std::size_t face) const;
  bool sees_faces() const;
  void check_faces() const;
  void warn_of_shrinking_faces();

  WallSources sources_;
  std::string purpose_;
  std::string told_;  ///< faces that the user has been warned of
  std::vector<LAMMPS_NS::Region*> regions_;
  std::size_t per_agent_ = 0;
  std::vector<double> faces_;
  std::vector<double> vectors_;
};

}  // namespace dempilot::lammps
