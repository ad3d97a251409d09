#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Global heap collections, in which strings of variable length lie. HDF5 walks through them by the
/// sizes that they give and checks none, up to 1.14 at least: an object of no size holds it up
/// forever. Source: HDF5 File Format Specification 3.0, III.E. Lengths have 8 bytes.
namespace dempilot::hdf5 {

/// Whether HDF5 can walk through every collection in the bytes of a file. Looks for their signature
/// at every place, so that no address in the file leads elsewhere; heaps that overlap are not
/// sound, so that the time is linear.
bool has_sound_global_heaps(std::string_view file);

/// The size of an object in the collection at this address; nothing where there is none.
std::optional<std::uint64_t> heap_object_size(std::string_view file, std::uint64_t address,
                                              std::uint64_t index);

}  // namespace dempilot::hdf5
