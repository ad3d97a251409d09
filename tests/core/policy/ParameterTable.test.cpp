#include "core/policy/ParameterTable.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using testing::HasSubstr;
using Shapes = std::map<std::string, std::vector<std::size_t>>;

TEST(ParameterTable, HasFlaxNamesAndShapes) {
  EXPECT_EQ(parameter_shapes(test::recurrent_model(ModelVariant::current)),
            (Shapes{{"_log_std", {1, 3}},
                    {"encoder.layers.0.kernel", {5, 7}},
                    {"encoder.layers.0.bias", {7}},
                    {"cell.dense_i.kernel", {7, 36}},
                    {"cell.dense_h.kernel", {9, 36}},
                    {"cell.dense_h.bias", {36}},
                    {"fused_head.kernel", {9, 4}},
                    {"fused_head.bias", {4}}}));
  EXPECT_EQ(parameter_shapes(test::recurrent_model(ModelVariant::seed)),
            (Shapes{{"_log_std", {1, 3}},
                    {"encoder.layers.0.kernel", {5, 7}},
                    {"encoder.layers.0.bias", {7}},
                    {"encoder.layers.2.kernel", {7, 7}},
                    {"encoder.layers.2.bias", {7}},
                    {"cell.dense_i.kernel", {7, 36}},
                    {"cell.dense_h.kernel", {9, 36}},
                    {"cell.dense_h.bias", {36}},
                    {"actor.kernel", {9, 3}},
                    {"actor.bias", {3}},
                    {"critic.kernel", {9, 1}},
                    {"critic.bias", {1}}}));
  EXPECT_EQ(parameter_shapes(test::feed_forward_model()),
            (Shapes{{"_log_std", {1, 3}},
                    {"network.layers.0.kernel", {5, 11}},
                    {"network.layers.0.bias", {11}},
                    {"network.layers.2.kernel", {11, 6}},
                    {"network.layers.2.bias", {6}},
                    {"network.layers.4.kernel", {6, 13}},
                    {"network.layers.4.bias", {13}},
                    {"actor_mu.kernel", {13, 3}},
                    {"actor_mu.bias", {3}},
                    {"critic.kernel", {13, 1}},
                    {"critic.bias", {1}}}));
  EXPECT_EQ(parameter_shapes(test::with_sigma_head(test::min_gru_model())),
            (Shapes{{"_log_std", {1, 3}},
                    {"encoder.layers.0.kernel", {5, 7}},
                    {"encoder.layers.0.bias", {7}},
                    {"proj_in.kernel", {7, 6}},
                    {"proj_in.bias", {6}},
                    {"mingru_kernel", {2, 6, 18}},
                    {"actor_sigma.net.layers.0.kernel", {6, 3}},
                    {"actor_sigma.net.layers.0.bias", {3}},
                    {"fused_head.kernel", {6, 4}},
                    {"fused_head.bias", {4}}}));
  EXPECT_EQ(parameter_shapes(test::separate_model()),
            (Shapes{{"_log_std", {1, 3}},
                    {"actor_torso.layers.0.kernel", {5, 11}},
                    {"actor_torso.layers.0.bias", {11}},
                    {"actor_torso.layers.2.kernel", {11, 6}},
                    {"actor_torso.layers.2.bias", {6}},
                    {"actor_torso.layers.4.kernel", {6, 13}},
                    {"actor_torso.layers.4.bias", {13}},
                    {"critic.layers.0.kernel", {5, 4}},
                    {"critic.layers.0.bias", {4}},
                    {"critic.layers.2.kernel", {4, 9}},
                    {"critic.layers.2.bias", {9}},
                    {"critic.layers.4.kernel", {9, 1}},
                    {"critic.layers.4.bias", {1}},
                    {"actor_mu.kernel", {13, 3}},
                    {"actor_mu.bias", {3}}}));
}

