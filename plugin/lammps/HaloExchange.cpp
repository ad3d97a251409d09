// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/HaloExchange.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <type_traits>

namespace dempilot::lammps {
namespace {

/// Particles that are looked at together.
constexpr std::size_t block = 256;

/// Calls visit(image, numbers) for all images of `point` in `bounds`: where each is, and how many
/// periods it is away from the point.
template <class Visitor>
void for_each_image(const Periodicity& box, const double* point, const Bounds& bounds,
                    const Visitor& visit) {
  std::array<Images, 3> images;
  for (std::size_t d = 0; d < 3; ++d) {
    images[d] = box.images_between(point[d], d, bounds.lower[d], bounds.upper[d]);
    if (images[d].count == 0) return;
  }
  std::array<double, 3> number;
  std::array<double, 3> image;
  const auto place = [&](std::size_t d, int k) {
    number[d] = images[d].first + k;
    image[d] = point[d] + number[d] * box.period[d];
  };
  for (int i = 0; i < images[0].count; ++i) {
    place(0, i);
    for (int j = 0; j < images[1].count; ++j) {
      place(1, j);
      for (int k = 0; k < images[2].count; ++k) {
        place(2, k);
        visit(image, number);
      }
    }
  }
}

Bounds widened(Bounds bounds, double reach) {
  for (std::size_t d = 0; d < 3; ++d) {
    bounds.lower[d] -= reach;
    bounds.upper[d] += reach;
  }
  return bounds;
}

void append_point(std::vector<double>& points, const double* point) {
  points.insert(points.end(), point, point + 3);
}

/// Positions in a parcel.
std::span<const double> positions_in(const Parcel& parcel) {
  return {reinterpret_cast<const double*>(parcel.bytes.data()),
          parcel.bytes.size() / sizeof(double)};
}

}  // namespace

HaloExchange::HaloExchange(MPI_Comm world) : world_(world), mail_(world) {
  int ranks = 0;
  MPI_Comm_rank(world, &me_);
  MPI_Comm_size(world, &ranks);
  outlines_.resize(static_cast<std::size_t>(ranks));
}

void HaloExchange::gather(const Periodicity& box, const OwnParticles& own,
                          std::span<const std::int32_t> agents, std::span<const Wanted> groups) {
  box_ = box;
  own_ = own;
  groups_.assign(groups.begin(), groups.end());
  seen_.resize(groups.size());
  reach_ = 0.0;
  // A little more, so that no rounding on the way loses a neighbor.
  for (const Wanted& group : groups)
    reach_ = std::max(reach_, 1.001 * group.range);
  realm_ = box.realm();
  find_own_agents(agents);
  asked_.clear();
  asking_.clear();
  answered_.clear();
  if (outlines_.size() > 1) {
    share_outlines();
    find_partners();
    mail_.deliver(asked_.all(), asking_.all());
  }

  answers_.clear();
  for (const Parcel& asking : asking_.all())
    answers_.add(asking.rank);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    seen_[g].start(groups_[g].columns);
    if (asking_.all().empty()) {
      serve_own(groups_[g], seen_[g]);
      continue;
    }
    find_candidates(groups_[g]);
    serve(own_agents_, groups_[g], seen_[g]);
    for (std::size_t n = 0; n < answers_.all().size(); ++n) {
      answer_.start(groups_[g].columns);
      serve(positions_in(asking_.all()[n]), groups_[g], answer_);
      answer_.pack(answers_.all()[n].bytes);
    }
  }
  if (outlines_.size() > 1) mail_.deliver(answers_.all(), answered_.all());
  for (const Parcel& answered : answered_.all()) {
    std::span<const std::byte> rest = answered.bytes;
    for (SeenCloud& cloud : seen_)
      rest = cloud.unpack(rest);
  }
}

void HaloExchange::find_own_agents(std::span<const std::int32_t> agents) {
  own_agents_.clear();
  for (const std::int32_t agent : agents) {
    const double* const point = own_.position + 3 * static_cast<std::ptrdiff_t>(agent);
    if (realm_.holds(point)) append_point(own_agents_, point);
  }
}

