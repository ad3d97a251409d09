#pragma once

#include <cstdint>
#include <vector>

#include "core/observe/LidarBins.hpp"
#include "core/observe/Sightings.hpp"

/// What a lidar reads of what is near, as vector instructions of the host's processor.
namespace dempilot::observe_simd {

struct LidarReadings {
  const char* name;  ///< of the instruction set

  /// Of each of `seen`, all closer than `range`: proximity[n] = (range - distance) / range, rounded
  /// as if one at a time, and its bin, or -1 where only the exact angle tells it.
  void (*find)(const LidarBins& bins, double range, const Sightings& seen,
               double (&proximity)[Sightings::most], std::int32_t (&bin)[Sightings::most]);
};

/// Those that this processor can run, the best first.
std::vector<const LidarReadings*> supported_lidar_readings();

/// The best of them.
const LidarReadings& best_lidar_readings();

}  // namespace dempilot::observe_simd
