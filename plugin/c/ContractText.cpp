#include "plugin/c/ContractText.hpp"

#include <nlohmann/json.hpp>

#include "core/policy/Metadata.hpp"

namespace dempilot::c {
namespace {

using nlohmann::json;

json action_to_json(const ActionSpec& action) {
  return {{"target", action.target == ActionTarget::force ? "force" : "torque"},
          {"scale", action.scale},
          {"drag", action.drag},
          {"angular_drag", action.angular_drag}};
}

}  // namespace

std::string contract_text(const PolicyFile& file) {
  const Contract& contract = file.contract;
  const json text = {
      {"model", name_of(contract.model.kind)},
      {"metadata", metadata_of(contract.model)},
      {"observation", {{"components", components_to_json(contract.observation)}}},
      {"action", action_to_json(contract.action)},
      {"timing",
       {{"time_step", contract.timing.time_step},
        {"decision_interval", contract.timing.decision_interval}}},
      {"golden", {{"rows", file.golden.rows}, {"tolerance", file.golden.tolerance}}},
      {"provenance", contract.provenance},
  };
  // Whoever made the file may have written a provenance that is not UTF-8.
  return text.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace dempilot::c
