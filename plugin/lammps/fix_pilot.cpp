// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/fix_pilot.h"

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "domain.h"
#include "error.h"
#include "input.h"
#include "modify.h"
#include "plugin/lammps/Collective.h"
#include "plugin/lammps/Digest.h"
#include "plugin/lammps/EngineCheck.h"
#include "plugin/lammps/OrientationInput.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/PropertyOutput.h"
#include "plugin/lammps/Recording.h"
#include "plugin/lammps/SceneBuilder.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;
using dempilot::Pilot;
using dempilot::lammps::AgentPool;
using dempilot::lammps::AgentShape;
using dempilot::lammps::OrientationInput;
using dempilot::lammps::PerAtomInput;
using dempilot::lammps::SceneBuilder;
using dempilot::lammps::try_together;

/* ---------------------------------------------------------------------- */

FixPilot::FixPilot(LAMMPS* engine, int narg, char** arg)
    : Fix(engine, narg, arg), me_(std::string("Fix pilot ") + arg[0]) {
  const std::vector<std::string> words(arg + 3, arg + narg);
  const auto message =
      try_together(world, [&] { options_ = dempilot::lammps::parse_options(words); });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
  if (!atom->tag_enable) {
    error->all(FLERR,
               "{}: atoms have no IDs (new agents are numbered in their order). Write "
               "'atom_modify id yes'",
               me_);
  }
  load_policy();
  check_engine();
  scene_ = std::make_unique<SceneBuilder>(lmp, pilot_->observer(), options_, me_,
                                          pilot_->contract().action.bind);
  bind_output();
  if (!options_.reset_variable.empty()) {
    reset_input_ = std::make_unique<PerAtomInput>(lmp, options_.reset_variable, me_ + ": reset");
  }
  declare_recording();
  declare();
}

FixPilot::~FixPilot() {
  if (modify->get_fix_by_id(id)) {
    atom->delete_callback(id, Atom::GROW);
    atom->delete_callback(id, Atom::RESTART);
  }
  delete[] extlist;
}

/* ----------------------------------------------------------------------
   rank 0 reads the file; every rank replays its golden rows on its own device
------------------------------------------------------------------------- */

void FixPilot::load_policy() {
  std::vector<std::byte> bytes;
  auto message = try_together(world, [&] {
    dempilot::initialize_runtime(comm->nthreads);
    if (comm->me == 0) bytes = dempilot::read_policy_bytes(options_.policy_path);
  });
  if (!message) {
    dempilot::lammps::broadcast(bytes, world);
    policy_digest_ = dempilot::lammps::digest(bytes);
    message = try_together(world, [&] {
      const std::string& source = options_.policy_path;
      policy_ = std::make_unique<dempilot::PolicyFile>(dempilot::parse_policy_file(bytes, source));
      pilot_ = std::make_unique<Pilot>(*policy_, source);
    });
  }
  if (message) error->all(FLERR, "{}: {}", me_, *message);
  check_instruction_sets();
}

/* ----------------------------------------------------------------------
   what an agent decides would depend on its rank otherwise
------------------------------------------------------------------------- */

void FixPilot::check_instruction_sets() {
  const std::string_view mine = dempilot::instruction_set();
  const auto* const first = reinterpret_cast<const std::byte*>(mine.data());
  std::vector<std::byte> of_rank_0(first, first + mine.size());
  dempilot::lammps::broadcast(of_rank_0, world);
  const std::string_view wanted(reinterpret_cast<const char*>(of_rank_0.data()), of_rank_0.size());
  const auto message = try_together(world, [&] {
    if (mine == wanted) return;
    dempilot::fail(
        "rank {} would decide by {} and rank 0 by {} (results differ in the last place, and agents "
        "move between ranks) set the environment variable DEMPILOT_SIMD to the lesser one on all",
        comm->me, mine, wanted);
  });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
}

/* ----------------------------------------------------------------------
   where target velocities go
------------------------------------------------------------------------- */

