#include "core/policy/ParameterTable.hpp"

#include <cmath>
#include <functional>
#include <numeric>

#include "core/Error.hpp"
#include "core/policy/Metadata.hpp"

namespace dempilot {
namespace {

using Shapes = std::map<std::string, std::vector<std::size_t>>;

/// All of a model's numbers together; 2^27 floats are 512 MiB.
constexpr std::size_t max_parameters = 1ULL << 27U;

void add_dense(Shapes& shapes, const std::string& name, std::size_t in, std::size_t out) {
  shapes[name + ".kernel"] = {in, out};
  shapes[name + ".bias"] = {out};
}

std::string layer(const std::string& network, std::size_t index) {
  // flax's Sequential counts the activations too, so dense layers have even numbers.
  return fmt::format("{}.layers.{}", network, 2 * index);
}

/// Dense layers of these widths; returns the last one's.
std::size_t add_torso(Shapes& shapes, const std::string& name, std::size_t width,
                      const std::vector<std::size_t>& architecture) {
  for (std::size_t i = 0; i < architecture.size(); ++i) {
    add_dense(shapes, layer(name, i), width, architecture[i]);
    width = architecture[i];
  }
  return width;
}

/// Whether one layer gives the mean and the value.
bool has_fused_head(const ModelSpec& spec) {
  return spec.is_recurrent() && spec.variant == ModelVariant::current;
}

void add_heads(Shapes& shapes, const ModelSpec& spec, std::size_t features) {
  shapes["_log_std"] = {1, spec.action_size};
  if (spec.actor_sigma_head) {
    add_dense(shapes, layer("actor_sigma.net", 0), features, spec.action_size);
  }
  if (has_fused_head(spec)) {
    add_dense(shapes, "fused_head", features, spec.action_size + 1);
    return;
  }
  const bool seed = spec.variant == ModelVariant::seed;
  add_dense(shapes, seed ? "actor" : "actor_mu", features, spec.action_size);
  if (spec.kind == ModelKind::actor_critic) {
    const auto& torso = spec.critic_architecture;
    const std::size_t width = add_torso(shapes, "critic", spec.observation_size, torso);
    add_dense(shapes, layer("critic", torso.size()), width, 1);
  } else {
    add_dense(shapes, "critic", features, 1);
  }
}

}  // namespace

std::map<std::string, std::vector<std::size_t>> parameter_shapes(const ModelSpec& spec) {
  Shapes shapes;
  std::size_t features = 0;  // what the heads read
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      features = spec.lstm_features;
      add_dense(shapes, layer("encoder", 0), spec.observation_size, spec.hidden_features);
      if (spec.variant == ModelVariant::seed) {
        add_dense(shapes, layer("encoder", 1), spec.hidden_features, spec.hidden_features);
      }
      shapes["cell.dense_i.kernel"] = {spec.hidden_features, 4 * features};
      add_dense(shapes, "cell.dense_h", features, 4 * features);
      break;
    case ModelKind::min_gru_actor_critic:
      features = spec.gru_features;
      add_dense(shapes, layer("encoder", 0), spec.observation_size, spec.hidden_features);
      if (spec.hidden_features != features) {
        add_dense(shapes, "proj_in", spec.hidden_features, features);
      }
      shapes["mingru_kernel"] = {spec.num_layers, features, 3 * features};
      break;
    case ModelKind::shared_actor_critic:
      features = add_torso(shapes, "network", spec.observation_size, spec.architecture);
      break;
    case ModelKind::actor_critic:
      features = add_torso(shapes, "actor_torso", spec.observation_size, spec.architecture);
      break;
  }
  add_heads(shapes, spec, features);
  return shapes;
}

const std::map<std::string, std::string>& parameter_aliases() {
  static const std::map<std::string, std::string> aliases{{"actor_sigma.log_std", "_log_std"}};
  return aliases;
}

