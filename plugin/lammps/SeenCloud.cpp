// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/SeenCloud.h"

#include <cstring>

namespace dempilot::lammps {
namespace {

template <class Value>
std::size_t bytes_of(const std::vector<Value>& column) {
  return column.capacity() * sizeof(Value);
}

}  // namespace

template <class Cloud, class Work>
void SeenCloud::for_each_column(Cloud& cloud, const Work& work) {
  work(cloud.position_, 3);
  work(cloud.identity_, 1);
  if (cloud.wanted_.velocity) work(cloud.velocity_, 3);
  if (cloud.wanted_.radius) work(cloud.radius_, 1);
  if (cloud.wanted_.type) work(cloud.type_, 1);
}

void SeenCloud::start(WantedColumns wanted) {
  wanted_ = {true, true, true};
  for_each_column(*this, [](auto& column, int) { column.clear(); });
  wanted_ = wanted;
}

void SeenCloud::add(const SeenParticle& particle) {
  for (const double x : particle.position)
    position_.push_back(x);
  identity_.push_back(particle.identity);
  if (wanted_.velocity) {
    for (const double v : particle.velocity)
      velocity_.push_back(v);
  }
  if (wanted_.radius) radius_.push_back(particle.radius);
  if (wanted_.type) type_.push_back(particle.type);
}

SeenColumns SeenCloud::add_places(std::size_t count) {
  const std::size_t before = size();
  for_each_column(*this, [&](auto& column, int per_particle) {
    column.resize((before + count) * static_cast<std::size_t>(per_particle));
  });
  SeenColumns places;
  places.position = position_.data() + 3 * before;
  places.identity = identity_.data() + before;
  if (wanted_.velocity) places.velocity = velocity_.data() + 3 * before;
  if (wanted_.radius) places.radius = radius_.data() + before;
  if (wanted_.type) places.type = type_.data() + before;
  return places;
}

SeenParticles SeenCloud::view() const {
  SeenParticles seen;
  seen.count = size();
  seen.position = position_.data();
  seen.identity = identity_.data();
  if (wanted_.velocity) seen.velocity = velocity_.data();
  if (wanted_.radius) seen.radius = radius_.data();
  if (wanted_.type) seen.type = type_.data();
  return seen;
}

void SeenCloud::pack(std::vector<std::byte>& message) const {
  const auto append = [&message](const void* values, std::size_t bytes) {
    const std::size_t place = message.size();
    message.resize(place + bytes);
    if (bytes > 0) std::memcpy(message.data() + place, values, bytes);
  };
  const auto count = static_cast<std::uint64_t>(size());
  append(&count, sizeof(count));
  for_each_column(*this, [&append](const auto& column, int) {
    append(column.data(), column.size() * sizeof(column[0]));
  });
}

std::span<const std::byte> SeenCloud::unpack(std::span<const std::byte> message) {
  const auto take = [&message](void* values, std::size_t bytes) {
    if (bytes > 0) std::memcpy(values, message.data(), bytes);
    message = message.subspan(bytes);
  };
  std::uint64_t count = 0;
  take(&count, sizeof(count));
  for_each_column(*this, [&](auto& column, int per_particle) {
    const std::size_t place = column.size();
    const auto more = static_cast<std::size_t>(count) * static_cast<std::size_t>(per_particle);
    column.resize(place + more);
    take(column.data() + place, more * sizeof(column[0]));
  });
  return message;
}

double SeenCloud::memory_usage() const {
  return static_cast<double>(bytes_of(position_) + bytes_of(identity_) + bytes_of(velocity_) +
                             bytes_of(radius_) + bytes_of(type_));
}

}  // namespace dempilot::lammps
