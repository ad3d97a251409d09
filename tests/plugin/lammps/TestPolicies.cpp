#include "tests/plugin/lammps/TestPolicies.hpp"

#include <utility>

#include "core/policy/Initialization.hpp"

namespace dempilot::lammps::testing {
namespace {

void amplify_actions(Tensor& head) {
  constexpr float scale = 12.0F;
  for (float& weight : head.values)
    weight *= scale;
}

}  // namespace

ObservationComponent component(ComponentKind kind, int dimensions, const std::string& bind) {
  ObservationComponent made;
  made.kind = kind;
  made.dimensions = dimensions;
  made.bind = bind;
  return made;
}

ObservationComponent velocity(int dimensions) {
  return component(ComponentKind::velocity, dimensions, "");
}

ObservationComponent angular_velocity(int dimensions) {
  return component(ComponentKind::angular_velocity, dimensions, "");
}

ObservationComponent goal_direction(int dimensions) {
  return component(ComponentKind::goal_direction, dimensions, "goal");
}

ObservationComponent goal_displacement(int dimensions, double clip) {
  ObservationComponent made = component(ComponentKind::goal_displacement, dimensions, "goal");
  made.clip = clip;
  return made;
}

ObservationComponent lidar(double range, int n_azimuth, int n_elevation, bool walls) {
  ObservationComponent made = component(ComponentKind::lidar, 3, "targets");
  made.range = range;
  made.n_azimuth = n_azimuth;
  made.n_elevation = n_elevation;
  made.walls = walls;
  return made;
}

PolicyFile make_policy(std::vector<ObservationComponent> observation, std::size_t actions,
                       ActionSpec action, unsigned seed) {
  PolicyFile policy;
  ModelSpec& model = policy.contract.model;
  policy.contract.observation = std::move(observation);
  policy.contract.action = action;
  model.observation_size = 0;
  for (const ObservationComponent& piece : policy.contract.observation) {
    model.observation_size += piece.width();
  }
  model.action_size = actions;
  model.hidden_features = 12;
  model.lstm_features = 16;
  policy.parameters = initialize_parameters(model, seed);
  amplify_actions(policy.parameters.at("fused_head.kernel"));
  return policy;
}

PolicyFile explorer(double drag, unsigned seed) {
  ActionSpec action;
  action.scale = 0.8;
  action.drag = drag;
  return make_policy({velocity(), goal_direction(), lidar(2.5, 4, 2)}, 3, action, seed);
}

PolicyFile stacked_explorer() {
  PolicyFile policy = explorer();
  ModelSpec& model = policy.contract.model;
  const std::size_t observations = model.observation_size;
  model = {};
  model.kind = ModelKind::recurrent_actor_critic;
  model.observation_size = observations;
  model.action_size = 3;
  model.encoder_architecture = {9};
  model.cell = CellKind::gru;
  model.features = 10;
  model.num_layers = 2;
  model.architecture = {11};
  model.critic_architecture = {8};
  model.critic_memory = CriticMemory::own;
  model.activation = Activation::tanh;
  for (std::size_t i = 0; i < observations; ++i) {
    model.normalization.mean.push_back(0.02 * static_cast<double>(i) - 0.1);
    model.normalization.variance.push_back(0.3 + 0.1 * static_cast<double>(i));
  }
  model.normalization.clip = 1.5;
  policy.parameters = initialize_parameters(model, 2);
  amplify_actions(policy.parameters.at("actor_mu.kernel"));
  return policy;
}

}  // namespace dempilot::lammps::testing
