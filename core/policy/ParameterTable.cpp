#include "core/policy/ParameterTable.hpp"

#include <cmath>
#include <functional>
#include <numeric>

#include "core/Error.hpp"
#include "core/policy/Architecture.hpp"
#include "core/policy/Metadata.hpp"

namespace dempilot {
namespace {

using Shapes = std::map<std::string, std::vector<std::size_t>>;

/// All of a model's numbers together; 2^27 floats are 512 MiB.
constexpr std::size_t max_parameters = 1ULL << 27U;

void add_dense(Shapes& shapes, const DenseLayer& layer) {
  shapes[layer.name + ".kernel"] = {layer.inputs, layer.outputs};
  shapes[layer.name + ".bias"] = {layer.outputs};
}

void add_memory(Shapes& shapes, const RecurrentLayers& memory) {
  if (memory.cell == CellKind::min_gru && !memory.names.empty()) {
    shapes[memory.names[0]] = {memory.names.size(), memory.width, 3 * memory.width};
    return;
  }
  std::size_t inputs = memory.inputs;
  const std::size_t gates = memory.cell == CellKind::lstm ? 4 : 3;
  for (const std::string& name : memory.names) {
    add_dense(shapes, {name + ".dense_i", inputs, gates * memory.width});
    // An LSTM has one bias, a GRU two: its reset gate acts between them.
    if (memory.cell == CellKind::lstm) shapes.erase(name + ".dense_i.bias");
    add_dense(shapes, {name + ".dense_h", memory.width, gates * memory.width});
    inputs = memory.width;
  }
}

void add_branch(Shapes& shapes, const Branch& branch) {
  for (const DenseLayer& layer : branch.before)
    add_dense(shapes, layer);
  add_memory(shapes, branch.memory);
  for (const DenseLayer& layer : branch.after)
    add_dense(shapes, layer);
}

}  // namespace

std::map<std::string, std::vector<std::size_t>> parameter_shapes(const ModelSpec& spec) {
  const Architecture model = architecture_of(spec);
  Shapes shapes{{"_log_std", {1, spec.action_size}}};
  add_branch(shapes, model.actor);
  add_branch(shapes, model.critic);
  add_dense(shapes, model.mean.layer);
  if (model.sigma) add_dense(shapes, model.sigma->layer);
  if (model.value) add_dense(shapes, model.value->layer);
  return shapes;
}

const std::map<std::string, std::string>& parameter_aliases() {
  static const std::map<std::string, std::string> aliases{{"actor_sigma.log_std", "_log_std"}};
  return aliases;
}

std::map<std::string, std::vector<std::size_t>> unused_parameter_shapes(const ModelSpec& spec) {
  Shapes shapes;
  const DenseLayer head = architecture_of(spec).mean.layer;
  if (head.name == "fused_head") {
    add_dense(shapes, {"actor_mu", head.inputs, spec.action_size});
    add_dense(shapes, {"critic", head.inputs, 1});
  }
  return shapes;
}

namespace {

/// Widths of all that flows between the model's layers.
std::vector<std::size_t> widths_of(const ModelSpec& spec) {
  std::vector<std::size_t> widths{spec.observation_size, spec.action_size};
  const bool general = spec.kind == ModelKind::recurrent_actor_critic;
  if (spec.is_recurrent() && !general) widths.push_back(spec.hidden_features);
  if (spec.kind == ModelKind::lstm_actor_critic) widths.push_back(spec.lstm_features);
  if (spec.kind == ModelKind::min_gru_actor_critic) widths.push_back(spec.gru_features);
  if (general) widths.push_back(spec.features);
  for (const auto* stack :
       {&spec.encoder_architecture, &spec.architecture, &spec.critic_architecture}) {
    widths.insert(widths.end(), stack->begin(), stack->end());
  }
  return widths;
}

/// A stack of layers of the model and the fewest that it must have.
struct Depth {
  std::size_t layers, least;
};

std::vector<Depth> depths_of(const ModelSpec& spec) {
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      return {};
    case ModelKind::min_gru_actor_critic:
      return {{spec.num_layers, 1}};
    case ModelKind::shared_actor_critic:
      return {{spec.architecture.size(), 0}};
    case ModelKind::actor_critic:
      return {{spec.architecture.size(), 0}, {spec.critic_architecture.size(), 0}};
    case ModelKind::recurrent_actor_critic:
      return {{spec.num_layers, 1},
              {spec.encoder_architecture.size(), 0},
              {spec.architecture.size(), 0},
              {spec.critic_architecture.size(), 0}};
  }
  return {};
}

/// A Box or Clipped space must have a lower and an upper bound for each action.
void check_bounds(const ModelSpec& spec, const std::string& source) {
  const ActionSpaceSpec& space = spec.action_space;
  const bool box = space.kind == ActionSpaceKind::box;
  if (!box && space.kind != ActionSpaceKind::clipped) return;
  if (space.x_min.size() == spec.action_size && space.x_max.size() == spec.action_size) return;
  fail(
      "'{}': the {} has {} lower and {} upper bounds for {} actions (one each is needed) correct "
      "them",
      source, box ? "Box" : "Clipped", space.x_min.size(), space.x_max.size(), spec.action_size);
}

void check_normalization(const ModelSpec& spec, const std::string& source) {
  const Normalization& normalization = spec.normalization;
  if (normalization.mean.empty() && normalization.variance.empty()) return;
  if (normalization.mean.size() != spec.observation_size ||
      normalization.variance.size() != spec.observation_size) {
    fail(
        "'{}': the normalization has {} means and {} variances (the observation has {} entries) "
        "correct it",
        source, normalization.mean.size(), normalization.variance.size(), spec.observation_size);
  }
  if (!(normalization.clip > 0) || !(normalization.epsilon >= 0)) {
    fail(
        "'{}': the normalization clips at {} with epsilon {} (more than 0, and 0 or more, are "
        "needed) correct it",
        source, normalization.clip, normalization.epsilon);
  }
  for (std::size_t i = 0; i < spec.observation_size; ++i) {
    const double deviation = std::sqrt(normalization.variance[i] + normalization.epsilon);
    if (std::isfinite(normalization.mean[i]) && std::isfinite(1 / deviation) && deviation > 0 &&
        normalization.variance[i] >= 0) {
      continue;
    }
    fail(
        "'{}': the normalization of entry {} has mean {} and variance {} (numbers that an "
        "observation can be divided by are needed) correct it",
        source, i, normalization.mean[i], normalization.variance[i]);
  }
}

}  // namespace

void check_size(const ModelSpec& spec, const std::string& source) {
  for (const std::size_t width : widths_of(spec)) {
    if (width >= 1 && width <= max_width) continue;
    fail("'{}': a layer of the model is {} wide (1 to {} are supported) correct its widths", source,
         width, max_width);
  }
  for (const auto& [layers, least] : depths_of(spec)) {
    if (layers >= least && layers <= max_layer_count) continue;
    fail("'{}': the model has {} layers ({} to {} are supported) correct its architecture", source,
         layers, least, max_layer_count);
  }
  check_bounds(spec, source);
  check_normalization(spec, source);
  if (spec.kind == ModelKind::recurrent_actor_critic && spec.cell == CellKind::min_gru) {
    fail("'{}': a {} of cell min_gru (known: lstm, gru) use a {}", source, name_of(spec.kind),
         name_of(ModelKind::min_gru_actor_critic));
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
