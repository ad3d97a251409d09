// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plugin/lammps/AgentColumns.h"
#include "plugin/lammps/MappedMemory.h"

namespace dempilot::lammps {

/// What the agents of one rank remember, and which atom each of them is.
///
/// Every atom costs one integer, its row or -1 for a grain; everything else is stored for agents
/// alone, in dense rows 0 to size() - 1, so that a column of the pool is directly the batch that is
/// inferred. An atom and its row find each other both ways; a row whose atom no longer points back
/// (it was sent away, deleted, or overwritten, with or without anybody telling) is dead, and
/// sweep() frees it.
class AgentPool {
 public:
  explicit AgentPool(AgentShape shape);

  const AgentShape& shape() const { return shape_; }
  std::size_t size() const { return atom_.size(); }

  /// Makes room for atoms 0 to `atoms` - 1; the new ones are grains.
  void grow_atoms(int atoms);
  /// Row of an atom, -1 for a grain.
  int row(int atom) const { return slot_[static_cast<std::size_t>(atom)]; }
  /// Of all atoms.
  const std::int32_t* rows() const { return slot_.data(); }
  /// Makes a grain an agent that remembers nothing.
  void adopt(int atom, std::int64_t id);
  /// Makes an atom a grain. Its row is dead until the next sweep.
  void release(int atom) { slot_[static_cast<std::size_t>(atom)] = -1; }
  /// Atom `to` becomes what atom `from` is. `deleted`: the atom that was `to` is no more.
  void copy_atom(int from, int to, bool deleted);
  /// Frees the rows of all but the atoms 0 to `local_atoms` - 1. Rows may change places.
  void sweep(int local_atoms);
  void reserve(std::size_t agents);

  /// Most doubles that pack() writes for one atom.
  int max_packed() const;
  /// Writes what travels with an atom and returns the number of doubles written: one for a grain.
  int pack(int atom, double* buffer) const;
  /// Reads what pack() wrote, for an atom that arrived as `atom`; returns the doubles read.
  int unpack(int atom, const double* buffer);

  /// Atoms that there is room for.
  std::size_t atom_capacity() const { return slot_.size(); }
  /// Where the row of each atom and the atom of each row are to be written.
  struct Links {
    std::int32_t* row;   ///< (atom_capacity), -1 for a grain
    std::int32_t* atom;  ///< (size)
  };
  /// Makes room for `atoms` atoms and becomes `rows` rows long, all of which somebody else fills.
  Links refill(int atoms, std::size_t rows);

  /// Index of each agent's atom, (agents).
  std::span<const std::int32_t> atoms() const { return atom_; }
  /// What the agents remember. The columns keep their lengths.
  const AgentColumns& columns() const { return columns_; }
  AgentColumns& columns() { return columns_; }

  double memory_usage() const;

 private:
  std::size_t packed_bytes() const;
  bool is_dead(std::size_t row, int local_atoms) const;
  void push_row(int atom);
  void replace_by_last(std::size_t row);
  void shrink();

  AgentShape shape_;
  std::vector<std::int32_t, MappedAllocator<std::int32_t>> slot_;  ///< (atoms), row or -1
  std::vector<std::int32_t> atom_;
  AgentColumns columns_;
};

}  // namespace dempilot::lammps
