// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/Backend.hpp"
#include "core/observe/Borrowed.hpp"
#include "core/observe/Launch.hpp"
#include "plugin/lammps/AgentColumns.h"
#include "plugin/lammps/AgentPool.h"
#include "plugin/lammps/kokkos/RowCopy.hpp"

namespace dempilot::lammps {

/// AgentColumns in the memory of an execution space.
template <class Space>
struct DeviceColumns {
  Vector<std::int64_t, Space> id;
  Vector<double, Space> wrench;
  Vector<double, Space> reset_time;
  Vector<double, Space> inside;
  Vector<float, Space> carry;
  Vector<float, Space> applied;
  Vector<float, Space> pending;
  Vector<float, Space> value;
  Vector<float, Space> log_prob;
  Vector<float, Space> observation;
};

/// What AgentPool is, in the memory of an execution space: agents stay there when atoms migrate to
/// other ranks, are sorted, or are deleted. Nothing waits but what returns a number of agents or
/// copies from or to a host.
template <class Space>
class DeviceAgents {
 public:
  DeviceAgents(AgentShape shape, Space space) : shape_(shape), space_(std::move(space)) {}

  /// Rows; some of them are dead between an exchange and the next sweep.
  std::size_t size() const { return size_; }
  const AgentShape& shape() const { return shape_; }

  /// Atom of each row.
  std::span<const std::int32_t> atoms() const { return {atom_.data(), size_}; }
  /// Row of each atom, -1 for a grain.
  const std::int32_t* rows() const { return slot_.data(); }
  const DeviceColumns<Space>& columns() const { return columns_; }
  /// A column's rows.
  template <class T>
  std::span<T> of(const Vector<T, Space>& column, std::size_t width) const {
    return {column.data(), size_ * width};
  }

  /// Makes room for atoms 0 to `atoms` - 1; the new ones are grains.
  void grow_atoms(int atoms);
  /// Becomes what the pool is.
  void take(const AgentPool& pool);
  /// Makes the pool what this is; without `memory` all but carries and what was given before.
  void give(AgentPool& pool, bool memory = true) const;
  /// Frees the rows of all but the atoms 0 to `local_atoms` - 1. Rows may change places.
  void sweep(int local_atoms);

  /// Most doubles that pack() writes for one atom.
  int max_packed() const { return 1 + record().packed(); }
  /// Writes where the messages of the atoms `sent` (count) begin, then the messages, each as
  /// AgentPool::pack() writes it; then puts the atoms `filler` (count) in their places. Returns the
  /// number of doubles.
  int pack(int count, const int* sent, const int* filler, double* buffer);
  /// Reads the messages of `count` atoms that arrived as atoms `arrived` (count), -1 for those that
  /// did not stay: those of two ranks one after the other, each as pack() wrote it.
  void unpack(int count, const int* arrived, const Messages& messages);
  /// Follows atoms that a Kokkos::BinSort has put in another order.
  template <class Sorter>
  void sort(const Sorter& sorter, int local_atoms);

  double memory_usage() const;

 private:
  using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<int>>;

  Record record() const;
  Liveness liveness(int local_atoms) const { return {slot_.data(), atom_.data(), local_atoms}; }
  void reserve(std::size_t rows);
  template <class View>
  void grow(View& view, const char* label, std::size_t size, std::size_t kept);
  template <class Kernel>
  void each_word(int rows, int words, const Kernel& kernel) const;
  int list_rows(const char* label, int count, const RowLister& lister);

