// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/record/Launch.hpp"
#include "core/record/Recorder.hpp"
#include "core/record/RecordingIndex.hpp"
#include "plugin/lammps/AgentPool.h"
#include "plugin/lammps/FixOptions.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/SignalWatch.h"
#include "pointers.h"

namespace dempilot::lammps {

/// The recording that one fix makes: each rank writes files of its own, all ranks at the same
/// decisions, and rank 0 enters them in the index. What is in memory is written when a rank's share
/// is full, every so many decisions, when flush() is called, before a signal ends the process, and,
/// without the other ranks, when this object goes away or the process exits.
class Recording : protected LAMMPS_NS::Pointers {
 public:
  /// `owner` is what messages call the fix.
  Recording(LAMMPS_NS::LAMMPS* lmp, const FixOptions::Record& options, std::string owner);
  ~Recording() override;
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// What does not change while the fix lives. Sizes of the policy; `source` and `policy` as in
  /// record::Launch.
  void describe(std::string source, std::string policy, std::size_t observation, std::size_t action,
                std::size_t carry);

  /// Whether rewards invoke computes, see PerAtomInput.
  bool invokes_computes() const;
  /// Looks up where rewards come from; to be called at the start of every run. Collective.
  void init();
  /// Enters this launch in the index, the first time; `decision` is the number of the next one, and
  /// `resumed` says whether a restart file was read. Stops with an error when the folder cannot be
  /// recorded to. Collective.
  void begin(std::int64_t decision, bool resumed);

  bool is_due(std::int64_t decision) const { return decision % options_.every == 0; }
  /// Takes what belongs to the time before the decision: rewards, and carries. Collective.
  void take_state(const AgentPool& pool, int agent_group);
  /// Takes what was observed and decided.
  void take_decision(std::int64_t decision, const AgentPool& pool,
                     std::span<const float> observation);

  /// Writes if some rank must, and ends the process if a signal waits. To be called at each step;
  /// ranks agree about it when `decided`, and now and then between. Collective.
  void settle(bool decided);
  /// Writes what is in memory. Collective.
  void flush();
  /// The end of a run: flush(), and signals are left alone again. Collective.
  void rest();
  /// Writes what is in memory without the other ranks; problems go to stderr, as nobody catches
  /// them any more.
  void flush_alone() noexcept;

  double memory_usage() const;

 private:
  void commit(const std::vector<std::int64_t>& rows);
  void flush_all();

  FixOptions::Record options_;
  std::string owner_;
  record::Launch launch_;
  std::unique_ptr<PerAtomInput> reward_input_;
  std::unique_ptr<PerAtomInput> done_input_;
  std::unique_ptr<record::RecordingIndex> index_;  ///< on rank 0, once begun
  std::unique_ptr<record::Recorder> recorder_;     ///< once begun
  std::optional<SignalWatch> watch_;               ///< while there is something to lose
  bool failed_ = false;  ///< the last flush did; nothing is tried without the other ranks then
  std::mutex mutex_;     ///< another simulation's thread may end the process

  std::vector<std::int64_t> tags_;
  std::vector<float> carry_;
  std::vector<double> reward_;
  std::vector<double> done_;
};

}  // namespace dempilot::lammps
