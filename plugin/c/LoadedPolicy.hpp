#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/Pilot.hpp"
#include "plugin/c/dempilot.h"

namespace dempilot::c {

/// What a dempilot_policy and its agents share. Made in the runtime's thread, freed in turn.
class LoadedPolicy {
 public:
  /// Throws Error when the file is refused.
  LoadedPolicy(const PolicyFile& file, const std::string& source);

  const Pilot& pilot() const { return pilot_; }
  const std::string& contract_text() const { return contract_text_; }
  const dempilot_description& description() const { return description_; }

  /// One step, whose arguments are those of dempilot_policy_step. Throws Refusal.
  void step(std::size_t agents, std::span<const float> observation, std::span<float> carry,
            const dempilot_draw* draw, const dempilot_outputs* outputs) const;

 private:
  Pilot pilot_;
  std::string contract_text_;
  dempilot_description description_;
};

using SharedPolicy = std::shared_ptr<const LoadedPolicy>;

/// Throws Refusal if there are more agents than a step can serve.
void check_agent_count(std::size_t agents);

}  // namespace dempilot::c
