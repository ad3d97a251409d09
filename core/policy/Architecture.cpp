#include "core/policy/Architecture.hpp"

#include <fmt/format.h>

namespace dempilot {
namespace {

/// Dense layers of these widths, under the names that flax's Sequential gives them: it counts the
/// activations too.
std::vector<DenseLayer> sequential(const std::string& name, std::size_t inputs,
                                   const std::vector<std::size_t>& widths) {
  std::vector<DenseLayer> layers;
  for (const std::size_t width : widths) {
    layers.push_back({fmt::format("{}.layers.{}", name, 2 * layers.size()), inputs, width});
    inputs = width;
  }
  return layers;
}

/// What comes out of `branch`, which reads `inputs`.
std::size_t features_of(const Branch& branch, std::size_t inputs) {
  if (!branch.after.empty()) return branch.after.back().outputs;
  if (!branch.memory.names.empty()) return branch.memory.width;
  return branch.before.empty() ? inputs : branch.before.back().outputs;
}

/// Adds the layer that gives the value.
void add_value(Branch& critic, const std::string& name, std::size_t inputs,
               const std::vector<std::size_t>& widths) {
  critic.after = sequential(name, inputs, widths);
  const std::size_t last = widths.empty() ? inputs : widths.back();
  critic.after.push_back({fmt::format("{}.layers.{}", name, 2 * widths.size()), last, 1, false});
}

void describe_lstm(const ModelSpec& spec, Architecture& model) {
  const bool seed = spec.variant == ModelVariant::seed;
  model.actor.before = sequential("encoder", spec.observation_size,
                                  std::vector<std::size_t>(seed ? 2 : 1, spec.hidden_features));
  model.actor.memory = {CellKind::lstm, spec.hidden_features, spec.lstm_features, {"cell"}};
  // JaxDEM's seed drops out a tenth of the LSTM's output while training; current models none.
  if (seed) model.dropout_rate = 0.1;
}

void describe_min_gru(const ModelSpec& spec, Architecture& model) {
  model.actor.before = sequential("encoder", spec.observation_size, {spec.hidden_features});
  if (spec.hidden_features != spec.gru_features) {
    model.actor.before.push_back({"proj_in", spec.hidden_features, spec.gru_features, false});
  }
  model.actor.memory = {CellKind::min_gru, spec.gru_features, spec.gru_features,
                        std::vector<std::string>(spec.num_layers, "mingru_kernel")};
}

void describe_recurrent(const ModelSpec& spec, Architecture& model) {
  const auto cells = [&](const std::string& name, std::size_t inputs) {
    RecurrentLayers layers{spec.cell, inputs, spec.features, {}};
    for (std::size_t i = 0; i < spec.num_layers; ++i)
      layers.names.push_back(fmt::format("{}.{}", name, i));
    return layers;
  };
  model.actor.before = sequential("encoder", spec.observation_size, spec.encoder_architecture);
  const std::size_t encoded = features_of(model.actor, spec.observation_size);
  model.actor.memory = cells("cells", encoded);
  model.actor.after = sequential("actor", spec.features, spec.architecture);
  model.critic_reads_memory = spec.critic_memory == CriticMemory::shared;
  if (!model.critic_reads_memory) model.critic.before = model.actor.before;
  if (spec.critic_memory == CriticMemory::own) model.critic.memory = cells("critic_cells", encoded);
  if (spec.critic_memory == CriticMemory::none) {
    model.critic.before.push_back({"critic_encoder", encoded, spec.features, false});
  }
  add_value(model.critic, "critic", spec.features, spec.critic_architecture);
}

void describe_heads(const ModelSpec& spec, std::size_t features, Architecture& model) {
  const std::size_t actions = spec.action_size;
  const bool jaxdem_recurrent =
      spec.kind == ModelKind::lstm_actor_critic || spec.kind == ModelKind::min_gru_actor_critic;
  if (jaxdem_recurrent && spec.variant == ModelVariant::current) {
    const DenseLayer fused{"fused_head", features, actions + 1, false};
    model.mean = {fused, 0, actions};
    model.value = {fused, actions, 1};
  } else {
    const bool seed = spec.variant == ModelVariant::seed;
    model.mean = {{seed ? "actor" : "actor_mu", features, actions, false}, 0, actions};
    if (model.critic.after.empty()) model.value = {{"critic", features, 1, false}, 0, 1};
  }
  if (spec.actor_sigma_head) {
    model.sigma = {{"actor_sigma.net.layers.0", features, actions, false}, 0, actions};
  }
}

}  // namespace

Architecture architecture_of(const ModelSpec& spec) {
  Architecture model;
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      describe_lstm(spec, model);
      break;
    case ModelKind::min_gru_actor_critic:
      describe_min_gru(spec, model);
      break;
    case ModelKind::shared_actor_critic:
      model.actor.before = sequential("network", spec.observation_size, spec.architecture);
      break;
    case ModelKind::actor_critic:
      model.actor.before = sequential("actor_torso", spec.observation_size, spec.architecture);
      add_value(model.critic, "critic", spec.observation_size, spec.critic_architecture);
      break;
    case ModelKind::recurrent_actor_critic:
      describe_recurrent(spec, model);
      break;
  }
  describe_heads(spec, features_of(model.actor, spec.observation_size), model);
  return model;
}

}  // namespace dempilot
