// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/PerAtomInput.h"

#include <utility>

#include "arg_info.h"
#include "atom.h"
#include "compute.h"
#include "error.h"
#include "fix.h"
#include "input.h"
#include "modify.h"
#include "update.h"
#include "utils.h"
#include "variable.h"

namespace dempilot::lammps {

using LAMMPS_NS::ArgInfo;
using LAMMPS_NS::Compute;
namespace utils = LAMMPS_NS::utils;

PerAtomInput::PerAtomInput(LAMMPS_NS::LAMMPS* engine, std::string argument, std::string purpose)
    : Pointers(engine), argument_(std::move(argument)), purpose_(std::move(purpose)) {
  parse();
}

void PerAtomInput::parse() {
  if (utils::is_double(argument_)) {
    number_ = utils::numeric(FLERR, argument_, false, lmp);
    return;
  }
  const ArgInfo info(argument_, ArgInfo::COMPUTE | ArgInfo::FIX | ArgInfo::VARIABLE |
                                    ArgInfo::DNAME | ArgInfo::INAME);
  switch (info.get_type()) {
    case ArgInfo::COMPUTE:
      source_ = Source::compute;
      break;
    case ArgInfo::FIX:
      source_ = Source::fix;
      break;
    case ArgInfo::VARIABLE:
      source_ = Source::variable;
      break;
    case ArgInfo::DNAME:
      source_ = Source::real_property;
      break;
    case ArgInfo::INAME:
      source_ = Source::integer_property;
      break;
    default:
      error->all(FLERR,
                 "{}: '{}' is not understood (it is neither a number nor a reference). Give a "
                 "number, v_name, c_ID, c_ID[i], f_ID, f_ID[i], d_name or d2_name[i]",
                 purpose_, argument_);
  }
  if (info.get_dim() > 1 || (info.get_dim() == 1 && source_ == Source::variable)) {
    error->all(FLERR,
               "{}: '{}' has too many indices (one number per atom is wanted). Refer to a per-atom "
               "vector or to one column of a per-atom array",
               purpose_, argument_);
  }
  name_ = info.get_name();
  column_ = info.get_dim() == 1 ? info.get_index1() : 0;
}

bool PerAtomInput::invokes_computes() const {
  return source_ == Source::compute || source_ == Source::variable ||
         source_ == Source::equal_variable || source_ == Source::atom_variable;
}

void PerAtomInput::init() {
  switch (source_) {
    case Source::number:
      break;
    case Source::variable:
    case Source::equal_variable:
    case Source::atom_variable:
      init_variable();
      break;
    case Source::compute:
      init_compute();
      break;
    case Source::fix:
      init_fix();
      break;
    case Source::real_property:
    case Source::integer_property:
      init_property();
      break;
  }
}

void PerAtomInput::init_variable() {
  index_ = input->variable->find(name_.c_str());
  if (index_ < 0) {
    error->all(FLERR,
               "{}: there is no variable '{}'. Define it before the run, e.g. with 'variable {} "
               "equal ...'",
               purpose_, name_, name_);
  }
  if (input->variable->equalstyle(index_)) {
    source_ = Source::equal_variable;
  } else if (input->variable->atomstyle(index_)) {
    source_ = Source::atom_variable;
  } else {
    error->all(FLERR,
               "{}: variable '{}' has the wrong style (it gives neither one number nor one per "
               "atom). Use an equal- or atom-style variable",
               purpose_, name_);
  }
}

void PerAtomInput::init_compute() {
  compute_ = modify->get_compute_by_id(name_);
  if (compute_ == nullptr) {
    error->all(FLERR, "{}: there is no compute '{}'. Define it before the run", purpose_, name_);
  }
  if (!compute_->peratom_flag) {
    error->all(FLERR,
               "{}: compute '{}' does not compute per-atom values (its style is {}). Refer to one "
               "that does",
               purpose_, name_, compute_->style);
  }
  const int columns = compute_->size_peratom_cols;
  if ((column_ == 0) != (columns == 0) || column_ > columns) {
    error->all(FLERR,
               "{}: '{}' does not fit compute '{}' (it has {} columns; 0 is a vector). Write c_ID "
               "for a vector and c_ID[i] for a column",
               purpose_, argument_, name_, columns);
  }
}

void PerAtomInput::init_fix() {
  fix_ = modify->get_fix_by_id(name_);
  if (fix_ == nullptr) {
    error->all(FLERR, "{}: there is no fix '{}'. Define it before the run", purpose_, name_);
  }
  if (!fix_->peratom_flag) {
    error->all(FLERR,
               "{}: fix '{}' does not compute per-atom values (its style is {}). Refer to one that "
               "does",
               purpose_, name_, fix_->style);
  }
  const int columns = fix_->size_peratom_cols;
  if ((column_ == 0) != (columns == 0) || column_ > columns) {
    error->all(
        FLERR,
        "{}: '{}' does not fit fix '{}' (it has {} columns; 0 is a vector). Write f_ID for a "
        "vector and f_ID[i] for a column",
        purpose_, argument_, name_, columns);
  }
}

void PerAtomInput::init_property() {
  int is_real = 0;
  int columns = 0;
  index_ = atom->find_custom(name_.c_str(), is_real, columns);
  const bool want_real = source_ == Source::real_property;
  if (index_ < 0 || (is_real != 0) != want_real) {
    error->all(FLERR, "{}: there is no per-atom property '{}'. Create it with fix property/atom",
               purpose_, argument_);
  }
  if ((column_ == 0) != (columns == 0) || column_ > columns) {
    error->all(
        FLERR,
        "{}: '{}' does not fit the property (it has {} columns; 0 is a vector). Write d_name "
        "for a vector and d2_name[i] for a column",
        purpose_, argument_, columns);
  }
}

double PerAtomInput::global_value() {
  return source_ == Source::number ? number_ : input->variable->compute_equal(index_);
}

void PerAtomInput::evaluate(std::span<const std::int32_t> atoms, int agent_group, double* out,
                            std::size_t stride) {
  switch (source_) {
    case Source::number:
    case Source::variable:
    case Source::equal_variable: {
      const double value = global_value();
      for (std::size_t n = 0; n < atoms.size(); ++n)
        out[n * stride] = value;
      break;
    }
    case Source::atom_variable:
      scratch_.resize(static_cast<std::size_t>(atom->nlocal));
      input->variable->compute_atom(index_, agent_group, scratch_.data(), 1, 0);
      for (std::size_t n = 0; n < atoms.size(); ++n) {
        out[n * stride] = scratch_[static_cast<std::size_t>(atoms[n])];
      }
      break;
    case Source::compute:
      gather_compute(atoms, out, stride);
      break;
    case Source::fix:
      gather_fix(atoms, out, stride);
      break;
    case Source::real_property:
    case Source::integer_property:
      gather_property(atoms, out, stride);
      break;
  }
}

void PerAtomInput::gather_compute(std::span<const std::int32_t> atoms, double* out,
                                  std::size_t stride) {
  if (!(compute_->invoked_flag & Compute::INVOKED_PERATOM)) {
    compute_->compute_peratom();
    compute_->invoked_flag |= Compute::INVOKED_PERATOM;
  }
  for (std::size_t n = 0; n < atoms.size(); ++n) {
    const int i = atoms[n];
    out[n * stride] =
        column_ == 0 ? compute_->vector_atom[i] : compute_->array_atom[i][column_ - 1];
  }
}

void PerAtomInput::gather_fix(std::span<const std::int32_t> atoms, double* out,
                              std::size_t stride) {
  if (update->ntimestep % fix_->peratom_freq != 0) {
    error->all(FLERR,
               "{}: fix '{}' has no values on step {} (it computes them every {} steps). Let it "
               "compute them on every decision step",
               purpose_, name_, update->ntimestep, fix_->peratom_freq);
  }
  for (std::size_t n = 0; n < atoms.size(); ++n) {
    const int i = atoms[n];
    out[n * stride] = column_ == 0 ? fix_->vector_atom[i] : fix_->array_atom[i][column_ - 1];
  }
}

void PerAtomInput::gather_property(std::span<const std::int32_t> atoms, double* out,
                                   std::size_t stride) {
  const bool real = source_ == Source::real_property;
  for (std::size_t n = 0; n < atoms.size(); ++n) {
    const int i = atoms[n];
    if (column_ == 0) {
      out[n * stride] = real ? atom->dvector[index_][i] : atom->ivector[index_][i];
    } else {
      out[n * stride] =
          real ? atom->darray[index_][i][column_ - 1] : atom->iarray[index_][i][column_ - 1];
    }
  }
}

}  // namespace dempilot::lammps
