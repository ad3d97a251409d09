// SPDX-License-Identifier: GPL-2.0-only

// How fix pilot survives a restart. LAMMPS's restart file holds the counters and, for each atom,
// its agent id; LAMMPS would reserve the largest agent's record for every grain. What agents
// remember goes to a file beside it, which a token ties to the restart file.

#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <span>

#include "atom.h"
#include "comm.h"
#include "core/Error.hpp"
#include "core/Pilot.hpp"
#include "error.h"
#include "modify.h"
#include "plugin/lammps/Collective.h"
#include "plugin/lammps/PerAtomInput.h"
#include "plugin/lammps/Recording.h"
#include "plugin/lammps/RestartFile.h"
#include "plugin/lammps/SceneBuilder.h"
#include "plugin/lammps/fix_pilot.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;
using dempilot::lammps::AgentColumns;
using dempilot::lammps::AgentReader;
using dempilot::lammps::AgentShape;
using dempilot::lammps::try_together;

namespace {

constexpr std::int32_t state_version = 2;
constexpr std::size_t token_length = 32;
constexpr const char* suffix = ".pilot.h5";

/// Start of the global state; the path of the agents' file follows.
struct StateHeader {
  std::int32_t version = state_version;
  std::int32_t path_length = 0;
  std::array<char, token_length> token{};
};

std::string random_token() {
  std::random_device device;
  std::string token;
  while (token.size() < token_length)
    token += fmt::format("{:08x}", device());
  return token;
}

/// Absolute path of an open file; empty where the system does not tell.
std::string path_of(FILE* file) {
  std::error_code failed;
  const auto link = std::filesystem::path("/proc/self/fd") / std::to_string(fileno(file));
  const auto path = std::filesystem::read_symlink(link, failed);
  if (!failed) return path.string();
#ifdef F_GETPATH
  std::array<char, 4096> buffer{};
  if (fcntl(fileno(file), F_GETPATH, buffer.data()) == 0) return buffer.data();
#endif
  return {};
}

template <class Column>
Column gather_column(const Column& mine, MPI_Comm world) {
  const auto bytes = dempilot::lammps::gather(std::as_bytes(std::span(mine)), world);
  Column all(bytes.size() / sizeof(mine[0]));
  if (!bytes.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

/// The number n'th of the lists that fixes stored with an atom: its length, then its values.
const double* stored_list(const double* extra, int n) {
  for (int list = 0; list < n; ++list)
    extra += static_cast<int>(extra[0]);
  return extra;
}

}  // namespace

void FixPilot::declare_restart() {
  restart_global = 1;
  restart_peratom = 1;
  restart_file = 1;
}

/* ----------------------------------------------------------------------
   name of the agents' file beside a restart file; several of these fixes in one
   simulation write one each
------------------------------------------------------------------------- */

std::string FixPilot::side_file(const std::string& restart_name) const {
  const bool alone = modify->get_fix_by_style("^pilot").size() == 1;
  return restart_name + (alone ? "" : "." + std::string(id)) + suffix;
}

/* ---------------------------------------------------------------------- */

void FixPilot::write_restart(FILE* fp) {
  restore_agents();
  Counters saved = counters_;
  MPI_Reduce(counters_.impulse.data(), saved.impulse.data(), 6, MPI_DOUBLE, MPI_SUM, 0, world);
  if (comm->me != 0) return;
  restart_token_ = random_token();
  const std::string name = path_of(fp);
  const std::string path = name.empty() ? "" : side_file(name);
  StateHeader header;
  header.path_length = static_cast<std::int32_t>(path.size());
  std::copy_n(restart_token_.data(), token_length, header.token.data());
  const int size = static_cast<int>(sizeof(header) + sizeof(saved) + path.size());
  fwrite(&size, sizeof(size), 1, fp);
  fwrite(&header, sizeof(header), 1, fp);
  fwrite(&saved, sizeof(saved), 1, fp);
  fwrite(path.data(), 1, path.size(), fp);
}

void FixPilot::restart(char* buf) {
  StateHeader header;
  std::memcpy(&header, buf, sizeof(header));
  if (header.version != state_version) {
    error->all(FLERR,
               "{}: the restart file has version {} of this fix's state (this DEMPilot reads "
               "version {}). Use the DEMPilot that wrote it",
               me_, header.version, state_version);
  }
  buf += sizeof(header);
  std::memcpy(&counters_, buf, sizeof(counters_));
  buf += sizeof(counters_);
  restart_token_.assign(header.token.data(), token_length);
  restart_side_file_.assign(buf, static_cast<std::size_t>(header.path_length));
  if (comm->me != 0) counters_.impulse.fill(0.0);  // it is the sum over all ranks
  restored_ = true;
  // The script may have asked for shorter intervals, or for other resets.
  counters_.until_decision = std::min(counters_.until_decision, every_);
  const std::int64_t reset_every = options_.reset_every;
  if (counters_.until_reset == 0 || counters_.until_reset > reset_every) {
    counters_.until_reset = reset_every;
  }
}

/* ----------------------------------------------------------------------
   per atom: the length of the list, and the id of an agent
------------------------------------------------------------------------- */

int FixPilot::maxsize_restart() {
  return 2;
}

int FixPilot::size_restart(int i) {
  return pool_->row(i) >= 0 ? 2 : 1;
}

int FixPilot::pack_restart(int i, double* buf) {
  const int row = pool_->row(i);
  buf[0] = size_restart(i);
  if (row >= 0) buf[1] = ubuf(pool_->columns().id[static_cast<std::size_t>(row)]).d;
  return size_restart(i);
}

void FixPilot::unpack_restart(int i, int nth) {
  const double* const list = stored_list(atom->extra[i], nth);
  if (static_cast<int>(list[0]) == 1) return;
  pool_->adopt(i, ubuf(list[1]).i);
  awaits_agents_ = true;
}

/* ---------------------------------------------------------------------- */

void FixPilot::write_restart_file(const char* file) {
  if (recording_) recording_->flush();  // a run that goes on from here finds all that came before
  pool_->sweep(atom->nlocal);
  AgentColumns all;
  const AgentColumns& mine = pool_->columns();
  all.id = gather_column(mine.id, world);
  all.wrench = gather_column(mine.wrench, world);
  all.reset_time = gather_column(mine.reset_time, world);
  all.inside = gather_column(mine.inside, world);
  all.carry = gather_column(mine.carry, world);
  all.applied = gather_column(mine.applied, world);
  all.pending = gather_column(mine.pending, world);
  all.value = gather_column(mine.value, world);
  all.log_prob = gather_column(mine.log_prob, world);
  all.observation = gather_column(mine.observation, world);

  std::string name = file;
  if (const auto percent = name.find('%'); percent != std::string::npos) {
    name.replace(percent, 1, "base");
  }
  const auto message = try_together(world, [&] {
    if (comm->me != 0) return;
    dempilot::lammps::write_agents(side_file(name),
                                   {restart_token_, id, policy_digest_, update->ntimestep},
                                   pool_->shape(), std::move(all));
  });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
}

/* ----------------------------------------------------------------------
   agents know who they are; give them what they remember. Rank 0 reads the file
   a piece at a time and every rank picks its own
------------------------------------------------------------------------- */

void FixPilot::restore_agents() {
  int wanted = awaits_agents_ ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, &wanted, 1, MPI_INT, MPI_MAX, world);
  if (!options_.restart_path.empty() && !restored_ && comm->me == 0) {
    error->warning(FLERR, "{}: keyword restart is ignored (no restart file was read)", me_);
  }
  options_.restart_path = restored_ ? options_.restart_path : "";
  if (wanted == 0) return;
  awaits_agents_ = false;
  pool_->sweep(atom->nlocal);

  std::unique_ptr<AgentReader> reader;
  const auto message = try_together(world, [&] {
    if (comm->me == 0) reader = open_side_file();
  });
  if (message) error->all(FLERR, "{}: {}", me_, *message);
  read_agents(reader.get());
}

std::vector<std::string> FixPilot::side_file_candidates() const {
  if (!options_.restart_path.empty()) return {options_.restart_path};
  if (restart_side_file_.empty()) return {};
  return {restart_side_file_, std::filesystem::path(restart_side_file_).filename().string()};
}

std::unique_ptr<AgentReader> FixPilot::open_side_file() const {
  std::string seen;
  for (const std::string& path : side_file_candidates()) {
    std::error_code ignored;
    seen += seen.empty() ? path : " and " + path;
    if (!std::filesystem::exists(path, ignored)) {
      seen += ", which does not exist";
      continue;
    }
    auto reader = std::make_unique<AgentReader>(path);
    if (reader->stamp().token != restart_token_) {
      seen += ", which belongs to another restart file (of step " +
              std::to_string(reader->stamp().timestep) + ")";
      continue;
    }
    const AgentShape& found = reader->shape();
    const AgentShape& wanted = pool_->shape();
    if (found.carry != wanted.carry || found.action != wanted.action) {
      dempilot::fail(
          "{} fits another policy (a carry of {} and {} actions; {} has {} and {}). Use the policy "
          "that was flying when it was written",
          path, found.carry, found.action, options_.policy_path, wanted.carry, wanted.action);
    }
    if (reader->stamp().policy != policy_digest_) {
      error->warning(FLERR, "{}: {} was written with another policy than {}", me_, path,
                     options_.policy_path);
    }
    return reader;
  }
  dempilot::fail(
      "the file with the agents' carries was not found (looked at {}). Name it with the keyword "
      "'restart FILE'; it was written beside the restart file and ends in {}",
      seen.empty() ? "nothing, as the restart file names none" : seen, suffix);
}

void FixPilot::read_agents(const AgentReader* reader) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 25U;
  RowOfId row_of;
  for (std::size_t row = 0; row < pool_->size(); ++row)
    row_of[pool_->columns().id[row]] = row;