void HaloExchange::share_outlines() {
  static_assert(std::is_trivially_copyable_v<Outline> && sizeof(Outline) == 12 * sizeof(double));
  Outline mine;
  for (std::size_t n = 0; n < own_agents_.size(); n += 3)
    mine.agents.include(own_agents_.data() + n);
  int bits = 0;
  for (const Wanted& group : groups_)
    bits |= group.group_bit;
  for (std::size_t i = 0; bits != 0 && i < own_.count; ++i) {
    const double* const point = own_.position + 3 * i;
    if ((own_.mask[i] & bits) != 0 && realm_.holds(point)) mine.particles.include(point);
  }
  MPI_Allgather(&mine, 12, MPI_DOUBLE, outlines_.data(), 12, MPI_DOUBLE, world_);
}

void HaloExchange::find_partners() {
  const Outline& mine = outlines_[static_cast<std::size_t>(me_)];
  for (int rank = 0; rank < static_cast<int>(outlines_.size()); ++rank) {
    if (rank == me_) continue;
    const Outline& other = outlines_[static_cast<std::size_t>(rank)];
    if (box_.may_reach(other.agents, mine.particles, reach_)) asking_.add(rank);
    if (!box_.may_reach(mine.agents, other.particles, reach_)) continue;
    answered_.add(rank);
    std::vector<std::byte>& bytes = asked_.add(rank).bytes;
    for (std::size_t n = 0; n < own_agents_.size(); n += 3) {
      const std::span<const double> agent(own_agents_.data() + n, 3);
      if (!box_.may_reach(agent.data(), other.particles, reach_)) continue;
      bytes.insert(bytes.end(), std::as_bytes(agent).begin(), std::as_bytes(agent).end());
    }
  }
}

/// One pass over all own particles for all who ask, however many they are.
void HaloExchange::find_candidates(const Wanted& group) {
  candidates_.clear();
  around_.clear();
  if (group.group_bit == 0 || group.range <= 0.0) return;
  mark_images(own_agents_, group.range);
  for (const Parcel& asking : asking_.all())
    mark_images(positions_in(asking), group.range);
  if (around_.empty()) return;
  filter_.build(around_, group.range);
  for (std::size_t i = 0; i < own_.count; ++i) {
    const double* const point = own_.position + 3 * i;
    if ((own_.mask[i] & group.group_bit) != 0 && filter_.may_be_near(point) &&
        realm_.holds(point)) {
      candidates_.push_back(static_cast<std::int32_t>(i));
    }
  }
}

void HaloExchange::mark_images(std::span<const double> agents, double range) {
  const Bounds& particles = outlines_[static_cast<std::size_t>(me_)].particles;
  if (particles.is_empty()) return;
  const Bounds near = widened(particles, 1.001 * range);
  for (std::size_t n = 0; n + 2 < agents.size(); n += 3) {
    for_each_image(box_, agents.data() + n, near,
                   [this](const std::array<double, 3>& image, const std::array<double, 3>&) {
                     append_point(around_, image.data());
                   });
  }
}

void HaloExchange::serve(std::span<const double> agents, const Wanted& group, SeenCloud& out) {
  if (candidates_.empty() || agents.empty()) return;
  filter_.build(agents, group.range);
  const Bounds alone = box_.realm_without_images(filter_.bounds());
  near_.clear();
  std::array<double, 3 * block> positions;
  for (std::size_t begin = 0; begin < candidates_.size(); begin += block) {
    const auto some =
        std::span(candidates_).subspan(begin).first(std::min(block, candidates_.size() - begin));
    for (std::size_t n = 0; n < some.size(); ++n)
      std::copy_n(own_.position + 3 * static_cast<std::ptrdiff_t>(some[n]), 3,
                  positions.data() + 3 * n);
    tell_apart(positions.data(), some, alone, group, out);
  }
  add_near(out);
}

/// Where nobody else asks, one pass over all own particles is enough.
void HaloExchange::serve_own(const Wanted& group, SeenCloud& out) {
  if (group.group_bit == 0 || group.range <= 0.0 || own_agents_.empty()) return;
  filter_.build(own_agents_, group.range);
  const Bounds alone = box_.realm_without_images(filter_.bounds());
  near_.clear();
  std::array<std::int32_t, block> some;
  for (std::size_t begin = 0; begin < own_.count; begin += block) {
    const std::size_t count = std::min(block, own_.count - begin);
    std::iota(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count),
              static_cast<std::int32_t>(begin));
    tell_apart(own_.position + 3 * begin, std::span(some).first(count), alone, group, out);
  }
  add_near(out);
}