  AgentShape shape_;
  Space space_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  Vector<std::int32_t, Space> slot_;  ///< (atoms)
  Vector<std::int32_t, Space> atom_;  ///< (capacity)
  DeviceColumns<Space> columns_;      ///< (capacity, …)
  Vector<std::int32_t, Space> from_, to_;
};

/// Keeps the first `kept` entries.
template <class Space>
template <class View>
void DeviceAgents<Space>::grow(View& view, const char* label, std::size_t size, std::size_t kept) {
  if (view.extent(0) >= size) return;
  View larger(Kokkos::view_alloc(std::string(label), Kokkos::WithoutInitializing), size);
  if (kept > 0) {
    const auto range = std::make_pair(std::size_t{0}, kept);
    Kokkos::deep_copy(space_, Kokkos::subview(larger, range), Kokkos::subview(view, range));
    space_.fence();  // before the old one goes
  }
  view = larger;
}

template <class Space>
void DeviceAgents<Space>::grow_atoms(int atoms) {
  const std::size_t before = slot_.extent(0);
  const auto size = static_cast<std::size_t>(atoms);
  if (size <= before) return;
  grow(slot_, "DEMPilot::DeviceAgents::slot", size, before);
  Kokkos::deep_copy(space_, Kokkos::subview(slot_, std::make_pair(before, size)), -1);
}

template <class Space>
void DeviceAgents<Space>::reserve(std::size_t rows) {
  if (rows <= capacity_) return;
  capacity_ = rows + rows / 4;
  grow(atom_, "DEMPilot::DeviceAgents::atom", capacity_, size_);
  for_each_column(columns_, shape_, [this](const char* name, auto& column, std::size_t width) {
    grow(column, name, capacity_ * width, size_ * width);
  });
}

template <class Space>
Record DeviceAgents<Space>::record() const {
  Record record;
  for_each_column(columns_, shape_, [&record](const char*, const auto& column, std::size_t width) {
    record.add(column.data(), width);
  });
  return record;
}

template <class Space>
void DeviceAgents<Space>::take(const AgentPool& pool) {
  size_ = 0;  // nothing of what is here is kept
  reserve(pool.size());
  size_ = pool.size();
  const auto copy = [](const auto& to, const auto* from, std::size_t count) {
    using T = std::decay_t<decltype(*from)>;
    if (count == 0) return;
    Kokkos::deep_copy(Borrowed<T*, Space>(to.data(), count), HostVector<const T>(from, count));
  };
  space_.fence();
  copy(slot_, pool.rows(), std::min(slot_.extent(0), pool.atom_capacity()));
  copy(atom_, pool.atoms().data(), size_);
  for_each_column_pair(columns_, pool.columns(), shape_,
                       [&](const char*, const auto& mine, const auto& theirs, std::size_t) {
                         copy(mine, theirs.data(), theirs.size());
                       });
}

template <class Space>
void DeviceAgents<Space>::give(AgentPool& pool, bool memory) const {
  const auto copy = [](const auto* from, auto* to, std::size_t count) {
    using T = std::decay_t<decltype(*to)>;
    if (count == 0) return;
    Kokkos::deep_copy(HostVector<T>(to, count), Borrowed<const T*, Space>(from, count));
  };
  space_.fence();
  const AgentPool::Links links = pool.refill(static_cast<int>(slot_.extent(0)), size_);
  copy(slot_.data(), links.row, slot_.extent(0));
  copy(atom_.data(), links.atom, size_);
  for_each_column_pair(columns_, pool.columns(), shape_,
                       [&](const char*, const auto& mine, auto& theirs, std::size_t) {
                         const bool is_memory = static_cast<const void*>(&mine) == &columns_.carry;
                         if (memory || !is_memory) copy(mine.data(), theirs.data(), theirs.size());
                       });
}

/// A thread for each word: there can be more of them than an int counts.
template <class Space>
template <class Kernel>
void DeviceAgents<Space>::each_word(int rows, int words, const Kernel& kernel) const {
  using Words = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(std::string(Kernel::label), Words(space_, 0, std::int64_t{rows} * words),
                       kernel);
}

template <class Space>
int DeviceAgents<Space>::list_rows(const char* label, int count, const RowLister& lister) {
  int listed = 0;
  Kokkos::parallel_scan(std::string(label), Range(space_, 0, count), lister, listed);
  return listed;
}

/// Rows that live beyond the number of those that live move into the gaps before it.
template <class Space>
void DeviceAgents<Space>::sweep(int local_atoms) {
  const Liveness lives = liveness(local_atoms);
  const int rows = static_cast<int>(size_);
  int living = 0;
  Kokkos::parallel_reduce("DEMPilot::DeviceAgents::count", Range(space_, 0, rows),
                          LiveCounter{lives}, living);
  const int beyond = rows - living;
  if (beyond > 0 && living > 0) {
    grow(from_, "DEMPilot::DeviceAgents::from", static_cast<std::size_t>(beyond), 0);
    grow(to_, "DEMPilot::DeviceAgents::to", static_cast<std::size_t>(beyond), 0);
    const int moves = list_rows("DEMPilot::DeviceAgents::list_movers", beyond,
                                {lives, true, living, from_.data()});
    list_rows("DEMPilot::DeviceAgents::list_gaps", living, {lives, false, 0, to_.data()});
    const Record moved = record();
    each_word(moves, moved.words, WordMover{moved, from_.data(), to_.data()});
    launch(space_, static_cast<std::size_t>(moves),
           Relinker{from_.data(), to_.data(), slot_.data(), atom_.data()});
  }
  size_ = static_cast<std::size_t>(living);
}

template <class Space>
int DeviceAgents<Space>::pack(int count, const int* sent, const int* filler, double* buffer) {
  const Record sender = record();
  int doubles = 0;
  Kokkos::parallel_scan("DEMPilot::DeviceAgents::lengths", Range(space_, 0, count),
                        MessageLengths{sent, slot_.data(), buffer, count, sender.packed()},
                        doubles);
  each_word(count, sender.message_words(),
            WordPacker{sender, sent, slot_.data(), {buffer, count, 0}});
  launch(space_, static_cast<std::size_t>(count),
         GapFiller{sent, filler, slot_.data(), atom_.data()});
  return count + doubles;
}

template <class Space>
void DeviceAgents<Space>::unpack(int count, const int* arrived, const Messages& messages) {
  reserve(size_ + static_cast<std::size_t>(count));
  grow(to_, "DEMPilot::DeviceAgents::to", static_cast<std::size_t>(count), 0);
  int agents = 0;
  Kokkos::parallel_scan(
      "DEMPilot::DeviceAgents::give_rows", Range(space_, 0, count),
      RowGiver{messages, arrived, slot_.data(), atom_.data(), to_.data(), static_cast<int>(size_)},
      agents);
  const Record receiver = record();
  each_word(count, receiver.words, WordUnpacker{receiver, to_.data(), messages});
  size_ += static_cast<std::size_t>(agents);
}

template <class Space>
template <class Sorter>
void DeviceAgents<Space>::sort(const Sorter& sorter, int local_atoms) {
  sorter.sort(space_, slot_);
  launch(space_, static_cast<std::size_t>(local_atoms), AtomFinder{slot_.data(), atom_.data()});
}

template <class Space>
double DeviceAgents<Space>::memory_usage() const {
  std::size_t words = slot_.extent(0) + atom_.extent(0) + from_.extent(0) + to_.extent(0);
  words += capacity_ * static_cast<std::size_t>(record().words);
  return static_cast<double>(words * sizeof(std::int32_t));
}

}  // namespace dempilot::lammps