  std::array<std::uint64_t, 3> sizes{};  // agents in the file, their optional widths there
  if (reader != nullptr)
    sizes = {reader->size(), reader->shape().observation, reader->shape().region};
  MPI_Bcast(sizes.data(), 3, MPI_UINT64_T, 0, world);
  AgentShape shape = pool_->shape();
  shape.observation = sizes[1];
  shape.region = sizes[2];
  const std::size_t piece =
      std::max<std::size_t>(1, piece_bytes / (sizeof(float) * (shape.carry + 64)));

  for (std::size_t first = 0; first < sizes[0]; first += piece) {
    const std::size_t count = std::min<std::size_t>(piece, sizes[0] - first);
    AgentColumns agents;
    const auto message = try_together(world, [&] {
      if (reader != nullptr) agents = reader->read(first, count);
    });
    if (message) error->all(FLERR, "{}: {}", me_, *message);
    share_agents(agents, shape, count);
    take_agents(agents, shape, row_of);
  }

  auto missing = static_cast<std::int64_t>(row_of.size());
  MPI_Allreduce(MPI_IN_PLACE, &missing, 1, MPI_INT64_T, MPI_SUM, world);
  if (missing > 0) {
    error->all(FLERR,
               "{}: {} agents have no record in the file with the agents' carries (it belongs to "
               "this restart file but is incomplete). Use another restart file",
               me_, missing);
  }
}

