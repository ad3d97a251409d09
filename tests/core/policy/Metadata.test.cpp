#include "core/policy/Metadata.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json lstm_metadata() {
  return {{"observation_space_size", 22}, {"action_space_size", 3}};
}

ModelSpec lstm(const json& changes) {
  json metadata = lstm_metadata();
  metadata.update(changes);
  return model_from_metadata("LSTMActorCritic", metadata, "a.h5");
}

TEST(Metadata, RoundTripsEveryModel) {
  for (ModelSpec spec : test::all_models()) {
    const ActionSpaceKind space = spec.action_space.kind;
    if (space == ActionSpaceKind::box || space == ActionSpaceKind::max_norm)
      spec.action_space.eps = 1e-5;
    spec.normalization = {};  // a dataset of the file, no argument of the model
    const json written = json::parse(metadata_of(spec).dump());
    EXPECT_EQ(model_from_metadata(name_of(spec.kind), written, "a.h5"), spec) << written.dump();
  }
}

TEST(Metadata, HasJaxdemsDefaults) {
  const ModelSpec spec = lstm(json::object());
  EXPECT_EQ(spec.hidden_features, 64U);
  EXPECT_EQ(spec.lstm_features, 128U);
  EXPECT_EQ(spec.activation, Activation::gelu);
  EXPECT_EQ(spec.variant, ModelVariant::current);
  EXPECT_EQ(spec.action_space, ActionSpaceSpec{});
}

TEST(Metadata, UnderstandsTheLaterSpelling) {
  const ModelSpec spec = lstm(json::parse(R"({
      "activation": {"_callable": true, "path": "jax._src.nn.functions:silu"},
      "cell_type": {"_callable": true, "path": "flax.nnx.nn.recurrent.OptimizedLSTMCell"},
      "action_space": {"type": "MaxNorm", "kw": {"max_norm": 2.5, "eps": 1e-5}},
      "remat": false, "carry_leading_shape": [2, 3], "reset_shape": null, "in_scale": 1.4,
      "actor_scale": 1.0, "critic_scale": 0.01, "discrete": false, "actor_sigma_head": null})"));
  EXPECT_EQ(spec.variant, ModelVariant::current);
  EXPECT_EQ(spec.activation, Activation::silu);
  EXPECT_EQ(spec.action_space.kind, ActionSpaceKind::max_norm);
  EXPECT_EQ(spec.action_space.max_norm, 2.5);
  EXPECT_EQ(spec.action_space.eps, 1e-5);
}

TEST(Metadata, UnderstandsTheSeedsSpelling) {
  const ModelSpec spec = lstm(json::parse(R"({
      "activation": "jax.nn:tanh", "cell_type": "LSTMCell", "action_space_type": "Box",
      "action_space_kws": {"x_min": -1, "x_max": [1.0, 1.2, 1.4], "width": 1.5,
                           "event_ndims_in": 1, "is_constant_log_det": false}})"));
  EXPECT_EQ(spec.variant, ModelVariant::seed);
  EXPECT_EQ(spec.activation, Activation::tanh);
  EXPECT_EQ(spec.action_space.x_min, (std::vector<double>{-1, -1, -1}));
  EXPECT_EQ(spec.action_space.x_max, (std::vector<double>{1.0, 1.2, 1.4}));
  EXPECT_EQ(spec.action_space.width, 1.5);
}

json recurrent_metadata(const json& changes) {
  json metadata = lstm_metadata();
  metadata.update({{"cell", "gru"}, {"features", 32}});
  metadata.update(changes);
  return metadata;
}

TEST(Metadata, GivesRecurrentModelsTheirDefaults) {
  const ModelSpec spec =
      model_from_metadata("RecurrentActorCritic", recurrent_metadata(json::object()), "a.h5");
  EXPECT_EQ(spec.cell, CellKind::gru);
  EXPECT_EQ(spec.features, 32U);
  EXPECT_EQ(spec.num_layers, 1U);
  EXPECT_EQ(spec.critic_memory, CriticMemory::shared);
  EXPECT_TRUE(spec.encoder_architecture.empty());
  EXPECT_TRUE(spec.architecture.empty());
  EXPECT_TRUE(spec.critic_architecture.empty());
  EXPECT_EQ(spec.carry_size(), 32U);
}

