#pragma once

#include <cstdint>
#include <string_view>

namespace dempilot::hdf5 {

/// Whether HDF5 can read the attributes of the object whose header lies at `address` in the bytes
/// of a file: each part within its message, numbers or strings, and strings of variable length as
/// long as the object of the global heap that holds them. HDF5 1.10 checks none of these: it reads
/// beyond them, and writes beyond its buffer where a string is longer than the attribute says.
/// Other types, and attributes that are shared or that do not lie in the header, are refused.
/// Source: HDF5 File Format Specification 3.0, IV.A. Addresses and lengths have 8 bytes.
bool has_sound_attributes(std::string_view file, std::uint64_t address);

}  // namespace dempilot::hdf5
