// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pointers.h"

namespace LAMMPS_NS {
class Compute;
class Fix;
}  // namespace LAMMPS_NS

namespace dempilot::lammps {

/// A number for every agent, from anything that LAMMPS computes: a constant, an equal- or
/// atom-style variable (v_name), a per-atom compute (c_ID, c_ID[i]), fix (f_ID, f_ID[i]) or custom
/// property (d_name, d2_name[i], i_name, i2_name[i]).
class PerAtomInput : protected LAMMPS_NS::Pointers {
 public:
  /// `purpose` is what messages call it ("fix pilot agents: goal 'goal'"). Stops with an error when
  /// `argument` is none of the above.
  PerAtomInput(LAMMPS_NS::LAMMPS* lmp, std::string argument, std::string purpose);

  /// Whether evaluation may invoke computes, so that it must be wrapped in clearstep_compute() and
  /// addstep_compute().
  bool invokes_computes() const;
  /// Looks up what is referred to; to be called at the start of every run. Collective.
  void init();
  /// Puts the value of each of `atoms` at out[0], out[stride], … Atom-style
  /// variables are evaluated for the group number `agent_group`. Collective.
  void evaluate(std::span<const std::int32_t> atoms, int agent_group, double* out,
                std::size_t stride);

  /// Whether the value is the same for all atoms.
  bool is_global() const { return source_ == Source::number || source_ == Source::equal_variable; }
  /// Whether it is a number in the script.
  bool is_number() const { return source_ == Source::number; }
  /// That value.
  double global_value();
  /// Number of the property among LAMMPS's vectors of reals, if it is one (d_name), else -1.
  int real_vector() const { return source_ == Source::real_property && column_ == 0 ? index_ : -1; }

 private:
  enum class Source {
    number,
    equal_variable,
    atom_variable,
    variable,  // which of the two is known after init()
    compute,
    fix,
    real_property,
    integer_property
  };

  void parse();
  void init_variable();
  void init_compute();
  void init_fix();
  void init_property();
  void gather_compute(std::span<const std::int32_t> atoms, double* out, std::size_t stride);
  void gather_fix(std::span<const std::int32_t> atoms, double* out, std::size_t stride);
  void gather_property(std::span<const std::int32_t> atoms, double* out, std::size_t stride);

  std::string argument_;
  std::string purpose_;
  Source source_ = Source::number;
  double number_ = 0.0;
  std::string name_;
  int column_ = 0;  ///< from 1; 0: not an array
  int index_ = -1;  ///< of the variable or property
  LAMMPS_NS::Compute* compute_ = nullptr;
  LAMMPS_NS::Fix* fix_ = nullptr;
  std::vector<double> scratch_;
};

}  // namespace dempilot::lammps
