#include "core/nn/cuda/TakeStep.cuh"

template dempilot::nn::cuda::Kernels
dempilot::nn::cuda::kernels_of<dempilot::nn::Precision::tf32>();
