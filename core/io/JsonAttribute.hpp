#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/io/Hdf5.hpp"

namespace dempilot::hdf5 {

/// The JSON in an attribute. Throws Error when it is missing, no JSON, or nested too deeply: values
/// are copied and printed by recursion, and a file may be hostile.
nlohmann::json read_json(const File& file, const std::string& object, const std::string& attribute);

}  // namespace dempilot::hdf5
