#pragma once

#include "core/Function.hpp"
#include "core/observe/Bins.hpp"

namespace dempilot {

/// Directions of a lidar: `n_elevation` 0 is the planar form.
struct LidarBins {
  int n_azimuth = 1;
  int n_elevation = 0;

  DEMPILOT_FUNCTION
  int count() const { return n_elevation == 0 ? n_azimuth : n_azimuth * n_elevation; }

  DEMPILOT_FUNCTION
  int operator()(const double (&delta)[3]) const {
    return n_elevation == 0 ? azimuth_bin(delta[0], delta[1], n_azimuth)
                            : spherical_bin(delta[0], delta[1], delta[2], n_azimuth, n_elevation);
  }

  /// Whether a wall in this direction is seen. The planar form looks sideways: a floor right below
  /// is in none of its bins (JaxDEM: _merge_edges_2d knows the four side walls alone).
  DEMPILOT_FUNCTION
  bool see_wall(const double (&delta)[3]) const {
    return n_elevation != 0 || delta[0] != 0 || delta[1] != 0 || delta[2] == 0;
  }
};

}  // namespace dempilot
