#include "core/policy/Metadata.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/policy/detail/Arguments.hpp"

namespace dempilot {
namespace {

using detail::Arguments;
using detail::from_name;
using detail::json;
using detail::Names;
using detail::to_name;

constexpr Names<ModelKind, 5> model_names{
    {{ModelKind::lstm_actor_critic, "LSTMActorCritic"},
     {ModelKind::min_gru_actor_critic, "MinGRUActorCritic"},
     {ModelKind::shared_actor_critic, "SharedActorCritic"},
     {ModelKind::actor_critic, "ActorCritic"},
     {ModelKind::recurrent_actor_critic, "RecurrentActorCritic"}}};
constexpr Names<Activation, 10> activation_names{{{Activation::gelu, "gelu"},
                                                  {Activation::gelu_erf, "gelu_erf"},
                                                  {Activation::tanh, "tanh"},
                                                  {Activation::relu, "relu"},
                                                  {Activation::leaky_relu, "leaky_relu"},
                                                  {Activation::silu, "silu"},
                                                  {Activation::elu, "elu"},
                                                  {Activation::sigmoid, "sigmoid"},
                                                  {Activation::softplus, "softplus"},
                                                  {Activation::identity, "identity"}}};
constexpr Names<CellKind, 3> cell_names{
    {{CellKind::lstm, "lstm"}, {CellKind::gru, "gru"}, {CellKind::min_gru, "min_gru"}}};
constexpr Names<CriticMemory, 3> critic_memory_names{
    {{CriticMemory::shared, "shared"}, {CriticMemory::own, "own"}, {CriticMemory::none, "none"}}};
constexpr Names<ActionSpaceKind, 4> space_names{{{ActionSpaceKind::free, "Free"},
                                                 {ActionSpaceKind::box, "Box"},
                                                 {ActionSpaceKind::max_norm, "MaxNorm"},
                                                 {ActionSpaceKind::clipped, "Clipped"}}};
constexpr Names<ActionTarget, 6> target_names{{{ActionTarget::force, "force"},
                                               {ActionTarget::torque, "torque"},
                                               {ActionTarget::force_and_torque, "force_and_torque"},
                                               {ActionTarget::thrust, "thrust"},
                                               {ActionTarget::thrust_and_turn, "thrust_and_turn"},
                                               {ActionTarget::velocity, "velocity"}}};
constexpr Names<Frame, 2> frame_names{{{Frame::lab, "lab"}, {Frame::body, "body"}}};
constexpr Names<ModelVariant, 2> variant_names{
    {{ModelVariant::seed, "seed"}, {ModelVariant::current, "current"}}};

/// "gelu" of "gelu", "jax.nn:gelu" or {"_callable": true, "path": "jax._src.nn.functions:gelu"}.
std::string callable_name(const json& value, const Arguments& arguments, const char* key) {
  const json& path = value.is_object() && value.contains("path") ? value["path"] : value;
  if (!path.is_string()) arguments.refuse(key, "the name of a function or class");
  const std::string text = path.get<std::string>();
  return text.substr(text.find_last_of(".:") + 1);
}

ActionSpaceSpec read_action_space(Arguments& arguments, std::size_t action_size,
                                  const std::string& source) {
  if (arguments.has("action_space_type")) {
    const std::string type = arguments.text("action_space_type");
    return action_space_from_json(type, arguments.raw("action_space_kws"), action_size, source);
  }
  arguments.ignore({"action_space"});
  if (!arguments.has("action_space")) return {};
  Arguments space(arguments.raw("action_space"), "metadata 'action_space'", source);
  const std::string type = space.text("type");
  const json none = json::object();
  const json& keywords = space.has("kw") ? space.raw("kw") : none;
  space.refuse_unknown_keys();
  return action_space_from_json(type, keywords, action_size, source);
}

void read_lstm(Arguments& arguments, ModelSpec& spec, const std::string& source) {
  spec.hidden_features = arguments.width("hidden_features", 1, 64);
  spec.lstm_features = arguments.width("lstm_features", 1, 128);
  // Only the seed's checkpoints spell the action space in two keys.
  const bool seed_spelling = arguments.has("action_space_type");
  spec.variant =
      from_name(variant_names, arguments.text("variant", seed_spelling ? "seed" : "current"),
                "model variant", source);
  if (arguments.has("cell_type")) {
    const std::string cell = callable_name(arguments.raw("cell_type"), arguments, "cell_type");
    if (cell != "OptimizedLSTMCell" && cell != "LSTMCell") {
      fail(
          "'{}': unknown cell_type '{}' (known: OptimizedLSTMCell, LSTMCell) train with one of "
          "these",
          source, excerpt(cell));
    }
  }
}

void read_recurrent(Arguments& arguments, ModelSpec& spec, const std::string& source) {
  const std::vector<std::size_t> none;
  spec.encoder_architecture = arguments.widths("encoder", none);
  spec.cell = from_name(cell_names, arguments.text("cell"), "cell", source);
  if (spec.cell == CellKind::min_gru) arguments.refuse("cell", "lstm or gru");
  spec.features = arguments.width("features", 1);
  spec.num_layers = arguments.layers("num_layers");
  spec.architecture = arguments.widths("actor", none);
  spec.critic_architecture = arguments.widths("critic", none);
  spec.critic_memory = from_name(critic_memory_names, arguments.text("critic_memory", "shared"),
                                 "critic_memory", source);
}

/// The arguments that only this kind of model has.
void read_model_arguments(Arguments& arguments, ModelSpec& spec, const std::string& source) {
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      return read_lstm(arguments, spec, source);
    case ModelKind::min_gru_actor_critic:
      spec.hidden_features = arguments.width("hidden_features", 1, 64);
      spec.gru_features = arguments.width("gru_features", 1, 128);
      spec.num_layers = arguments.layers("num_layers");
      return;
    case ModelKind::shared_actor_critic:
      spec.architecture = arguments.widths("architecture");
      return;
    case ModelKind::actor_critic:
      spec.architecture = arguments.widths("actor_architecture");
      spec.critic_architecture = arguments.widths("critic_architecture");
      return;
    case ModelKind::recurrent_actor_critic:
      return read_recurrent(arguments, spec, source);
  }
}

void write_model_arguments(const ModelSpec& spec, json& metadata) {
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      metadata["hidden_features"] = spec.hidden_features;
      metadata["lstm_features"] = spec.lstm_features;
      metadata["variant"] = to_name(variant_names, spec.variant);
      metadata["cell_type"] = "OptimizedLSTMCell";
      return;
    case ModelKind::min_gru_actor_critic:
      metadata["hidden_features"] = spec.hidden_features;
      metadata["gru_features"] = spec.gru_features;
      metadata["num_layers"] = spec.num_layers;
      return;
    case ModelKind::shared_actor_critic:
      metadata["architecture"] = spec.architecture;
      return;
    case ModelKind::actor_critic:
      metadata["actor_architecture"] = spec.architecture;
      metadata["critic_architecture"] = spec.critic_architecture;
      return;
    case ModelKind::recurrent_actor_critic:
      metadata["encoder"] = spec.encoder_architecture;
      metadata["cell"] = name_of(spec.cell);
      metadata["features"] = spec.features;
      metadata["num_layers"] = spec.num_layers;
      metadata["actor"] = spec.architecture;
      metadata["critic"] = spec.critic_architecture;
      metadata["critic_memory"] = to_name(critic_memory_names, spec.critic_memory);
      return;
  }
}

}  // namespace

