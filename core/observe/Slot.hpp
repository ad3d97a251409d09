#pragma once

#include <cstdint>

namespace dempilot {

/// A target where it was sorted to, with all that a search reads side by side.
struct Slot {
  double position[3];
  std::int64_t identity;
};

/// What a search looks for: slots closer than `range` to `centre` but those called `identity`.
struct Vicinity {
  double centre[3];
  double range;
  std::int64_t identity;
};

}  // namespace dempilot
