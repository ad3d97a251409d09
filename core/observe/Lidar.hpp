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

  /// Bins of all `seen`. Single precision and few operations are enough for nearly all of them; the
  /// rest are found as operator() does.
  KOKKOS_INLINE_FUNCTION
  void find(const Sightings& seen, double range, std::int32_t (&bin)[Sightings::most]) const {
    using detail::Floats;
    using detail::load;
    const int padded = seen.padded();
    float x[Sightings::most];
    float y[Sightings::most];
    const double unit = 1 / range;  // lengths become those of the order of 1
    for (int n = 0; n < padded; ++n) {
      x[n] = static_cast<float>(seen.x[n] * unit);
      y[n] = static_cast<float>(seen.y[n] * unit);
    }
    const auto pi = static_cast<float>(detail::pi);
    const auto azimuths = static_cast<float>(n_azimuth) / (2 * pi);
    for (int n = 0; n < padded; n += detail::lanes)
      detail::store(detail::rough_bins(load<Floats>(y + n), load<Floats>(x + n), pi, azimuths),
                    bin + n);
    if (n_elevation > 0) {
      for (int n = 0; n < padded; ++n) {
        x[n] = std::sqrt(x[n] * x[n] + y[n] * y[n]);
        y[n] = static_cast<float>(seen.z[n] * unit);
      }
      add_elevations(y, x, padded, bin);
    }
    for (int n = 0; n < seen.count; ++n) {
      if (bin[n] < 0) bin[n] = (*this)({seen.x[n], seen.y[n], seen.z[n]});
    }
  }

  KOKKOS_INLINE_FUNCTION
  void add_elevations(const float* z, const float* sideways, int padded, std::int32_t* bin) const {
    using detail::Floats;
    using detail::Integers;
    using detail::load;
    const auto pi = static_cast<float>(detail::pi);
    const auto elevations = static_cast<float>(n_elevation) / pi;
    for (int n = 0; n < padded; n += detail::lanes) {
      const Integers elevation =
          detail::rough_bins(load<Floats>(z + n), load<Floats>(sideways + n), pi / 2, elevations);
      const auto azimuth = load<Integers>(bin + n);
      const Integers unknown = (azimuth | elevation) >> 31;  // all ones if either is negative
      detail::store((azimuth * n_elevation + elevation) | unknown, bin + n);
    }
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
  static constexpr const char* label = "DEMPilot::LidarKernel";
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
    around.for_each_batch(agent, range, [&](Sightings& seen) { look_at(agent, seen, readings); });
    for (std::size_t wall = 0; wall < walls.extent(1); ++wall)
      look_at_wall(agent, {walls(agent, wall, 0), walls(agent, wall, 1), walls(agent, wall, 2)},
                   readings);
  }

  KOKKOS_FUNCTION
  void look_at(int agent, Sightings& seen, Real* readings) const {
    Real proximities[Sightings::most];
    std::int32_t bin[Sightings::most];
    const int padded = seen.padded();
    for (int n = 0; n < padded; ++n)
      proximities[n] = proximity(std::sqrt(seen.square[n]));
    turn(agent, seen);
    bins.find(seen, range, bin);
    for (int n = 0; n < seen.count; ++n)
      raise(readings[bin[n]], proximities[n]);
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