void FixPilot::bind_output() {
  const std::string& name = pilot_->contract().action.bind;
  if (name.empty()) return;
  const auto binding =
      std::ranges::find(options_.bindings, name, &dempilot::lammps::FixOptions::Binding::name);
  const std::size_t given = binding == options_.bindings.end() ? 0 : binding->arguments.size();
  if (given != pilot_->action_size()) {
    error->all(FLERR,
               "{}: '{}' is bound to {} properties (the policy gives {} numbers). Add 'bind {}' "
               "and {} of them, each d_name or d2_name[i] of a fix property/atom",
               me_, name, given, pilot_->action_size(), name, pilot_->action_size());
  }
  property_output_ = std::make_unique<dempilot::lammps::PropertyOutput>(lmp, binding->arguments,
                                                                        me_ + ": bind " + name);
}

/* ----------------------------------------------------------------------
   what LAMMPS must know about this fix; registering comes last, as nothing
   unregisters a fix whose constructor stopped
------------------------------------------------------------------------- */

void FixPilot::declare() {
  const dempilot::Contract& contract = pilot_->contract();
  every_ = options_.every > 0 ? options_.every : std::max(1L, contract.timing.decision_interval);
  turns_ = dempilot::lammps::needs_torque(contract);
  entries_ = dempilot::lammps::wrench_entries(contract);
  nevery = 1;  // decisions follow the fix's own count, which reset_timestep does not change
  create_attribute = 1;
  dynamic_group_allow = 1;

  pool_ =
      std::make_unique<AgentPool>(AgentShape{pilot_->carry_size(), pilot_->action_size(),
                                             options_.observations ? pilot_->observation_size() : 0,
                                             options_.reset_region.empty() ? 0U : 1U});
  declare_output();
  declare_restart();

  // What several of these fixes add to one atom, too: LAMMPS's Irregular takes the largest of all
  // fixes where it should take their sum. The last of them knows that of all before it.
  for (const Fix* const other : modify->get_fix_by_style("^pilot"))
    maxexchange = std::max(maxexchange, other->maxexchange);
  maxexchange += pool_->max_packed();

  grow_arrays(atom->nmax);
  atom->add_callback(Atom::GROW);
  atom->add_callback(Atom::RESTART);
}

int FixPilot::setmask() {
  return FixConst::PRE_NEIGHBOR | FixConst::MIN_PRE_NEIGHBOR | FixConst::POST_FORCE |
         FixConst::END_OF_STEP;
}

/* ---------------------------------------------------------------------- */

void FixPilot::check_engine() {
  if (domain->triclinic) {
    error->all(FLERR,
               "{}: the box is triclinic (periodic images are sought along x, y and z). Use "
               "an orthogonal box",
               me_);
  }
  const OrientationInput orientation(lmp, me_);
  const auto message = try_together(world, [&] {
    dempilot::lammps::check_engine(
        pilot_->contract(),
        {domain->dimension, utils::strip_style_suffix(atom->get_style(), lmp),
         atom->torque_flag != 0, atom->omega_flag != 0, orientation.has_director(),
         orientation.has_axes(), atom->radius_flag != 0});
  });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
}

/* ----------------------------------------------------------------------
   what differs from the policy's training is said once, or stops the run
------------------------------------------------------------------------- */

void FixPilot::compare_with_training() {
  if (update->whichflag != 1) return;
  std::vector<std::string> found = dempilot::lammps::mismatches(
      pilot_->contract(), {update->dt, every_, update->unit_style, scene_->scales()});
  if (found == told_mismatches_) return;
  for (const std::string& sentence : found) {
    if (options_.strict) error->all(FLERR, "{}: {}", me_, sentence);
    if (comm->me == 0) error->warning(FLERR, "{}: {}", me_, sentence);
  }
  told_mismatches_ = std::move(found);
}

/* ----------------------------------------------------------------------
   what this fix cannot do for the command that is about to run
------------------------------------------------------------------------- */

void FixPilot::check_command() {
  if (utils::strmatch(update->integrate_style, "^respa")) {
    error->all(FLERR,
               "{}: run style respa is not supported (an action acts for whole time steps). "
               "Write 'run_style verlet'",
               me_);
  }
  if (update->whichflag == 1 && input->command != nullptr &&
      std::string_view(input->command) == "rerun") {
    error->all(FLERR,
               "{}: rerun is not supported (snapshots leave agents no time to act, and do not hold "
               "what they remember). Write 'unfix {}' before it, or dump f_{} in the run itself",
               me_, id, id);
  }
}

