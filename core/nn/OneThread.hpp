#pragma once

#include <cstddef>
#include <memory>

namespace dempilot::nn::detail {

/// A team of one thread of the host, as far as RolloutKernel needs it: its place in the league and
/// scratch memory. To launch a league of Kokkos' own teams takes as long as an agent's step.
class OneThread {
 public:
  OneThread(int league_rank, std::byte* scratch, std::size_t bytes)
      : league_rank_(league_rank), free_(scratch), left_(bytes) {}

  int league_rank() const { return league_rank_; }
  const OneThread& team_scratch(int /*level*/) const { return *this; }

  /// The next `bytes` of scratch memory; null where there are no more.
  void* get_shmem_aligned(std::size_t bytes, std::size_t alignment) const {
    void* const found = std::align(alignment, bytes, free_, left_);
    if (found == nullptr) return nullptr;
    free_ = static_cast<std::byte*>(found) + bytes;
    left_ -= bytes;
    return found;
  }

 private:
  int league_rank_;
  mutable void* free_;
  mutable std::size_t left_;
};

}  // namespace dempilot::nn::detail
