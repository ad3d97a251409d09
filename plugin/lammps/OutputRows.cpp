// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/OutputRows.h"

#include <algorithm>

namespace dempilot::lammps {

void OutputRows::resize(int atoms) {
  const auto count = static_cast<std::size_t>(std::max(atoms, 1));
  values_.reset();
  filled_ = 0;
  rows_ = {};  // give the old one back before there is a new one
  rows_.resize(count);
  values_ = {static_cast<double*>(map_zeros(bytes())), Unmapper{bytes()}};
  for (std::size_t atom = 0; atom < count; ++atom)
    rows_[atom] = values_.get() + atom * columns_;
}

void OutputRows::clear() {
  if (filled_ > 0) remap_zeros(values_.get(), bytes());
  filled_ = 0;
}

double* OutputRows::fill(int atom) {
  double* const row = rows_[static_cast<std::size_t>(atom)];
  if (row[0] == 0.0) ++filled_;
  return row;
}

void OutputRows::erase(int atom) {
  std::fill_n(rows_[static_cast<std::size_t>(atom)], columns_, 0.0);
}

double OutputRows::memory_usage() const {
  constexpr std::size_t page_bytes = 4096;
  const std::size_t touched = std::min(bytes(), filled_ * (columns_ * sizeof(double) + page_bytes));
  return static_cast<double>(rows_.capacity() * sizeof(double*) + touched);
}

}  // namespace dempilot::lammps
