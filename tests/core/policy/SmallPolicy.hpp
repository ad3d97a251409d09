#pragma once

#include "tests/core/Models.hpp"

namespace dempilot::test {

/// A policy that uses every part of the file's format and is small.
inline PolicyFile small_policy() {
  PolicyFile policy;
  Contract& contract = policy.contract;
  contract.model = with_normalization(recurrent_model(ModelVariant::current, ActionSpaceKind::box));
  contract.model.normalization.mean = {0.25, 0.5, -0.1, 3e3, 0};
  contract.model.normalization.variance = {0, 0.5, 1, 1e-6, 4e7};
  contract.model.lstm_features = 4;
  ObservationComponent velocity;
  velocity.kind = ComponentKind::velocity;
  velocity.dimensions = 2;
  ObservationComponent lidar;
  lidar.kind = ComponentKind::lidar;
  lidar.n_azimuth = 3;
  lidar.range = 4.5;
  lidar.walls = true;
  lidar.bind = "grains";
  contract.observation = {velocity, lidar};
  contract.action = {ActionTarget::torque, 2.5, 0.25, 0.125, Frame::body};
  contract.timing = {2e-3, 10};
  contract.units = {1e-3, 0.5, 2e-6};
  contract.provenance = "made by a test, caf\xc3\xa9";
  policy.parameters = random_parameters(contract.model, 1);
  GoldenRows& golden = policy.golden;
  golden.rows = 2;
  golden.observation = random_values<float>(10, 2);
  golden.carry = random_values<float>(16, 3);
  golden.mean = random_values<float>(6, 7);
  golden.std = random_values<float>(6, 8);
  golden.action = random_values<float>(6, 4);
  golden.value = random_values<float>(2, 5);
  golden.next_carry = random_values<float>(16, 6);
  golden.tolerance = 3e-5;
  return policy;
}

}  // namespace dempilot::test
