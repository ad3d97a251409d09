#pragma once

#include <cstdint>

#include "core/policy/PolicyFile.hpp"

namespace dempilot {

/// Freshly initialised parameters, as flax initialises the model (orthogonal kernels in the current
/// models, flax's defaults in the seed's; zero biases), from a seed: the same on every machine.
Parameters initialize_parameters(const ModelSpec& spec, std::uint64_t seed);

}  // namespace dempilot
