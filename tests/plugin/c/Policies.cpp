// Writes the policy files that the C tests load: small models of every kind with odd widths, whose
// golden rows the oracle computed.

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/policy/PolicyFile.hpp"
#include "core/reference/ReferencePolicy.hpp"
#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

/// Velocity and the displacement from a goal, both in the plane, and one lidar bin: five entries.
std::vector<ObservationComponent> components() {
  std::vector<ObservationComponent> list(3);
  list[0].dimensions = 2;
  list[1].kind = ComponentKind::goal_displacement;
  list[1].dimensions = 2;
  list[1].bind = "home";
  list[2].kind = ComponentKind::lidar;
  list[2].n_azimuth = 1;
  list[2].range = 4;
  list[2].bind = "grains";
  return list;
}

void append(std::vector<float>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<double> row_of(const std::vector<float>& values, std::size_t width, std::size_t row) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * width);
  return {first, first + static_cast<std::ptrdiff_t>(width)};
}

std::vector<double> likeliest(const std::vector<double>& logits) {
  return {static_cast<double>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
}

GoldenRows golden_rows(const ModelSpec& model, const Parameters& parameters, std::size_t rows) {
  const reference::ReferencePolicy oracle(model, parameters);
  GoldenRows golden;
  golden.rows = rows;
  golden.observation = test::random_values<float>(rows * model.observation_size, 4);
  golden.carry = test::random_values<float>(rows * model.carry_size(), 5);
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> carry = row_of(golden.carry, model.carry_size(), row);
    const auto decision =
        oracle.step(row_of(golden.observation, model.observation_size, row), carry);
    append(golden.action, model.discrete ? likeliest(decision.mean) : decision.action);
    append(golden.next_carry, carry);
    append(golden.value, {decision.value});
  }
  return golden;
}

PolicyFile policy_file(const ModelSpec& model) {
  PolicyFile policy;
  policy.contract.model = model;
  policy.contract.observation = components();
  policy.contract.action = {ActionTarget::force, 2.5, 0.25, 0.125, Frame::lab, {}};
  policy.contract.timing = {2e-3, 10};
  policy.contract.provenance = "made by a test, caf\xc3\xa9";
  policy.parameters = test::random_parameters(model, 1);
  policy.golden = golden_rows(model, policy.parameters, 19);
  return policy;
}

void write_all(const std::filesystem::path& folder) {
  const auto write = [&](const char* name, const PolicyFile& policy) {
    save_policy_file(folder / (std::string(name) + ".policy.h5"), policy);
  };
  const PolicyFile lstm =
      policy_file(test::recurrent_model(ModelVariant::current, ActionSpaceKind::box));
  write("lstm", lstm);
  write("seed", policy_file(test::recurrent_model(ModelVariant::seed, ActionSpaceKind::max_norm,
                                                  Activation::elu, 2)));
  write("min_gru", policy_file(test::min_gru_model(ActionSpaceKind::box)));
  write("shared", policy_file(test::feed_forward_model({}, Activation::silu)));
  write("separate", policy_file(test::with_sigma_head(test::separate_model())));

  write("stacked_gru", policy_file(test::with_normalization(test::stacked_model(
                           CellKind::gru, CriticMemory::own, ActionSpaceKind::clipped))));

  PolicyFile discrete = policy_file(test::with_discrete_actions(test::min_gru_model()));
  discrete.contract.action.table = {10, 11, 20, 21, 30, 31};
  write("discrete", discrete);
  discrete.contract.action = {};
  discrete.contract.observation.clear();
  write("discrete_bare", discrete);

  PolicyFile wrong = lstm;
  wrong.golden.value[5] += 0.5F;
  write("wrong_golden", wrong);
}

}  // namespace
}  // namespace dempilot

int main(int count, char** arguments) {
  if (count != 2) return 2;
  std::filesystem::create_directories(arguments[1]);
  dempilot::write_all(arguments[1]);
  return 0;
}
