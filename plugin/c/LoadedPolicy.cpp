#include "plugin/c/LoadedPolicy.hpp"

#include <climits>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "core/policy/Metadata.hpp"
#include "plugin/c/Rows.hpp"
#include "plugin/c/Runtime.hpp"
#include "plugin/c/VersionedStruct.hpp"

namespace dempilot::c {
namespace {

/// Decisions that the noise tells apart.
constexpr std::int64_t decision_count = std::int64_t{1} << 40U;

std::size_t parameter_count(const Parameters& parameters) {
  std::size_t count = 0;
  for (const auto& [name, tensor] : parameters)
    count += tensor.values.size();
  return count;
}

std::string contract_text_of(const PolicyFile& file) {
  nlohmann::json contract = contract_to_json(file.contract);
  contract["golden"] = {{"rows", file.golden.rows}, {"tolerance", file.golden.tolerance}};
  // Whoever made the file may have written a provenance that is not UTF-8.
  return contract.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

dempilot_description describe(const PolicyFile& file, const Pilot& pilot) {
  const Contract& contract = file.contract;
  dempilot_description description = DEMPILOT_DESCRIPTION_INIT;
  description.observation_size = pilot.observation_size();
  description.action_size = pilot.action_size();
  description.carry_size = pilot.carry_size();
  description.category_count = contract.model.discrete ? contract.model.action_size : 0;
  description.parameter_count = parameter_count(file.parameters);
  description.golden_rows = file.golden.rows;
  description.golden_tolerance = file.golden.tolerance;
  description.time_step = contract.timing.time_step;
  description.decision_interval = contract.timing.decision_interval;
  description.distribution_size = contract.model.action_size;
  description.for_engines = contract.observation.empty() ? 0 : 1;
  return description;
}

/// Where a step writes what it always computes and the caller does not want.
class Unwanted {
 public:
  std::span<float> room(std::size_t size) { return buffers_.emplace_back(size); }

 private:
  std::vector<std::vector<float>> buffers_;
};

std::span<float> room_for_output(float* data, std::size_t capacity, const RowShape& shape,
                                 Unwanted& unwanted) {
  if (data == nullptr) return unwanted.room(shape.size());
  return room_for_rows(data, capacity, shape);
}

std::span<float> room_if_wanted(float* data, std::size_t capacity, const RowShape& shape) {
  if (data == nullptr) return {};
  return room_for_rows(data, capacity, shape);
}

/// The noise that the caller asks for, or none.
struct Noise {
  DecisionMode mode = DecisionMode::mean;
  std::uint64_t seed = 0;
  std::int64_t decision = 0;
  std::vector<std::int64_t> counted;  ///< 0, 1, 2, ... where the caller names nobody
  std::span<const std::int64_t> ids;
};

Noise noise_for(std::size_t agents, const dempilot_draw* given) {
  Noise noise;
  if (given != nullptr) {
    const dempilot_draw draw = read_struct(given);
    if (draw.decision < 0 || draw.decision >= decision_count) {
      refuse_argument("decision {} has no noise (they are numbered from 0 to {}) count from 0",
                      draw.decision, decision_count - 1);
    }
    noise.mode = DecisionMode::sample;
    noise.seed = draw.seed;
    noise.decision = draw.decision;
    if (draw.ids != nullptr || draw.id_count > 0) {
      noise.ids = given_rows(draw.ids, draw.id_count, {"ids", agents, 1});
      return noise;
    }
  }
  noise.counted.resize(agents);
  std::iota(noise.counted.begin(), noise.counted.end(), 0);
  noise.ids = noise.counted;
  return noise;
}

}  // namespace

LoadedPolicy::LoadedPolicy(const PolicyFile& file, const std::string& source)
    : pilot_(file, source),
      contract_text_(contract_text_of(file)),
      description_(describe(file, pilot_)) {}

void LoadedPolicy::step(std::size_t agents, std::span<const float> observation,
                        std::span<float> carry, const dempilot_draw* draw,
                        const dempilot_outputs* outputs) const {
  const dempilot_outputs nothing = DEMPILOT_OUTPUTS_INIT;
  const dempilot_outputs wanted = outputs == nullptr ? nothing : read_struct(outputs);
  const std::size_t distribution = pilot_.contract().model.action_size;
  Unwanted unwanted;
  const Pilot::Decisions out{
      room_for_output(wanted.action, wanted.action_capacity,
                      {"action", agents, pilot_.action_size()}, unwanted),
      room_for_output(wanted.value, wanted.value_capacity, {"value", agents, 1}, unwanted),
      room_for_output(wanted.log_prob, wanted.log_prob_capacity, {"log_prob", agents, 1}, unwanted),
      room_if_wanted(wanted.mean, wanted.mean_capacity, {"mean", agents, distribution}),
      room_if_wanted(wanted.std_dev, wanted.std_dev_capacity, {"std_dev", agents, distribution})};
  const Noise noise = noise_for(agents, draw);
  compute_in_runtime([&] {
    pilot_.decide(observation, carry, noise.ids, noise.mode, noise.seed, noise.decision, out);
  });
}

void check_agent_count(std::size_t agents) {
  if (agents > INT_MAX) {
    refuse_argument("{} agents are too many (a step serves {} at most) split them", agents,
                    INT_MAX);
  }
}

}  // namespace dempilot::c
