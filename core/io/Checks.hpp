#pragma once

#include <string>
#include <vector>

#include "core/io/Hdf5.hpp"

/// What every reader of a file that may be hostile asks of its groups.
namespace dempilot::hdf5 {

/// Throws Error unless every member of `group` is known, so that nothing the writer meant is
/// silently dropped.
void refuse_unknown_members(const File& file, const std::string& group,
                            const std::vector<std::string>& known);

/// Throws Error unless every attribute of `object` is known.
void refuse_unknown_attributes(const File& file, const std::string& object,
                               const std::vector<std::string>& known);

/// A finite number; `fallback` where the attribute is absent. Throws Error for NaN or infinity.
double read_double_or(const File& file, const std::string& object, const std::string& attribute,
                      double fallback);

}  // namespace dempilot::hdf5
