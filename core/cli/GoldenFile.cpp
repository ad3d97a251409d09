#include "core/cli/GoldenFile.hpp"

#include <nlohmann/json.hpp>

#include "core/Error.hpp"
#include "core/io/Hdf5.hpp"
#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot::cli {
namespace {

using nlohmann::json;

/// The case's short names, as the constructor's arguments that they stand for.
json to_metadata(const json& c) {
  json metadata = {{"observation_space_size", c.at("obs")},
                   {"action_space_size", c.at("act")},
                   {"activation", c.value("activation", "gelu")},
                   {"actor_sigma_head", c.value("sigma_head", false)},
                   {"discrete", c.value("discrete", false)}};
  const std::string model = c.at("model");
  if (model == "LSTMActorCritic") {
    metadata["hidden_features"] = c.at("hidden");
    metadata["lstm_features"] = c.at("rec");
    metadata["variant"] = c.value("variant", "current");
  } else if (model == "MinGRUActorCritic") {
    metadata["hidden_features"] = c.at("hidden");
    metadata["gru_features"] = c.at("rec");
    metadata["num_layers"] = c.value("layers", 1);
  } else if (model == "ActorCritic") {
    metadata["actor_architecture"] = c.at("arch");
    metadata["critic_architecture"] = c.at("arch2");
  } else {
    metadata["architecture"] = c.at("arch");
  }
  if (c.contains("space") && !c["space"].is_null()) {
    metadata["action_space"] = {{"type", c["space"].at(0)}, {"kw", c["space"].at(1)}};
  }
  return metadata;
}

Parameters read_parameters(const hdf5::File& file, const ModelSpec& model) {
  check_size(model, file.name());
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(model)) {
    std::string stored = name;
    for (const auto& [alias, meant] : parameter_aliases()) {
      if (meant == name && !file.exists("params/" + name)) stored = alias;
    }
    parameters[name] = {shape, file.read<float>("params/" + stored, shape)};
  }
  check_parameters(model, parameters, file.name());
  return parameters;
}

template <class T>
Array<T> read_array(const hdf5::File& file, const std::string& dataset) {
  return {file.shape(dataset), file.read<T>(dataset)};
}

void require_shape(const GoldenFile& golden, const std::string& dataset, const Shape& found,
                   const Shape& expected) {
  if (found == expected) return;
  fail("'{}': '/{}' has shape ({}) (expected ({})) check what wrote the file", golden.name, dataset,
       fmt::join(found, ", "), fmt::join(expected, ", "));
}

void read_expected(const hdf5::File& file, GoldenFile& golden, const std::string& dataset,
                   const Shape& shape) {
  golden.expected[dataset] = read_array<double>(file, dataset);
  require_shape(golden, dataset, golden.expected[dataset].shape, shape);
}

/// What the model says at every step; `part` ends in a slash.
void read_outputs(const hdf5::File& file, GoldenFile& golden, const std::string& part,
                  const Shape& observation) {
  const Shape actions = with_last(observation, golden.model.action_size);
  if (golden.model.discrete) {
    read_expected(file, golden, part + "logits", actions);
  } else {
    read_expected(file, golden, part + "mean", actions);
    read_expected(file, golden, part + "std", actions);
  }
  read_expected(file, golden, part + "value", with_last(observation, 1));
}

void read_single(const hdf5::File& file, GoldenFile& golden) {
  golden.single_observation = read_array<double>(file, "single/obs");
  const Shape& shape = golden.single_observation.shape;
  if (shape.size() != 4 || shape[3] != golden.model.observation_size) {
    fail("'{}': '/single/obs' has shape ({}) (expected (T, E, A, {})) check what wrote the file",
         golden.name, fmt::join(shape, ", "), golden.model.observation_size);
  }
  if (file.exists("single/reset_before")) {
    golden.reset_before = read_array<std::int8_t>(file, "single/reset_before");
    require_shape(golden, "single/reset_before", golden.reset_before->shape, {shape[0], shape[1]});
  }
  read_outputs(file, golden, "single/", shape);
  if (golden.model.kind == ModelKind::lstm_actor_critic) {
    read_expected(file, golden, "single/h", with_last(shape, golden.model.lstm_features));
    read_expected(file, golden, "single/c", with_last(shape, golden.model.lstm_features));
  } else if (golden.model.kind == ModelKind::min_gru_actor_critic) {
    Shape carry = shape;
    carry.back() = golden.model.num_layers;
    carry.push_back(golden.model.gru_features);
    read_expected(file, golden, "single/h", carry);
  }
}

