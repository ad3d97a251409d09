#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/observe/Bins.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/Neighborhood.hpp"
#include "core/observe/Orientation.hpp"

namespace dempilot {

/// Directions of a lidar: `n_elevation` 0 is the planar form.
struct LidarBins {
  int n_azimuth = 1;
  int n_elevation = 0;

  KOKKOS_INLINE_FUNCTION
  int count() const { return n_elevation == 0 ? n_azimuth : n_azimuth * n_elevation; }

  KOKKOS_INLINE_FUNCTION
  int operator()(const double (&delta)[3]) const {
    return n_elevation == 0 ? azimuth_bin(delta[0], delta[1], n_azimuth)
                            : spherical_bin(delta[0], delta[1], delta[2], n_azimuth, n_elevation);
  }

  /// Whether a wall in this direction is seen. The planar form looks sideways: a floor right below
  /// is in none of its bins (JaxDEM: _merge_edges_2d knows the four side walls alone).
  KOKKOS_INLINE_FUNCTION
  bool see_wall(const double (&delta)[3]) const {
    return n_elevation != 0 || delta[0] != 0 || delta[1] != 0 || delta[2] == 0;
  }
};

/// One lidar of one agent: in each bin the nearest target, or wall, as max(0, range - d) / range.
/// JaxDEM: utils/environment.py, cross_lidar_2d, cross_lidar_3d and their self variants.
///
/// The largest of a bin's readings does not depend on the order in which they come, so rows are the
/// same bit for bit whatever the order of particles, cells and threads.
template <class Real, class ExecutionSpace>
struct LidarKernel {
  LidarBins bins;
  double range;
  Neighborhood<ExecutionSpace> around;
  Borrowed<const double** [3], ExecutionSpace> walls;  ///< (agents, walls, 3), or empty
  AgentAxes<ExecutionSpace> axes;                      ///< in which the bins are
  Borrowed<Real**, ExecutionSpace> rows;               ///< (agents, width)
  std::size_t column;                                  ///< first of the lidar's in a row

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    Real* const readings = &rows(agent, column);
    for (int bin = 0; bin < bins.count(); ++bin)
      readings[bin] = 0;
    around.for_each_within(agent, range,
                           [&](std::int32_t, const double(&delta)[3], double distance) {
                             double turned[3] = {delta[0], delta[1], delta[2]};
                             axes.resolve(agent, turned);
                             raise(readings[bins(turned)], distance);
                           });
    for (std::size_t wall = 0; wall < walls.extent(1); ++wall)
      look_at_wall(agent, {walls(agent, wall, 0), walls(agent, wall, 1), walls(agent, wall, 2)},
                   readings);
  }

  KOKKOS_FUNCTION
  void look_at_wall(int agent, const double (&delta)[3], Real* readings) const {
    const double distance =
        std::sqrt(delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2]);
    if (!(distance < range)) return;
    double turned[3] = {delta[0], delta[1], delta[2]};
    axes.resolve(agent, turned);
    if (bins.see_wall(turned)) raise(readings[bins(turned)], distance);
  }

  /// Conversion to Real keeps the order of readings, so the largest stays the largest.
  KOKKOS_FUNCTION
  void raise(Real& reading, double distance) const {
    const Real proximity = static_cast<Real>((range - distance) / range);
    reading = proximity > reading ? proximity : reading;
  }
};

}  // namespace dempilot
