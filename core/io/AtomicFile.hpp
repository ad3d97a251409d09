#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace dempilot {

/// How a file is called until it is complete: with this after its name.
inline constexpr std::string_view partial_suffix = ".partial";

/// Writes `bytes` to the file `path`, complete or not at all: under another name in the same
/// folder, flushed to the disk, and renamed. What was there is replaced in one instant. Throws
/// Error, and leaves nothing behind, when the bytes do not reach the disk.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The same for what `fill` writes to a file of the name that it is given, and closes. What it
/// throws is passed on.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& partial)>& fill);

}  // namespace dempilot
