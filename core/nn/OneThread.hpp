#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace dempilot::nn::detail {

/// A team of one thread of the host, as far as RolloutKernel needs it: its place in the league and
/// scratch memory. To launch a league of Kokkos' own teams takes as long as an agent's step.
class OneThread {
 public:
  /// The calling thread, which keeps the `scratch_bytes` for its next tile.
  OneThread(int league_rank, std::size_t scratch_bytes) : league_rank_(league_rank) {
    thread_local std::vector<std::byte> kept;
    if (kept.size() < scratch_bytes) kept.resize(scratch_bytes);
    free_ = kept.data();
    left_ = kept.size();
  }

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
