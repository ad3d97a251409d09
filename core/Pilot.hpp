#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/observe/Observer.hpp"
#include "core/observe/Scene.hpp"
#include "core/policy/PolicyFile.hpp"

namespace dempilot {

/// Starts the parallel runtime for this process, once, with `threads` threads (1: serial). Later
/// calls return silently, whatever number they ask for: the first engine decides. Never shut down
/// under a live engine. Throws Error when `threads` < 1.
void initialize_runtime(int threads);

/// The instruction set that inference uses in this process, as the environment variable
/// DEMPILOT_SIMD names it. Results differ between them in the last place. Throws Error where that
/// variable names none that this processor has.
const char* instruction_set();

/// How actions are drawn: the mean of the distribution, or a sample of it.
enum class DecisionMode { mean, sample };

/// A policy at the controls, for an engine whose particles live in host memory: float32 inference
/// with one carry per agent, held by the engine so that it can travel with its particle. No header
/// of the parallel back end is needed to use it.
///
/// Data walks one way: Scene -> observe() -> rows -> decide() -> action. Everything decided for an
/// agent is a function of its row, its carry, `seed`, its id and the decision's number alone,
/// bitwise the same for every thread count, rank count and order of agents; see decide() for
/// engines with very few of them.
class Pilot {
 public:
  /// Prepares `policy` for the running back end and replays its golden rows there. Throws Error,
  /// naming `source` (the file), when they do not come out.
  Pilot(const PolicyFile& policy, std::string source);
  ~Pilot();
  Pilot(Pilot&&) noexcept;
  Pilot& operator=(Pilot&&) noexcept;

  const Contract& contract() const;
  std::size_t observation_size() const;
  /// Contract::acting_width: entries of an action, or of a row of the table of discrete ones.
  std::size_t action_size() const;
  std::size_t carry_size() const;

  /// What a Scene must hold, and what the simulation binds.
  const Observer& observer() const;

  /// Fills `rows` (agents, observation_size).
  void observe(const Scene& scene, std::span<float> rows) const;

  struct Decisions {
    std::span<float> action;    ///< (agents, action_size), what acts
    std::span<float> value;     ///< (agents)
    std::span<float> log_prob;  ///< (agents), of the action taken
    std::span<float> mean =
        {};                     ///< (agents, actions of the model) or empty; the logits if discrete
    std::span<float> std = {};  ///< (agents, actions of the model) or empty
  };

  /// So many that nobody takes them for few.
  static constexpr std::int64_t many = 1'000'000;

  /// One step of the policy for the agents of `rows` (agents, observation_size); `carry` (agents,
  /// carry_size) is read and replaced. `ids` (agents), `seed` and `decision` fix the noise in
  /// sample mode. `all_agents`: how many of all ranks decide together, if the engine knows: fewer
  /// than 8 are sooner done by other instructions on some processors, and differ in the last place.
  void decide(std::span<const float> rows, std::span<float> carry,
              std::span<const std::int64_t> ids, DecisionMode mode, std::uint64_t seed,
              std::int64_t decision, const Decisions& out, std::int64_t all_agents = many) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace dempilot