TEST(Metadata, RefusesRecurrentModelsThatItDoesNotKnow) {
  const auto message = [](const json& changes) {
    return test::message_of(
        [&] { model_from_metadata("RecurrentActorCritic", recurrent_metadata(changes), "a.h5"); });
  };
  EXPECT_EQ(message({{"cell", "rwkv"}}),
            "'a.h5': unknown cell 'rwkv' (known: lstm, gru, min_gru) convert the policy to one of "
            "these");
  EXPECT_EQ(message({{"cell", "min_gru"}}),
            "'a.h5': metadata has 'cell' = \"min_gru\" (lstm or gru expected) correct it");
  EXPECT_EQ(message({{"critic_memory", "some"}}),
            "'a.h5': unknown critic_memory 'some' (known: shared, own, none) convert the policy to "
            "one of these");
  EXPECT_EQ(message({{"actor", {1, 2, 3, 4, 5, 6, 7, 8}}}),
            "'a.h5': metadata has 'actor' = [1,2,3,4,5,6,7,8] (a list of 0 to 7 widths expected) "
            "correct it");
  EXPECT_EQ(message({{"num_layers", 8}}),
            "'a.h5': metadata has 'num_layers' = 8 (at most 7 expected) correct it");
  EXPECT_EQ(message({{"features", nullptr}}),
            "'a.h5': metadata lacks 'features' (it is required) add it");
}

TEST(Metadata, KnowsBoundsThatAreNone) {
  const ActionSpaceSpec space = action_space_from_json(
      "Clipped", {{"x_min", {-1, nullptr}}, {"x_max", {nullptr, 2}}}, 2, "a.h5");
  EXPECT_EQ(space.x_min, (std::vector<double>{-1, -INFINITY}));
  EXPECT_EQ(space.x_max, (std::vector<double>{INFINITY, 2}));
  EXPECT_EQ(test::message_of([] {
              action_space_from_json("Clipped", {{"x_min", 1}, {"x_max", 0}}, 2, "a.h5");
            }),
            "'a.h5': action space Clipped has 'x_max' = 0 (not less than x_min expected) correct "
            "it");
  EXPECT_EQ(test::message_of([] {
              action_space_from_json("Box", {{"x_min", nullptr}, {"x_max", 0}}, 2, "a.h5");
            }),
            "'a.h5': action space Box has 'x_min' = null (one finite number or 2 of them expected) "
            "correct it");
  EXPECT_EQ(test::message_of([] {
              action_space_from_json("Clipped", {{"x_max", 0}}, 2, "a.h5");
            }),
            "'a.h5': action space Clipped lacks 'x_min' (it is required) add it");
}

TEST(Metadata, TakesTheVariantAtItsWord) {
  EXPECT_EQ(lstm({{"variant", "seed"}}).variant, ModelVariant::seed);
  EXPECT_EQ(lstm({{"variant", "current"},
                  {"action_space_type", "Free"},
                  {"action_space_kws", json::object()}})
                .variant,
            ModelVariant::current);
}

struct Refusal {
  const char* name;
  const char* changes;  ///< merged into a good LSTM's metadata
  const char* message;
};

void PrintTo(const Refusal& refusal, std::ostream* stream) {
  *stream << refusal.changes;
}

class MetadataRefuses : public testing::TestWithParam<Refusal> {};

TEST_P(MetadataRefuses, WithAMessage) {
  EXPECT_THAT(test::message_of([&] { lstm(json::parse(GetParam().changes)); }),
              HasSubstr(GetParam().message));
}

