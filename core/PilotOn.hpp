#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/Backend.hpp"
#include "core/Pilot.hpp"
#include "core/nn/Network.hpp"
#include "core/observe/Observer.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot {

/// What a Pilot does, for an engine whose particles live in the memory of an execution space: on a
/// device they stay there. All work is enqueued in the order of `space`; nobody waits, and nothing
/// is copied. Instantiated for every enabled back end.
template <class ExecutionSpace>
class PilotOn {
 public:
  /// Prepares checked parameters (check_size, check_parameters) and replays the policy's golden
  /// rows, which may be off by what `precision` rounds. Throws Error, naming `source` (the file),
  /// when they do not come out.
  PilotOn(const PolicyFile& policy, std::string source, ExecutionSpace space = {},
          nn::Precision precision = nn::precision_in_use());

  const Contract& contract() const { return contract_; }
  const Observer& observer() const { return observer_; }
  const ExecutionSpace& space() const { return space_; }

  /// Fills `rows` (agents, observation_size) from a scene; both are where ExecutionSpace reaches
  /// them. Throws Error when the scene lacks what the policy needs.
  void observe(const Scene& scene, std::span<float> rows) const {
    observer_.enqueue<float>(space_, scene, rows);
  }

  /// As Pilot::decide, of arrays that ExecutionSpace reaches and that have the right sizes.
  void decide(std::span<const float> rows, std::span<float> carry,
              std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
              std::int64_t decision, const Pilot::Decisions& out, std::int64_t all_agents) const;

 private:
  /// decide() but for what a table says of discrete actions.
  void step(std::span<const float> rows, std::span<float> carry, std::span<const std::int64_t> ids,
            DecisionMode mode, std::uint64_t seed, std::int64_t decision,
            const Pilot::Decisions& out, std::int64_t all_agents) const;
  void replay(const GoldenRows& golden, double tolerance) const;

  Contract contract_;
  std::string source_;
  ExecutionSpace space_;
  Observer observer_;
  nn::Network<float, ExecutionSpace> network_;
  Matrix<float, ExecutionSpace> table_;  ///< (categories, width) of discrete actions, or empty
};

}  // namespace dempilot
