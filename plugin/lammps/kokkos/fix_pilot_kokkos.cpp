// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/kokkos/fix_pilot_kokkos.h"

#include <mpi.h>

#include <algorithm>
#include <string>
#include <utility>

#include "atom_kokkos.h"
#include "atom_masks.h"
#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "core/observe/Launch.hpp"
#include "domain.h"
#include "error.h"
#include "group.h"
#include "kokkos.h"
#include "modify.h"
#include "plugin/lammps/Collective.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/PropertyOutput.h"
#include "plugin/lammps/Recording.h"
#include "plugin/lammps/kokkos/Room.hpp"
#include "region.h"
#include "timer.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;
using dempilot::launch;
using dempilot::lammps::AgentMemory;
using dempilot::lammps::AgentPool;
using dempilot::lammps::DeviceScene;
using dempilot::lammps::make_room;

namespace {

constexpr const char* buffer_label = "DEMPilot::FixPilotKokkos";

/// What a profiler shows of a step.
class Phase {
 public:
  explicit Phase(const char* name) { Kokkos::Profiling::pushRegion(name); }
  ~Phase() { Kokkos::Profiling::popRegion(); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;
};

/// Copies on the device, for which a memory copy would be a second way.
struct Copier {
  static constexpr const char* label = "DEMPilot::FixPilotKokkos::give_pending";
  const float* from;
  float* to;

