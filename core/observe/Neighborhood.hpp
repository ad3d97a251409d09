#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#include "core/observe/Borrowed.hpp"
#include "core/observe/CellList.hpp"

namespace dempilot {

/// Particles that agents see, and who is who.
template <class ExecutionSpace>
struct Neighborhood {
  CellList<ExecutionSpace> list;
  Borrowed<const std::int64_t*, ExecutionSpace> identity;        ///< (seen)
  Borrowed<const double* [3], ExecutionSpace> position;          ///< (particles, 3), of agents
  Borrowed<const std::int32_t*, ExecutionSpace> agents;          ///< (agents), particle of each
  Borrowed<const std::int64_t*, ExecutionSpace> agent_identity;  ///< (agents)

  /// Calls consume(sightings) for all particles within `range` of an agent but itself and its
  /// images, some of them at a time; `sightings` are the consumer's to change. On a host.
  template <class Consumer>
  KOKKOS_FUNCTION void for_each_batch(int agent, double range, const Consumer& consume) const {
    list.for_each_batch(vicinity(agent, range), consume);
  }

  /// Calls visit(index, delta, distance) for every particle within `range` of an agent but itself
  /// and its images.
  template <class Visitor>
  KOKKOS_FUNCTION void for_each_within(int agent, double range, const Visitor& visit) const {
    list.for_each_within(vicinity(agent, range), visit);
  }

 private:
  KOKKOS_FUNCTION Vicinity vicinity(int agent, double range) const {
    const std::int32_t self = agents(agent);
    return {
        {position(self, 0), position(self, 1), position(self, 2)}, range, agent_identity(agent)};
  }
};

}  // namespace dempilot
