// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/observe/Scene.hpp"

namespace dempilot::lammps {

/// What is wanted of particles beside where and who they are.
struct WantedColumns {
  bool velocity = false;
  bool radius = false;
  bool type = false;
};

/// One particle as it is seen.
struct SeenParticle {
  std::array<double, 3> position{};
  std::int64_t identity = 0;
  std::array<double, 3> velocity{};
  double radius = 0.0;
  std::int32_t type = 0;
};

/// Places for particles in the columns of a cloud; null where a column is not wanted.
struct SeenColumns {
  double* position = nullptr;  ///< (particles, 3)
  std::int64_t* identity = nullptr;
  double* velocity = nullptr;  ///< (particles, 3)
  double* radius = nullptr;
  std::int32_t* type = nullptr;
};

/// Particles that are seen, column by column. Columns that are not wanted stay empty. Memory is
/// kept from filling to filling.
class SeenCloud {
 public:
  /// Empties the cloud.
  void start(WantedColumns wanted);
  void add(const SeenParticle& particle);
  /// Adds `count` particles, to be written where it says before the cloud changes.
  SeenColumns add_places(std::size_t count);

  std::size_t size() const { return identity_.size(); }
  /// Valid until the cloud changes.
  SeenParticles view() const;

  /// Appends all particles to a message.
  void pack(std::vector<std::byte>& message) const;
  /// Appends the particles of another cloud with the same columns, packed at the beginning of
  /// `message`, and returns the rest of the message.
  std::span<const std::byte> unpack(std::span<const std::byte> message);

  double memory_usage() const;

 private:
  /// Calls work(column, values per particle) for every wanted column of `cloud`.
  template <class Cloud, class Work>
  static void for_each_column(Cloud& cloud, const Work& work);

  WantedColumns wanted_;
  std::vector<double> position_;  ///< (size, 3)
  std::vector<std::int64_t> identity_;
  std::vector<double> velocity_;  ///< (size, 3)
  std::vector<double> radius_;
  std::vector<std::int32_t> type_;
};

}  // namespace dempilot::lammps
