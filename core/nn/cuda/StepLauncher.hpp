#pragma once

#include <cstddef>

#include "core/nn/cuda/Plan.hpp"

/// One step of a network on a CUDA device: pointers, sizes and a stream, and no other library.
namespace dempilot::nn::cuda {

/// How one precision of one network is launched on the current device. Throws std::runtime_error
/// where CUDA fails.
class StepLauncher {
 public:
  /// `plan`'s pointers lie in the device's memory.
  StepLauncher(const Plan& plan, Precision precision);

  /// What launch() needs besides: memory of the device for networks too wide for the shared memory
  /// of one multiprocessor. 0 for all others.
  std::size_t workspace_bytes() const { return workspace_bytes_; }

  /// Asks `stream`, a cudaStream_t, for one step. All of `step`'s pointers lie in the device's
  /// memory; nothing is copied and nobody waits.
  void launch(const Step& step, void* workspace, void* stream) const;

 private:
  /// A kernel, and agents of a tile: the more, the less often are weights read, the fewer, the more
  /// multiprocessors have work.
  struct Shape {
    const void* kernel = nullptr;
    int row_blocks = 0;
    int rows = 0;
    std::size_t shared_bytes = 0;
    int most_blocks = 0;  ///< that the device holds at a time
  };
  const Shape& shape_for(int agents) const;

  Plan plan_;
  static constexpr int max_shapes = 4;
  Shape shapes_[max_shapes];  ///< the largest tile first
  int shape_count_ = 0;
  int multiprocessors_ = 0;
  std::size_t workspace_bytes_ = 0;
};

}  // namespace dempilot::nn::cuda
