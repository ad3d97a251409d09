// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/Error.hpp"

namespace dempilot::lammps {

/// Pieces in which long messages are sent: MPI counts with an int.
inline constexpr std::size_t message_bytes = std::size_t{1} << 28U;

/// Calls transfer(first byte, count) for pieces of at most message_bytes.
template <class Byte, class Transfer>
void in_pieces(Byte* bytes, std::size_t count, const Transfer& transfer) {
  for (std::size_t done = 0; done < count; done += message_bytes) {
    transfer(bytes + done, static_cast<int>(std::min(message_bytes, count - done)));
  }
}

/// Message of the first rank that has one, for all ranks; nothing when none has. Collective.
std::optional<std::string> first_message(const std::optional<std::string>& mine, MPI_Comm world);

/// Runs `work` on this rank and returns, on all ranks, the message of the first rank where it threw
/// an Error or ran out of memory. The one place where the core's errors become the engine's.
/// Collective.
template <class Work>
std::optional<std::string> try_together(MPI_Comm world, const Work& work) {
  std::optional<std::string> message;
  try {
    work();
  } catch (const Error& error) {
    message = error.what();
  } catch (const std::bad_alloc&) {
    message = "not enough memory (the allocation failed). Use more ranks or fewer agents";
  }
  return first_message(message, world);
}

/// Sends `bytes` of rank 0 to all ranks, resizing theirs. Collective.
void broadcast(std::vector<std::byte>& bytes, MPI_Comm world);
/// Sends `bytes` of rank 0 to all ranks; the same size on all. Collective.
void broadcast(std::span<std::byte> bytes, MPI_Comm world);

/// Points (points, 3) of all ranks one after the other, on all ranks. Throws Error, on all ranks,
/// when there are more than MPI can count. Collective.
void gather_everywhere(std::span<const double> mine, std::vector<double>& all, MPI_Comm world);

/// Bytes of all ranks one after the other, on rank 0; nothing on the others. Collective.
std::vector<std::byte> gather(std::span<const std::byte> mine, MPI_Comm world);

}  // namespace dempilot::lammps
