// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "core/Backend.hpp"

/// Rows of columns of any type, seen as words of four bytes, and kernels that move them.
namespace dempilot::lammps {

/// What belongs to one agent, spread over columns. Its words, column by column, are those that
/// AgentPool::pack() writes.
struct Record {
  static constexpr int most_columns = 12;

  Kokkos::Array<std::uint32_t*, most_columns> column{};
  Kokkos::Array<int, most_columns> width{};  ///< in words
  int columns = 0;
  int words = 0;  ///< of a row

  template <class T>
  void add(T* data, std::size_t entries) {
    static_assert(sizeof(T) % sizeof(std::uint32_t) == 0);
    column[columns] = reinterpret_cast<std::uint32_t*>(data);
    width[columns] = static_cast<int>(entries * sizeof(T) / sizeof(std::uint32_t));
    words += width[columns++];
  }

  /// Doubles of a message: one for the length, and the words.
  KOKKOS_INLINE_FUNCTION int packed() const { return 1 + (words + 1) / 2; }
  /// Words of a message without its length.
  KOKKOS_INLINE_FUNCTION int message_words() const { return 2 * (packed() - 1); }

  KOKKOS_INLINE_FUNCTION std::uint32_t& at(int row, int word) const {
    int n = 0;
    for (; word >= width[n]; ++n)
      word -= width[n];
    return column[n][static_cast<std::size_t>(row) * width[n] + word];
  }
};

/// Where the message of a sent or received atom begins.
struct Messages {
  double* buffer = nullptr;
  int first_count = 0;  ///< atoms in the first of two parts
  int second_part = 0;  ///< where the second part begins

  KOKKOS_INLINE_FUNCTION double* of(int n) const {
    if (n < first_count) return buffer + static_cast<int>(buffer[n]);
    double* const part = buffer + second_part;
    return part + static_cast<int>(part[n - first_count]);
  }
};

/// Writes where each message begins, in front of all, and how long it is.
struct MessageLengths {
  const int* sent;
  const std::int32_t* slot;
  double* buffer;
  int count;
  int of_agent;  ///< doubles

  KOKKOS_FUNCTION
  void operator()(int n, int& before, bool final) const {
    const int length = slot[sent[n]] >= 0 ? of_agent : 1;
    if (final) {
      buffer[n] = count + before;
      buffer[count + before] = length;
    }
    before += length;
  }
};

/// One word of one message: index = message * words + word.
struct WordPacker {
  static constexpr const char* label = "DEMPilot::DeviceAgents::pack";
  Record record;
  const int* sent;
  const std::int32_t* slot;
  Messages messages;

  KOKKOS_FUNCTION
  void operator()(std::int64_t index) const {
    const int n = static_cast<int>(index / record.message_words());
    const int word = static_cast<int>(index % record.message_words());
    const std::int32_t row = slot[sent[n]];
    if (row < 0) return;
    auto* const out = reinterpret_cast<std::uint32_t*>(messages.of(n) + 1);
    out[word] = word < record.words ? record.at(row, word) : 0U;
  }
};

/// Atoms from the end take the places of those that were sent.
struct GapFiller {
  static constexpr const char* label = "DEMPilot::DeviceAgents::fill_gaps";
  const int* sent;
  const int* filler;  ///< -1: the place is beyond the end
  std::int32_t* slot;
  std::int32_t* atom;

  KOKKOS_FUNCTION
  void operator()(int n) const {
    const int from = filler[n];
    if (from < 0) return;
    const int to = sent[n];
    slot[to] = slot[from];
    if (slot[to] >= 0) atom[slot[to]] = to;
  }
};

/// Gives a row to each agent that arrived.
struct RowGiver {
  Messages messages;
  const int* arrived;  ///< index of the atom, -1: somebody else's
  std::int32_t* slot;
  std::int32_t* atom;
  std::int32_t* row;  ///< of each message, -1: none
  int first;          ///< row

  KOKKOS_FUNCTION
  void operator()(int n, int& before, bool final) const {
    const bool is_agent = arrived[n] >= 0 && messages.of(n)[0] > 1.0;
    if (final) {
      row[n] = is_agent ? first + before : -1;
      if (arrived[n] >= 0) slot[arrived[n]] = row[n];
      if (is_agent) atom[row[n]] = arrived[n];
    }
    before += is_agent ? 1 : 0;
  }
};

/// One word of one message, as WordPacker wrote it.
struct WordUnpacker {
  static constexpr const char* label = "DEMPilot::DeviceAgents::unpack";
  Record record;
  const std::int32_t* row;
  Messages messages;

  KOKKOS_FUNCTION
  void operator()(std::int64_t index) const {
    const int n = static_cast<int>(index / record.words);
    const int word = static_cast<int>(index % record.words);
    if (row[n] < 0) return;
    const auto* const in = reinterpret_cast<const std::uint32_t*>(messages.of(n) + 1);
    record.at(row[n], word) = in[word];
  }
};

/// Whether an atom still points back to a row.
struct Liveness {
  const std::int32_t* slot;
  const std::int32_t* atom;
  int local_atoms;

  KOKKOS_INLINE_FUNCTION bool operator()(int row) const {
    return atom[row] < local_atoms && slot[atom[row]] == row;
  }
};

struct LiveCounter {
  Liveness lives;

  KOKKOS_FUNCTION
  void operator()(int row, int& count) const { count += lives(row) ? 1 : 0; }
};

/// Lists the rows from `first` on that live, or that do not.
struct RowLister {
  Liveness lives;
  bool living;
  int first;
  std::int32_t* list;

  KOKKOS_FUNCTION
  void operator()(int n, int& before, bool final) const {
    const bool listed = lives(first + n) == living;
    if (final && listed) list[before] = first + n;
    before += listed ? 1 : 0;
  }
};

/// One word of a row that moves into a gap: index = move * words + word.
struct WordMover {
  static constexpr const char* label = "DEMPilot::DeviceAgents::move";
  Record record;
  const std::int32_t* from;
  const std::int32_t* to;

  KOKKOS_FUNCTION
  void operator()(std::int64_t index) const {
    const int n = static_cast<int>(index / record.words);
    const int word = static_cast<int>(index % record.words);
    record.at(to[n], word) = record.at(from[n], word);
  }
};

struct Relinker {
  static constexpr const char* label = "DEMPilot::DeviceAgents::relink";
  const std::int32_t* from;
  const std::int32_t* to;
  std::int32_t* slot;
  std::int32_t* atom;

  KOKKOS_FUNCTION
  void operator()(int n) const {
    const std::int32_t moved = atom[from[n]];
    atom[to[n]] = moved;
    slot[moved] = to[n];
  }
};

/// After atoms changed places: each row learns where its atom is.
struct AtomFinder {
  static constexpr const char* label = "DEMPilot::DeviceAgents::find_atoms";
  const std::int32_t* slot;
  std::int32_t* atom;

  KOKKOS_FUNCTION
  void operator()(int i) const {
    if (slot[i] >= 0) atom[slot[i]] = i;
  }
};

}  // namespace dempilot::lammps