void FixPilot::init() {
  policy_.reset();  // who wanted it has it
  check_engine();
  check_command();
  compare_with_training();
  scene_->init();
  if (reset_input_) reset_input_->init();
  if (property_output_) property_output_->init();
  find_reset_region();
  restore_agents();
  init_recording();
  if (invokes_computes()) {
    modify->addstep_compute_all(update->ntimestep + counters_.until_decision);
  }
}

void FixPilot::setup_pre_neighbor() {
  pre_neighbor();
}

void FixPilot::min_pre_neighbor() {
  pre_neighbor();
}

void FixPilot::pre_neighbor() {
  pool_->sweep(atom->nlocal);
  totals_valid_ = false;
  tidy_output();
}

/* ----------------------------------------------------------------------
   the first setup decides; a later one belongs to a step that has been decided
------------------------------------------------------------------------- */

void FixPilot::setup(int /*vflag*/) {
  if (counters_.until_decision == 0) {
    counters_.until_reset = options_.reset_every;
    note_contact_forces();
    decide();
    give_pending();
    compute_wrenches();
  } else {
    disarm_leavers();
  }
  add_wrenches();
  note_wrench();
  publish();
}

void FixPilot::post_force(int /*vflag*/) {
  const double start = MPI_Wtime();
  counters_.time += update->dt;  // here, as fix dt/reset changes it at the end of a step
  if (counters_.until_decision <= 1) note_contact_forces();
  give_pending();
  compute_wrenches();
  add_wrenches();
  add_impulse();
  seconds_.act += MPI_Wtime() - start;
}

void FixPilot::end_of_step() {
  if (counters_.until_reset > 0 && --counters_.until_reset == 0) {
    reset_all();
    counters_.until_reset = options_.reset_every;
  }
  const bool decides = counters_.until_decision <= 1;
  if (decides) {
    decide();
  } else {
    --counters_.until_decision;
  }
  const double start = MPI_Wtime();
  if (decides) {
    publish();
  } else {
    publish_wrenches();
  }
  if (recording_) recording_->settle(counters_.until_decision == every_);
  seconds_.act += MPI_Wtime() - start;
}

/* ----------------------------------------------------------------------
   as between most decisions; without a branch, so that vectors look at the atoms
------------------------------------------------------------------------- */

bool FixPilot::agents_are_the_group() const {
  int differ = 0;
  const int* const mask = atom->mask;
  const std::int32_t* const row = pool_->rows();
  for (int i = 0; i < atom->nlocal; ++i)
    differ |= static_cast<int>(((mask[i] & groupbit) != 0) != (row[i] >= 0));
  return differ == 0;
}

/* ----------------------------------------------------------------------
   atoms that left the group are grains again; atoms that joined it, however
   they did, become agents, numbered in the order of their tags so that the
   numbers do not depend on which rank they are on
------------------------------------------------------------------------- */

void FixPilot::admit_agents() {
  std::vector<std::pair<std::int64_t, int>> fresh;  // tag, atom
  const int changed = agents_are_the_group() ? 0 : atom->nlocal;
  for (int i = 0; i < changed; ++i) {
    const bool member = (atom->mask[i] & groupbit) != 0;
    const bool agent = pool_->row(i) >= 0;
    if (member && !agent) fresh.emplace_back(atom->tag[i], i);
    if (!member && agent) {
      pool_->release(i);
      refresh_row(i, true);
    }
  }
  pool_->sweep(atom->nlocal);

  std::array<std::int64_t, 2> counts = {static_cast<std::int64_t>(fresh.size()),
                                        static_cast<std::int64_t>(pool_->size())};
  MPI_Allreduce(MPI_IN_PLACE, counts.data(), 2, MPI_INT64_T, MPI_SUM, world);
  const std::int64_t count = counts[0];
  all_agents_ = counts[0] + counts[1];
  if (count == 0) return;

  std::vector<std::int64_t> tags;
  tags.reserve(fresh.size());
  for (const auto& [tag, i] : fresh)
    tags.push_back(tag);
  std::vector<std::byte> all =
      dempilot::lammps::gather(std::as_bytes(std::span<const std::int64_t>(tags)), world);
  dempilot::lammps::broadcast(all, world);
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::copy(all.begin(), all.end(), std::as_writable_bytes(std::span(order)).begin());
  std::sort(order.begin(), order.end());

  if (fresh.size() > pool_->size()) pool_->reserve(pool_->size() + fresh.size());
  for (const auto& [tag, i] : fresh) {
    const auto place = std::lower_bound(order.begin(), order.end(), tag) - order.begin();
    pool_->adopt(i, counters_.next_id + place);
    pool_->columns().reset_time.back() = counters_.time;
  }
  counters_.next_id += count;
}

