// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/Recording.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "core/Error.hpp"
#include "error.h"
#include "plugin/lammps/Collective.h"
#include "update.h"

namespace dempilot::lammps {
namespace {

/// Bytes that a rank keeps in memory before all write.
constexpr std::size_t limit = std::size_t{64} << 20U;

/// Steps after which ranks agree about signals, where no decision makes them meet.
constexpr std::int64_t agreement_interval = 64;

/// All recordings of the process, for whoever ends it. Never destroyed: exit() may come at any
/// time.
struct Living {
  std::mutex mutex;
  std::vector<Recording*> recordings;
};

Living& living() {
  static Living* const all = new Living;
  return *all;
}

std::vector<Recording*> all_recordings() {
  const std::lock_guard lock(living().mutex);
  return living().recordings;
}

/// LAMMPS ends after an error without destroying anything.
void flush_at_exit() {
  for (Recording* const recording : all_recordings())
    recording->flush_alone();
}

void enlist(Recording* recording) {
  static const int registered = std::atexit(flush_at_exit);
  static_cast<void>(registered);
  const std::lock_guard lock(living().mutex);
  living().recordings.push_back(recording);
}

void strike_off(Recording* recording) {
  const std::lock_guard lock(living().mutex);
  std::erase(living().recordings, recording);
}

}  // namespace

Recording::Recording(LAMMPS_NS::LAMMPS* engine, const FixOptions::Record& options,
                     std::string owner)
    : Pointers(engine), options_(options), owner_(std::move(owner)) {
  // The script may change the folder it is in, and relative names stay what they were.
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(options_.path, failed);
  if (!failed) options_.path = absolute.string();
  const auto made = [&](const std::string& argument, const char* name) {
    if (argument.empty()) return std::unique_ptr<PerAtomInput>();
    return std::make_unique<PerAtomInput>(lmp, argument, owner_ + ": record " + name);
  };
  reward_input_ = made(options_.reward, "reward");
  done_input_ = made(options_.done, "done");
  enlist(this);
}

Recording::~Recording() {
  strike_off(this);
  flush_alone();
}

void Recording::describe(std::string source, std::string policy, std::size_t observation,
                         std::size_t action, std::size_t carry) {
  launch_.source = std::move(source);
  launch_.policy = std::move(policy);
  launch_.shape = {observation, action, options_.carry ? carry : 0, reward_input_ != nullptr,
                   done_input_ != nullptr};
  launch_.every = options_.every;
  launch_.ranks = comm->nprocs;
}

bool Recording::invokes_computes() const {
  return (reward_input_ && reward_input_->invokes_computes()) ||
         (done_input_ && done_input_->invokes_computes());
}

void Recording::init() {
  if (reward_input_) reward_input_->init();
  if (done_input_) done_input_->init();
}

/* ----------------------------------------------------------------------
   rank 0 keeps the index; all that others need of it is the launch's number
------------------------------------------------------------------------- */

void Recording::begin(std::int64_t decision, bool resumed) {
  if (recorder_) return;
  launch_.from_decision = decision;
  launch_.from_step = update->ntimestep;
  std::int64_t superseded = 0;
  auto message = try_together(world, [&] {
    if (comm->me != 0) return;
    index_ = std::make_unique<record::RecordingIndex>(options_.path, launch_);
    launch_.number = index_->launch().number;
    superseded = index_->superseded();
  });
  if (message) error->all(FLERR, "{}: {}", owner_, *message);
  if (superseded > 0 && !resumed) {
    error->warning(FLERR,
                   "{}: {} holds {} rows of an earlier simulation (this one starts anew, and its "
                   "rows take their place). Record to another folder to keep them apart",
                   owner_, options_.path, superseded);
  }
  MPI_Bcast(&launch_.number, 1, MPI_INT64_T, 0, world);
  recorder_ = std::make_unique<record::Recorder>(options_.path, launch_, comm->me, limit);
}

/* ---------------------------------------------------------------------- */

void Recording::take_state(const AgentPool& pool, int agent_group) {
  const auto evaluate = [&](const std::unique_ptr<PerAtomInput>& source,
                            std::vector<double>& values) {
    if (!source) return;
    values.resize(pool.size());
    source->evaluate(pool.atoms(), agent_group, values.data(), 1);
  };
  evaluate(reward_input_, reward_);
  evaluate(done_input_, done_);
  if (launch_.shape.carry > 0) {
    const std::vector<float>& carry = pool.columns().carry;
    carry_.assign(carry.begin(), carry.end());
  }
}

void Recording::take_decision(std::int64_t decision, const AgentPool& pool,
                              std::span<const float> observation) {
  if (!watch_) watch_.emplace();
  tags_.clear();
  for (const std::int32_t i : pool.atoms())
    tags_.push_back(atom->tag[i]);
  const AgentColumns& agents = pool.columns();
  std::optional<std::string> message;
  try {
    const std::lock_guard lock(mutex_);
    recorder_->append({decision, update->ntimestep, agents.id, tags_, observation, agents.pending,
                       agents.log_prob, agents.value, carry_, reward_, done_});
  } catch (const Error& problem) {
    message = problem.what();
  } catch (const std::bad_alloc&) {
    message = "not enough memory to record (the allocation failed). Flush more often";
  }
  if (message) error->one(FLERR, "{}: {}", owner_, *message);
}

/* ---------------------------------------------------------------------- */

void Recording::settle(bool decided) {
  if (!recorder_) return;
  if (!decided && comm->nprocs > 1 && update->ntimestep % agreement_interval != 0) return;
  constexpr int must_write = 1;
  constexpr int must_end = 2;
  const bool written = recorder_->decisions() == 0;
  const bool due = options_.flush > 0 && recorder_->decisions() >= options_.flush;
  int wish = !written && (due || recorder_->is_full()) ? must_write : 0;
  if (SignalWatch::noted() != 0) wish |= must_end;
  if (comm->nprocs > 1) MPI_Allreduce(MPI_IN_PLACE, &wish, 1, MPI_INT, MPI_BOR, world);
  if ((wish & must_end) != 0) {
    flush_all();
    SignalWatch::follow();
  } else if ((wish & must_write) != 0) {
    flush();
  }
}

/* ----------------------------------------------------------------------
   before the process ends: together what is of this simulation, and alone what
   is of others
------------------------------------------------------------------------- */

void Recording::flush_all() {
  for (Recording* const recording : all_recordings()) {
    if (recording->lmp == lmp) {
      recording->flush();
    } else {
      recording->flush_alone();
    }
  }
}

void Recording::flush() {
  if (!recorder_ || recorder_->decisions() == 0) return;
  const std::lock_guard lock(mutex_);
  const auto mine = static_cast<std::int64_t>(recorder_->rows());
  std::vector<std::int64_t> rows(comm->me == 0 ? static_cast<std::size_t>(comm->nprocs) : 0);
  MPI_Gather(&mine, 1, MPI_INT64_T, rows.data(), 1, MPI_INT64_T, 0, world);
  auto message = try_together(world, [&] {
    if (mine > 0) recorder_->write_segment();
  });
  if (!message) {
    message = try_together(world, [&] {
      if (comm->me == 0) commit(rows);
    });
  }
  failed_ = message.has_value();
  if (failed_) {
    if (mine > 0) recorder_->remove_segment();
    error->all(FLERR, "{}: {}", owner_, *message);
  }
  recorder_->clear();
}

void Recording::commit(const std::vector<std::int64_t>& rows) {
  if (std::all_of(rows.begin(), rows.end(), [](std::int64_t count) { return count == 0; })) return;
  record::Flush flush = recorder_->next_flush();
  flush.rows = rows;
  index_->commit(flush);
}

void Recording::rest() {
  flush();
  watch_.reset();
}

/* ----------------------------------------------------------------------
   the index cannot be written, as other ranks may be anywhere; readers take
   what all ranks have written so. Hence also a rank without rows writes
------------------------------------------------------------------------- */

void Recording::flush_alone() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (!recorder_ || recorder_->decisions() == 0 || failed_) return;
    failed_ = true;  // once is enough
    recorder_->write_segment();
    recorder_->clear();
    failed_ = false;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s: %s\n", owner_.c_str(), problem.what());
  }
}

double Recording::memory_usage() const {
  const auto scratch = static_cast<double>(
      carry_.capacity() * sizeof(float) + tags_.capacity() * sizeof(std::int64_t) +
      (reward_.capacity() + done_.capacity()) * sizeof(double));
  return scratch + (recorder_ ? static_cast<double>(recorder_->memory_usage()) : 0.0);
}

}  // namespace dempilot::lammps
