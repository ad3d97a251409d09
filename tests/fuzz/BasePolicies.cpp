#include "tests/fuzz/BasePolicies.hpp"

#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"
#include "tests/core/TemporaryFolder.hpp"

namespace dempilot::fuzz {
namespace {

Normalization constant_normalization(std::size_t size) {
  return {std::vector<double>(size, 0.5), std::vector<double>(size, 2), 1e-6, 5};
}

std::vector<std::byte> make_bytes(const BasePolicy& base) {
  using nlohmann::json;
  PolicyFile policy;
  Contract& contract = policy.contract;
  contract.model = model_from_metadata(base.model, json::parse(base.metadata), base.name);
  contract.observation = components_from_json(json::parse(base.components), base.name);
  contract.model.normalization = constant_normalization(contract.model.observation_size);
  contract.action = {ActionTarget::force, 2.5, 0.25, 0.125, Frame::body, {}};
  if (contract.model.discrete) contract.action.table.assign(2 * contract.model.action_size, -1.5F);
  contract.timing = {2e-3, 10};
  contract.units = {1e-6, 1e-3, 1e-15};
  contract.provenance = "made by a fuzzer";
  policy.parameters = constant_parameters(contract.model, 0.25F);
  policy.golden = constant_golden(contract.model, 1, 0.5F);
  const test::TemporaryFolder folder;
  const auto path = folder / "base.policy.h5";
  save_policy_file(path, policy);
  return read_policy_bytes(path);
}

}  // namespace

std::span<const BasePolicy> base_policies() {
  static const std::array bases{
      BasePolicy{"lstm", "LSTMActorCritic",
                 R"({"observation_space_size":2,"action_space_size":2,"hidden_features":3,)"
                 R"("lstm_features":1,"action_space":{"type":"Box","kw":{"x_min":-1,"x_max":1}}})",
                 R"([{"name":"velocity","dimensions":2}])"},
      BasePolicy{"seed", "LSTMActorCritic",
                 R"({"observation_space_size":3,"action_space_size":2,"hidden_features":2,)"
                 R"("lstm_features":1,"variant":"seed","action_space_type":"MaxNorm",)"
                 R"("action_space_kws":{"max_norm":2}})",
                 R"([{"name":"lidar","range":4.5,"n_azimuth":3,"walls":true,"bind":"grains"}])"},
      BasePolicy{"min_gru", "MinGRUActorCritic",
                 R"({"observation_space_size":2,"action_space_size":2,"hidden_features":2,)"
                 R"("gru_features":1,"num_layers":2,"activation":"tanh"})",
                 R"([{"name":"goal_displacement","dimensions":2,"clip":3}])"},
      BasePolicy{
          "shared", "SharedActorCritic",
          R"({"observation_space_size":2,"action_space_size":2,"architecture":[2,1],)"
          R"("actor_sigma_head":true,"activation":"relu"})",
          R"([{"name":"angular_velocity","dimensions":1},{"name":"velocity","dimensions":1}])"},
      BasePolicy{"separate", "ActorCritic",
                 R"({"observation_space_size":2,"action_space_size":2,"actor_architecture":[2],)"
                 R"("critic_architecture":[1,2],"activation":"silu"})",
                 R"([{"name":"goal_direction","dimensions":2,"bind":"home"}])"},
      BasePolicy{"recurrent", "RecurrentActorCritic",
                 R"({"observation_space_size":2,"action_space_size":2,"encoder":[2],"cell":"lstm",)"
                 R"("features":1,"num_layers":2,"actor":[1],"critic":[1],"critic_memory":"own",)"
                 R"("action_space":{"type":"Clipped","kw":{"x_min":[-1,null],"x_max":null}}})",
                 R"([{"name":"velocity","dimensions":2}])"},
      BasePolicy{"gru", "RecurrentActorCritic",
                 R"({"observation_space_size":2,"action_space_size":3,"cell":"gru","features":1,)"
                 R"("critic_memory":"none","discrete":true,"activation":"leaky_relu"})",
                 R"([{"name":"velocity","dimensions":2}])"},
  };
  return bases;
}

Parameters constant_parameters(const ModelSpec& spec, float value) {
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    std::size_t count = 1;
    for (const std::size_t size : shape)
      count *= size;
    parameters[name] = {shape, std::vector<float>(count, value)};
  }
  return parameters;
}

GoldenRows constant_golden(const ModelSpec& spec, std::size_t rows, float value) {
  const auto filled = [&](std::size_t width) { return std::vector<float>(rows * width, value); };
  GoldenRows golden;
  golden.rows = rows;
  golden.observation = filled(spec.observation_size);
  golden.carry = filled(spec.carry_size());
  golden.action = filled(spec.action_width());
  golden.mean = filled(spec.action_size);
  golden.std = filled(spec.action_size);
  golden.value = filled(1);
  golden.next_carry = filled(spec.carry_size());
  return golden;
}

std::span<const std::byte> bytes_of(const BasePolicy& base) {
  static std::map<std::string, std::vector<std::byte>> files;
  std::vector<std::byte>& bytes = files[base.name];
  if (bytes.empty()) bytes = make_bytes(base);
  return bytes;
}

}  // namespace dempilot::fuzz
