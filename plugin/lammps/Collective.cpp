// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Collective.h"

#include <algorithm>
#include <cstdint>

namespace dempilot::lammps {
namespace {

int rank_of(MPI_Comm world) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  return rank;
}

int size_of(MPI_Comm world) {
  int size = 0;
  MPI_Comm_size(world, &size);
  return size;
}

/// Calls transfer(first byte, count) for pieces of at most message_bytes.
template <class Transfer>
void in_pieces(std::byte* bytes, std::size_t count, const Transfer& transfer) {
  for (std::size_t done = 0; done < count; done += message_bytes) {
    transfer(bytes + done, static_cast<int>(std::min(message_bytes, count - done)));
  }
}

}  // namespace

std::optional<std::string> first_message(const std::optional<std::string>& mine, MPI_Comm world) {
  const int ranks = size_of(world);
  int first = mine ? rank_of(world) : ranks;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, world);
  if (first == ranks) return std::nullopt;
  std::string message = mine.value_or("");
  auto length = static_cast<int>(message.size());
  MPI_Bcast(&length, 1, MPI_INT, first, world);
  message.resize(static_cast<std::size_t>(length));
  MPI_Bcast(message.data(), length, MPI_CHAR, first, world);
  return message;
}

void broadcast(std::span<std::byte> bytes, MPI_Comm world) {
  in_pieces(bytes.data(), bytes.size(),
            [world](std::byte* piece, int count) { MPI_Bcast(piece, count, MPI_BYTE, 0, world); });
}

void broadcast(std::vector<std::byte>& bytes, MPI_Comm world) {
  auto size = static_cast<std::int64_t>(bytes.size());
  MPI_Bcast(&size, 1, MPI_INT64_T, 0, world);
  bytes.resize(static_cast<std::size_t>(size));
  broadcast(std::span<std::byte>(bytes), world);
}

std::vector<std::byte> gather(std::span<const std::byte> mine, MPI_Comm world) {
  constexpr int tag = 0;
  const int rank = rank_of(world);
  const int ranks = size_of(world);
  const auto my_size = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> sizes(rank == 0 ? static_cast<std::size_t>(ranks) : 0);
  MPI_Gather(&my_size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, 0, world);
  if (rank != 0) {
    // MPI does not write to what it sends.
    in_pieces(
        const_cast<std::byte*>(mine.data()), mine.size(),
        [world](std::byte* piece, int count) { MPI_Send(piece, count, MPI_BYTE, 0, tag, world); });
    return {};
  }
  std::size_t total = 0;
  for (const std::int64_t size : sizes)
    total += static_cast<std::size_t>(size);
  std::vector<std::byte> all(total);
  std::copy(mine.begin(), mine.end(), all.begin());
  std::size_t offset = mine.size();
  for (int source = 1; source < ranks; ++source) {
    const auto size = static_cast<std::size_t>(sizes[static_cast<std::size_t>(source)]);
    in_pieces(all.data() + offset, size, [world, source](std::byte* piece, int count) {
      MPI_Recv(piece, count, MPI_BYTE, source, tag, world, MPI_STATUS_IGNORE);
    });
    offset += size;
  }
  return all;
}

}  // namespace dempilot::lammps