/* ---------------------------------------------------------------------- */

void FixPilot::decide() {
  const double start = MPI_Wtime();
  admit_agents();
  observe();
  const double observed = MPI_Wtime();
  infer();
  record_decision();
  seconds_.inputs += scene_->input_seconds();
  seconds_.observe += observed - start - scene_->input_seconds();
  seconds_.infer += MPI_Wtime() - observed;
  count_decision();
}

void FixPilot::count_decision() {
  ++counters_.decisions;
  ++run_decisions_;
  counters_.until_decision = every_;
  counters_.is_pending = 1;
  counters_.decision_time = counters_.time;
  totals_valid_ = false;
}

std::int64_t FixPilot::agent_count() const {
  return static_cast<std::int64_t>(pool_->size());
}

std::span<float> FixPilot::observation_rows() {
  if (options_.observations) return pool_->columns().observation;
  rows_.resize(pool_->size() * pilot_->observation_size());
  return rows_;
}

bool FixPilot::invokes_computes() const {
  return scene_->invokes_computes() || resetting_invokes_computes() || recording_invokes_computes();
}

void FixPilot::observe() {
  const bool computes = invokes_computes();
  if (computes) modify->clearstep_compute();
  if (reset_input_) reset_where_told();
  if (reset_region_ != nullptr) reset_in_region();
  record_state();
  const dempilot::Scene& scene = scene_->build(pool_->atoms(), igroup, remember());
  if (computes) modify->addstep_compute(update->ntimestep + every_);
  if (pool_->size() == 0) return;
  try {
    pilot_->observe(scene, observation_rows());
  } catch (const dempilot::Error& problem) {
    error->one(FLERR, "{}: {}", me_, problem.what());
  }
}

void FixPilot::infer() {
  if (pool_->size() == 0) return;
  dempilot::lammps::AgentColumns& agents = pool_->columns();
  const auto mode = options_.sample ? dempilot::DecisionMode::sample : dempilot::DecisionMode::mean;
  try {
    pilot_->decide(observation_rows(), agents.carry, agents.id, mode, options_.seed,
                   counters_.decisions, {agents.pending, agents.value, agents.log_prob},
                   all_agents_);
  } catch (const dempilot::Error& problem) {
    error->one(FLERR, "{}: {}", me_, problem.what());
  }
}

/* ---------------------------------------------------------------------- */

void FixPilot::post_run() {
  if (recording_) recording_->rest();
  std::array<double, 4> seconds = {seconds_.inputs, seconds_.observe, seconds_.infer, seconds_.act};
  MPI_Allreduce(MPI_IN_PLACE, seconds.data(), 4, MPI_DOUBLE, MPI_SUM, world);
  for (double& phase : seconds)
    phase /= comm->nprocs;
  std::int64_t agents = agent_count();
  MPI_Allreduce(MPI_IN_PLACE, &agents, 1, MPI_INT64_T, MPI_SUM, world);
  if (comm->me == 0 && run_decisions_ > 0) {
    utils::logmesg(lmp,
                   "{}: {} decisions, {} agents; seconds per rank: inputs {:.4g}, observe {:.4g}, "
                   "infer {:.4g}, act {:.4g}\n",
                   me_, run_decisions_, agents, seconds[0], seconds[1], seconds[2], seconds[3]);
  }
  seconds_ = {};
  run_decisions_ = 0;
}
