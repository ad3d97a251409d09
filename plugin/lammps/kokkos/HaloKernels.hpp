// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/observe/CellGrid.hpp"
#include "lmptype.h"
#include "plugin/lammps/HaloExchange.h"

/// What the kernels of DeviceHalo read and write.
namespace dempilot::lammps {

/// A particle that somebody may see, so many periods away from where it is.
struct HaloEntry {
  std::int32_t particle;
  std::int32_t image[3];
};

/// Where images of particles may be seen by the agents of a rank.
struct Sector {
  double lower[3];
  double upper[3];
  std::int32_t image[3];
  std::int32_t rank;
};

/// How far images are apart, and how much faster each moves than the one before it.
struct Lattice {
  double period[3];
  double drift[3];
};

/// Where particles can be (see Periodicity::realm): others see nothing and are not seen.
struct Realm {
  double lower[3];
  double upper[3];

  KOKKOS_INLINE_FUNCTION bool holds(const double* x) const {
    return x[0] >= lower[0] && x[0] <= upper[0] && x[1] >= lower[1] && x[1] <= upper[1] &&
           x[2] >= lower[2] && x[2] <= upper[2];
  }
};

/// Smallest box around the particles of some groups.
struct MemberBounds : BoxReduction {
  const double* position;
  const int* mask;
  int bits;
  Realm realm;

  KOKKOS_FUNCTION
  void operator()(int i, PointBox& box) const {
    if ((mask[i] & bits) == 0) return;
    const double* const x = position + 3 * static_cast<std::size_t>(i);
    if (realm.holds(x)) box.include(x[0], x[1], x[2]);
  }
};

/// Counts the particles in each sector, or lists them.
struct SectorFiller {
  static constexpr const char* label = "DEMPilot::DeviceHalo::fill_sectors";
  const double* position;
  const int* mask;
  int bit;
  Realm realm;
  Lattice lattice;
  const Sector* sectors;
  int sector_count;
  std::int32_t* next;  ///< (sectors), counts, or places in `entries`
  HaloEntry* entries;  ///< or null: they are counted

  KOKKOS_FUNCTION
  void operator()(int i) const {
    if ((mask[i] & bit) == 0) return;
    const double* const x = position + 3 * static_cast<std::size_t>(i);
    if (!realm.holds(x)) return;
    for (int n = 0; n < sector_count; ++n) {
      const Sector& sector = sectors[n];
      bool inside = true;
      for (int d = 0; d < 3; ++d) {
        const double image = x[d] + sector.image[d] * lattice.period[d];
        inside = inside && image >= sector.lower[d] && image <= sector.upper[d];
      }
      if (!inside) continue;
      const std::int32_t place = Kokkos::atomic_fetch_add(next + n, 1);
      if (entries != nullptr)
        entries[place] = {i, {sector.image[0], sector.image[1], sector.image[2]}};
    }
  }
};

/// Columns of a cloud (see SeenParticles) to write to; null what nobody wants.
struct CloudColumns {
  double* position = nullptr;
  std::int64_t* identity = nullptr;
  double* velocity = nullptr;
  double* radius = nullptr;
  std::int32_t* type = nullptr;

  /// Numbers of a particle in a message.
  int message_width() const {
    return 4 + (velocity != nullptr ? 3 : 0) + (radius != nullptr ? 1 : 0) +
           (type != nullptr ? 1 : 0);
  }
};

/// A rank's own particles as HaloExchange has them, and what their images are.
struct ImageReader {
  OwnParticles own;
  Lattice lattice;

  KOKKOS_INLINE_FUNCTION
  double position(const HaloEntry& entry, int d) const {
    return own.position[3 * static_cast<std::size_t>(entry.particle) + d] +
           entry.image[d] * lattice.period[d];
  }
  KOKKOS_INLINE_FUNCTION
  double velocity(const HaloEntry& entry, int d) const {
    const bool drifts = (own.mask[entry.particle] & own.drift_bit) != 0;
    return own.velocity[3 * static_cast<std::size_t>(entry.particle) + d] +
           (drifts ? entry.image[d] * lattice.drift[d] : 0.0);
  }
};

/// Writes all own particles to a cloud, those of other groups nowhere, then listed images of them.
struct OwnWriter {
  static constexpr const char* label = "DEMPilot::DeviceHalo::write_own";
  ImageReader read;
  Realm realm;
  int bit;
  int own_count;
  const HaloEntry* images;
  CloudColumns cloud;

  KOKKOS_FUNCTION
  void operator()(int place) const {
    constexpr double nowhere = NAN;
    const HaloEntry entry =
        place < own_count ? HaloEntry{place, {0, 0, 0}} : images[place - own_count];
    const std::int32_t i = entry.particle;
    const double* const x = read.own.position + 3 * static_cast<std::size_t>(i);
    const bool seen = (read.own.mask[i] & bit) != 0 && realm.holds(x);
    const auto first = 3 * static_cast<std::size_t>(place);
    for (int d = 0; d < 3; ++d) {
      cloud.position[first + d] = seen ? read.position(entry, d) : nowhere;
      if (cloud.velocity != nullptr) cloud.velocity[first + d] = read.velocity(entry, d);
    }
    cloud.identity[place] = read.own.tag[i];
    if (cloud.radius != nullptr) cloud.radius[place] = read.own.radius[i];
    if (cloud.type != nullptr) cloud.type[place] = read.own.type[i];
  }
};

/// Writes listed images of own particles into messages, a row of doubles each.
struct MessageWriter {
  static constexpr const char* label = "DEMPilot::DeviceHalo::write_message";
  ImageReader read;
  const HaloEntry* entries;
  CloudColumns wanted;
  int width;
  double* message;  ///< (entries, width)

  KOKKOS_FUNCTION
  void operator()(int n) const {
    const HaloEntry entry = entries[n];
    double* out = message + static_cast<std::size_t>(n) * width;
    for (int d = 0; d < 3; ++d)
      *out++ = read.position(entry, d);
    *out++ = static_cast<double>(read.own.tag[entry.particle]);  // below 2^53
    for (int d = 0; d < 3 && wanted.velocity != nullptr; ++d)
      *out++ = read.velocity(entry, d);
    if (wanted.radius != nullptr) *out++ = read.own.radius[entry.particle];
    if (wanted.type != nullptr) *out++ = read.own.type[entry.particle];
  }
};

/// Writes what came from other ranks to a cloud, from place `first` on.
struct MessageReader {
  static constexpr const char* label = "DEMPilot::DeviceHalo::read_message";
  const double* message;  ///< (entries, width)
  int width;
  std::size_t first;
  CloudColumns cloud;

  KOKKOS_FUNCTION
  void operator()(int n) const {
    const double* in = message + static_cast<std::size_t>(n) * width;
    const std::size_t place = first + static_cast<std::size_t>(n);
    for (int d = 0; d < 3; ++d)
      cloud.position[3 * place + d] = *in++;
    cloud.identity[place] = static_cast<std::int64_t>(*in++);
    for (int d = 0; d < 3 && cloud.velocity != nullptr; ++d)
      cloud.velocity[3 * place + d] = *in++;
    if (cloud.radius != nullptr) cloud.radius[place] = *in++;
    if (cloud.type != nullptr) cloud.type[place] = static_cast<std::int32_t>(*in++);
  }
};

}  // namespace dempilot::lammps
