#pragma once

#include <cstdint>

namespace dempilot {

/// Some of what is near a point: the vectors to it and their squares, component by component, so
/// that loops over them become vector instructions.
struct Sightings {
  /// With so many it is time to look at them: there is still room for a search to add one vector,
  /// and to write another behind it.
  static constexpr int enough = 64;
  static constexpr int most = enough + 16;

  double x[most];
  double y[most];
  double z[most];
  double square[most];
  std::int32_t slot[most];  ///< of a CellList
  int count = 0;
};

}  // namespace dempilot
