// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/WallInput.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "atom.h"
#include "comm.h"
#include "core/observe/Walls.hpp"
#include "domain.h"
#include "error.h"
#include "region.h"
#include "update.h"

namespace dempilot::lammps {

namespace {

constexpr std::array<std::string_view, 6> face_names = {"xlo", "xhi", "ylo", "yhi", "zlo", "zhi"};

}  // namespace

void WallSources::add(const std::string& word) {
  const auto face = std::ranges::find(face_names, word);
  if (word == "box") {
    box = true;
  } else if (face != face_names.end()) {
    faces[static_cast<std::size_t>(face - face_names.begin())] = true;
  } else {
    regions.push_back(word);
  }
}

WallInput::WallInput(LAMMPS_NS::LAMMPS* engine, WallSources sources, std::string purpose)
    : Pointers(engine), sources_(std::move(sources)), purpose_(std::move(purpose)) {}

/// Whether a face stays where the script puts it, and is no period's end.
bool WallInput::is_fixed(std::size_t face) const {
  constexpr int fixed = 1;  // as Domain::set_boundary numbers them
  return domain->boundary[face / 2][face % 2] == fixed &&
         static_cast<int>(face / 2) < domain->dimension;
}

bool WallInput::sees_faces() const {
  return sources_.box || sources_.faces != std::array<bool, 6>{};
}

void WallInput::check_faces() const {
  for (std::size_t face = 0; face < 6; ++face) {
    const std::size_t axis = face / 2;
    if (!sources_.faces[face] || is_fixed(face)) continue;
    if (domain->periodicity[axis] == 0 && static_cast<int>(axis) < domain->dimension) {
      error->all(FLERR,
                 "{}: face {} of the box is no wall (its boundary follows the particles). Give it "
                 "an f in 'boundary', or name another face",
                 purpose_, face_names[face]);
    }
    error->all(FLERR,
               "{}: face {} of the box is no wall (the box is periodic there, or flat). Name "
               "another face, or change 'boundary'",
               purpose_, face_names[face]);
  }
}

/* ----------------------------------------------------------------------
   an agent at the rim of a shrink-wrapped box would see a wall that nobody built
------------------------------------------------------------------------- */

void WallInput::warn_of_shrinking_faces() {
  if (!sources_.box || update->whichflag != 1) return;
  std::string found;
  for (std::size_t face = 0; face < 2 * static_cast<std::size_t>(domain->dimension); ++face) {
    if (domain->periodicity[face / 2] != 0 || is_fixed(face)) continue;
    found += ' ';
    found += face_names[face];
  }
  if (found == told_) return;
  told_ = found;
  if (found.empty() || comm->me != 0) return;
  error->warning(FLERR,
                 "{}: faces of the box are not sensed as walls:{} (their boundaries follow the "
                 "particles). Give those that are walls an f in 'boundary'",
                 purpose_, found);
}

void WallInput::init() {
  regions_.clear();
  check_faces();
  warn_of_shrinking_faces();
  per_agent_ = sees_faces() ? 2 * static_cast<std::size_t>(domain->dimension) : 0;
  for (const std::string& name : sources_.regions) {
    LAMMPS_NS::Region* const region = domain->get_region_by_id(name);
    if (region == nullptr) {
      error->all(
          FLERR,
          "{}: there is no region '{}' (it is to be a wall). Define it with the region command",
          purpose_, name);
    }
    if (region->cmax == 0) {
      error->all(
          FLERR,
          "{}: region '{}' of style {} has no surface that can be sensed (it is to be a wall). "
          "Use another region style, e.g. block, cylinder, cone, plane or sphere",
          purpose_, name, region->style);
    }
    regions_.push_back(region);
    per_agent_ += static_cast<std::size_t>(region->cmax);
  }
}

bool WallInput::invokes_computes() const {
  return std::any_of(regions_.begin(), regions_.end(), [](LAMMPS_NS::Region* region) {
    return region->varshape != 0 || region->dynamic != 0;
  });
}

std::span<const double> WallInput::find(std::span<const std::int32_t> agents, double range) {
  vectors_.assign(agents.size() * per_agent_ * 3, std::numeric_limits<double>::infinity());
  std::size_t first = 0;
  if (sees_faces()) {
    find_box(agents);
    first += 2 * static_cast<std::size_t>(domain->dimension);
  }
  for (LAMMPS_NS::Region* const region : regions_) {
    find_region(*region, first, agents, range);
    first += static_cast<std::size_t>(region->cmax);
  }
  return vectors_;
}

WallBox WallInput::box() const {
  WallBox box;
  for (std::size_t d = 0; d < 3; ++d) {
    box.lower[d] = domain->boxlo[d];
    box.upper[d] = domain->boxhi[d];
    for (const std::size_t face : {2 * d, 2 * d + 1}) {
      box.is_wall[face] = (sources_.faces[face] || sources_.box) && is_fixed(face);
    }
  }
  return box;
}

void WallInput::find_box(std::span<const std::int32_t> agents) {
  const std::size_t width = 6 * static_cast<std::size_t>(domain->dimension);
  faces_.resize(agents.size() * width);
  box_walls(box(), domain->dimension, atom->x != nullptr ? atom->x[0] : nullptr, agents, faces_);
  for (std::size_t n = 0; n < agents.size(); ++n) {
    std::copy_n(faces_.data() + n * width, width, vectors_.data() + n * per_agent_ * 3);
  }
}

void WallInput::find_region(LAMMPS_NS::Region& region, std::size_t first,
                            std::span<const std::int32_t> agents, double range) {
  region.prematch();
  for (std::size_t n = 0; n < agents.size(); ++n) {
    const double* const x = atom->x[agents[n]];
    if (!region.match(x[0], x[1], x[2])) continue;
    const int contacts = region.surface(x[0], x[1], x[2], range);
    double* out = vectors_.data() + (n * per_agent_ + first) * 3;
    for (int c = 0; c < contacts; ++c) {
      const LAMMPS_NS::Region::Contact& contact = region.contact[c];
      // A plane simulation does not see the faces above and below its plane.
      if (domain->dimension == 2 && contact.delz != 0.0) continue;
      // Subtracted, not negated: a component of -0 would lie in another bin of the lidar than +0.
      *out++ = 0.0 - contact.delx;
      *out++ = 0.0 - contact.dely;
      *out++ = 0.0 - contact.delz;
    }
  }
}

}  // namespace dempilot::lammps
