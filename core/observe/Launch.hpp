#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <string>

namespace dempilot {

/// Calls kernel(0) to kernel(count - 1) on `space`. Kokkos wants its label as a std::string, which
/// is made once and not at every decision.
template <class ExecutionSpace, class Kernel>
void launch(const ExecutionSpace& space, std::size_t count, const Kernel& kernel) {
  using Range = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<int>>;
  static const std::string label(Kernel::label);
  Kokkos::parallel_for(label, Range(space, 0, static_cast<int>(count)), kernel);
}

}  // namespace dempilot
