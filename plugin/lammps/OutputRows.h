// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "plugin/lammps/MappedMemory.h"

namespace dempilot::lammps {

/// The per-atom array that LAMMPS reads: one row of doubles for every atom, contiguous because
/// LAMMPS strides through it, and zero for all atoms but agents.
///
/// A million grains would pay for rows that a thousand agents fill. The array is therefore mapped
/// without being backed by memory: reading a page that was never written gives zeros for nothing,
/// and only the pages with an agent's row are ever allocated. The first number of a filled row is
/// not zero.
class OutputRows {
 public:
  explicit OutputRows(std::size_t columns) : columns_(columns) {}

  std::size_t columns() const { return columns_; }

  /// Makes rows for `atoms` atoms, all zero. Throws std::bad_alloc.
  void resize(int atoms);
  /// Makes all rows zero and gives their memory back.
  void clear();
  /// The row of an atom, to be filled.
  double* fill(int atom);
  /// Makes the row of an atom zero.
  void erase(int atom);

  /// One pointer per atom, for LAMMPS to read; never null after resize().
  double** rows() { return rows_.data(); }
  /// How often an empty row was filled since the last clear(): bounds the pages in use.
  std::size_t filled() const { return filled_; }
  double memory_usage() const;

 private:
  std::size_t bytes() const { return rows_.size() * columns_ * sizeof(double); }

  std::size_t columns_;
  std::size_t filled_ = 0;
  std::vector<double*, MappedAllocator<double*>> rows_;
  std::unique_ptr<double[], Unmapper> values_;
};

}  // namespace dempilot::lammps