std::string name_of(ModelKind kind) {
  return to_name(model_names, kind);
}
std::string name_of(Activation activation) {
  return to_name(activation_names, activation);
}
std::string name_of(CellKind kind) {
  return to_name(cell_names, kind);
}
std::string name_of(ActionTarget target) {
  return to_name(target_names, target);
}
std::string name_of(Frame frame) {
  return to_name(frame_names, frame);
}

ActionTarget target_from_name(const std::string& name, const std::string& source) {
  return from_name(target_names, name, "action target", source);
}
Frame frame_from_name(const std::string& name, const std::string& source) {
  return from_name(frame_names, name, "frame", source);
}

Activation activation_from_name(const std::string& name, const std::string& source) {
  return from_name(activation_names, name, "activation", source);
}

namespace {

bool is_positive_float(double value) {
  const auto rounded = static_cast<float>(value);
  return std::isfinite(rounded) && rounded > 0;
}

}  // namespace

namespace {

void read_clipped(Arguments& arguments, std::size_t action_size, ActionSpaceSpec& space) {
  constexpr double unbounded = std::numeric_limits<double>::infinity();
  space.x_min = arguments.numbers("x_min", action_size, -unbounded);
  space.x_max = arguments.numbers("x_max", action_size, unbounded);
  for (std::size_t i = 0; i < action_size; ++i) {
    if (space.x_max[i] < space.x_min[i]) arguments.refuse("x_max", "not less than x_min");
  }
}

/// Bounds as JSON has them: it knows no infinity.
json bounds_to_json(const std::vector<double>& bounds) {
  json list = json::array();
  for (const double bound : bounds)
    list.push_back(std::isfinite(bound) ? json(bound) : json());
  return list;
}

}  // namespace

