#pragma once

#include <cstddef>
#include <span>

namespace dempilot::hdf5 {

/// Whether HDF5 can walk through every global heap collection, in which strings of variable length
/// lie, in the bytes of a file whose lengths have 8 bytes. HDF5 goes from object to object by the
/// sizes that they give and checks none, up to 1.14 at least: an object of no size holds it up
/// forever. Looks for the signature at every place, so that no address in the file leads elsewhere;
/// heaps that overlap are not sound, so that the time is linear. Source: HDF5 File Format
/// Specification 3.0, III.E.
bool has_sound_global_heaps(std::span<const std::byte> bytes);

}  // namespace dempilot::hdf5
