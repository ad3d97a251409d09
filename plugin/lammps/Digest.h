// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dempilot::lammps {

/// A short fingerprint of `bytes` (FNV-1a, 64 bit) to tell whether two are the same; no protection
/// against intent.
inline std::string digest(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::byte byte : bytes) {
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
  }
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4)
    text += digits[(hash >> shift) & 0xfU];
  return text;
}

}  // namespace dempilot::lammps
