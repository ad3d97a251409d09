#include "core/cli/GoldenFile.hpp"

#include <nlohmann/json.hpp>

#include "core/Error.hpp"
#include "core/io/Hdf5.hpp"
#include "core/io/JsonAttribute.hpp"
#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot::cli {
namespace {

using nlohmann::json;

/// c[key], or `fallback` where it is absent or null.
json value_or(const json& c, const char* key, const json& fallback) {
  return c.contains(key) && !c.at(key).is_null() ? c.at(key) : fallback;
}

/// The case's short names, as the constructor's arguments that they stand for.
json to_metadata(const json& c) {
  json metadata = {{"observation_space_size", c.at("obs")},
                   {"action_space_size", c.at("act")},
                   {"activation", value_or(c, "activation", "gelu")},
                   {"actor_sigma_head", value_or(c, "sigma_head", false)},
                   {"discrete", value_or(c, "discrete", false)}};
  const std::string model = c.at("model");
  if (model == "LSTMActorCritic") {
    metadata["hidden_features"] = c.at("hidden");
    metadata["lstm_features"] = c.at("rec");
    metadata["variant"] = value_or(c, "variant", "current");
  } else if (model == "MinGRUActorCritic") {
    metadata["hidden_features"] = c.at("hidden");
    metadata["gru_features"] = c.at("rec");
    metadata["num_layers"] = value_or(c, "layers", 1);
  } else if (model == "ActorCritic") {
    metadata["actor_architecture"] = c.at("arch");
    metadata["critic_architecture"] = c.at("arch2");
  } else {
    metadata["architecture"] = c.at("arch");
  }
  const json space = value_or(c, "space", json::array({"Free"}));
  metadata["action_space"] = {{"type", space.at(0)},
                              {"kw", space.size() > 1 ? space.at(1) : json::object()}};
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
Array<T> read_array(const hdf5::File& file, const std::string& dataset, const Shape& shape) {
  return {shape, file.read<T>(dataset, shape)};
}

void read_expected(const hdf5::File& file, GoldenFile& golden, const std::string& dataset,
                   const Shape& shape) {
  golden.expected[dataset] = read_array<double>(file, dataset, shape);
}

/// Observations of `rank` axes, whose last is the observation and whose others are not empty.
Array<double> read_observation(const hdf5::File& file, const GoldenFile& golden,
                               const std::string& dataset, std::size_t rank, const char* axes) {
  const Shape shape = file.shape(dataset);
  if (shape.size() != rank || shape.back() != golden.model.observation_size ||
      element_count(shape) == 0) {
    fail("'{}': '/{}' has shape ({}) (expected ({}, {}), none of them 0) check what wrote the file",
         golden.name, dataset, fmt::join(shape, ", "), axes, golden.model.observation_size);
  }
  return read_array<double>(file, dataset, shape);
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
  golden.single_observation = read_observation(file, golden, "single/obs", 4, "T, E, A");
  const Shape& shape = golden.single_observation.shape;
  if (shape.size() != 4 || shape[3] != golden.model.observation_size) {
    fail("'{}': '/single/obs' has shape ({}) (expected (T, E, A, {})) check what wrote the file",
         golden.name, fmt::join(shape, ", "), golden.model.observation_size);
  }
  if (file.exists("single/reset_before")) {
    golden.reset_before =
        read_array<std::int8_t>(file, "single/reset_before", {shape[0], shape[1]});
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
  golden.sequence_observation = read_observation(file, golden, "sequence/obs", 3, "T, B");
  const Shape& shape = golden.sequence_observation.shape;
  if (shape.size() != 3 || shape[2] != golden.model.observation_size) {
    fail("'{}': '/sequence/obs' has shape ({}) (expected (T, B, {})) check what wrote the file",
         golden.name, fmt::join(shape, ", "), golden.model.observation_size);
  }
  if (file.exists("sequence/done_after")) {
    golden.done_after = read_array<std::int8_t>(file, "sequence/done_after", {shape[0], shape[1]});
  }
  read_outputs(file, golden, "sequence/", shape);
  if (golden.parts.contains("action")) {
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
    golden.discrete_action = read_array<std::int64_t>(file, "distribution/action", each);
    const auto actions = static_cast<std::int64_t>(golden.model.action_size);
    for (const std::int64_t action : golden.discrete_action.values) {
      if (action >= 0 && action < actions) continue;
      fail("'{}': '/distribution/action' holds {} (there are {} actions) check what wrote the file",
           golden.name, action, actions);
    }
    return;
  }
  const Shape actions = with_last(shape, golden.model.action_size);
  golden.latent = read_array<double>(file, "distribution/latent", actions);
  read_expected(file, golden, "distribution/action", actions);
  read_expected(file, golden, "distribution/forward_log_det", each);
  read_expected(file, golden, "distribution/base_entropy", each);
  golden.expected["distribution/log_prob of latent"] = golden.expected["distribution/log_prob"];
}

/// Reads the parts that are wanted (empty: all) and there.
void read_model_case(const hdf5::File& file, const std::set<std::string>& wanted,
                     GoldenFile& golden) {
  const json c = hdf5::read_json(file, "", "case");
  for (const char* part : {"single", "sequence", "distribution", "gradient"}) {
    if (file.exists(part)) golden.parts.insert(part);
  }
  golden.scale = value_or(c, "scale", 1.0);
  golden.model = model_from_metadata(c.at("model"), to_metadata(c), golden.name);
  golden.parameters = read_parameters(file, golden.model);
  const auto reads = [&](const char* part) {
    return golden.parts.contains(part) && (wanted.empty() || wanted.contains(part));
  };
  if (golden.parts.contains("sequence")) {
    if (file.exists("distribution/deterministic_action")) golden.parts.insert("action");
  } else {
    golden.parts.erase("distribution");  // its mean and deviation are those of the sequence
  }
  if (reads("single")) read_single(file, golden);
  if (reads("sequence") || reads("action") || reads("distribution")) read_sequence(file, golden);
  if (reads("distribution")) read_distribution(file, golden);
}

}  // namespace

GoldenFile read_golden_file(const std::filesystem::path& path,
                            const std::set<std::string>& wanted) {
  const hdf5::File file = hdf5::File::open(path);
  GoldenFile golden;
  golden.name = path.string();
  if (file.has_attribute("", "case")) {
    try {
      read_model_case(file, wanted, golden);
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
