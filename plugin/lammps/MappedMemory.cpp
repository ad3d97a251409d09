// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/MappedMemory.h"

#include <sys/mman.h>

#include <new>

namespace dempilot::lammps {
namespace {

void* map_at(void* where, std::size_t bytes) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (where != nullptr) flags |= MAP_FIXED;
  void* const mapped = mmap(where, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_NOHUGEPAGE
  // One number must not allocate a huge page. Refused by kernels without huge pages: as good.
  (void)madvise(mapped, bytes, MADV_NOHUGEPAGE);
#endif
  return mapped;
}

}  // namespace

void* map_zeros(std::size_t bytes) {
  return map_at(nullptr, bytes);
}

void remap_zeros(void* memory, std::size_t bytes) {
  map_at(memory, bytes);
}

void unmap(void* memory, std::size_t bytes) noexcept {
  munmap(memory, bytes);
}

}  // namespace dempilot::lammps
