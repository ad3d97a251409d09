// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pointers.h"

namespace dempilot::lammps {

/// Per-atom properties of fix property/atom that are written: d_name or d2_name[i], one for each
/// number.
class PropertyOutput : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("Fix pilot agents: bind target_velocity"). Stops with an
  /// error when an argument is no such property.
  PropertyOutput(LAMMPS_NS::LAMMPS* lmp, const std::vector<std::string>& arguments,
                 std::string purpose);

  /// Looks the properties up; to be called at the start of every run. Collective.
  void init();
  std::size_t size() const { return columns_.size(); }
  /// Writes the numbers of atom `i`, size() of them.
  void write(int i, std::span<const double> values);

 private:
  struct Column {
    std::string argument;
    std::string name;
    int column = 0;  ///< from 1; 0: not an array
    int index = -1;
  };

  std::string purpose_;
  std::vector<Column> columns_;
};

}  // namespace dempilot::lammps
