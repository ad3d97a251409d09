#pragma once

#include <vector>

#include "core/nn/cuda/Plan.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot::nn::cuda {

/// A plan, and what its pointers are to point to, in host memory.
struct PlanParts {
  Plan plan;  ///< its pointers are null
  std::vector<Word> weights;
  std::vector<float> biases;
  std::vector<double> mean;  ///< empty: nothing is normalized
  std::vector<double> inverse_std;
};

/// Packs checked parameters (see parameter_shapes) for products of `precision`.
PlanParts build_plan(const ModelSpec& spec, const Parameters& parameters, Precision precision);

}  // namespace dempilot::nn::cuda
