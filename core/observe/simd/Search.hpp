#pragma once

#include <vector>

#include "core/observe/Sightings.hpp"
#include "core/observe/Slot.hpp"

/// The search for what is near, as vector instructions of the host's processor. What is found is
/// the same for all instruction sets, bit for bit.
namespace dempilot::observe_simd {

/// Slots that may be read, and are not looked at, behind those that a search is asked to look at.
inline constexpr int slots_behind = 8;

struct Search {
  const char* name;  ///< of the instruction set

  /// Appends those of slots[begin] to slots[end - 1] that are in the vicinity to seen.slot, in
  /// their order, until there are enough or no more. Returns the first slot that it did not look
  /// at.
  std::int32_t (*find)(const Slot* slots, std::int32_t begin, std::int32_t end,
                       const Vicinity& vicinity, Sightings& seen);

  /// Of all that was found, the vectors to it and their squares.
  void (*locate)(const Slot* slots, const Vicinity& vicinity, Sightings& seen);
};

/// Those that this processor can run, the best first.
std::vector<const Search*> supported_searches();

/// The best of them.
const Search& best_search();

}  // namespace dempilot::observe_simd
