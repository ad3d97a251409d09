#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/policy/PolicyFile.hpp"

namespace dempilot {

/// Shapes of the parameters that a model of `spec` has, under their flax names.
std::map<std::string, std::vector<std::size_t>> parameter_shapes(const ModelSpec& spec);

/// Names under which the same parameter is also found: alias -> name.
const std::map<std::string, std::string>& parameter_aliases();

/// Parameters that checkpoints of `spec` may hold and that are never used: name -> shape.
std::map<std::string, std::vector<std::size_t>> unused_parameter_shapes(const ModelSpec& spec);

/// Throws Error, naming `source`, when the model has a layer or a stack of layers of a size that is
/// not supported, would need more memory than any policy should, or a Box without a bound for each
/// action.
void check_size(const ModelSpec& spec, const std::string& source);

/// Throws Error, naming `source`, unless `parameters` are all of the model's, of the right shapes
/// and finite.
void check_parameters(const ModelSpec& spec, const Parameters& parameters,
                      const std::string& source);

}  // namespace dempilot