void read_sequence(const hdf5::File& file, GoldenFile& golden) {
  golden.sequence_observation = read_array<double>(file, "sequence/obs");
  const Shape& shape = golden.sequence_observation.shape;
  if (shape.size() != 3 || shape[2] != golden.model.observation_size) {
    fail("'{}': '/sequence/obs' has shape ({}) (expected (T, B, {})) check what wrote the file",
         golden.name, fmt::join(shape, ", "), golden.model.observation_size);
  }
  if (file.exists("sequence/done_after")) {
    golden.done_after = read_array<std::int8_t>(file, "sequence/done_after");
    require_shape(golden, "sequence/done_after", golden.done_after->shape, {shape[0], shape[1]});
  }
  read_outputs(file, golden, "sequence/", shape);
  if (file.exists("distribution/deterministic_action")) {
    golden.parts.insert("action");
    read_expected(file, golden, "distribution/deterministic_action",
                  with_last(shape, golden.model.action_size));
  }
}

void read_distribution(const hdf5::File& file, GoldenFile& golden) {
  const Shape& shape = golden.sequence_observation.shape;
  const Shape each(shape.begin(), shape.end() - 1);
  read_expected(file, golden, "distribution/log_prob", each);
  if (file.exists("distribution/entropy")) {
    read_expected(file, golden, "distribution/entropy", each);
  }
  if (golden.model.discrete) {
    golden.discrete_action = read_array<std::int64_t>(file, "distribution/action");
    require_shape(golden, "distribution/action", golden.discrete_action.shape, each);
    return;
  }
  golden.latent = read_array<double>(file, "distribution/latent");
  const Shape actions = with_last(shape, golden.model.action_size);
  require_shape(golden, "distribution/latent", golden.latent.shape, actions);
  read_expected(file, golden, "distribution/action", actions);
  read_expected(file, golden, "distribution/forward_log_det", each);
  read_expected(file, golden, "distribution/base_entropy", each);
  golden.expected["distribution/log_prob of latent"] = golden.expected["distribution/log_prob"];
}

void read_model_case(const hdf5::File& file, GoldenFile& golden) {
  const json c = json::parse(file.read_string("", "case"), nullptr, false);
  for (const char* part : {"single", "sequence", "distribution", "gradient"}) {
    if (file.exists(part)) golden.parts.insert(part);
  }
  golden.scale = c.value("scale", 1.0);
  golden.model = model_from_metadata(c.at("model"), to_metadata(c), golden.name);
  golden.parameters = read_parameters(file, golden.model);
  if (golden.parts.contains("single")) read_single(file, golden);
  if (golden.parts.contains("sequence")) read_sequence(file, golden);
  if (!golden.parts.contains("sequence")) golden.parts.erase("distribution");
  if (golden.parts.contains("distribution")) read_distribution(file, golden);
}

}  // namespace

GoldenFile read_golden_file(const std::filesystem::path& path) {
  const hdf5::File file = hdf5::File::open(path);
  GoldenFile golden;
  golden.name = path.string();
  if (file.has_attribute("", "case")) {
    try {
      read_model_case(file, golden);
    } catch (const json::exception& error) {
      fail("'{}': its attribute 'case' is not a golden case ({}) see tests/golden/README.md",
           golden.name, error.what());
    }
    return golden;
  }
  for (const std::string& group : file.list("")) {
    if (file.has_attribute(group, "n_azimuth")) golden.parts.insert("lidar");
  }
  if (golden.parts.empty()) {
    fail(
        "'{}' is no golden file (neither a 'case' attribute nor LiDAR groups) see "
        "tests/golden/README.md",
        golden.name);
  }
  return golden;
}

}  // namespace dempilot::cli
