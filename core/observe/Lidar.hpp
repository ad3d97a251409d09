#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/Backend.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/LidarBins.hpp"
#include "core/observe/Neighborhood.hpp"
#include "core/observe/Orientation.hpp"
#include "core/observe/simd/LidarReadings.hpp"

namespace dempilot {

/// One lidar of one agent: in each bin the nearest target, or wall, as max(0, range - d) / range.
/// JaxDEM: utils/environment.py, cross_lidar_2d, cross_lidar_3d and their self variants.
///
/// The largest of a bin's readings does not depend on the order in which they come, so rows are the
/// same bit for bit whatever the order of particles, cells and threads.
template <class Real, class ExecutionSpace>
struct LidarKernel {
  static constexpr const char* label = "DEMPilot::LidarKernel";
  LidarBins bins;
  double range;
  Neighborhood<ExecutionSpace> around;
  Borrowed<const double** [3], ExecutionSpace> walls;  ///< (agents, walls, 3), or empty
  AgentAxes<ExecutionSpace> axes;                      ///< in which the bins are
  Borrowed<Real**, ExecutionSpace> rows;               ///< (agents, width)
  std::size_t column;                                  ///< first of the lidar's in a row
  observe_simd::LidarReadings simd = observe_simd::best_lidar_readings();  ///< on a host

  KOKKOS_FUNCTION
  void operator()(int agent) const {
    Real* const readings = &rows(agent, column);
    for (int bin = 0; bin < bins.count(); ++bin)
      readings[bin] = 0;
    if constexpr (runs_on_host<ExecutionSpace>) {
      around.for_each_batch(agent, range, [&](Sightings& seen) {
        turn(agent, seen);
        look_by_vectors(seen, readings);
      });
    } else {
      around.for_each_within(agent, range,
                             [&](std::int32_t, const double(&delta)[3], double distance) {
                               double turned[3] = {delta[0], delta[1], delta[2]};
                               axes.resolve(agent, turned);
                               raise(readings[bins(turned)], proximity(distance));
                             });
    }
    for (std::size_t wall = 0; wall < walls.extent(1); ++wall)
      look_at_wall(agent, {walls(agent, wall, 0), walls(agent, wall, 1), walls(agent, wall, 2)},
                   readings);
  }

  /// On a host; for devices it is compiled and never called.
  KOKKOS_FUNCTION
  void look_by_vectors(const Sightings& seen, Real* readings) const {
    double proximities[Sightings::most];
    std::int32_t bin[Sightings::most];
    simd.find(bins, range, seen, proximities, bin);
    for (int n = 0; n < seen.count; ++n) {
      const std::int32_t known = bin[n] >= 0 ? bin[n] : bins({seen.x[n], seen.y[n], seen.z[n]});
      raise(readings[known], static_cast<Real>(proximities[n]));
    }
  }

  /// Vectors are turned to the axes; their lengths stay.
  KOKKOS_FUNCTION
  void turn(int agent, Sightings& seen) const {
    if (axes.are_the_labs()) return;
    for (int n = 0; n < seen.count; ++n) {
      double turned[3] = {seen.x[n], seen.y[n], seen.z[n]};
      axes.resolve(agent, turned);
      seen.x[n] = turned[0];
      seen.y[n] = turned[1];
      seen.z[n] = turned[2];
    }
  }

  KOKKOS_FUNCTION
  void look_at_wall(int agent, const double (&delta)[3], Real* readings) const {
    const double distance =
        std::sqrt(delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2]);
    if (!(distance < range)) return;
    double turned[3] = {delta[0], delta[1], delta[2]};
    axes.resolve(agent, turned);
    if (bins.see_wall(turned)) raise(readings[bins(turned)], proximity(distance));
  }

  /// Conversion to Real keeps the order of readings, so the largest stays the largest.
  KOKKOS_INLINE_FUNCTION
  Real proximity(double distance) const { return static_cast<Real>((range - distance) / range); }

  KOKKOS_INLINE_FUNCTION
  static void raise(Real& reading, Real proximity) {
    reading = proximity > reading ? proximity : reading;
  }
};

}  // namespace dempilot
