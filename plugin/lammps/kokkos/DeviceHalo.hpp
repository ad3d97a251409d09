// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "core/Backend.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/Launch.hpp"
#include "core/observe/Scene.hpp"
#include "plugin/lammps/HaloExchange.h"
#include "plugin/lammps/Periodicity.h"
#include "plugin/lammps/kokkos/HaloKernels.hpp"
#include "plugin/lammps/kokkos/Room.hpp"

namespace dempilot::lammps {

/// What HaloExchange does, for particles in the memory of an execution space, in two parts. plan()
/// finds which images of own particles somebody may see, until it is called again; it waits, and is
/// called when the engine makes its neighbor lists. refresh() brings clouds up to date, at a
/// decision: where there is one rank nobody waits and nothing is copied.
template <class Space>
class DeviceHalo {
 public:
  /// `device_mpi`: MPI reads and writes the memory of Space; otherwise messages go through the
  /// host.
  DeviceHalo(MPI_Comm world, Space space, bool device_mpi);

  /// Who may be seen by the agents, own particles of the groups `agent_bits`, until relative
  /// distances have changed by `slack`. Particles lie where Space reaches them. Collective.
  void plan(const Periodicity& box, const OwnParticles& own, int agent_bits,
            std::span<const Wanted> groups, double slack);
  /// Makes the clouds of all groups from the same particles, elsewhere by now. Collective.
  void refresh(const Periodicity& box, const OwnParticles& own);

  /// In the memory of Space, valid until the next refresh(). Particles of other groups are in it,
  /// at places that are not finite.
  SeenParticles seen(std::size_t group) const { return clouds_[group].view(); }
  double memory_usage() const;

 private:
  using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<int>>;
  template <class T>
  using Buffer = Vector<T, Space>;

  /// What is seen of a group.
  struct Cloud {
    Wanted group;
    std::size_t own = 0;     ///< own particles
    std::size_t images = 0;  ///< of own particles, that own agents may see
    std::vector<int> sent;   ///< to each rank
    std::vector<int> received;
    Buffer<HaloEntry> entries;  ///< own images, then those that are sent, rank by rank
    Buffer<double> outgoing, incoming;
    Buffer<double> position, velocity, radius;
    Buffer<std::int64_t> identity;
    Buffer<std::int32_t> type;

    std::size_t arrivals() const {
      return std::accumulate(received.begin(), received.end(), std::size_t{0});
    }
    std::size_t departures() const {
      return std::accumulate(sent.begin(), sent.end(), std::size_t{0});
    }
    std::size_t size() const { return own + images + arrivals(); }
    CloudColumns columns() const {
      return {position.data(), identity.data(), group.columns.velocity ? velocity.data() : nullptr,
              group.columns.radius ? radius.data() : nullptr,
              group.columns.type ? type.data() : nullptr};
    }
    SeenParticles view() const {
      const CloudColumns all = columns();
      return {size(), all.position, all.velocity, all.radius, all.type, all.identity, 0.0};
    }
  };

  struct Outline {
    PointBox agents, particles;
  };

  static Lattice lattice_of(const Periodicity& box);
  static Realm realm_of(const Periodicity& box);
  PointBox bounds(const Periodicity& box, const OwnParticles& own, int bits) const;
  std::vector<Sector> sectors_for(const Periodicity& box, const std::vector<Outline>& outlines,
                                  double reach) const;
  void add_sectors(const Periodicity& box, const PointBox& agents, int rank, double reach,
                   std::vector<Sector>& sectors) const;
  void list_entries(Cloud& cloud, const Periodicity& box, const OwnParticles& own,
                    const std::vector<Sector>& sectors);
  void reserve(Cloud& cloud) const;
  void exchange(Cloud& cloud, int tag);
  void transfer(const Cloud& cloud, const double* outgoing, double* incoming, int tag);

