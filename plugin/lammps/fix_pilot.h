// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "fix.h"
#include "plugin/lammps/AgentPool.h"
#include "plugin/lammps/FixOptions.h"
#include "plugin/lammps/OutputRows.h"

namespace dempilot {
class Pilot;
struct PolicyFile;
struct WrenchRule;
namespace lammps {
class AgentReader;
class PerAtomInput;
class PropertyOutput;
class Recording;
class SceneBuilder;
struct AgentMemory;
}  // namespace lammps
}  // namespace dempilot

namespace LAMMPS_NS {

/// fix ID group pilot policy.h5 …: a trained policy at the controls of the atoms of a group.
/// docs/fix_pilot.md is its manual page.
///
/// Observations are taken in end_of_step(), where positions and velocities belong to the same
/// instant. What is decided there is pending; the next post_force() applies it. The first setup()
/// of a fix decides and applies at once; later ones give again what was given at their step.
///
/// What is done at a step is virtual: a form of it whose agents live on a device overrides it.
class FixPilot : public Fix {
 public:
  FixPilot(class LAMMPS* lmp, int narg, char** arg);
  ~FixPilot() override;

  int setmask() override;
  void init() override;
  void setup_pre_neighbor() override;
  void pre_neighbor() override;
  void min_pre_neighbor() override;
  void setup(int vflag) override;
  void post_force(int vflag) override;
  void end_of_step() override;
  void post_run() override;

  double compute_vector(int n) override;
  double memory_usage() override;

  void grow_arrays(int nmax) override;
  void copy_arrays(int i, int j, int delflag) override;
  void set_arrays(int i) override;
  int pack_exchange(int i, double* buf) override;
  int unpack_exchange(int nlocal, double* buf) override;

  void write_restart(FILE* fp) override;
  void restart(char* buf) override;
  void write_restart_file(const char* file) override;
  int size_restart(int nlocal) override;
  int maxsize_restart() override;
  int pack_restart(int i, double* buf) override;
  void unpack_restart(int nlocal, int nth) override;

 protected:
  /// What a run needs to go on as if it had not been interrupted.
  struct Counters {
    std::int64_t next_id = 1;
    std::int64_t decisions = 0;
    std::int64_t until_decision = 0;  ///< steps; 0: none was made yet
    std::int64_t until_reset = 0;     ///< steps; 0: no periodic reset
    std::int64_t is_pending = 0;      ///< whether a decision waits for the next post_force()
    double time = 0.0;                ///< since the first run
    double decision_time = -1.0;      ///< of the last decision
    std::array<double, 6> impulse{};  ///< of force and torque given to agents, on this rank
  };
  struct Seconds {
    double inputs = 0.0;  ///< what the script bound
    double observe = 0.0;
    double infer = 0.0;
    double act = 0.0;
  };

  // fix_pilot.cpp
  void load_policy();
  void check_instruction_sets();
  void bind_output();
  void declare();
  void check_engine();
  void check_command();
  void compare_with_training();
  bool agents_are_the_group() const;
  void admit_agents();
  virtual void decide();
  void count_decision();
  virtual std::int64_t agent_count() const;  ///< on this rank
  std::span<float> observation_rows();
  bool invokes_computes() const;
  void observe();
  void infer();

  // fix_pilot_past.cpp
  void reset(std::size_t row);
  virtual void reset_all();
  void reset_where_told();
  void find_reset_region();
  bool resetting_invokes_computes() const;
  void reset_in_region();
  virtual void note_contact_forces();
  dempilot::lammps::AgentMemory remember();

  // fix_pilot_action.cpp
  virtual void give_pending();
  dempilot::WrenchRule find_rule() const;
  virtual void compute_wrenches();
  virtual void disarm_leavers();
  virtual void add_wrenches();
  std::array<double, 6> total_wrench() const;
  virtual void note_wrench();
  virtual void add_impulse();

  // fix_pilot_output.cpp
  void declare_output();
  void write_row(int row);
  void refresh_row(int atom, bool was_agent);
  void tidy_output();
  virtual void publish();
  virtual void publish_wrenches();
  virtual void sum_totals();
  /// Sums over the agents of this rank: their number, wrench, value and impulse.
  void share_totals(double agents, const std::array<double, 6>& wrench, double value);

  // fix_pilot_recording.cpp
  void declare_recording();
  void init_recording();
  bool recording_invokes_computes() const;
  void record_state();
  void record_decision();

  // fix_pilot_restart.cpp
  void declare_restart();
  std::string side_file(const std::string& restart_file) const;
  void restore_agents();
  std::vector<std::string> side_file_candidates() const;
  std::unique_ptr<dempilot::lammps::AgentReader> open_side_file() const;
  using RowOfId = std::unordered_map<std::int64_t, std::size_t>;
  void read_agents(const dempilot::lammps::AgentReader* reader);
  void share_agents(dempilot::lammps::AgentColumns& agents,
                    const dempilot::lammps::AgentShape& shape, std::size_t count);
  void take_agents(const dempilot::lammps::AgentColumns& agents,
                   const dempilot::lammps::AgentShape& shape, RowOfId& row_of);

  std::string me_;  ///< what messages call this fix
  dempilot::lammps::FixOptions options_;
  std::unique_ptr<dempilot::PolicyFile> policy_;
  std::unique_ptr<dempilot::Pilot> pilot_;
  std::string policy_digest_;
  std::unique_ptr<dempilot::lammps::SceneBuilder> scene_;
  std::unique_ptr<dempilot::lammps::PerAtomInput> reset_input_;
  class Region* reset_region_ = nullptr;
  std::unique_ptr<dempilot::lammps::PropertyOutput> property_output_;
  std::unique_ptr<dempilot::lammps::AgentPool> pool_;
  std::unique_ptr<dempilot::lammps::OutputRows> output_;
  std::unique_ptr<dempilot::lammps::Recording> recording_;  ///< none if nothing is recorded

  std::int64_t every_ = 1;
  bool turns_ = false;                ///< whether torques are given
  std::vector<std::size_t> entries_;  ///< where an action's entries go among force and torque
  std::vector<std::string> told_mismatches_;  ///< what the user has been warned of
  Counters counters_;
  std::vector<float> rows_;  ///< observations, where the pool does not keep them
  std::vector<double> resets_;
  std::array<double, 6> step_wrench_{};      ///< given on this rank at the last step
  std::vector<std::int32_t> contact_atoms_;  ///< members of the group, ascending
  std::vector<double> contact_forces_;       ///< (members, 3), before this fix acted
  /// What agents see of their own past: (agents, 3), (agents, actions), (agents)
  std::vector<double> seen_contact_force_;
  std::vector<float> seen_action_;
  std::vector<double> seen_time_;
  Seconds seconds_;
  std::int64_t run_decisions_ = 0;
  std::int64_t all_agents_ = 0;  ///< of all ranks, at this decision
  std::array<double, 15> totals_{};
  bool totals_valid_ = false;
  bigint totals_atoms_ = -1;  ///< in the whole simulation when the totals were taken

  bool restored_ = false;       ///< counters came from a restart file
  bool awaits_agents_ = false;  ///< ids came from a restart file, what they remember not yet
  std::string restart_token_;
  std::string restart_side_file_;
};

}  // namespace LAMMPS_NS
