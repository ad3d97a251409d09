#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/Pilot.hpp"
#include "core/cli/Commands.hpp"
#include "core/policy/Metadata.hpp"

namespace dempilot::cli {
namespace {

void print_model(const PolicyFile& policy) {
  const ModelSpec& model = policy.contract.model;
  std::size_t count = 0;
  for (const auto& [name, tensor] : policy.parameters)
    count += tensor.values.size();
  fmt::print("model        {}, {} parameters, {} floats of memory an agent\n", name_of(model.kind),
             count, model.carry_size());
  fmt::print("metadata     {}\n", metadata_of(model).dump());
}

void print_action(const Contract& contract) {
  const ActionSpec& action = contract.action;
  fmt::print("action       {} -> {} in the {} frame, scale {}, drag {}, angular drag {}\n",
             contract.acting_width(), name_of(action.target), name_of(action.frame), action.scale,
             action.drag, action.angular_drag);
  if (contract.model.discrete) {
    fmt::print("             one of {}{}\n", contract.model.action_size,
               action.table.empty() ? ", without a table of what they do" : ", by a table");
  }
}

void print_contract(const Contract& contract) {
  fmt::print("observation  {} entries{}\n", contract.model.observation_size,
             contract.model.normalization.mean.empty() ? "" : ", normalized");
  std::size_t first = 0;
  for (const nlohmann::json& component : components_to_json(contract.observation)) {
    const std::size_t width = contract.observation[first].width();
    fmt::print("  {:>4} x {}\n", width, component.dump());
    ++first;
  }
  if (contract.observation.empty()) {
    fmt::print(
        "             what they are is not said, nor how an action acts: no engine takes it\n");
  } else {
    print_action(contract);
  }
  fmt::print("timing       time step {}, a decision every {} steps (0: not said)\n",
             contract.timing.time_step, contract.timing.decision_interval);
  fmt::print("units        length {} m, time {} s, mass {} kg (0: not said)\n",
             contract.units.length, contract.units.time, contract.units.mass);
  fmt::print("provenance   {}\n", contract.provenance.empty() ? "-" : contract.provenance);
}

}  // namespace

int info(const std::string& file) {
  const PolicyFile policy = load_policy_file(file);
  const Pilot pilot(policy, file);  // replays the golden rows
  fmt::print("{}\n", file);
  print_model(policy);
  print_contract(policy.contract);
  fmt::print("golden rows  {}\n", policy.golden.rows == 0
                                      ? "none: nothing shows that the weights do what they did"
                                      : fmt::format("{}, reproduced here", policy.golden.rows));
  return 0;
}

}  // namespace dempilot::cli