const auto name_of_refusal = [](const auto& refusal) { return refusal.param.name; };
INSTANTIATE_TEST_SUITE_P(
    Keys, MetadataRefuses,
    testing::Values(
        Refusal{"UnknownKey", R"({"hiden_features": 3})",
                "'a.h5': metadata has the unknown key 'hiden_features' (a misspelling, or a newer "
                "format) remove it"},
        Refusal{"ArchitectureOfAnLstm", R"({"architecture": [3]})",
                "metadata has the unknown key 'architecture'"},
        Refusal{"UnknownActivation", R"({"activation": "mish"})",
                "'a.h5': unknown activation 'mish' (known: gelu, gelu_erf, tanh, relu, leaky_relu, "
                "silu, elu, sigmoid, softplus, identity) convert the policy to one of these"},
        Refusal{"ActivationOfAnotherType", R"({"activation": 3})",
                "'a.h5': metadata has 'activation' = 3 (the name of a function or class expected)"},
        Refusal{"UnknownCell", R"({"cell_type": "flax.nnx:GRUCell"})",
                "'a.h5': unknown cell_type 'GRUCell' (known: OptimizedLSTMCell, LSTMCell) train "
                "with one of these"},
        Refusal{"UnknownVariant", R"({"variant": "newest"})",
                "'a.h5': unknown model variant 'newest' (known: seed, current)"},
        Refusal{"UnknownSpace", R"({"action_space": {"type": "Sphere"}})",
                "'a.h5': unknown action space 'Sphere' (known: Free, Box, MaxNorm, Clipped)"},
        Refusal{"SpaceWithoutType", R"({"action_space": {}})",
                "'a.h5': metadata 'action_space' lacks 'type' (it is required) add it"},
        Refusal{"SpaceThatIsNoObject", R"({"action_space": "Box"})",
                "'a.h5': metadata 'action_space' is no JSON object (write one)"},
        Refusal{"SpaceWithUnknownKey", R"({"action_space": {"type": "Free", "kws": {}}})",
                "metadata 'action_space' has the unknown key 'kws'"},
        Refusal{"UnknownSpaceKeyword",
                R"({"action_space": {"type": "MaxNorm", "kw": {"norm": 1}}})",
                "'a.h5': action space MaxNorm has the unknown key 'norm'"},
        Refusal{"BoxWithoutBounds", R"({"action_space": {"type": "Box"}})",
                "'a.h5': action space Box lacks 'x_min' (it is required) add it"},
        Refusal{"BoxOfAnotherWidth",
                R"({"action_space": {"type": "Box", "kw": {"x_min": [0, 0], "x_max": 1}}})",
                "action space Box has 'x_min' = [0,0] (one finite number or 3 of them expected)"},
        Refusal{"BoxUpsideDown",
                R"({"action_space": {"type": "Box", "kw": {"x_min": 1, "x_max": 1}}})",
                "action space Box has 'x_max' = 1 (more than x_min expected) correct it"},
        Refusal{"BoxWithoutWidth",
                R"({"action_space": {"type": "Box", "kw": {"x_min": 0, "x_max": 1, "width": 0}}})",
                "action space Box has 'width' = 0 (a positive float expected)"},
        Refusal{"NegativeNorm", R"({"action_space": {"type": "MaxNorm", "kw": {"max_norm": -1}}})",
                "action space MaxNorm has 'max_norm' = -1 (a positive float expected)"},
        Refusal{"WideEps", R"({"action_space": {"type": "MaxNorm", "kw": {"eps": 1}}})",
                "action space MaxNorm has 'eps' = 1 (a number from 1e-12 to 0.5 expected)"},
        Refusal{"NoEps", R"({"action_space": {"type": "MaxNorm", "kw": {"eps": 0}}})",
                "action space MaxNorm has 'eps' = 0 (a number from 1e-12 to 0.5 expected)"},
        Refusal{"SigmaHeadOfTheSeed", R"({"variant": "seed", "actor_sigma_head": true})",
                "'a.h5': metadata asks for a sigma head or discrete actions (the seed's model has "
                "neither) set both to false, or 'variant' to current"},
        Refusal{"DiscreteSeed", R"({"variant": "seed", "discrete": true})",
                "metadata asks for a sigma head or discrete actions"},
        Refusal{"FlagOfAnotherType", R"({"discrete": 1})",
                "metadata has 'discrete' = 1 (true or false expected)"},
        Refusal{"MissingWidth", R"({"observation_space_size": null})",
                "'a.h5': metadata lacks 'observation_space_size' (it is required) add it"},
        Refusal{"NoWidth", R"({"action_space_size": 0})",
                "metadata has 'action_space_size' = 0 (an integer from 1 to 16384 expected)"},
        Refusal{"NegativeWidth", R"({"lstm_features": -5})",
                "metadata has 'lstm_features' = -5 (an integer from 1 to 16384 expected)"},
        Refusal{"HugeWidth", R"({"hidden_features": 16385})",
                "metadata has 'hidden_features' = 16385 (an integer from 1 to 16384 expected)"},
        Refusal{"UnsignedWidth", R"({"hidden_features": 18446744073709551615})",
                "'hidden_features' = 18446744073709551615 (an integer from 1 to 16384 expected)"},
        Refusal{"FractionalWidth", R"({"hidden_features": 64.0})",
                "metadata has 'hidden_features' = 64.0 (an integer from 1 to 16384 expected)"}),
    name_of_refusal);

