// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/OrientationInput.h"

#include <algorithm>
#include <utility>

#include "atom.h"
#include "atom_vec_ellipsoid.h"
#include "domain.h"
#include "error.h"
#include "plugin/lammps/Dipole.h"

namespace dempilot::lammps {

OrientationInput::OrientationInput(LAMMPS_NS::LAMMPS* engine, std::string purpose)
    : Pointers(engine),
      purpose_(std::move(purpose)),
      ellipsoids_(static_cast<const LAMMPS_NS::AtomVecEllipsoid*>(atom->style_match("ellipsoid"))) {
}

bool OrientationInput::has_director() const {
  return ellipsoids_ != nullptr || atom->mu_flag != 0;
}

bool OrientationInput::has_axes() const {
  return ellipsoids_ != nullptr || (atom->mu_flag != 0 && domain->dimension == 2);
}

std::array<double, 4> OrientationInput::of(int i) const {
  const std::array<double, 4> q = ellipsoids_ != nullptr ? of_ellipsoid(i) : of_dipole(i);
  if (domain->dimension == 2 && q[1] * q[1] + q[2] * q[2] > 1e-12) {
    error->one(FLERR,
               "{}: atom {} is tilted out of the plane (the policy needs its orientation, in 2 "
               "dimensions). Turn it about z alone",
               purpose_, atom->tag[i]);
  }
  return q;
}

std::array<double, 4> OrientationInput::of_ellipsoid(int i) const {
  if (atom->ellipsoid[i] < 0) {
    error->one(FLERR,
               "{}: atom {} is no ellipsoid (the policy needs its orientation). Write 'set group "
               "ID shape DX DY DZ'",
               purpose_, atom->tag[i]);
  }
  std::array<double, 4> q;
  std::copy_n(ellipsoids_->bonus[atom->ellipsoid[i]].quat, 4, q.begin());
  return q;
}

std::array<double, 4> OrientationInput::of_dipole(int i) const {
  std::array<double, 4> q{};
  if (!find_turn_to(atom->mu[i], q.data())) {
    error->one(FLERR,
               "{}: atom {} has no dipole (the policy needs its orientation). Write 'set group ID "
               "dipole/random SEED 1'",
               purpose_, atom->tag[i]);
  }
  return q;
}

void OrientationInput::find(std::span<const std::int32_t> atoms,
                            std::span<double> quaternions) const {
  for (std::size_t n = 0; n < atoms.size(); ++n) {
    std::ranges::copy(of(atoms[n]), quaternions.begin() + static_cast<std::ptrdiff_t>(4 * n));
  }
}

}  // namespace dempilot::lammps
