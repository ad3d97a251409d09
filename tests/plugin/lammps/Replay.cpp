#include "tests/plugin/lammps/Replay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "core/reference/ReferencePolicy.hpp"

namespace dempilot::lammps::testing {
namespace {

std::string output(std::size_t column) {
  return "f_pilot[" + std::to_string(column) + "]";
}

std::vector<double> entries(const Snapshot& snapshot, std::size_t atom, std::size_t first,
                            std::size_t count) {
  std::vector<double> values;
  for (std::size_t k = 0; k < count; ++k)
    values.push_back(snapshot.at(output(first + k))[atom]);
  return values;
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    largest = std::max(largest, std::abs(a[k] - b[k]));
  return largest;
}

void replay_agent(std::int64_t id, const std::vector<DecisionRecord>& history,
                  const reference::ReferencePolicy& reference, const PolicyFile& policy, long every,
                  long reset_every, ReplayResult& result) {
  std::vector<double> carry(policy.contract.model.carry_size(), 0.0);
  std::set<double> ranks;
  std::vector<double> expected_force;
  long last = history.front().step - every;
  for (const DecisionRecord& record : history) {
    EXPECT_EQ(record.step, last + every) << "agent " << id << " missed a decision";
    last = record.step;
    if (record.reset || (reset_every > 0 && record.step % reset_every == 0)) {
      std::fill(carry.begin(), carry.end(), 0.0);
    }
    const auto decision = reference.step(record.observation, carry);
    result.action_error = std::max(result.action_error, difference(decision.action, record.action));
    if (!expected_force.empty()) {
      result.force_error = std::max(result.force_error, difference(expected_force, record.force));
    }
    expected_force.clear();
    for (const double action : decision.action) {
      expected_force.push_back(policy.contract.action.scale * action);
      result.largest_action = std::max(result.largest_action, std::abs(action));
    }
    ranks.insert(record.rank);
    ++result.decisions;
  }
  ++result.agents;
  if (ranks.size() > 1) ++result.travellers;
}

}  // namespace

Histories histories_of(const std::vector<Snapshot>& snapshots, const PolicyFile& policy) {
  const std::size_t actions = policy.contract.model.action_size;
  const std::size_t observations = policy.contract.model.observation_size;
  Histories histories;
  for (const Snapshot& snapshot : snapshots) {
    for (std::size_t atom = 0; atom < snapshot.size(); ++atom) {
      const auto id = static_cast<std::int64_t>(snapshot.at(output(1))[atom]);
      if (id == 0) continue;
      std::vector<DecisionRecord>& history = histories[id];
      if (!history.empty() && history.back().step == snapshot.step) continue;
      DecisionRecord record;
      record.step = snapshot.step;
      record.force = entries(snapshot, atom, 2, actions);
      record.action = entries(snapshot, atom, 10, actions);
      record.observation = entries(snapshot, atom, 10 + actions, observations);
      if (snapshot.columns.contains("proc")) record.rank = snapshot.at("proc")[atom];
      if (snapshot.columns.contains("v_reset")) record.reset = snapshot.at("v_reset")[atom] != 0;
      history.push_back(std::move(record));
    }
  }
  return histories;
}

ReplayResult replay(const Histories& histories, const PolicyFile& policy, long every,
                    long reset_every) {
  const reference::ReferencePolicy reference(policy.contract.model, policy.parameters);
  ReplayResult result;
  for (const auto& [id, history] : histories) {
    replay_agent(id, history, reference, policy, every, reset_every, result);
  }
  return result;
}

}  // namespace dempilot::lammps::testing
