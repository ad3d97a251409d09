#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "plugin/c/Boundary.hpp"

/// Structures of callers who were compiled with an older or a newer dempilot.h. They grow at their
/// end alone, and begin with the size that the caller's header knew.
namespace dempilot::c {

/// What the C API says of a structure: its name, its INIT macro, and the size of the oldest that is
/// understood.
template <class Struct>
struct StructTraits;

template <>
struct StructTraits<dempilot_description> {
  static constexpr const char* name = "dempilot_description";
  static constexpr const char* init = "DEMPILOT_DESCRIPTION_INIT";
  static constexpr std::size_t first_size =
      offsetof(dempilot_description, decision_interval) + sizeof(std::int64_t);
};

template <>
struct StructTraits<dempilot_draw> {
  static constexpr const char* name = "dempilot_draw";
  static constexpr const char* init = "DEMPILOT_DRAW_INIT";
  static constexpr std::size_t first_size = offsetof(dempilot_draw, id_count) + sizeof(std::size_t);
};

template <>
struct StructTraits<dempilot_outputs> {
  static constexpr const char* name = "dempilot_outputs";
  static constexpr const char* init = "DEMPILOT_OUTPUTS_INIT";
  static constexpr std::size_t first_size =
      offsetof(dempilot_outputs, log_prob_capacity) + sizeof(std::size_t);
};

/// No structure will ever be larger: a larger size was never set.
inline constexpr std::size_t max_struct_size = 4096;

/// Throws Refusal unless the size of `given` is one that some header wrote.
template <class Struct>
void check_struct_size(const Struct* given) {
  using Traits = StructTraits<Struct>;
  if (given->struct_size < Traits::first_size || given->struct_size > max_struct_size) {
    refuse_argument("{} has struct_size {} ({} to {} is possible) start it with {}", Traits::name,
                    given->struct_size, Traits::first_size, max_struct_size, Traits::init);
  }
}

/// What the caller wrote: what an older header did not know is zero; what a newer one added must be
/// zero, for nobody here would heed it. Throws Refusal.
template <class Struct>
Struct read_struct(const Struct* given) {
  check_struct_size(given);
  Struct known{};
  std::memcpy(&known, given, std::min(given->struct_size, sizeof(Struct)));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Struct); i < given->struct_size; ++i) {
    if (bytes[i] == 0) continue;
    refuse_argument(
        "{} asks for something new (this library speaks version {} of the API) install a newer "
        "libdempilot",
        StructTraits<Struct>::name, DEMPILOT_API_VERSION);
  }
  return known;
}

/// Fills in what the caller's header knows; what is newer than this library becomes zero.
template <class Struct>
void write_struct(Struct result, Struct* given) {
  check_struct_size(given);
  const std::size_t size = given->struct_size;
  result.struct_size = size;
  auto* bytes = reinterpret_cast<unsigned char*>(given);
  std::fill(bytes, bytes + size, static_cast<unsigned char>(0));
  std::memcpy(bytes, &result, std::min(size, sizeof(Struct)));
}

}  // namespace dempilot::c
