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
