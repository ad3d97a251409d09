#pragma once

#include <barrier>

#include "tests/core/nn/cuda/HostMachine.hpp"

namespace dempilot::test {

/// A block of a CUDA kernel, of whose warps each is a thread of the host that does the work of its
/// lanes one after the other: what warps do between barriers happens at the same time.
class ThreadMachine : public HostMachine {
 public:
  static constexpr int warps = 8;

  ThreadMachine(std::barrier<>& barrier, int warp) : barrier_(barrier), warp_(warp) {}

  template <class Work>
  void each_warp(int count, const Work& work) const {
    for (int n = warp_; n < count; n += warps)
      work(n);
  }
  template <class Work>
  void each_thread(int count, const Work& work) const {
    for (int n = 0; n < count; ++n) {
      if (n / 32 % warps == warp_) work(n);
    }
  }
  void barrier() const { barrier_.arrive_and_wait(); }

 private:
  std::barrier<>& barrier_;
  int warp_;
};

}  // namespace dempilot::test
