#pragma once

#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/Error.hpp"
#include "core/policy/Array.hpp"
#include "core/policy/ParameterTable.hpp"

/// Small models with awkward sizes, and random numbers for them: what the tests of the core share.
namespace dempilot::test {

/// The message of the dempilot::Error that `body` throws; any other exception is let through.
template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

inline bool same_bits(const void* a, const void* b, std::size_t bytes) {
  return bytes == 0 || std::memcmp(a, b, bytes) == 0;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), a.size() * sizeof(T));
}

/// Uniform in [-scale, scale), the same on every machine.
template <class Real>
std::vector<Real> random_values(std::size_t count, std::uint64_t seed, double scale = 1) {
  std::mt19937_64 engine(seed);
  std::vector<Real> values(count);
  for (Real& value : values) {
    const double unit = static_cast<double>(engine() >> 11U) * 0x1p-53;
    value = static_cast<Real>(static_cast<float>(scale * (2 * unit - 1)));
  }
  return values;
}

template <class Real>
Array<Real> random_array(const Shape& shape, std::uint64_t seed, double scale = 1) {
  return {shape, random_values<Real>(element_count(shape), seed, scale)};
}

/// Random weights of a size that neither saturates the gates nor leaves them linear.
inline Parameters random_parameters(const ModelSpec& spec, std::uint64_t seed, double scale = 0.7) {
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    parameters[name] = {shape, random_values<float>(element_count(shape), seed++, scale)};
  }
  return parameters;
}

inline ActionSpaceSpec action_space(ActionSpaceKind kind, std::size_t actions) {
  ActionSpaceSpec space;
  space.kind = kind;
  if (kind == ActionSpaceKind::box || kind == ActionSpaceKind::clipped) {
    for (std::size_t i = 0; i < actions; ++i) {
      space.x_min.push_back(-1.0 - 0.25 * static_cast<double>(i));
      space.x_max.push_back(0.5 + 0.5 * static_cast<double>(i));
    }
    if (kind == ActionSpaceKind::box) space.width = 1.5;
  }
  if (kind == ActionSpaceKind::max_norm) space.max_norm = 2.5;
  return space;
}

inline ModelSpec recurrent_model(ModelVariant variant, ActionSpaceKind space = {},
                                 Activation activation = Activation::gelu,
                                 std::size_t actions = 3) {
  ModelSpec spec;
  spec.variant = variant;
  spec.observation_size = 5;
  spec.action_size = actions;
  spec.hidden_features = 7;
  spec.lstm_features = 9;
  spec.activation = activation;
  spec.action_space = action_space(space, actions);
  return spec;
}

inline ModelSpec feed_forward_model(ActionSpaceKind space = {},
                                    Activation activation = Activation::gelu,
                                    std::size_t actions = 3) {
  ModelSpec spec;
  spec.kind = ModelKind::shared_actor_critic;
  spec.observation_size = 5;
  spec.action_size = actions;
  spec.architecture = {11, 6, 13};
  spec.activation = activation;
  spec.action_space = action_space(space, actions);
  return spec;
}

inline ModelSpec min_gru_model(ActionSpaceKind space = {}, Activation activation = Activation::gelu,
                               std::size_t actions = 3) {
  ModelSpec spec = recurrent_model(ModelVariant::current, space, activation, actions);
  spec.kind = ModelKind::min_gru_actor_critic;
  spec.lstm_features = ModelSpec{}.lstm_features;
  spec.gru_features = 6;
  spec.num_layers = 2;
  return spec;
}

/// Actor and critic with torsos of their own.
inline ModelSpec separate_model(ActionSpaceKind space = {},
                                Activation activation = Activation::gelu, std::size_t actions = 3) {
  ModelSpec spec = feed_forward_model(space, activation, actions);
  spec.kind = ModelKind::actor_critic;
  spec.critic_architecture = {4, 9};
  return spec;
}

/// Stacked recurrent layers between dense ones.
inline ModelSpec stacked_model(CellKind cell, CriticMemory critic_memory,
                               ActionSpaceKind space = {}, Activation activation = Activation::tanh,
                               std::size_t actions = 3) {
  ModelSpec spec;
  spec.kind = ModelKind::recurrent_actor_critic;
  spec.observation_size = 5;
  spec.action_size = actions;
  spec.encoder_architecture = {7};
  spec.cell = cell;
  spec.features = 9;
  spec.num_layers = 2;
  spec.architecture = {6, 11};
  spec.critic_architecture = {10};
  spec.critic_memory = critic_memory;
  spec.activation = activation;
  spec.action_space = action_space(space, actions);
  return spec;
}

