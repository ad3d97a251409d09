#pragma once

#include <Kokkos_Core.hpp>

#include <type_traits>

/// Whether there is a Serial back end to compute on. A plugin that shares the Kokkos of its engine
/// has those that the engine uses.
#if defined(KOKKOS_ENABLE_SERIAL) && !defined(DEMPILOT_WITHOUT_SERIAL)
#define DEMPILOT_HAS_SERIAL
#endif

/// What differs between Kokkos 3.4 and later stands here, and the names the rest of the core uses
/// for execution spaces.
namespace dempilot {

/// Runs `body` once for each back end that this build has, with an instance of its execution space
/// and its name.
template <class Body>
void for_each_backend(Body&& body) {
#ifdef DEMPILOT_HAS_SERIAL
  body(Kokkos::Serial{}, "Serial");
#endif
#ifdef KOKKOS_ENABLE_OPENMP
  body(Kokkos::OpenMP{}, "OpenMP");
#endif
#ifdef KOKKOS_ENABLE_CUDA
  body(Kokkos::Cuda{}, "CUDA");
#endif
}

template <class ExecutionSpace>
inline constexpr bool runs_on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace,
                               typename ExecutionSpace::memory_space>::accessible;

/// Owning row-major arrays in the memory of an execution space.
template <class T, class ExecutionSpace>
using Vector = Kokkos::View<T*, Kokkos::LayoutRight, typename ExecutionSpace::memory_space>;
template <class T, class ExecutionSpace>
using Matrix = Kokkos::View<T**, Kokkos::LayoutRight, typename ExecutionSpace::memory_space>;

/// Views of memory that somebody else owns.
template <class T>
using HostVector = Kokkos::View<T*, Kokkos::LayoutRight, Kokkos::HostSpace,
                                Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
template <class T>
using HostMatrix = Kokkos::View<T**, Kokkos::LayoutRight, Kokkos::HostSpace,
                                Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

namespace detail {

/// Kokkos::initialize with `threads` threads and without its advice about thread binding, which is
/// the engine's business.
inline void initialize_kokkos(int threads) {
#if defined(KOKKOS_VERSION) && KOKKOS_VERSION >= 30700
  Kokkos::initialize(
      Kokkos::InitializationSettings().set_num_threads(threads).set_disable_warnings(true));
#else
  Kokkos::InitArguments arguments;
  arguments.num_threads = threads;
  arguments.disable_warnings = true;
  Kokkos::initialize(arguments);
#endif
}

}  // namespace detail
}  // namespace dempilot