TEST(Metadata, RefusesUnknownModels) {
  EXPECT_THAT(
      test::message_of([] { model_from_metadata("Transformer", lstm_metadata(), "a.h5"); }),
      HasSubstr(
          "'a.h5': unknown model 'Transformer' (known: LSTMActorCritic, "
          "MinGRUActorCritic, SharedActorCritic, ActorCritic, RecurrentActorCritic) convert the "
          "policy to one of these"));
  EXPECT_THAT(
      test::message_of([] { model_from_metadata("LSTMActorCritic", json::array({1}), "a.h5"); }),
      HasSubstr("'a.h5': metadata is no JSON object (write one)"));
}

TEST(Metadata, RefusesArchitecturesThatAreNone) {
  const auto message = [](const char* architecture) {
    json metadata = lstm_metadata();
    metadata["architecture"] = json::parse(architecture);
    return test::message_of([&] { model_from_metadata("SharedActorCritic", metadata, "a.h5"); });
  };
  const char* expected = "(a list of 0 to 7 widths expected) correct it";
  EXPECT_THAT(message("[1,2,3,4,5,6,7,8]"), HasSubstr(expected));
  EXPECT_THAT(message("64"), HasSubstr(expected));
  EXPECT_THAT(message("[64, 0]"), HasSubstr("an integer from 1 to 16384 expected"));
  EXPECT_THAT(message("null"), HasSubstr("metadata lacks 'architecture'"));
}

TEST(Metadata, RefusesMoreMinGruLayersThanAreSupported) {
  json metadata = lstm_metadata();
  metadata["num_layers"] = 8;
  EXPECT_THAT(test::message_of([&] { model_from_metadata("MinGRUActorCritic", metadata, "a.h5"); }),
              HasSubstr("metadata has 'num_layers' = 8 (at most 7 expected)"));
  metadata["num_layers"] = 7;
  metadata["lstm_features"] = 4;
  EXPECT_THAT(test::message_of([&] { model_from_metadata("MinGRUActorCritic", metadata, "a.h5"); }),
              HasSubstr("metadata has the unknown key 'lstm_features'"));
}