std::map<std::string, std::vector<std::size_t>> unused_parameter_shapes(const ModelSpec& spec) {
  Shapes shapes;
  if (has_fused_head(spec)) {
    const bool lstm = spec.kind == ModelKind::lstm_actor_critic;
    const std::size_t features = lstm ? spec.lstm_features : spec.gru_features;
    add_dense(shapes, "actor_mu", features, spec.action_size);
    add_dense(shapes, "critic", features, 1);
  }
  return shapes;
}

namespace {

/// Widths of all that flows between the model's layers.
std::vector<std::size_t> widths_of(const ModelSpec& spec) {
  std::vector<std::size_t> widths{spec.observation_size, spec.action_size};
  if (spec.is_recurrent()) widths.push_back(spec.hidden_features);
  if (spec.kind == ModelKind::lstm_actor_critic) widths.push_back(spec.lstm_features);
  if (spec.kind == ModelKind::min_gru_actor_critic) widths.push_back(spec.gru_features);
  widths.insert(widths.end(), spec.architecture.begin(), spec.architecture.end());
  widths.insert(widths.end(), spec.critic_architecture.begin(), spec.critic_architecture.end());
  return widths;
}

/// Lengths of the model's stacks of layers.
std::vector<std::size_t> depths_of(const ModelSpec& spec) {
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      return {};
    case ModelKind::min_gru_actor_critic:
      return {spec.num_layers};
    case ModelKind::shared_actor_critic:
      return {spec.architecture.size()};
    case ModelKind::actor_critic:
      return {spec.architecture.size(), spec.critic_architecture.size()};
  }
  return {};
}

}  // namespace

void check_size(const ModelSpec& spec, const std::string& source) {
  for (const std::size_t width : widths_of(spec)) {
    if (width >= 1 && width <= max_width) continue;
    fail("'{}': a layer of the model is {} wide (1 to {} are supported) correct its widths", source,
         width, max_width);
  }
  for (const std::size_t depth : depths_of(spec)) {
    if (depth >= 1 && depth <= max_layer_count) continue;
    fail("'{}': the model has {} layers (1 to {} are supported) correct its architecture", source,
         depth, max_layer_count);
  }
  const ActionSpaceSpec& space = spec.action_space;
  if (space.kind == ActionSpaceKind::box &&
      (space.x_min.size() != spec.action_size || space.x_max.size() != spec.action_size)) {
    fail(
        "'{}': the Box has {} lower and {} upper bounds for {} actions (one each is needed) "
        "correct "
        "them",
        source, space.x_min.size(), space.x_max.size(), spec.action_size);
  }
  std::size_t total = 0;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    total += std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
  }
  if (total > max_parameters) {
    fail("'{}': the model would have {} parameters (at most {} are read) check its widths", source,
         total, max_parameters);
  }
}

void check_parameters(const ModelSpec& spec, const Parameters& parameters,
                      const std::string& source) {
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    const auto found = parameters.find(name);
    if (found == parameters.end()) {
      fail("'{}': parameter '{}' is missing (a {} has it) add it", source, name,
           name_of(spec.kind));
    }
    const Tensor& tensor = found->second;
    if (tensor.shape != shape) {
      fail("'{}': parameter '{}' has shape ({}) (expected ({})) check what wrote it", source, name,
           fmt::join(tensor.shape, ", "), fmt::join(shape, ", "));
    }
    const std::size_t count =
        std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
    if (tensor.values.size() != count) {
      fail("'{}': parameter '{}' has {} values ({} fill its shape) check what made it", source,
           name, tensor.values.size(), count);
    }
    for (std::size_t i = 0; i < tensor.values.size(); ++i) {
      if (!std::isfinite(tensor.values[i])) {
        fail(
            "'{}': parameter '{}' holds {} at index {} (weights must be finite) train or convert "
            "it "
            "again",
            source, name, tensor.values[i], i);
      }
    }
  }
}

}  // namespace dempilot
