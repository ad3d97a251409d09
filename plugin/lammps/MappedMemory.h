// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>

namespace dempilot::lammps {

/// Zeros that cost nothing until they are written, page by page. Throws std::bad_alloc.
void* map_zeros(std::size_t bytes);
/// Makes mapped memory zero again and gives its pages back. Throws std::bad_alloc.
void remap_zeros(void* memory, std::size_t bytes);
void unmap(void* memory, std::size_t bytes) noexcept;

/// For unique_ptr to mapped memory.
struct Unmapper {
  std::size_t bytes = 0;
  void operator()(void* memory) const noexcept { unmap(memory, bytes); }
};

/// Allocator of arrays with an entry per atom: straight from the system and straight back, so that
/// growing them leaves no holes of their size in the heap.
template <class T>
struct MappedAllocator {
  using value_type = T;

  MappedAllocator() = default;
  template <class U>
  explicit MappedAllocator(const MappedAllocator<U>& /*other*/) {}

  T* allocate(std::size_t count) { return static_cast<T*>(map_zeros(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { unmap(memory, count * sizeof(T)); }

  bool operator==(const MappedAllocator& /*other*/) const { return true; }
};

}  // namespace dempilot::lammps