void FixPilot::share_agents(AgentColumns& agents, const AgentShape& shape, std::size_t count) {
  dempilot::lammps::for_each_column(
      agents, shape, [&](const char*, auto& column, std::size_t width) {
        column.resize(count * width);
        dempilot::lammps::broadcast(std::as_writable_bytes(std::span(column)), world);
      });
}

void FixPilot::take_agents(const AgentColumns& agents, const AgentShape& shape, RowOfId& row_of) {
  AgentColumns& mine = pool_->columns();
  const auto take = [](const auto& from, std::size_t n, auto& to, std::size_t row,
                       std::size_t width) {
    std::copy_n(from.data() + n * width, width, to.data() + row * width);
  };
  for (std::size_t n = 0; n < agents.id.size(); ++n) {
    const auto found = row_of.find(agents.id[n]);
    if (found == row_of.end()) continue;
    const std::size_t row = found->second;
    take(agents.wrench, n, mine.wrench, row, 6);
    take(agents.reset_time, n, mine.reset_time, row, 1);
    if (shape.region == pool_->shape().region) {
      take(agents.inside, n, mine.inside, row, shape.region);
    } else if (pool_->shape().region == 1) {
      mine.inside[row] = -1.0;
    }
    take(agents.carry, n, mine.carry, row, shape.carry);
    take(agents.applied, n, mine.applied, row, shape.action);
    take(agents.pending, n, mine.pending, row, shape.action);
    take(agents.value, n, mine.value, row, 1);
    take(agents.log_prob, n, mine.log_prob, row, 1);
    if (shape.observation == pool_->shape().observation) {
      take(agents.observation, n, mine.observation, row, shape.observation);
    }
    row_of.erase(found);
  }
}