TEST(ParameterTable, NamesTheLayersOfRecurrentStacks) {
  const auto names_of = [](const ModelSpec& spec) {
    std::vector<std::string> names;
    for (const auto& [name, shape] : parameter_shapes(spec))
      names.push_back(fmt::format("{} {}", name, fmt::join(shape, "x")));
    return names;
  };
  EXPECT_THAT(
      names_of(test::stacked_model(CellKind::lstm, CriticMemory::own)),
      testing::UnorderedElementsAre(
          "_log_std 1x3", "encoder.layers.0.kernel 5x7", "encoder.layers.0.bias 7",
          "cells.0.dense_i.kernel 7x36", "cells.0.dense_h.kernel 9x36", "cells.0.dense_h.bias 36",
          "cells.1.dense_i.kernel 9x36", "cells.1.dense_h.kernel 9x36", "cells.1.dense_h.bias 36",
          "critic_cells.0.dense_i.kernel 7x36", "critic_cells.0.dense_h.kernel 9x36",
          "critic_cells.0.dense_h.bias 36", "critic_cells.1.dense_i.kernel 9x36",
          "critic_cells.1.dense_h.kernel 9x36", "critic_cells.1.dense_h.bias 36",
          "actor.layers.0.kernel 9x6", "actor.layers.0.bias 6", "actor.layers.2.kernel 6x11",
          "actor.layers.2.bias 11", "actor_mu.kernel 11x3", "actor_mu.bias 3",
          "critic.layers.0.kernel 9x10", "critic.layers.0.bias 10", "critic.layers.2.kernel 10x1",
          "critic.layers.2.bias 1"));
  EXPECT_THAT(names_of(test::bare_recurrent_model(CellKind::gru, CriticMemory::none)),
              testing::UnorderedElementsAre(
                  "_log_std 1x3", "cells.0.dense_i.kernel 5x27", "cells.0.dense_i.bias 27",
                  "cells.0.dense_h.kernel 9x27", "cells.0.dense_h.bias 27",
                  "critic_encoder.kernel 5x9", "critic_encoder.bias 9", "actor_mu.kernel 9x3",
                  "actor_mu.bias 3", "critic.layers.0.kernel 9x1", "critic.layers.0.bias 1"));
}

TEST(ParameterTable, RefusesModelsTooLargeForMemory) {
  ModelSpec spec = test::recurrent_model(ModelVariant::current);
  spec.lstm_features = 16384;
  EXPECT_THAT(
      test::message_of([&] { check_size(spec, "a.h5"); }),
      testing::AllOf(HasSubstr("'a.h5': the model would have "),
                     HasSubstr("parameters (at most 134217728 are read) check its widths")));
}

TEST(ParameterTable, RefusesModelsThatTheKernelsCannotHold) {
  ModelSpec spec = test::feed_forward_model();
  const auto message = [&] { return test::message_of([&] { check_size(spec, "a.h5"); }); };
  spec.architecture.assign(8, 4);
  EXPECT_THAT(message(), HasSubstr("'a.h5': the model has 8 layers (0 to 7 are supported)"));
  spec = test::separate_model();
  spec.critic_architecture.assign(8, 4);
  EXPECT_THAT(message(), HasSubstr("the model has 8 layers (0 to 7 are supported)"));
  spec = test::min_gru_model();
  spec.num_layers = 8;
  EXPECT_THAT(message(), HasSubstr("the model has 8 layers (1 to 7 are supported)"));
  spec = test::recurrent_model(ModelVariant::current);
  spec.lstm_features = std::size_t{1} << 62U;
  EXPECT_THAT(message(), HasSubstr("a layer of the model is 4611686018427387904 wide"));
  spec = test::recurrent_model(ModelVariant::current);
  spec.observation_size = 0;
  EXPECT_THAT(message(), HasSubstr("a layer of the model is 0 wide (1 to 16384 are supported)"));
  spec = test::recurrent_model(ModelVariant::current, ActionSpaceKind::box);
  spec.action_space.x_min.pop_back();
  EXPECT_THAT(message(), HasSubstr("the Box has 2 lower and 3 upper bounds for 3 actions"));
}

TEST(ParameterTable, RefusesWeightsThatAreNotFinite) {
  const ModelSpec spec = test::recurrent_model(ModelVariant::current);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    Parameters parameters = test::random_parameters(spec, 1);
    parameters["cell.dense_h.kernel"].values[17] = bad;
    EXPECT_THAT(test::message_of([&] { check_parameters(spec, parameters, "a.h5"); }),
                HasSubstr(fmt::format("'a.h5': parameter 'cell.dense_h.kernel' holds {} at index "
                                      "17 (weights must be finite) train or convert it again",
                                      bad)));
  }
}

}  // namespace
}  // namespace dempilot