TEST(Metadata, RoundTripsObservationComponents) {
  const json written = json::parse(R"([
      {"name": "velocity", "dimensions": 2}, {"name": "angular_velocity", "dimensions": 1},
      {"name": "goal_direction", "dimensions": 3, "bind": "home"},
      {"name": "goal_displacement", "dimensions": 2, "clip": 1.5, "bind": "goal"},
      {"name": "lidar", "range": 6.5, "n_azimuth": 16, "n_elevation": 4, "walls": true,
       "bind": "grains"}])");
  const auto components = components_from_json(written, "a.h5");
  EXPECT_EQ(components_to_json(components), written);
  std::vector<std::size_t> widths;
  for (const auto& component : components)
    widths.push_back(component.width());
  EXPECT_EQ(widths, (std::vector<std::size_t>{2, 1, 3, 2, 64}));
}

TEST(Metadata, FillsInWhatComponentsLeaveOut) {
  const auto components =
      components_from_json(json::parse(R"([{"name": "goal_displacement", "dimensions": 2},
                      {"name": "lidar", "range": 3, "n_azimuth": 5}])"),
                           "a.h5");
  EXPECT_EQ(components[0].bind, "goal");
  EXPECT_EQ(components[0].clip, 3);
  EXPECT_EQ(components[1].bind, "targets");
  EXPECT_EQ(components[1].n_elevation, 0);
  EXPECT_FALSE(components[1].walls);
  EXPECT_EQ(components[1].width(), 5U);
}

TEST(Metadata, RefusesImpossibleComponents) {
  const auto message = [](const char* list) {
    return test::message_of([&] { components_from_json(json::parse(list), "a.h5"); });
  };
  EXPECT_THAT(message("{}"), HasSubstr("'a.h5': observation 'components' is no JSON list"));
  EXPECT_THAT(message("[3]"), HasSubstr("'a.h5': an observation component is no JSON object"));
  EXPECT_THAT(message("[{}]"), HasSubstr("an observation component lacks 'name'"));
  EXPECT_THAT(message(R"([{"name": "smell"}])"),
              HasSubstr("'a.h5': unknown observation component 'smell' (known: velocity, "
                        "angular_velocity, goal_direction, goal_displacement, lidar, neighbors, "
                        "contact_force, contact_count, wall_distance, wall_direction, quaternion, "
                        "director, previous_action, time_since_reset, field)"));
  EXPECT_THAT(message(R"([{"name": "velocity"}])"), HasSubstr("lacks 'dimensions'"));
  EXPECT_THAT(message(R"([{"name": "velocity", "dimensions": 4}])"),
              HasSubstr("has 'dimensions' = 4 (1, 2 or 3 expected)"));
  EXPECT_THAT(message(R"([{"name": "velocity", "dimensions": 3, "range": 1}])"),
              HasSubstr("an observation component has the unknown key 'range'"));
  EXPECT_THAT(message(R"([{"name": "lidar", "range": 0, "n_azimuth": 4}])"),
              HasSubstr("has 'range' = 0 (a positive number expected)"));
  EXPECT_THAT(message(R"([{"name": "lidar", "range": 1, "n_azimuth": 1e9}])"),
              HasSubstr("has 'n_azimuth' = 1000000000.0 (an integer from 1 to 16384 expected)"));
  EXPECT_THAT(message(R"([{"name": "goal_displacement", "dimensions": 2, "clip": -1}])"),
              HasSubstr("has 'clip' = -1 (a positive number expected)"));
  EXPECT_THAT(message(R"([{"name": "neighbors", "range": 1, "count": 65, "dimensions": 2}])"),
              HasSubstr("has 'count' = 65 (1 to 64 expected)"));
  EXPECT_THAT(message(R"([{"name": "neighbors", "range": 1, "dimensions": 2}])"),
              HasSubstr("lacks 'count'"));
  EXPECT_THAT(message(R"([{"name": "wall_distance", "range": -2}])"),
              HasSubstr("has 'range' = -2 (a positive number expected)"));
  EXPECT_THAT(message(R"([{"name": "director", "dimensions": 3, "axis": 3}])"),
              HasSubstr("has 'axis' = 3 (0, 1 or 2 expected)"));
  EXPECT_THAT(message(R"([{"name": "field", "dimensions": 1}])"), HasSubstr("lacks 'bind'"));
  EXPECT_THAT(message(R"([{"name": "time_since_reset", "clip": 0}])"),
              HasSubstr("has 'clip' = 0 (a positive number expected)"));
  EXPECT_THAT(message(R"([{"name": "velocity", "dimensions": 2, "frame": "moon"}])"),
              HasSubstr("'a.h5': unknown frame 'moon' (known: lab, body)"));
  EXPECT_THAT(message(R"([{"name": "quaternion", "frame": "body"}])"),
              HasSubstr("an observation component has the unknown key 'frame'"));
}

