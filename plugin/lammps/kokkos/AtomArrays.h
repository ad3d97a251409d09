// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <type_traits>

#include "atom_kokkos.h"
#include "atom_masks.h"
#include "kokkos_type.h"

namespace dempilot::lammps {

/// LAMMPS's arrays of own atoms where KOKKOS computes, row after row; null what its atom
/// style lacks. Valid until LAMMPS makes room for more atoms.
class AtomArrays {
  template <class Dual>
  static auto* rows(Dual& array) {
    static_assert(std::is_same_v<typename Dual::t_dev::array_layout, Kokkos::LayoutRight>,
                  "DEMPilot needs a LAMMPS whose KOKKOS package stores vectors row after row");
    return array.template view<LMPDeviceType>().data();
  }

 public:
  double* x;               ///< (atoms, 3)
  double* v;               ///< (atoms, 3)
  double* f;               ///< (atoms, 3)
  double* omega;           ///< (atoms, 3)
  double* torque;          ///< (atoms, 3)
  double* mu;              ///< (atoms, 4)
  double* radius;          ///< (atoms)
  int* mask;               ///< (atoms)
  int* type;               ///< (atoms)
  LAMMPS_NS::tagint* tag;  ///< (atoms)

  /// Those of `masks` (X_MASK and the like) are brought up to date.
  AtomArrays(LAMMPS_NS::AtomKokkos& atom, unsigned masks) {
    static_assert(std::is_same_v<X_FLOAT, double> && std::is_same_v<V_FLOAT, double> &&
                      std::is_same_v<F_FLOAT, double> && std::is_same_v<LMP_FLOAT, double>,
                  "DEMPilot needs a LAMMPS whose KOKKOS package computes in double");
    atom.sync(ExecutionSpaceFromDevice<LMPDeviceType>::space, masks);
    x = rows(atom.k_x);
    v = rows(atom.k_v);
    f = rows(atom.k_f);
    omega = atom.omega_flag ? rows(atom.k_omega) : nullptr;
    torque = atom.torque_flag ? rows(atom.k_torque) : nullptr;
    mu = atom.mu_flag ? rows(atom.k_mu) : nullptr;
    radius = atom.radius_flag ? atom.k_radius.view<LMPDeviceType>().data() : nullptr;
    mask = atom.k_mask.view<LMPDeviceType>().data();
    type = atom.k_type.view<LMPDeviceType>().data();
    tag = atom.k_tag.view<LMPDeviceType>().data();
  }
};

}  // namespace dempilot::lammps
