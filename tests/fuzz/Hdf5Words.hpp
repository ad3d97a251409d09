#pragma once

#include <hdf5.h>

#include <string>

#include "core/io/Hdf5Handle.hpp"

/// What the words of an edit mean to HDF5. Unknown words mean something common.
namespace dempilot::fuzz {

/// "f4", "i8be", "enum", "f4odd" …: a new handle.
hdf5::Handle type_of(const std::string& word);

/// "scalar", "null" or sizes like "2x3x1"; a trailing '+' lets the first axis grow.
hdf5::Handle space_of(const std::string& word);

/// Creation properties of "contiguous", "compact", "chunked", "gzip" … for a dataset in `space`.
hdf5::Handle storage_of(const std::string& word, hid_t space);

/// A number, 0 where the word is none. Takes nan, inf and what C's strtod takes besides.
double number_of(const std::string& word);

/// A size, at most `most`.
std::size_t size_of(const std::string& word, std::size_t most);

}  // namespace dempilot::fuzz