/// Recurrent layers and nothing else.
inline ModelSpec bare_recurrent_model(CellKind cell, CriticMemory critic_memory) {
  ModelSpec spec = stacked_model(cell, critic_memory);
  spec.num_layers = 1;
  spec.encoder_architecture.clear();
  spec.architecture.clear();
  spec.critic_architecture.clear();
  return spec;
}

/// Means and variances of all sizes, some entries clipped.
inline ModelSpec with_normalization(ModelSpec spec, double clip = 1.5) {
  for (std::size_t i = 0; i < spec.observation_size; ++i) {
    spec.normalization.mean.push_back(0.3 * static_cast<double>(i) - 0.7);
    spec.normalization.variance.push_back(0.1 + 0.4 * static_cast<double>(i * i));
  }
  spec.normalization.epsilon = 1e-3;
  spec.normalization.clip = clip;
  return spec;
}

/// Heads that read the observation itself.
inline ModelSpec without_torso(ModelSpec spec) {
  spec.architecture.clear();
  spec.critic_architecture.clear();
  return spec;
}

inline ModelSpec with_sigma_head(ModelSpec spec) {
  spec.actor_sigma_head = true;
  return spec;
}

inline ModelSpec with_discrete_actions(ModelSpec spec) {
  spec.discrete = true;
  return spec;
}

inline constexpr Activation all_activations[] = {
    Activation::gelu,       Activation::gelu_erf, Activation::tanh, Activation::relu,
    Activation::leaky_relu, Activation::silu,     Activation::elu,  Activation::sigmoid,
    Activation::softplus,   Activation::identity};

/// Stacks of both cells with every form of critic.
inline std::vector<ModelSpec> stacked_models(ActionSpaceKind space, Activation activation,
                                             std::size_t actions) {
  std::vector<ModelSpec> models;
  for (const auto cell : {CellKind::lstm, CellKind::gru}) {
    for (const auto critic : {CriticMemory::shared, CriticMemory::own, CriticMemory::none}) {
      models.push_back(stacked_model(cell, critic, space, activation, actions));
      models.push_back(bare_recurrent_model(cell, critic));
    }
  }
  return models;
}

/// Every kind, variant, activation, action space and head, with odd widths.
inline std::vector<ModelSpec> all_models() {
  std::vector<ModelSpec> models;
  for (const auto activation : all_activations) {
    for (const auto space : {ActionSpaceKind::free, ActionSpaceKind::box, ActionSpaceKind::max_norm,
                             ActionSpaceKind::clipped}) {
      for (const std::size_t actions : {1UL, 2UL, 3UL}) {
        const ModelSpec current =
            recurrent_model(ModelVariant::current, space, activation, actions);
        ModelSpec without_projection = min_gru_model(space, activation, actions);
        without_projection.hidden_features = without_projection.gru_features;
        models.push_back(recurrent_model(ModelVariant::seed, space, activation, actions));
        models.push_back(without_projection);
        for (const ModelSpec& model : {current, min_gru_model(space, activation, actions),
                                       feed_forward_model(space, activation, actions),
                                       separate_model(space, activation, actions)}) {
          models.push_back(model);
          models.push_back(with_sigma_head(model));
        }
        models.push_back(without_torso(feed_forward_model(space, activation, actions)));
        models.push_back(without_torso(separate_model(space, activation, actions)));
        for (const ModelSpec& model : stacked_models(space, activation, actions))
          models.push_back(model);
      }
    }
    for (const ModelSpec& model :
         {recurrent_model(ModelVariant::current, {}, activation), min_gru_model({}, activation),
          feed_forward_model({}, activation), separate_model({}, activation),
          stacked_model(CellKind::gru, CriticMemory::own, {}, activation)}) {
      models.push_back(with_discrete_actions(model));
      models.push_back(with_normalization(with_sigma_head(model)));
    }
  }
  return models;
}

}  // namespace dempilot::test
