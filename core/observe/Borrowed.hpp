#pragma once

#include <Kokkos_Core.hpp>

namespace dempilot {

/// View of memory that somebody else owns, row-major, where `ExecutionSpace` can reach it.
template <class T, class ExecutionSpace>
using Borrowed = Kokkos::View<T, Kokkos::LayoutRight, typename ExecutionSpace::memory_space,
                              Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

}  // namespace dempilot
