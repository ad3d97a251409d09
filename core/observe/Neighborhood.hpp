#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdint>

#include "core/observe/Borrowed.hpp"
#include "core/observe/CellList.hpp"
#include "core/observe/RoughAngle.hpp"

namespace dempilot {

/// Some of what an agent sees: the vectors to it and their squares, component by component, so that
/// loops over them become vector instructions.
struct Sightings {
  static constexpr int most = 96;
  double x[most];
  double y[most];
  double z[most];
  double square[most];
  int count = 0;

  /// Count rounded up to whole vectors.
  KOKKOS_INLINE_FUNCTION
  int padded() const { return (count + detail::lanes - 1) & -detail::lanes; }

  KOKKOS_INLINE_FUNCTION
  void put(int place, const double (&delta)[3]) {
    x[place] = delta[0];
    y[place] = delta[1];
    z[place] = delta[2];
    square[place] = square_of(delta);
  }

  /// Fills the last vector with anything that can be computed with.
  KOKKOS_INLINE_FUNCTION
  void pad() {
    for (int place = count; place < padded(); ++place)
      put(place, {1, 1, 1});
  }
};

/// Particles that agents see, and who is who.
template <class ExecutionSpace>
struct Neighborhood {
  CellList<ExecutionSpace> list;
  Borrowed<const std::int64_t*, ExecutionSpace> identity;        ///< (seen)
  Borrowed<const double* [3], ExecutionSpace> position;          ///< (particles, 3), of agents
  Borrowed<const std::int32_t*, ExecutionSpace> agents;          ///< (agents), particle of each
  Borrowed<const std::int64_t*, ExecutionSpace> agent_identity;  ///< (agents)

  /// Calls consume(sightings) for all particles within `range` of an agent but itself and its
  /// images, some of them at a time; `sightings` are padded, and the consumer's to change.
  template <class Consumer>
  KOKKOS_FUNCTION void for_each_batch(int agent, double range, const Consumer& consume) const {
    static_assert(Sightings::most >= CellList<ExecutionSpace>::most_in_batch);
    const std::int32_t self = agents(agent);
    const std::int64_t me = agent_identity(agent);
    const double centre[3] = {position(self, 0), position(self, 1), position(self, 2)};
    list.for_each_batch(centre, range, [&](const std::int32_t* numbers, int count) {
      Sightings seen;
      for (int n = 0; n < count; ++n) {
        const auto& slot = list.slot(numbers[n]);
        double delta[3];
        subtract(slot.position, centre, delta);
        seen.put(seen.count, delta);
        seen.count += static_cast<int>(slot.identity != me);
      }
      seen.pad();
      consume(seen);
    });
  }

  /// Calls visit(index, delta, distance) for every particle within `range` of an agent but itself
  /// and its images.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(int agent, double range, const Visitor& visit) const {
    const std::int32_t self = agents(agent);
    const double centre[3] = {position(self, 0), position(self, 1), position(self, 2)};
    list.for_each_within(centre, range,
                         [&](std::int32_t index, const double(&delta)[3], double distance) {
                           if (identity(index) != agent_identity(agent))
                             visit(index, delta, distance);
                         });
  }
};

}  // namespace dempilot
