#include "core/nn/cuda/StepLauncher.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "core/nn/cuda/StepKernels.hpp"

namespace dempilot::nn::cuda {
namespace {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string("CUDA: ") + what + " failed (" + cudaGetErrorString(status) +
                           ")");
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "a question about the device");
  return value;
}

Kernels kernels_for(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return kernels_of<Precision::fp32>();
    case Precision::tf32x3:
      return kernels_of<Precision::tf32x3>();
    case Precision::tf32:
      return kernels_of<Precision::tf32>();
    case Precision::bf16:
      return kernels_of<Precision::bf16>();
  }
  throw std::runtime_error("CUDA: no such precision");
}

}  // namespace

StepLauncher::StepLauncher(const Plan& plan, Precision precision) : plan_(plan) {
  int device = 0;
  check(cudaGetDevice(&device), "a question about the device");
  multiprocessors_ = attribute(cudaDevAttrMultiProcessorCount, device);
  const auto most =
      static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  const Kernels kernels = kernels_for(precision);
  const struct {
    const void* kernel;
    int rows, row_blocks;
  } candidates[max_shapes] = {{kernels.of_64, 128, 2},
                              {kernels.of_64, 64, 1},
                              {kernels.of_32, 32, 1},
                              {kernels.of_16, 16, 1}};
  for (const auto& [kernel, rows, row_blocks] : candidates) {
    const std::size_t bytes = kernels.room(plan, rows);
    if (bytes > most) continue;
    Shape& shape = shapes_[shape_count_++];
    shape = {kernel, row_blocks, rows, bytes, 0};
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(most)),
          "asking for shared memory");
    int blocks = 0;
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, kernel_threads, bytes),
          "a question about a kernel");
    shape.most_blocks = std::max(1, blocks) * multiprocessors_;
  }
  if (shape_count_ > 0) return;
  const int blocks = 2 * multiprocessors_;
  shapes_[shape_count_++] = {kernels.in_workspace, 1, 16, 0, blocks};
  workspace_bytes_ = kernels.room(plan, 16) * static_cast<std::size_t>(blocks);
}

const StepLauncher::Shape& StepLauncher::shape_for(int agents) const {
  for (int n = 0; n < shape_count_; ++n) {
    if ((agents + shapes_[n].rows - 1) / shapes_[n].rows >= multiprocessors_) return shapes_[n];
  }
  return shapes_[shape_count_ - 1];
}

void StepLauncher::launch(const Step& step, void* workspace, void* stream) const {
  const int agents = step.decision.agents;
  if (agents == 0) return;
  if (workspace_bytes_ > 0 && workspace == nullptr)
    throw std::runtime_error("CUDA: a network this wide needs a workspace");
  const Shape& shape = shape_for(agents);
  const int tiles = (agents + shape.rows - 1) / shape.rows;
  std::size_t of_each_block = workspace_bytes_ / static_cast<std::size_t>(shape.most_blocks);
  Plan plan = plan_;
  Step all = step;
  int row_blocks = shape.row_blocks;
  auto* room = static_cast<unsigned char*>(workspace);
  void* arguments[] = {&plan, &all, &row_blocks, &room, &of_each_block};
  check(cudaLaunchKernel(
            shape.kernel, dim3(static_cast<unsigned>(std::min(tiles, shape.most_blocks))),
            dim3(kernel_threads), arguments, shape.shared_bytes, static_cast<cudaStream_t>(stream)),
        "launching a step");
}

}  // namespace dempilot::nn::cuda
