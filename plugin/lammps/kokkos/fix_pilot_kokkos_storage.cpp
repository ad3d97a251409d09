// SPDX-License-Identifier: GPL-2.0-only

// What LAMMPS does to the atoms of fix pilot/kk, and what other commands read of it.

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "atom_kokkos.h"
#include "core/Pilot.hpp"
#include "error.h"
#include "modify.h"
#include "output.h"
#include "plugin/lammps/OutputRows.h"
#include "plugin/lammps/kokkos/Room.hpp"
#include "plugin/lammps/kokkos/fix_pilot_kokkos.h"
#include "update.h"

using namespace LAMMPS_NS;
using dempilot::lammps::AgentPool;

/* ----------------------------------------------------------------------
   the per-atom array is filled when somebody may read it before it is filled again:
   the output of this step, a fix that works on the host, this fix at its next
   decision or another one like it, and whoever comes between runs
------------------------------------------------------------------------- */

bool FixPilotKokkos::rows_are_read() const {
  const bigint step = update->ntimestep;
  if (sets_up_ || update->whichflag == 0 || step == output->next) return true;
  const bool asks = recording_ != nullptr || invokes_computes();
  if (asks && counters_.until_decision <= 1) return true;
  if (modify->get_fix_by_style("^pilot").size() > 1) return true;
  return std::ranges::any_of(modify->get_fix_list(), [step](const Fix* fix) {
    if (fix->kokkosable != 0) return false;
    return fix->nevery <= 1 || step % fix->nevery == 0 || (step + 1) % fix->nevery == 0;
  });
}

void FixPilotKokkos::publish() {
  if (rows_are_read()) publish_now();
}

void FixPilotKokkos::publish_now() {
  if (device_is_new_) device_.give(*pool_, false);  // carries are not told
  output_->clear();
  FixPilot::publish();
  rows_moved_ = false;
}

void FixPilotKokkos::publish_wrenches() {
  publish();
}

double FixPilotKokkos::memory_usage() {
  return FixPilot::memory_usage() + device_.memory_usage() +
         dempilot::lammps::bytes_of(device_rows_, seen_previous_, kept_force_, seen_force_,
                                    seen_times_, told_);
}

/* ----------------------------------------------------------------------
   per-atom storage, through the host
------------------------------------------------------------------------- */

void FixPilotKokkos::grow_arrays(int nmax) {
  on_host();
  FixPilot::grow_arrays(nmax);
  device_.grow_atoms(nmax);
}

void FixPilotKokkos::copy_arrays(int i, int j, int delflag) {
  on_host();
  FixPilot::copy_arrays(i, j, delflag);
  changed_on_host();
}

void FixPilotKokkos::set_arrays(int i) {
  on_host();
  FixPilot::set_arrays(i);
  changed_on_host();
}

int FixPilotKokkos::pack_exchange(int i, double* buf) {
  return on_host().pack(i, buf);
}

int FixPilotKokkos::unpack_exchange(int nlocal, double* buf) {
  on_host();
  const int doubles = FixPilot::unpack_exchange(nlocal, buf);
  changed_on_host();
  return doubles;
}

/* ----------------------------------------------------------------------
   atoms that leave and arrive, where KOKKOS computes; `space` is where it
   communicates
------------------------------------------------------------------------- */

int FixPilotKokkos::pack_exchange_kokkos(const int& nsend, DAT::tdual_xfloat_2d& k_buf,
                                         DAT::tdual_int_1d k_sendlist, DAT::tdual_int_1d k_copylist,
                                         ExecutionSpace space) {
  rows_moved_ = true;
  if (space == execution_space) {
    k_sendlist.sync<Device>();
    k_copylist.sync<Device>();
    const int doubles =
        on_device().pack(nsend, k_sendlist.view<Device>().data(), k_copylist.view<Device>().data(),
                         k_buf.view<Device>().data());
    changed_on_device();
    return doubles;
  }
  k_sendlist.sync<LMPHostType>();
  k_copylist.sync<LMPHostType>();
  AgentPool& pool = on_host();
  double* const buffer = k_buf.view<LMPHostType>().data();
  int doubles = nsend;
  for (int n = 0; n < nsend; ++n) {
    buffer[n] = doubles;
    doubles += pool.pack(k_sendlist.h_view(n), buffer + doubles);
  }
  for (int n = 0; n < nsend; ++n) {
    if (k_copylist.h_view(n) >= 0) pool.copy_atom(k_copylist.h_view(n), k_sendlist.h_view(n), true);
  }
  changed_on_host();
  return doubles;
}

void FixPilotKokkos::unpack_exchange_kokkos(DAT::tdual_xfloat_2d& k_buf,
                                            DAT::tdual_int_1d& k_indices, int nrecv, int nrecv1,
                                            int nextrarecv1, ExecutionSpace space) {
  rows_moved_ = true;
  if (space == execution_space) {
    const dempilot::lammps::Messages messages{k_buf.view<Device>().data(), nrecv1, nextrarecv1};
    on_device().unpack(nrecv, k_indices.view<Device>().data(), messages);
    changed_on_device();
    return;
  }
  const dempilot::lammps::Messages messages{k_buf.view<LMPHostType>().data(), nrecv1, nextrarecv1};
  AgentPool& pool = on_host();
  for (int n = 0; n < nrecv; ++n) {
    if (k_indices.h_view(n) >= 0) pool.unpack(k_indices.h_view(n), messages.of(n));
  }
  changed_on_host();
}

void FixPilotKokkos::sort_kokkos(Kokkos::BinSort<KeyViewType, BinOp>& sorter) {
  on_device().sort(sorter, atom->nlocal);
  changed_on_device();
  rows_moved_ = true;
}

/* ----------------------------------------------------------------------
   restart files are written by the host
------------------------------------------------------------------------- */

void FixPilotKokkos::write_restart(FILE* fp) {
  on_host();
  fetch_impulse();
  FixPilot::write_restart(fp);
}

void FixPilotKokkos::write_restart_file(const char* file) {
  on_host();
  FixPilot::write_restart_file(file);
  if (rows_moved_) publish_now();  // LAMMPS exchanges atoms before it writes
}

int FixPilotKokkos::size_restart(int i) {
  on_host();
  return FixPilot::size_restart(i);
}

int FixPilotKokkos::pack_restart(int i, double* buf) {
  on_host();
  return FixPilot::pack_restart(i, buf);
}

void FixPilotKokkos::unpack_restart(int i, int nth) {
  on_host();
  FixPilot::unpack_restart(i, nth);
  changed_on_host();
}