ActionSpaceSpec action_space_from_json(const std::string& type, const json& keywords,
                                       std::size_t action_size, const std::string& source) {
  ActionSpaceSpec space;
  space.kind = from_name(space_names, type, "action space", source);
  Arguments arguments(keywords, "action space " + type, source);
  arguments.ignore(
      {"event_ndims_in", "event_ndims_out", "is_constant_jacobian", "is_constant_log_det"});
  if (space.kind == ActionSpaceKind::box) {
    space.x_min = arguments.numbers("x_min", action_size);
    space.x_max = arguments.numbers("x_max", action_size);
    space.width = arguments.number("width", 1.0);
    if (!is_positive_float(space.width)) arguments.refuse("width", "a positive float");
    for (std::size_t i = 0; i < action_size; ++i) {
      if (space.x_max[i] <= space.x_min[i]) arguments.refuse("x_max", "more than x_min");
      const bool fits = is_positive_float((space.x_max[i] - space.x_min[i]) / 2) &&
                        std::isfinite(static_cast<float>(space.x_max[i])) &&
                        std::isfinite(static_cast<float>(space.x_min[i]));
      if (!fits) arguments.refuse("x_max", "bounds that floats can tell apart");
    }
  }
  if (space.kind == ActionSpaceKind::max_norm) {
    space.max_norm = arguments.number("max_norm", 1.0);
    if (!is_positive_float(space.max_norm)) arguments.refuse("max_norm", "a positive float");
  }
  if (space.kind == ActionSpaceKind::clipped) read_clipped(arguments, action_size, space);
  if (space.kind == ActionSpaceKind::box || space.kind == ActionSpaceKind::max_norm) {
    space.eps = arguments.number("eps", 1e-6);
    // The square of a smaller one would vanish among floats.
    if (space.eps < 1e-12 || space.eps > 0.5) arguments.refuse("eps", "a number from 1e-12 to 0.5");
  }
  arguments.refuse_unknown_keys();
  return space;
}

ModelSpec model_from_metadata(const std::string& model, const json& metadata,
                              const std::string& source) {
  ModelSpec spec;
  spec.kind = from_name(model_names, model, "model", source);
  Arguments arguments(metadata, "metadata", source);
  spec.observation_size = arguments.width("observation_space_size", 1);
  spec.action_size = arguments.width("action_space_size", 1);
  read_model_arguments(arguments, spec, source);
  if (arguments.has("activation")) {
    const json& value = arguments.raw("activation");
    spec.activation = activation_from_name(callable_name(value, arguments, "activation"), source);
  }
  spec.action_space = read_action_space(arguments, spec.action_size, source);
  spec.actor_sigma_head = arguments.flag("actor_sigma_head", false);
  spec.discrete = arguments.flag("discrete", false);
  if (spec.variant == ModelVariant::seed && (spec.actor_sigma_head || spec.discrete)) {
    fail(
        "'{}': metadata asks for a sigma head or discrete actions (the seed's model has neither) "
        "set both to false, or 'variant' to current",
        source);
  }
  arguments.ignore({"model_type", "remat", "carry_leading_shape", "reset_shape", "in_scale",
                    "actor_scale", "critic_scale"});
  arguments.refuse_unknown_keys();
  return spec;
}

json metadata_of(const ModelSpec& spec) {
  json metadata = {{"model_type", name_of(spec.kind)},
                   {"observation_space_size", spec.observation_size},
                   {"action_space_size", spec.action_size},
                   {"activation", name_of(spec.activation)}};
  write_model_arguments(spec, metadata);
  metadata["actor_sigma_head"] = spec.actor_sigma_head;
  metadata["discrete"] = spec.discrete;
  json keywords = json::object();
  const ActionSpaceSpec& space = spec.action_space;
  if (space.kind == ActionSpaceKind::box) {
    keywords = {{"x_min", space.x_min}, {"x_max", space.x_max}, {"width", space.width}};
  }
  if (space.kind == ActionSpaceKind::max_norm) keywords["max_norm"] = space.max_norm;
  if (space.kind == ActionSpaceKind::clipped) {
    keywords = {{"x_min", bounds_to_json(space.x_min)}, {"x_max", bounds_to_json(space.x_max)}};
  } else if (space.kind != ActionSpaceKind::free) {
    keywords["eps"] = space.eps;
  }
  metadata["action_space"] = {{"type", to_name(space_names, space.kind)}, {"kw", keywords}};
  return metadata;
}

json contract_to_json(const Contract& contract) {
  json all = {{"model", name_of(contract.model.kind)},
              {"metadata", metadata_of(contract.model)},
              {"provenance", contract.provenance},
              {"timing",
               {{"time_step", contract.timing.time_step},
                {"decision_interval", contract.timing.decision_interval}}},
              {"units",
               {{"length", contract.units.length},
                {"time", contract.units.time},
                {"mass", contract.units.mass}}}};
  const Normalization& normalization = contract.model.normalization;
  if (!normalization.mean.empty()) {
    all["normalization"] = {{"mean", normalization.mean},
                            {"variance", normalization.variance},
                            {"epsilon", normalization.epsilon}};
    if (std::isfinite(normalization.clip)) all["normalization"]["clip"] = normalization.clip;
  }
  if (contract.observation.empty()) return all;
  const ActionSpec& action = contract.action;
  all["observation"] = components_to_json(contract.observation);
  all["action"] = {{"target", name_of(action.target)},
                   {"frame", name_of(action.frame)},
                   {"scale", action.scale},
                   {"drag", action.drag},
                   {"angular_drag", action.angular_drag}};
  if (is_thrust(action.target)) all["action"]["axis"] = action.axis;
  if (action.target == ActionTarget::velocity) all["action"]["bind"] = action.bind;
  if (!action.table.empty()) all["action"]["table"] = action.table;
  return all;
}

}  // namespace dempilot