  MPI_Comm world_;
  Space space_;
  bool device_mpi_;
  int me_ = 0;
  int ranks_ = 1;
  PointBox mine_;  ///< around own particles that somebody may want to see
  std::vector<Cloud> clouds_;
  std::vector<MPI_Request> requests_;
  std::vector<double> sent_host_, received_host_;
};

template <class Space>
DeviceHalo<Space>::DeviceHalo(MPI_Comm world, Space space, bool device_mpi)
    : world_(world), space_(std::move(space)), device_mpi_(device_mpi) {
  MPI_Comm_rank(world, &me_);
  MPI_Comm_size(world, &ranks_);
}

template <class Space>
Lattice DeviceHalo<Space>::lattice_of(const Periodicity& box) {
  Lattice lattice{};
  std::copy_n(box.period.begin(), 3, lattice.period);
  std::copy_n(box.drift.begin(), 3, lattice.drift);
  return lattice;
}

template <class Space>
Realm DeviceHalo<Space>::realm_of(const Periodicity& box) {
  const Bounds bounds = box.realm();
  Realm realm{};
  std::copy_n(bounds.lower.begin(), 3, realm.lower);
  std::copy_n(bounds.upper.begin(), 3, realm.upper);
  return realm;
}

template <class Space>
PointBox DeviceHalo<Space>::bounds(const Periodicity& box, const OwnParticles& own,
                                   int bits) const {
  PointBox around;
  Kokkos::parallel_reduce("DEMPilot::DeviceHalo::bounds",
                          Range(space_, 0, static_cast<int>(own.count)),
                          MemberBounds{{}, own.position, own.mask, bits, realm_of(box)}, around);
  return around;
}

template <class Space>
void DeviceHalo<Space>::plan(const Periodicity& box, const OwnParticles& own, int agent_bits,
                             std::span<const Wanted> groups, double slack) {
  static_assert(sizeof(Outline) == 12 * sizeof(double));
  int bits = 0;
  for (const Wanted& group : groups)
    bits |= group.group_bit;
  const Outline mine{bounds(box, own, agent_bits), bounds(box, own, bits)};
  mine_ = mine.particles;
  std::vector<Outline> outlines(static_cast<std::size_t>(ranks_), mine);
  if (ranks_ > 1) MPI_Allgather(&mine, 12, MPI_DOUBLE, outlines.data(), 12, MPI_DOUBLE, world_);
  clouds_.resize(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Cloud& cloud = clouds_[g];
    cloud.group = groups[g];
    cloud.own = groups[g].group_bit == 0 ? 0 : own.count;
    // A little more, so that no rounding on the way loses a neighbor.
    list_entries(cloud, box, own, sectors_for(box, outlines, 1.001 * groups[g].range + slack));
    cloud.received.assign(static_cast<std::size_t>(ranks_), 0);
    if (ranks_ > 1)
      MPI_Alltoall(cloud.sent.data(), 1, MPI_INT, cloud.received.data(), 1, MPI_INT, world_);
    reserve(cloud);
  }
}

/// This rank's come first, then those of all others in their order.
template <class Space>
std::vector<Sector> DeviceHalo<Space>::sectors_for(const Periodicity& box,
                                                   const std::vector<Outline>& outlines,
                                                   double reach) const {
  std::vector<Sector> sectors;
  for (int n = 0; n < ranks_; ++n) {
    const int rank = n == 0 ? me_ : n - (n <= me_ ? 1 : 0);
    add_sectors(box, outlines[static_cast<std::size_t>(rank)].agents, rank, reach, sectors);
  }
  return sectors;
}

template <class Space>
void DeviceHalo<Space>::add_sectors(const Periodicity& box, const PointBox& agents, int rank,
                                    double reach, std::vector<Sector>& sectors) const {
  if (!(agents.low[0] <= agents.high[0]) || !(mine_.low[0] <= mine_.high[0])) return;
  Sector sector{};
  sector.rank = rank;
  int first[3] = {0, 0, 0};
  int last[3] = {0, 0, 0};
  for (std::size_t d = 0; d < 3; ++d) {
    sector.lower[d] = agents.low[d] - reach;
    sector.upper[d] = agents.high[d] + reach;
    if (box.period[d] > 0.0) {
      first[d] = static_cast<int>(std::ceil((sector.lower[d] - mine_.high[d]) / box.period[d]));
      last[d] = static_cast<int>(std::floor((sector.upper[d] - mine_.low[d]) / box.period[d]));
    } else if (sector.lower[d] > mine_.high[d] || sector.upper[d] < mine_.low[d]) {
      return;
    }
  }
  for (int i = first[0]; i <= last[0]; ++i) {
    for (int j = first[1]; j <= last[1]; ++j) {
      for (int k = first[2]; k <= last[2]; ++k) {
        if (rank == me_ && i == 0 && j == 0 && k == 0) continue;  // seen where they are
        sector.image[0] = i;
        sector.image[1] = j;
        sector.image[2] = k;
        sectors.push_back(sector);
      }
    }
  }
}

template <class Space>
void DeviceHalo<Space>::list_entries(Cloud& cloud, const Periodicity& box, const OwnParticles& own,
                                     const std::vector<Sector>& sectors) {
  cloud.images = 0;
  cloud.sent.assign(static_cast<std::size_t>(ranks_), 0);
  if (sectors.empty() || cloud.group.group_bit == 0 || cloud.group.range <= 0.0) return;
  const std::size_t count = sectors.size();
  const Buffer<Sector> there("DEMPilot::DeviceHalo::sectors", count);
  const Buffer<std::int32_t> next("DEMPilot::DeviceHalo::next", count);
  Kokkos::deep_copy(there, HostVector<const Sector>(sectors.data(), count));
  SectorFiller filler{own.position,    own.mask,     cloud.group.group_bit,   realm_of(box),
                      lattice_of(box), there.data(), static_cast<int>(count), next.data(),
                      nullptr};
  launch(space_, own.count, filler);
  space_.fence();
  std::vector<std::int32_t> counts(count);
  const HostVector<std::int32_t> host(counts.data(), count);
  Kokkos::deep_copy(host, next);
  std::int32_t total = 0;
  for (std::size_t n = 0; n < count; ++n) {
    const auto rank = static_cast<std::size_t>(sectors[n].rank);
    if (sectors[n].rank == me_)
      cloud.images += static_cast<std::size_t>(counts[n]);
    else
      cloud.sent[rank] += counts[n];
    const std::int32_t first = total;
    total += counts[n];
    counts[n] = first;
  }
  make_room(cloud.entries, "DEMPilot::DeviceHalo::entries", static_cast<std::size_t>(total));
  Kokkos::deep_copy(next, host);
  filler.entries = cloud.entries.data();
  launch(space_, own.count, filler);
  space_.fence();  // its buffers go
}

template <class Space>
void DeviceHalo<Space>::reserve(Cloud& cloud) const {
  const std::size_t size = cloud.size();
  const WantedColumns& wanted = cloud.group.columns;
  make_room(cloud.position, "DEMPilot::DeviceHalo::position", 3 * size);
  make_room(cloud.identity, "DEMPilot::DeviceHalo::identity", size);
  if (wanted.velocity) make_room(cloud.velocity, "DEMPilot::DeviceHalo::velocity", 3 * size);
  if (wanted.radius) make_room(cloud.radius, "DEMPilot::DeviceHalo::radius", size);
  if (wanted.type) make_room(cloud.type, "DEMPilot::DeviceHalo::type", size);
  const auto width = static_cast<std::size_t>(cloud.columns().message_width());
  make_room(cloud.outgoing, "DEMPilot::DeviceHalo::outgoing", width * cloud.departures());
  make_room(cloud.incoming, "DEMPilot::DeviceHalo::incoming", width * cloud.arrivals());
}

template <class Space>
void DeviceHalo<Space>::refresh(const Periodicity& box, const OwnParticles& own) {
  const ImageReader reader{own, lattice_of(box)};
  for (std::size_t g = 0; g < clouds_.size(); ++g) {
    Cloud& cloud = clouds_[g];
    const CloudColumns columns = cloud.columns();
    launch(space_, cloud.own + cloud.images,
           OwnWriter{reader, realm_of(box), cloud.group.group_bit, static_cast<int>(cloud.own),
                     cloud.entries.data(), columns});
    if (ranks_ == 1) continue;
    launch(space_, cloud.departures(),
           MessageWriter{reader, cloud.entries.data() + cloud.images, columns,
                         columns.message_width(), cloud.outgoing.data()});
    exchange(cloud, static_cast<int>(g));
    launch(space_, cloud.arrivals(),
           MessageReader{cloud.incoming.data(), columns.message_width(), cloud.own + cloud.images,
                         columns});
  }
}

/// Through the host where MPI does not know the device.
template <class Space>
void DeviceHalo<Space>::exchange(Cloud& cloud, int tag) {
  if (device_mpi_) {
    space_.fence();
    transfer(cloud, cloud.outgoing.data(), cloud.incoming.data(), tag);
    return;
  }
  const auto width = static_cast<std::size_t>(cloud.columns().message_width());
  const auto copy = [this](const auto& to, const auto& from) {
    Kokkos::deep_copy(space_, to, from);
    space_.fence();
  };
  const auto on_host = [](std::vector<double>& values, std::size_t count) {
    values.resize(count);
    return HostVector<double>(values.data(), count);
  };
  const auto on_device = [](const Buffer<double>& values, std::size_t count) {
    return Borrowed<double*, Space>(values.data(), count);
  };
  const std::size_t out = width * cloud.departures();
  const std::size_t in = width * cloud.arrivals();
  copy(on_host(sent_host_, out), on_device(cloud.outgoing, out));
  const auto received = on_host(received_host_, in);
  transfer(cloud, sent_host_.data(), received_host_.data(), tag);
  copy(on_device(cloud.incoming, in), received);
}

template <class Space>
void DeviceHalo<Space>::transfer(const Cloud& cloud, const double* outgoing, double* incoming,
                                 int tag) {
  const int width = cloud.columns().message_width();
  requests_.clear();
  for (int rank = 0; rank < ranks_; ++rank) {
    const int count = width * cloud.received[static_cast<std::size_t>(rank)];
    if (count == 0) continue;
    MPI_Irecv(incoming, count, MPI_DOUBLE, rank, tag, world_, &requests_.emplace_back());
    incoming += count;
  }
  for (int rank = 0; rank < ranks_; ++rank) {
    const int count = width * cloud.sent[static_cast<std::size_t>(rank)];
    if (count == 0) continue;
    MPI_Isend(outgoing, count, MPI_DOUBLE, rank, tag, world_, &requests_.emplace_back());
    outgoing += count;
  }
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
}

template <class Space>
double DeviceHalo<Space>::memory_usage() const {
  double total = 0.0;
  for (const Cloud& cloud : clouds_)
    total += bytes_of(cloud.entries, cloud.outgoing, cloud.incoming, cloud.position, cloud.velocity,
                      cloud.radius, cloud.identity, cloud.type);
  return total;
}

}  // namespace dempilot::lammps