/// At most a block of own particles, which are at `positions`: they go to near_, or their images to
/// `out`. Most are `alone`, far from the borders of the box, and themselves all that can be near.
void HaloExchange::tell_apart(const double* positions, std::span<const std::int32_t> particles,
                              const Bounds& alone, const Wanted& group, SeenCloud& out) {
  using Mark = TargetFilter::Mark;
  std::array<Mark, block> marks;
  filter_.find_marks(positions, particles.size(), alone, marks.data());
  // Nobody can guess which are near: nothing branches.
  std::array<std::int32_t, block> near;
  std::array<std::int32_t, block> images;
  std::size_t nears = 0;
  std::size_t with_images = 0;
  for (std::size_t n = 0; n < particles.size(); ++n) {
    const bool wanted = (own_.mask[particles[n]] & group.group_bit) != 0;
    const bool at_border = marks[n] == Mark::elsewhere;
    near[nears] = images[with_images] = particles[n];
    nears += static_cast<std::size_t>(wanted & !at_border & (marks[n] != Mark::far));
    with_images += static_cast<std::size_t>(wanted & at_border);
  }
  near_.insert(near_.end(), near.begin(), near.begin() + static_cast<std::ptrdiff_t>(nears));
  for (const std::int32_t i : std::span(images).first(with_images)) {
    if (realm_.holds(own_.position + 3 * static_cast<std::ptrdiff_t>(i)))
      add_images(i, group.columns, out);
  }
}

/// Copies the particles of near_. Image number 0 is the particle plus 0 periods, which tells -0
/// from 0 no longer, on whichever rank it is made.
void HaloExchange::add_near(SeenCloud& out) const {
  const SeenColumns places = out.add_places(near_.size());
  const auto copy = [this](std::size_t width, const double* from, double* to) {
    if (to == nullptr) return;
    for (const std::int32_t i : near_) {
      for (std::size_t d = 0; d < width; ++d)
        *to++ = from[width * static_cast<std::size_t>(i) + d] + 0.0;
    }
  };
  copy(3, own_.position, places.position);
  copy(3, own_.velocity, places.velocity);
  for (std::size_t n = 0; n < near_.size(); ++n) {
    const std::int32_t i = near_[n];
    places.identity[n] = own_.tag[i];
    if (places.radius != nullptr) places.radius[n] = own_.radius[i];
    if (places.type != nullptr) places.type[n] = own_.type[i];
  }
}

void HaloExchange::add_images(std::int32_t candidate, const WantedColumns& wanted,
                              SeenCloud& out) const {
  const auto i = static_cast<std::size_t>(candidate);
  for_each_image(box_, own_.position + 3 * i, filter_.bounds(),
                 [&](const std::array<double, 3>& image, const std::array<double, 3>& number) {
                   if (!filter_.may_be_near(image.data())) return;
                   SeenParticle particle;
                   particle.position = image;
                   particle.identity = own_.tag[i];
                   if (wanted.velocity) {
                     const bool drifts = (own_.mask[i] & own_.drift_bit) != 0;
                     for (std::size_t d = 0; d < 3; ++d) {
                       particle.velocity[d] =
                           own_.velocity[3 * i + d] + (drifts ? number[d] * box_.drift[d] : 0.0);
                     }
                   }
                   if (wanted.radius) particle.radius = own_.radius[i];
                   if (wanted.type) particle.type = own_.type[i];
                   out.add(particle);
                 });
}

void HaloExchange::add_points(std::size_t group, std::span<const double> points) {
  if (own_agents_.empty() || groups_[group].range <= 0.0) return;
  filter_.build(own_agents_, groups_[group].range);
  for (std::size_t n = 0; n + 2 < points.size(); n += 3) {
    for_each_image(box_, points.data() + n, filter_.bounds(),
                   [&](const std::array<double, 3>& image, const std::array<double, 3>&) {
                     if (!filter_.may_be_near(image.data())) return;
                     SeenParticle point;
                     point.position = image;
                     seen_[group].add(point);
                   });
  }
}

double HaloExchange::memory_usage() const {
  std::size_t bytes = (own_agents_.capacity() + around_.capacity()) * sizeof(double) +
                      outlines_.capacity() * sizeof(Outline) +
                      (candidates_.capacity() + near_.capacity()) * sizeof(std::int32_t);
  double total = static_cast<double>(bytes) + mail_.memory_usage() + asked_.memory_usage() +
                 asking_.memory_usage() + answers_.memory_usage() + answered_.memory_usage() +
                 filter_.memory_usage() + answer_.memory_usage();
  for (const SeenCloud& cloud : seen_)
    total += cloud.memory_usage();
  return total;
}

}  // namespace dempilot::lammps
