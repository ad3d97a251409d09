// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/Backend.hpp"
#include "core/PilotOn.hpp"
#include "kokkos_base.h"
#include "kokkos_type.h"
#include "plugin/lammps/fix_pilot.h"
#include "plugin/lammps/kokkos/AgentKernels.hpp"
#include "plugin/lammps/kokkos/DeviceAgents.hpp"
#include "plugin/lammps/kokkos/DeviceScene.h"

namespace LAMMPS_NS {

/// fix ID group pilot/kk policy.h5 …: fix pilot, whose agents live where KOKKOS computes.
///
/// What agents remember is in device_ or in the pool of FixPilot, or in both; the pool is asked for
/// what is rare (restart files, recordings, agents that join, exchanges through the host). In a
/// steady step of one rank nothing is copied and nobody waits.
class FixPilotKokkos final : public FixPilot, public KokkosBase {
 public:
  FixPilotKokkos(class LAMMPS* lmp, int narg, char** arg);

  void init() override;
  void pre_neighbor() override;
  void setup(int vflag) override;
  void post_force(int vflag) override;
  void end_of_step() override;
  void post_run() override;
  double memory_usage() override;

  void grow_arrays(int nmax) override;
  void copy_arrays(int i, int j, int delflag) override;
  void set_arrays(int i) override;
  int pack_exchange(int i, double* buf) override;
  int unpack_exchange(int nlocal, double* buf) override;
  int pack_exchange_kokkos(const int& nsend, DAT::tdual_xfloat_2d& k_buf,
                           DAT::tdual_int_1d k_sendlist, DAT::tdual_int_1d k_copylist,
                           ExecutionSpace space) override;
  void unpack_exchange_kokkos(DAT::tdual_xfloat_2d& k_buf, DAT::tdual_int_1d& k_indices, int nrecv,
                              int nrecv1, int nextrarecv1, ExecutionSpace space) override;
  void sort_kokkos(Kokkos::BinSort<KeyViewType, BinOp>& sorter) override;

  void write_restart(FILE* fp) override;
  void write_restart_file(const char* file) override;
  int size_restart(int nlocal) override;
  int pack_restart(int i, double* buf) override;
  void unpack_restart(int nlocal, int nth) override;

 private:
  using Device = LMPDeviceType;
  using Arrays = dempilot::lammps::AtomArrays;
  using Agents = dempilot::lammps::DeviceAgents<Device>;
  using Wrench = dempilot::lammps::Wrench;
  using WrenchView = Kokkos::View<Wrench, Device::memory_space>;
  template <class T>
  using Buffer = dempilot::Vector<T, Device>;

  void decide() override;
  std::int64_t agent_count() const override;
  void reset_all() override;
  void note_contact_forces() override;
  void give_pending() override;
  void compute_wrenches() override;
  void disarm_leavers() override;
  void add_wrenches() override;
  void note_wrench() override;
  void add_impulse() override;
  void publish() override;
  void publish_wrenches() override;
  void sum_totals() override;

  // Which of the two is to be believed.
  dempilot::lammps::AgentPool& on_host();
  Agents& on_device();
  void changed_on_host();
  void changed_on_device();

  Arrays arrays(unsigned masks) const;
  void modified(unsigned masks) const;
  bool acts_on_host() const;
  template <class Work>
  void act_on_host(const Work& work);
  void admit();
  void begin_anew(const double* told);
  void begin_anew_where_told();
  void begin_anew_in_region();
  void record_state_of_device();
  void record_decision_of_device();
  dempilot::lammps::AgentMemory remember_on_device();
  std::span<float> rows_on_device();
  void observe_on_device();
  void infer_on_device();
  void sum_wrenches();
  void fetch_impulse();
  void check_layout() const;
  bool rows_are_read() const;
  void publish_now();
  void wait_if_timed() const;

  class AtomKokkos* atomKK_;
  std::unique_ptr<dempilot::PilotOn<Device>> device_pilot_;
  Agents device_;
  dempilot::lammps::DeviceScene* device_scene_;  ///< is scene_
  bool host_is_new_ = true;                      ///< the pool knows what device_ does not
  bool device_is_new_ = false;                   ///< device_ knows what the pool does not
  bool group_is_known_ = false;                  ///< nobody joined or left since it was looked at
  bool is_planned_ = false;                      ///< DeviceScene::plan was called for these agents
  bool sets_up_ = false;
  bool rows_moved_ = false;  ///< atoms have changed places since the per-atom array was filled
  WrenchView wrench_sum_, last_wrench_, impulse_;
  Buffer<float> device_rows_, seen_previous_;
  Buffer<double> kept_force_, seen_force_, seen_times_, told_;
};

}  // namespace LAMMPS_NS
