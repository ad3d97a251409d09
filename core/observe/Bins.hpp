#pragma once

#include <cmath>

#include "core/Function.hpp"
#include "core/observe/RoughAngle.hpp"

/// Directions to bins of a lidar. JaxDEM: utils/environment.py, _bin_azimuth and _bin_spherical.
namespace dempilot {
namespace detail {

/// floor((atan2(y, x) + offset) * scale). The rough angle decides, except so near to the edge of a
/// bin that only the exact one can.
DEMPILOT_FUNCTION
int angular_bin(double y, double x, double offset, double scale) {
  const double margin = rough_angle_error * scale;
  const double rough = (rough_atan2(y, x) + offset) * scale;
  if (rough > 0) {
    const int bin = static_cast<int>(rough);
    const double within = rough - static_cast<double>(bin);
    if (within > margin && within < 1 - margin) return bin;
  }
  return static_cast<int>(std::floor((std::atan2(y, x) + offset) * scale));
}

}  // namespace detail

/// Bin of the direction of (x, y), finite, among `n_azimuth` that start at -x and turn
/// counterclockwise: floor((atan2(y, x) + pi) n / 2 pi) mod n.
DEMPILOT_FUNCTION
int azimuth_bin(double x, double y, int n_azimuth) {
  return detail::angular_bin(y, x, detail::pi, n_azimuth / (2 * detail::pi)) % n_azimuth;
}

/// Bin of the direction of (x, y, z), finite: azimuth_bin * n_elevation + elevation bin, which is
/// floor((elevation + pi / 2) n / pi), clipped.
DEMPILOT_FUNCTION
int spherical_bin(double x, double y, double z, int n_azimuth, int n_elevation) {
  const int elevation =
      detail::angular_bin(z, std::sqrt(x * x + y * y), detail::pi / 2, n_elevation / detail::pi);
  const int clipped = elevation < 0 ? 0 : elevation >= n_elevation ? n_elevation - 1 : elevation;
  return azimuth_bin(x, y, n_azimuth) * n_elevation + clipped;
}

}  // namespace dempilot