  KOKKOS_FUNCTION
  void operator()(int n) const { to[n] = from[n]; }
};

}  // namespace

FixPilotKokkos::FixPilotKokkos(LAMMPS* engine, int narg, char** arg)
    : FixPilot(engine, narg, arg),
      atomKK_(static_cast<AtomKokkos*>(atom)),
      device_(pool_->shape(), Device()),
      wrench_sum_("DEMPilot::FixPilotKokkos::wrench_sum"),
      last_wrench_("DEMPilot::FixPilotKokkos::last_wrench"),
      impulse_("DEMPilot::FixPilotKokkos::impulse") {
  kokkosable = 1;
  exchange_comm_device = 1;
  // KOKKOS, of LAMMPS 4Feb2025, sorts once for each style of a hybrid what these have in common.
  sort_device = utils::strmatch(atom->get_style(), "^hybrid") ? 0 : 1;
  execution_space = ExecutionSpaceFromDevice<Device>::space;
  datamask_read = datamask_modify = EMPTY_MASK;  // every step asks for what it needs itself
  ++maxexchange;                                 // where the message of an atom begins is sent, too

  const auto message = dempilot::lammps::try_together(world, [this] {
    namespace nn = dempilot::nn;
    const nn::Precision precision = options_.precision.empty()
                                        ? nn::precision_in_use()
                                        : nn::parse_precision(options_.precision, "'precision'");
    device_pilot_ = std::make_unique<dempilot::PilotOn<Device>>(*policy_, options_.policy_path,
                                                                Device(), precision);
  });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
  auto scene = std::make_unique<DeviceScene>(lmp, device_pilot_->observer(), options_, me_,
                                             pilot_->contract().action.bind, Device());
  device_scene_ = scene.get();
  scene_ = std::move(scene);
  device_.grow_atoms(atom->nmax);
}

/* ----------------------------------------------------------------------
   where what agents remember is
------------------------------------------------------------------------- */

AgentPool& FixPilotKokkos::on_host() {
  if (device_is_new_) device_.give(*pool_);
  device_is_new_ = false;
  return *pool_;
}

FixPilotKokkos::Agents& FixPilotKokkos::on_device() {
  if (host_is_new_) device_.take(*pool_);
  host_is_new_ = false;
  return device_;
}

void FixPilotKokkos::changed_on_host() {
  host_is_new_ = true;
  device_is_new_ = false;
}

void FixPilotKokkos::changed_on_device() {
  device_is_new_ = true;
  totals_valid_ = false;
}

FixPilotKokkos::Arrays FixPilotKokkos::arrays(unsigned masks) const {
  return Arrays(*atomKK_, masks);
}

void FixPilotKokkos::modified(unsigned masks) const {
  atomKK_->modified(execution_space, masks);
}

std::int64_t FixPilotKokkos::agent_count() const {
  return static_cast<std::int64_t>(host_is_new_ ? pool_->size() : device_.size());
}

/* ----------------------------------------------------------------------
   how LAMMPS was compiled does not stand in its headers
------------------------------------------------------------------------- */

void FixPilotKokkos::check_layout() const {
  if (atom->nmax < 2) return;
  const bool fits = static_cast<const void*>(atom->x[0]) == atomKK_->k_x.h_view.data() &&
                    atom->x[1] - atom->x[0] == 3;
  if (fits) return;
  error->all(FLERR,
             "{}: this LAMMPS stores positions in another way than the plugin reads them (it was "
             "compiled with another precision or layout of its KOKKOS package). Build LAMMPS "
             "without LMP_KOKKOS_NO_LEGACY, in double precision",
             me_);
}

void FixPilotKokkos::init() {
  check_layout();
  on_host();
  const bool awaits = awaits_agents_;
  FixPilot::init();
  if (awaits) changed_on_host();
}

void FixPilotKokkos::pre_neighbor() {
  on_device().sweep(atom->nlocal);
  changed_on_device();
  group_is_known_ = false;
  is_planned_ = false;
  // Until the end of the step others read rows that went with their atoms.
  if (rows_moved_ && (rows_are_read() || update->whichflag == 2)) publish_now();
}

void FixPilotKokkos::setup(int vflag) {
  group_is_known_ = false;
  is_planned_ = false;
  sets_up_ = true;
  FixPilot::setup(vflag);
  sets_up_ = false;
}

void FixPilotKokkos::post_force(int vflag) {
  const Phase phase("DEMPilot::FixPilotKokkos::post_force");
  FixPilot::post_force(vflag);
}

void FixPilotKokkos::end_of_step() {
  const Phase phase("DEMPilot::FixPilotKokkos::end_of_step");
  FixPilot::end_of_step();
}

void FixPilotKokkos::post_run() {
  publish_now();  // a run may end before its last step
  FixPilot::post_run();
}

/* ----------------------------------------------------------------------
   who is an agent is looked at when somebody can have joined or left; that is the
   host's business
------------------------------------------------------------------------- */

void FixPilotKokkos::admit() {
  if (group_is_known_ && group->dynamic[igroup] == 0) return;
  const Arrays atoms = arrays(MASK_MASK);
  const Agents& agents = on_device();
  int strangers = 0;
  Kokkos::parallel_reduce(
      "DEMPilot::FixPilotKokkos::admit", Kokkos::RangePolicy<Device>(0, atom->nlocal),
      dempilot::lammps::Strangers{agents.rows(), atoms.mask, groupbit}, strangers);
  std::array<std::int64_t, 2> counts = {strangers, static_cast<std::int64_t>(agents.size())};
  MPI_Allreduce(MPI_IN_PLACE, counts.data(), 2, MPI_INT64_T, MPI_SUM, world);
  all_agents_ = counts[1];
  group_is_known_ = true;
  if (counts[0] == 0) return;
  atomKK_->sync(Host, MASK_MASK | TAG_MASK);
  on_host();
  admit_agents();
  changed_on_host();
  is_planned_ = false;
}

void FixPilotKokkos::decide() {
  const double start = MPI_Wtime();
  admit();
  observe_on_device();
  wait_if_timed();
  const double observed = MPI_Wtime();
  infer_on_device();
  record_decision_of_device();
  wait_if_timed();
  seconds_.inputs += scene_->input_seconds();
  seconds_.observe += observed - start - scene_->input_seconds();
  seconds_.infer += MPI_Wtime() - observed;
  count_decision();
}

/// A device computes when it will; with `timer sync` what it took is told.
void FixPilotKokkos::wait_if_timed() const {
  if (timer->has_sync()) Device().fence();
}

std::span<float> FixPilotKokkos::rows_on_device() {
  const std::size_t width = pilot_->observation_size();
  if (options_.observations) return device_.of(device_.columns().observation, width);
  const std::size_t size = device_.size() * width;
  return {make_room(device_rows_, buffer_label, size), size};
}

void FixPilotKokkos::observe_on_device() {
  const bool computes = invokes_computes();
  if (computes) modify->clearstep_compute();
  Agents& agents = on_device();
  device_scene_->begin_decision();
  if (!is_planned_ || device_scene_->changes()) device_scene_->plan(agents, groupbit);
  is_planned_ = true;
  if (reset_input_) {
    const auto atoms = device_scene_->atoms_on_host(agents);
    resets_.assign(std::max<std::size_t>(1, atoms.size()), 0.0);
    reset_input_->evaluate(atoms, igroup, resets_.data(), 1);
    begin_anew_where_told();
  }
  if (reset_region_ != nullptr) begin_anew_in_region();
  record_state_of_device();
  const dempilot::Scene& scene = device_scene_->build(agents, igroup, remember_on_device());
  if (computes) modify->addstep_compute(update->ntimestep + every_);
  try {
    device_pilot_->observe(scene, rows_on_device());
  } catch (const dempilot::Error& problem) {
    error->one(FLERR, "{}: {}", me_, problem.what());
  }
}

void FixPilotKokkos::infer_on_device() {
  const auto& columns = device_.columns();
  const auto mode = options_.sample ? dempilot::DecisionMode::sample : dempilot::DecisionMode::mean;
  try {
    device_pilot_->decide(rows_on_device(), device_.of(columns.carry, pilot_->carry_size()),
                          device_.of(columns.id, 1), mode, options_.seed, counters_.decisions,
                          {device_.of(columns.pending, pilot_->action_size()),
                           device_.of(columns.value, 1), device_.of(columns.log_prob, 1)},
                          all_agents_);
  } catch (const dempilot::Error& problem) {
    error->one(FLERR, "{}: {}", me_, problem.what());
  }
  changed_on_device();
}

/* ----------------------------------------------------------------------
   the past of agents
------------------------------------------------------------------------- */

void FixPilotKokkos::begin_anew(const double* told) {
  const Agents& agents = on_device();
  const auto& columns = agents.columns();
  launch(Device(), agents.size(),
         dempilot::lammps::Resetter{told, columns.carry.data(), pilot_->carry_size(),
                                    columns.reset_time.data(), counters_.time});
  changed_on_device();
}

void FixPilotKokkos::reset_all() {
  begin_anew(nullptr);
}

/// Those of resets_.
void FixPilotKokkos::begin_anew_where_told() {
  const std::size_t rows = device_.size();
  double* const there = make_room(told_, buffer_label, rows);
  Kokkos::deep_copy(dempilot::Borrowed<double*, Device>(there, rows),
                    dempilot::HostVector<const double>(resets_.data(), rows));
  begin_anew(there);
}

/// On entry, as FixPilot::reset_in_region() has it.
void FixPilotKokkos::begin_anew_in_region() {
  const auto atoms = device_scene_->atoms_on_host(device_);
  const std::size_t rows = atoms.size();
  std::vector<double> inside(rows);
  const dempilot::HostVector<double> host(inside.data(), rows);
  const dempilot::Borrowed<double*, Device> there(device_.columns().inside.data(), rows);
  Kokkos::deep_copy(host, there);
  resets_.assign(rows, 0.0);
  reset_region_->prematch();
  for (std::size_t row = 0; row < rows; ++row) {
    const double* const x = atom->x[atoms[row]];
    const bool is_inside = reset_region_->match(x[0], x[1], x[2]) != 0;
    if (is_inside && inside[row] == 0.0) resets_[row] = 1.0;
    inside[row] = is_inside ? 1.0 : 0.0;
  }
  Kokkos::deep_copy(there, host);
  begin_anew_where_told();
}

void FixPilotKokkos::note_contact_forces() {
  if (!pilot_->observer().senses(dempilot::ComponentKind::contact_force)) return;
  const Arrays atoms = arrays(F_MASK | MASK_MASK);
  const auto count = static_cast<std::size_t>(atom->nlocal);
  double* const kept = make_room(kept_force_, buffer_label, 3 * count);
  launch(Device(), count, dempilot::lammps::ForceKeeper{atoms.f, atoms.mask, groupbit, kept});
}

AgentMemory FixPilotKokkos::remember_on_device() {
  using dempilot::ComponentKind;
  const dempilot::Observer& observer = pilot_->observer();
  const std::size_t rows = device_.size();
  const std::size_t width = pilot_->action_size();
  AgentMemory seen;
  dempilot::lammps::PastReader reader{};
  if (observer.senses(ComponentKind::contact_force))
    seen.contact_force = reader.contact_force = make_room(seen_force_, buffer_label, 3 * rows);
  if (observer.senses(ComponentKind::previous_action))
    seen.previous_action = reader.previous_action =
        make_room(seen_previous_, buffer_label, width * rows);
  if (observer.senses(ComponentKind::time_since_reset))
    seen.time_since_reset = reader.time_since_reset = make_room(seen_times_, buffer_label, rows);
  if (seen.contact_force == nullptr && seen.previous_action == nullptr &&
      seen.time_since_reset == nullptr)
    return seen;
  reader.agents = device_.atoms().data();
  reader.kept_force = kept_force_.data();
  reader.pending = device_.columns().pending.data();
  reader.width = width;
  reader.reset_time = device_.columns().reset_time.data();
  reader.decision_time = counters_.decision_time;
  reader.now = counters_.time;
  launch(Device(), device_.size(), reader);
  return seen;
}

void FixPilotKokkos::record_state_of_device() {
  if (!recording_ || !recording_->is_due(counters_.decisions)) return;
  atomKK_->sync(Host, ALL_MASK);
  on_host();
  record_state();
}

void FixPilotKokkos::record_decision_of_device() {
  if (!recording_ || !recording_->is_due(counters_.decisions)) return;
  on_host();
  const std::span<float> host = observation_rows();
  Kokkos::deep_copy(dempilot::HostVector<float>(host.data(), host.size()),
                    dempilot::Borrowed<const float*, Device>(rows_on_device().data(), host.size()));
  record_decision();
}

/* ----------------------------------------------------------------------
   actions; target velocities are written by the host
------------------------------------------------------------------------- */

bool FixPilotKokkos::acts_on_host() const {
  return property_output_ != nullptr;
}

template <class Work>
void FixPilotKokkos::act_on_host(const Work& work) {
  atomKK_->sync(Host, ALL_MASK);
  on_host();
  work();
  changed_on_host();
  atomKK_->modified(Host, DVECTOR_MASK);
}

void FixPilotKokkos::give_pending() {
  if (counters_.is_pending == 0) return;
  const Agents& agents = on_device();
  const std::size_t entries = agents.size() * pilot_->action_size();
  launch(Device(), entries,
         Copier{agents.columns().pending.data(), agents.columns().applied.data()});
  counters_.is_pending = 0;
  changed_on_device();
}

void FixPilotKokkos::compute_wrenches() {
  if (acts_on_host()) return act_on_host([this] { FixPilot::compute_wrenches(); });
  const Agents& agents = on_device();
  const dempilot::WrenchRule rule = find_rule();
  const Arrays atoms = arrays(V_MASK | OMEGA_MASK | MASK_MASK);
  const double* const turns = rule.in_body ? device_scene_->find_orientations(agents) : nullptr;
  launch(Device(), agents.size(),
         dempilot::lammps::WrenchMaker{agents.atoms().data(), atoms.mask, groupbit, rule,
                                       agents.columns().applied.data(), turns, atoms.v, atoms.omega,
                                       agents.columns().wrench.data()});
  changed_on_device();
}

void FixPilotKokkos::disarm_leavers() {
  if (acts_on_host()) return act_on_host([this] { FixPilot::disarm_leavers(); });
  const Agents& agents = on_device();
  const Arrays atoms = arrays(MASK_MASK);
  launch(Device(), agents.size(),
         dempilot::lammps::LeaverDisarmer{agents.atoms().data(), atoms.mask, groupbit,
                                          agents.columns().wrench.data()});
  changed_on_device();
}

void FixPilotKokkos::add_wrenches() {
  const Agents& agents = on_device();
  const Arrays atoms = arrays(F_MASK | (turns_ ? TORQUE_MASK : EMPTY_MASK));
  launch(Device(), agents.size(),
         dempilot::lammps::WrenchGiver{agents.atoms().data(), agents.columns().wrench.data(),
                                       atoms.f, turns_ ? atoms.torque : nullptr});
  modified(F_MASK | (turns_ ? TORQUE_MASK : EMPTY_MASK));
}

void FixPilotKokkos::sum_wrenches() {
  const Agents& agents = on_device();
  Kokkos::parallel_reduce("DEMPilot::FixPilotKokkos::sum_wrenches",
                          Kokkos::RangePolicy<Device>(0, static_cast<int>(agents.size())),
                          dempilot::lammps::WrenchSum{agents.columns().wrench.data()}, wrench_sum_);
}

void FixPilotKokkos::note_wrench() {
  sum_wrenches();
  launch(Device(), 1,
         dempilot::lammps::ImpulseAdder<WrenchView>{wrench_sum_, last_wrench_, {}, 0.0});
}

void FixPilotKokkos::add_impulse() {
  sum_wrenches();
  launch(Device(), 1,
         dempilot::lammps::ImpulseAdder<WrenchView>{wrench_sum_, last_wrench_, impulse_,
                                                    0.5 * update->dt});
}

/* ----------------------------------------------------------------------
   what other commands read
------------------------------------------------------------------------- */

void FixPilotKokkos::fetch_impulse() {
  Wrench sum;
  Kokkos::deep_copy(sum, impulse_);
  Kokkos::deep_copy(impulse_, Wrench());
  for (std::size_t k = 0; k < counters_.impulse.size(); ++k)
    counters_.impulse[k] += sum.of[k];
}

void FixPilotKokkos::sum_totals() {
  on_device().sweep(atom->nlocal);
  sum_wrenches();
  Wrench sum;
  Kokkos::deep_copy(sum, wrench_sum_);
  double value = 0.0;
  Kokkos::parallel_reduce("DEMPilot::FixPilotKokkos::sum_values",
                          Kokkos::RangePolicy<Device>(0, static_cast<int>(device_.size())),
                          dempilot::lammps::ValueSum{device_.columns().value.data()}, value);
  fetch_impulse();
  changed_on_device();
  share_totals(static_cast<double>(device_.size()), std::to_array(sum.of), value);
}