TEST(Metadata, KnowsTheWidthOfEveryComponentAndSpellsItAsItWasRead) {
  const std::vector<std::pair<const char*, std::size_t>> components{
      {R"({"name": "velocity", "dimensions": 2, "frame": "body"})", 2},
      {R"({"name": "angular_velocity", "dimensions": 1})", 1},
      {R"({"name": "goal_direction", "dimensions": 3, "bind": "home"})", 3},
      {R"({"name": "goal_displacement", "dimensions": 2, "clip": 4.0, "bind": "home"})", 2},
      {R"({"name": "lidar", "range": 2.0, "n_azimuth": 4, "n_elevation": 3, "walls": true,
           "bind": "all", "frame": "body"})",
       12},
      {R"({"name": "neighbors", "range": 2.0, "count": 5, "dimensions": 3, "velocity": true,
           "radius": true, "type": true, "bind": "grains"})",
       40},
      {R"({"name": "neighbors", "range": 2.0, "count": 5, "dimensions": 2, "velocity": false,
           "radius": false, "type": false, "bind": "grains"})",
       10},
      {R"({"name": "contact_force", "dimensions": 3})", 3},
      {R"({"name": "contact_count", "walls": true, "bind": "grains"})", 1},
      {R"({"name": "wall_distance", "range": 2.5, "bind": "floor"})", 1},
      {R"({"name": "wall_direction", "range": 2.5, "dimensions": 3, "bind": "floor"})", 3},
      {R"({"name": "quaternion"})", 4},
      {R"({"name": "director", "dimensions": 2, "axis": 1})", 2},
      {R"({"name": "previous_action", "dimensions": 6})", 6},
      {R"({"name": "time_since_reset"})", 1},
      {R"({"name": "time_since_reset", "clip": 9.5})", 1},
      {R"({"name": "field", "dimensions": 7, "bind": "heat"})", 7}};
  for (const auto& [text, width] : components) {
    const json item = json::parse(text);
    const auto read = components_from_json(json::array({item}), "a.h5");
    EXPECT_EQ(read.at(0).width(), width) << text;
    EXPECT_EQ(components_to_json(read), json::array({item})) << text;
  }
}

TEST(Metadata, RefusesNamesThatCannotBeBound) {
  const auto message = [](const std::string& name) {
    const json goal{{"name", "goal_direction"}, {"dimensions", 2}, {"bind", name}};
    return test::message_of([&] { components_from_json(json(1, goal), "a.h5"); });
  };
  const std::string rule = " (a name of 1 to 80 printable characters expected) correct it";
  const std::string start = "'a.h5': an observation component has 'bind' = ";
  EXPECT_EQ(message(""), start + "\"\"" + rule);
  EXPECT_EQ(message("a\nb"), start + "\"a\\nb\"" + rule);
  EXPECT_EQ(message(std::string(81, 'a')), start + "\"" + std::string(79, 'a') + "..." + rule);
}

TEST(Metadata, RefusesMoreComponentsThanAnyPolicyHas) {
  const json velocity{{"name", "velocity"}, {"dimensions", 3}};
  EXPECT_EQ(components_from_json(json(1024, velocity), "a.h5").size(), 1024U);
  EXPECT_EQ(
      test::message_of([&] { components_from_json(json(1025, velocity), "a.h5"); }),
      "'a.h5': observation 'components' lists 1025 of them (at most 1024 are read) remove some");
}

}  // namespace
}  // namespace dempilot
