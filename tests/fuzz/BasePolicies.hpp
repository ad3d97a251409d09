#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/policy/PolicyFile.hpp"

namespace dempilot::fuzz {

/// A small policy that uses every part of the format, from the JSON of its metadata and components.
struct BasePolicy {
  std::string name;
  std::string model;
  std::string metadata;
  std::string components;
};

/// One of each kind of model, with widths of a few.
std::span<const BasePolicy> base_policies();

/// Weights and golden rows that are all `value`, for a model of any size.
Parameters constant_parameters(const ModelSpec& spec, float value);
GoldenRows constant_golden(const ModelSpec& spec, std::size_t rows, float value);

/// The bytes of the base's file; made once.
std::span<const std::byte> bytes_of(const BasePolicy& base);

}  // namespace dempilot::fuzz
