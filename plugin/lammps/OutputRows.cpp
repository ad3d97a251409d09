// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/OutputRows.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace dempilot::lammps {
namespace {

constexpr std::size_t page_bytes = 4096;

/// Zeros that cost nothing until they are written, at `where` if that is not null.
void* map_zeros(void* where, std::size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (where != nullptr) flags |= MAP_FIXED;
  void* const mapped = mmap(where, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_NOHUGEPAGE
  // One agent's row must not allocate a huge page. Refused by kernels without huge pages: as good.
  (void)madvise(mapped, bytes, MADV_NOHUGEPAGE);
#endif
  return mapped;
}

}  // namespace

OutputRows::~OutputRows() {
  unmap();
}

void OutputRows::unmap() {
  if (values_ != nullptr) munmap(values_, bytes());
  values_ = nullptr;
}

void OutputRows::resize(int atoms) {
  unmap();
  filled_ = 0;
  rows_.resize(static_cast<std::size_t>(std::max(atoms, 1)));
  rows_.shrink_to_fit();
  values_ = static_cast<double*>(map_zeros(nullptr, bytes()));
  for (std::size_t atom = 0; atom < rows_.size(); ++atom)
    rows_[atom] = values_ + atom * columns_;
}

void OutputRows::clear() {
  if (values_ != nullptr && filled_ > 0) map_zeros(values_, bytes());
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
  const std::size_t touched = std::min(bytes(), filled_ * (columns_ * sizeof(double) + page_bytes));
  return static_cast<double>(rows_.capacity() * sizeof(double*) + touched);
}

}  // namespace dempilot::lammps
