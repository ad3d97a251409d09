// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dempilot::lammps {

/// Widths of what is stored for one agent, in floats.
struct AgentShape {
  std::size_t carry = 0;
  std::size_t action = 0;
  std::size_t observation = 0;  ///< 0: the last observation is not kept
  std::size_t region = 0;       ///< 1: whether the agent was in the region that resets

  bool operator==(const AgentShape&) const = default;
};

/// What belongs to agents: it follows them from rank to rank and into restart files. One entry or
/// one row of each column per agent.
struct AgentColumns {
  std::vector<std::int64_t> id;    ///< (agents), unique over the run
  std::vector<double> wrench;      ///< (agents, 6), force and torque given last
  std::vector<double> reset_time;  ///< (agents), when the agent began to remember
  std::vector<double> inside;      ///< (agents, region), 1 if it was there at the last decision, 0
                                   ///< if not, -1 if nobody looked
  std::vector<float> carry;        ///< (agents, carry)
  std::vector<float> applied;      ///< (agents, action), in force now
  std::vector<float> pending;      ///< (agents, action), decided last
  std::vector<float> value;        ///< (agents), of the last decision
  std::vector<float> log_prob;     ///< (agents), of the last decision
  std::vector<float> observation;  ///< (agents, observation), of the last decision
};

/// Calls visit(name, column of one, column of other, width) for every column of two sets of them.
template <class One, class Other, class Visitor>
void for_each_column_pair(One& one, Other& other, const AgentShape& shape, const Visitor& visit) {
  visit("id", one.id, other.id, std::size_t{1});
  visit("wrench", one.wrench, other.wrench, std::size_t{6});
  visit("reset_time", one.reset_time, other.reset_time, std::size_t{1});
  visit("inside", one.inside, other.inside, shape.region);
  visit("carry", one.carry, other.carry, shape.carry);
  visit("applied", one.applied, other.applied, shape.action);
  visit("pending", one.pending, other.pending, shape.action);
  visit("value", one.value, other.value, std::size_t{1});
  visit("log_prob", one.log_prob, other.log_prob, std::size_t{1});
  visit("observation", one.observation, other.observation, shape.observation);
}

/// Calls visit(name, column, width) for every column of `columns`.
template <class Columns, class Visitor>
void for_each_column(Columns& columns, const AgentShape& shape, const Visitor& visit) {
  for_each_column_pair(columns, columns, shape,
                       [&visit](const char* name, auto& column, auto&, std::size_t width) {
                         visit(name, column, width);
                       });
}

}  // namespace dempilot::lammps
