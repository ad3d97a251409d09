// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Collective.h"

#include <algorithm>
#include <cstdint>
#include <limits>

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

void gather_everywhere(std::span<const double> mine, std::vector<double>& all, MPI_Comm world) {
  const auto ranks = static_cast<std::size_t>(size_of(world));
  const auto count = static_cast<int>(mine.size() / 3);
  std::vector<int> layout(2 * ranks);  // counts, then where they go
  int* const counts = layout.data();
  int* const places = layout.data() + ranks;
  MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, world);
  std::int64_t total = 0;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    places[rank] = static_cast<int>(total);
    total += counts[rank];
    if (total > std::numeric_limits<int>::max()) {
      throw Error(
          "the agents have more than 2147483647 goals in all (every rank holds all goals that are "
          "seen). Use fewer agents");
    }
  }
  all.resize(3 * static_cast<std::size_t>(total));
  MPI_Datatype point = MPI_DATATYPE_NULL;
  MPI_Type_contiguous(3, MPI_DOUBLE, &point);
  MPI_Type_commit(&point);
  MPI_Allgatherv(mine.data(), count, point, all.data(), counts, places, point, world);
  MPI_Type_free(&point);
}

std::vector<std::byte> gather(std::span<const std::byte> mine, MPI_Comm world) {
  constexpr int tag = 0;
  const int rank = rank_of(world);
  const int ranks = size_of(world);
  const auto my_size = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> sizes(rank == 0 ? static_cast<std::size_t>(ranks) : 0);
  MPI_Gather(&my_size, 1, MPI_INT64_T, sizes.data(), 1, MPI_INT64_T, 0, world);
  if (rank != 0) {
    in_pieces(mine.data(), mine.size(), [world](const std::byte* piece, int count) {
      MPI_Send(piece, count, MPI_BYTE, 0, tag, world);
    });
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
