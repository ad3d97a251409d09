#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/policy/PolicyFile.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"

namespace dempilot::lammps::testing {

/// One decision of one agent, as a dump shows it.
struct DecisionRecord {
  long step = 0;
  double rank = 0;                  ///< where it was made; 0 if not dumped
  std::vector<double> force;        ///< in force at this step, decided before
  std::vector<double> action;       ///< decided at this step
  std::vector<double> observation;  ///< taken at this step
  bool reset = false;               ///< whether the carry was reset before
};

/// All decisions of each agent, by agent id.
using Histories = std::map<std::int64_t, std::vector<DecisionRecord>>;

/// Collects the decisions from snapshots with columns f_pilot[1…], and optionally proc and v_reset.
/// A step that is seen twice counts once.
Histories histories_of(const std::vector<Snapshot>& snapshots, const PolicyFile& policy);

/// Replays every agent's observations, from a carry of zeros, through the reference model, and
/// returns the largest difference between its actions and those that were decided; and between the
/// forces that they make and those that were in force one decision later. Failures of the test say
/// where an agent missed a decision (they are `every` steps apart).
struct ReplayResult {
  double action_error = 0;
  double force_error = 0;
  std::size_t decisions = 0;
  std::size_t agents = 0;
  std::size_t travellers = 0;  ///< agents seen on more than one rank
  double largest_action = 0;
};
ReplayResult replay(const Histories& histories, const PolicyFile& policy, long every,
                    long reset_every = 0);

}  // namespace dempilot::lammps::testing
