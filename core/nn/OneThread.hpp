#pragma once

#include <Kokkos_Macros.hpp>
#include <cstddef>
#include <cstdint>

namespace dempilot::nn::detail {

/// A team of one thread of the host, as far as RolloutKernel needs it: its place in the league and
/// scratch memory. To launch a league of Kokkos' own teams takes as long as an agent's step. Its
/// functions are compiled for devices too, as RolloutKernel is, and never called there.
class OneThread {
 public:
  OneThread(int league_rank, std::byte* scratch, std::size_t bytes)
      : league_rank_(league_rank), free_(scratch), left_(bytes) {}

  KOKKOS_FUNCTION int league_rank() const { return league_rank_; }
  KOKKOS_FUNCTION const OneThread& team_scratch(int /*level*/) const { return *this; }

  /// The next `bytes` of scratch memory; null where there are no more.
  KOKKOS_FUNCTION void* get_shmem_aligned(std::size_t bytes, std::size_t alignment) const {
    const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(free_) % alignment;
    const std::size_t skipped = misaligned == 0 ? 0 : alignment - misaligned;
    if (skipped + bytes > left_) return nullptr;
    std::byte* const found = free_ + skipped;
    free_ = found + bytes;
    left_ -= skipped + bytes;
    return found;
  }

 private:
  int league_rank_;
  mutable std::byte* free_;
  mutable std::size_t left_;
};

}  // namespace dempilot::nn::detail
