// SPDX-License-Identifier: GPL-2.0-only

// What other commands read of fix pilot: per-atom array, global vector, and its per-atom storage.

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <numeric>
#include <span>

#include "atom.h"
#include "core/Pilot.hpp"
#include "error.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/Recording.h"
#include "plugin/lammps/SceneBuilder.h"
#include "plugin/lammps/fix_pilot.h"
#include "update.h"

using namespace LAMMPS_NS;
using dempilot::lammps::AgentColumns;
using dempilot::lammps::OutputRows;

namespace {

/// Columns of the per-atom array; actions and observations follow.
namespace column {
constexpr std::size_t id = 0;
constexpr std::size_t wrench = 1;
constexpr std::size_t value = 7;
constexpr std::size_t log_prob = 8;
constexpr std::size_t action = 9;
}  // namespace column

/// Entries of the global vector.
namespace entry {
constexpr std::size_t agents = 0;
constexpr std::size_t decisions = 1;
constexpr std::size_t wrench = 2;
constexpr std::size_t mean_value = 8;
constexpr std::size_t impulse = 9;
}  // namespace entry

}  // namespace

void FixPilot::declare_output() {
  const std::size_t columns = column::action + pool_->shape().action + pool_->shape().observation;
  output_ = std::make_unique<OutputRows>(columns);
  peratom_flag = 1;
  size_peratom_cols = static_cast<int>(columns);
  peratom_freq = 1;

  vector_flag = 1;
  size_vector = static_cast<int>(totals_.size());
  global_freq = 1;
  extvector = -1;
  extlist = new int[totals_.size()];
  std::fill_n(extlist, totals_.size(), 0);
  std::fill_n(extlist + entry::wrench, 6, 1);  // these grow with the system
  std::fill_n(extlist + entry::impulse, 6, 1);
}

void FixPilot::write_row(int row) {
  const auto n = static_cast<std::size_t>(row);
  const AgentColumns& agents = pool_->columns();
  const auto& shape = pool_->shape();
  double* const out = output_->fill(pool_->atoms()[n]);
  out[column::id] = static_cast<double>(agents.id[n]);
  std::copy_n(agents.wrench.data() + 6 * n, 6, out + column::wrench);
  out[column::value] = static_cast<double>(agents.value[n]);
  out[column::log_prob] = static_cast<double>(agents.log_prob[n]);
  std::copy_n(agents.pending.data() + n * shape.action, shape.action, out + column::action);
  std::copy_n(agents.observation.data() + n * shape.observation, shape.observation,
              out + column::action + shape.action);
}

/* ----------------------------------------------------------------------
   keep one atom's row true when the atom changed
------------------------------------------------------------------------- */

void FixPilot::refresh_row(int i, bool was_agent) {
  if (pool_->row(i) >= 0) {
    write_row(pool_->row(i));
  } else if (was_agent) {
    output_->erase(i);
  }
}

/* ----------------------------------------------------------------------
   agents that wander from index to index leave pages of zeros behind
------------------------------------------------------------------------- */

void FixPilot::tidy_output() {
  constexpr std::size_t kept_rows = 4096;
  if (output_->filled() <= 4 * pool_->size() + kept_rows) return;
  output_->clear();
  publish();
}

void FixPilot::publish() {
  for (std::size_t row = 0; row < pool_->size(); ++row)
    write_row(static_cast<int>(row));
}

void FixPilot::publish_wrenches() {
  const std::span<const std::int32_t> atoms = pool_->atoms();
  for (std::size_t row = 0; row < atoms.size(); ++row) {
    std::copy_n(pool_->columns().wrench.data() + 6 * row, 6,
                output_->rows()[atoms[row]] + column::wrench);
  }
}

/* ---------------------------------------------------------------------- */

void FixPilot::sum_totals() {
  pool_->sweep(atom->nlocal);  // atoms may have been deleted, or moved to other ranks, between runs
  double value = 0.0;
  for (const float of_agent : pool_->columns().value)
    value += static_cast<double>(of_agent);
  share_totals(static_cast<double>(pool_->size()), total_wrench(), value);
}

void FixPilot::share_totals(double agents, const std::array<double, 6>& wrench, double value) {
  totals_.fill(0.0);
  totals_[entry::agents] = agents;
  totals_[entry::mean_value] = value;
  std::ranges::copy(wrench, totals_.begin() + entry::wrench);
  std::ranges::copy(counters_.impulse, totals_.begin() + entry::impulse);
  MPI_Allreduce(MPI_IN_PLACE, totals_.data(), static_cast<int>(totals_.size()), MPI_DOUBLE, MPI_SUM,
                world);
  totals_[entry::decisions] = static_cast<double>(counters_.decisions);
  if (totals_[entry::agents] > 0.0) totals_[entry::mean_value] /= totals_[entry::agents];
  totals_valid_ = true;
  totals_atoms_ = atom->natoms;
}

/* ----------------------------------------------------------------------
   between runs, and between the pieces of one, commands may have replaced atoms
------------------------------------------------------------------------- */

double FixPilot::compute_vector(int n) {
  const bool at_rest = update->whichflag == 0 || update->ntimestep == update->laststep;
  if (at_rest || !totals_valid_ || totals_atoms_ != atom->natoms) sum_totals();
  return totals_[static_cast<std::size_t>(n)];
}

double FixPilot::memory_usage() {
  const auto bytes = [](const auto&... vectors) {
    return (static_cast<double>(vectors.capacity() * sizeof(vectors[0])) + ...);
  };
  return pool_->memory_usage() + output_->memory_usage() + scene_->memory_usage() +
         (recording_ ? recording_->memory_usage() : 0.0) +
         bytes(rows_, resets_, contact_atoms_, contact_forces_, seen_contact_force_, seen_action_,
               seen_time_);
}

/* ----------------------------------------------------------------------
   per-atom storage
------------------------------------------------------------------------- */

void FixPilot::grow_arrays(int nmax) {
  try {
    pool_->grow_atoms(nmax);
    output_->resize(nmax);
  } catch (const std::bad_alloc&) {
    error->one(FLERR, "{}: not enough memory for {} atoms (the allocation failed). Use more ranks",
               me_, nmax);
  }
  array_atom = output_->rows();
  for (std::size_t row = 0; row < pool_->size(); ++row) {
    const int i = pool_->atoms()[row];
    if (pool_->row(i) == static_cast<int>(row)) write_row(static_cast<int>(row));
  }
}

void FixPilot::copy_arrays(int i, int j, int delflag) {
  const bool was_agent = pool_->row(j) >= 0;
  pool_->copy_atom(i, j, delflag != 0);
  refresh_row(j, was_agent);
}

void FixPilot::set_arrays(int i) {
  const bool was_agent = pool_->row(i) >= 0;
  pool_->release(i);
  refresh_row(i, was_agent);
}

int FixPilot::pack_exchange(int i, double* buf) {
  return pool_->pack(i, buf);
}

int FixPilot::unpack_exchange(int nlocal, double* buf) {
  const bool was_agent = pool_->row(nlocal) >= 0;
  const int doubles = pool_->unpack(nlocal, buf);
  refresh_row(nlocal, was_agent);
  return doubles;
}
