#pragma once

#include <hdf5.h>

#include <string>

#include "core/io/Hdf5.hpp"

/// Private to core/io: what reading datasets and reading attributes have in common.
namespace dempilot::hdf5 {

/// No string of a file is longer.
inline constexpr std::size_t max_string_bytes = 1U << 20U;

/// "name:/object" as messages spell it.
std::string place(const File& file, const std::string& object);

/// Whether every step of the path is a hard link that exists.
bool reachable(hid_t file, const std::string& object);

hid_t open_object(hid_t file, const std::string& object);

/// Whether numbers are stored as machines have them: IEEE floats of 4 or 8 bytes, integers of 1 to
/// 8. HDF5 knows bit fields of any shape, and reads beyond a number whose description is damaged.
bool is_machine_number(hid_t type);

}  // namespace dempilot::hdf5
