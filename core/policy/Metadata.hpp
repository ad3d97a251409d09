#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/policy/Contract.hpp"

/// JSON spellings of the contract; docs/policy_file.md is the reference.
namespace dempilot {

/// The model that `metadata` (the constructor's arguments as JaxDEM spells them) describes; `model`
/// is its registered name. Throws Error naming the key at fault; `source` names the file.
ModelSpec model_from_metadata(const std::string& model, const nlohmann::json& metadata,
                              const std::string& source);
nlohmann::json metadata_of(const ModelSpec& spec);
Activation activation_from_name(const std::string& name, const std::string& source);
ActionTarget target_from_name(const std::string& name, const std::string& source);
Frame frame_from_name(const std::string& name, const std::string& source);
ActionSpaceSpec action_space_from_json(const std::string& type, const nlohmann::json& arguments,
                                       std::size_t action_size, const std::string& source);

std::vector<ObservationComponent> components_from_json(const nlohmann::json& list,
                                                       const std::string& source);
nlohmann::json components_to_json(const std::vector<ObservationComponent>& components);

/// The whole contract, for whoever wants to see it.
nlohmann::json contract_to_json(const Contract& contract);

}  // namespace dempilot
