// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Mail.h"

#include <algorithm>

#include "plugin/lammps/Collective.h"

namespace dempilot::lammps {
namespace {

constexpr int size_tag = 0;
constexpr int content_tag = 1;

}  // namespace

Parcel& Parcels::add(int rank) {
  if (count_ == parcels_.size()) parcels_.emplace_back();
  Parcel& parcel = parcels_[count_++];
  parcel.rank = rank;
  parcel.bytes.clear();
  return parcel;
}

double Parcels::memory_usage() const {
  std::size_t bytes = parcels_.capacity() * sizeof(Parcel);
  for (const Parcel& parcel : parcels_)
    bytes += parcel.bytes.capacity();
  return static_cast<double>(bytes);
}

void Mail::wait() {
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  requests_.clear();
}

void Mail::deliver(std::span<const Parcel> outgoing, std::span<Parcel> incoming) {
  sizes_.resize(outgoing.size() + incoming.size());
  std::int64_t* size = sizes_.data();
  for (const Parcel& parcel : incoming) {
    MPI_Irecv(size++, 1, MPI_INT64_T, parcel.rank, size_tag, world_, &requests_.emplace_back());
  }
  for (const Parcel& parcel : outgoing) {
    *size = static_cast<std::int64_t>(parcel.bytes.size());
    MPI_Isend(size++, 1, MPI_INT64_T, parcel.rank, size_tag, world_, &requests_.emplace_back());
  }
  wait();

  size = sizes_.data();
  for (Parcel& parcel : incoming) {
    parcel.bytes.resize(static_cast<std::size_t>(*size++));
    in_pieces(parcel.bytes.data(), parcel.bytes.size(), [&](std::byte* piece, int count) {
      MPI_Irecv(piece, count, MPI_BYTE, parcel.rank, content_tag, world_,
                &requests_.emplace_back());
    });
  }
  for (const Parcel& parcel : outgoing) {
    in_pieces(parcel.bytes.data(), parcel.bytes.size(), [&](const std::byte* piece, int count) {
      MPI_Isend(piece, count, MPI_BYTE, parcel.rank, content_tag, world_,
                &requests_.emplace_back());
    });
  }
  wait();
}

double Mail::memory_usage() const {
  return static_cast<double>(sizes_.capacity() * sizeof(std::int64_t) +
                             requests_.capacity() * sizeof(MPI_Request));
}

}  // namespace dempilot::lammps
