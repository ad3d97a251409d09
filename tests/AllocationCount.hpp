#pragma once

#include <cstddef>

namespace dempilot::test {

/// How often this process has asked for memory on the heap, by whatever function; 0 for ever where
/// it cannot be told, under AddressSanitizer.
std::size_t allocation_count();

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
inline constexpr bool counts_allocations = false;
#else
inline constexpr bool counts_allocations = true;
#endif

}  // namespace dempilot::test
