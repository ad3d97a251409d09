#pragma once

#include <Kokkos_Core.hpp>

#ifdef KOKKOS_ENABLE_CUDA

#include <optional>

#include "core/Backend.hpp"
#include "core/nn/cuda/Plan.hpp"
#include "core/nn/cuda/StepLauncher.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::nn {

template <class Real, class ExecutionSpace>
struct Rollout;

namespace cuda {

/// A network on a CUDA device, each step of which is one launch.
class FusedNetwork {
 public:
  /// `parameters` are checked.
  FusedNetwork(const ModelSpec& spec, const Parameters& parameters, Precision precision);

  /// Runs it over `rollout`, without dropout, in the order of `space`'s stream; nobody waits.
  /// `decision` is the rollout's.
  void forward(const Kokkos::Cuda& space, const Rollout<float, Kokkos::Cuda>& rollout,
               const Decision<float>& decision) const;

 private:
  using Space = Kokkos::Cuda;

  Vector<Word, Space> weights_;
  Vector<float, Space> biases_;
  Vector<double, Space> mean_, inverse_std_;
  Vector<unsigned char, Space> workspace_;
  int observation_size_ = 0;
  int features_ = 0;  ///< that the head reads
  std::optional<StepLauncher> launcher_;
};

}  // namespace cuda
}  // namespace dempilot::nn

#endif
