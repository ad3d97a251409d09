// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/PropertyOutput.h"

#include <utility>

#include "arg_info.h"
#include "atom.h"
#include "error.h"

namespace dempilot::lammps {

using LAMMPS_NS::ArgInfo;

PropertyOutput::PropertyOutput(LAMMPS_NS::LAMMPS* engine, const std::vector<std::string>& arguments,
                               std::string purpose)
    : Pointers(engine), purpose_(std::move(purpose)) {
  for (const std::string& argument : arguments) {
    const ArgInfo info(argument, ArgInfo::DNAME);
    if (info.get_type() != ArgInfo::DNAME || info.get_dim() > 1) {
      error->all(FLERR,
                 "{}: '{}' cannot be written (actions go to floating-point properties of fix "
                 "property/atom). Give d_name or d2_name[i]",
                 purpose_, argument);
    }
    columns_.push_back({argument, info.get_name(), info.get_dim() == 1 ? info.get_index1() : 0});
  }
}

void PropertyOutput::init() {
  for (Column& column : columns_) {
    int is_real = 0;
    int columns = 0;
    column.index = atom->find_custom(column.name.c_str(), is_real, columns);
    if (column.index < 0 || is_real == 0) {
      error->all(FLERR, "{}: there is no per-atom property '{}'. Create it with fix property/atom",
                 purpose_, column.argument);
    }
    if ((column.column == 0) != (columns == 0) || column.column > columns) {
      error->all(
          FLERR,
          "{}: '{}' does not fit the property (it has {} columns; 0 is a vector). Write d_name for "
          "a vector and d2_name[i] for a column",
          purpose_, column.argument, columns);
    }
  }
}

void PropertyOutput::write(int i, std::span<const double> values) {
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    const Column& column = columns_[k];
    if (column.column == 0) {
      atom->dvector[column.index][i] = values[k];
    } else {
      atom->darray[column.index][i][column.column - 1] = values[k];
    }
  }
}

}  // namespace dempilot::lammps
