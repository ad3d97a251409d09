// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dempilot::lammps {

/// Bytes for another rank, or from it.
struct Parcel {
  int rank = 0;
  std::vector<std::byte> bytes;
};

/// Parcels, at most one for each rank, whose memory is kept when they are used again.
class Parcels {
 public:
  /// There are none any more.
  void clear() { count_ = 0; }
  /// An empty parcel.
  Parcel& add(int rank);

  std::span<Parcel> all() { return {parcels_.data(), count_}; }
  std::span<const Parcel> all() const { return {parcels_.data(), count_}; }
  double memory_usage() const;

 private:
  std::vector<Parcel> parcels_;
  std::size_t count_ = 0;
};

/// Brings parcels of any size from rank to rank.
class Mail {
 public:
  explicit Mail(MPI_Comm world) : world_(world) {}

  /// Sends `outgoing` and fills `incoming`, whose ranks tell from whom something comes, be it
  /// empty. Every parcel sent must be awaited. Collective among those who send to each other.
  void deliver(std::span<const Parcel> outgoing, std::span<Parcel> incoming);

  double memory_usage() const;

 private:
  void wait();

  MPI_Comm world_;
  std::vector<std::int64_t> sizes_;
  std::vector<MPI_Request> requests_;
};

}  // namespace dempilot::lammps
