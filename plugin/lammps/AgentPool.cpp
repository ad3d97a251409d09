// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/AgentPool.h"

#include <algorithm>
#include <cstring>

namespace dempilot::lammps {

AgentPool::AgentPool(AgentShape shape) : shape_(shape) {}

void AgentPool::grow_atoms(int atoms) {
  const auto size = std::max(slot_.size(), static_cast<std::size_t>(atoms));
  slot_.reserve(size);  // exactly: the engine has its own slack
  slot_.resize(size, -1);
}

void AgentPool::push_row(int atom) {
  slot_[static_cast<std::size_t>(atom)] = static_cast<std::int32_t>(atom_.size());
  atom_.push_back(atom);
  const std::size_t rows = atom_.size();
  for_each_column(columns_, shape_, [rows](const char*, auto& column, std::size_t width) {
    column.resize(rows * width);
  });
}

void AgentPool::adopt(int atom, std::int64_t id) {
  push_row(atom);
  columns_.id.back() = id;
}

void AgentPool::copy_atom(int from, int to, bool deleted) {
  if (from == to) {
    if (deleted) release(to);
    return;
  }
  const std::int32_t source = row(from);
  slot_[static_cast<std::size_t>(to)] = source;
  if (source >= 0) atom_[static_cast<std::size_t>(source)] = to;
}

bool AgentPool::is_dead(std::size_t row, int local_atoms) const {
  const std::int32_t atom = atom_[row];
  return atom >= local_atoms || slot_[static_cast<std::size_t>(atom)] != static_cast<int>(row);
}

void AgentPool::replace_by_last(std::size_t row) {
  const std::size_t last = atom_.size() - 1;
  if (row != last) {
    atom_[row] = atom_[last];
    slot_[static_cast<std::size_t>(atom_[row])] = static_cast<std::int32_t>(row);
  }
  atom_.pop_back();
  for_each_column(columns_, shape_, [row, last](const char*, auto& column, std::size_t width) {
    if (row != last) {
      std::copy_n(column.data() + last * width, width, column.data() + row * width);
    }
    column.resize(last * width);
  });
}

void AgentPool::sweep(int local_atoms) {
  // From the end, so that the row that moves into a gap is known to be alive.
  for (std::size_t row = atom_.size(); row-- > 0;) {
    if (is_dead(row, local_atoms)) replace_by_last(row);
  }
  shrink();
}

void AgentPool::shrink() {
  constexpr std::size_t kept_rows = 64;  // not worth giving back
  if (atom_.capacity() <= std::max(kept_rows, 4 * atom_.size())) return;
  atom_.shrink_to_fit();
  for_each_column(columns_, shape_,
                  [](const char*, auto& column, std::size_t) { column.shrink_to_fit(); });
}

void AgentPool::reserve(std::size_t agents) {
  atom_.reserve(agents);
  for_each_column(columns_, shape_, [agents](const char*, auto& column, std::size_t width) {
    column.reserve(agents * width);
  });
}

std::size_t AgentPool::packed_bytes() const {
  std::size_t bytes = 0;
  for_each_column(columns_, shape_, [&bytes](const char*, const auto& column, std::size_t width) {
    bytes += width * sizeof(column[0]);
  });
  return bytes;
}

int AgentPool::max_packed() const {
  return 1 + static_cast<int>((packed_bytes() + sizeof(double) - 1) / sizeof(double));
}

int AgentPool::pack(int atom, double* buffer) const {
  const std::int32_t source = row(atom);
  if (source < 0) {
    buffer[0] = 1.0;
    return 1;
  }
  const int doubles = max_packed();
  buffer[0] = doubles;
  buffer[doubles - 1] = 0.0;  // the last one may be filled in part
  auto* bytes = reinterpret_cast<char*>(buffer + 1);
  for_each_column(
      columns_, shape_, [source, &bytes](const char*, const auto& column, std::size_t width) {
        const std::size_t length = width * sizeof(column[0]);
        if (length > 0) {
          std::memcpy(bytes, column.data() + static_cast<std::size_t>(source) * width, length);
        }
        bytes += length;
      });
  return doubles;
}

int AgentPool::unpack(int atom, const double* buffer) {
  const int doubles = static_cast<int>(buffer[0]);
  release(atom);
  if (doubles == 1) return doubles;
  const std::size_t target = atom_.size();
  push_row(atom);
  const auto* bytes = reinterpret_cast<const char*>(buffer + 1);
  for_each_column(columns_, shape_, [target, &bytes](const char*, auto& column, std::size_t width) {
    const std::size_t length = width * sizeof(column[0]);
    if (length > 0) std::memcpy(column.data() + target * width, bytes, length);
    bytes += length;
  });
  return doubles;
}

AgentPool::Links AgentPool::refill(int atoms, std::size_t rows) {
  grow_atoms(atoms);
  atom_.resize(rows);
  for_each_column(columns_, shape_, [rows](const char*, auto& column, std::size_t width) {
    column.resize(rows * width);
  });
  return {slot_.data(), atom_.data()};
}

double AgentPool::memory_usage() const {
  auto bytes = static_cast<double>((slot_.capacity() + atom_.capacity()) * sizeof(std::int32_t));
  for_each_column(columns_, shape_, [&bytes](const char*, const auto& column, std::size_t) {
    bytes += static_cast<double>(column.capacity() * sizeof(column[0]));
  });
  return bytes;
}

}  // namespace dempilot::lammps
