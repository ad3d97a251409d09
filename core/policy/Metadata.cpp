#include "core/policy/Metadata.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/Error.hpp"

namespace dempilot {
namespace {

using nlohmann::json;

template <class Value, std::size_t N>
using Names = std::array<std::pair<Value, const char*>, N>;

constexpr Names<ModelKind, 4> model_names{{{ModelKind::lstm_actor_critic, "LSTMActorCritic"},
                                           {ModelKind::min_gru_actor_critic, "MinGRUActorCritic"},
                                           {ModelKind::shared_actor_critic, "SharedActorCritic"},
                                           {ModelKind::actor_critic, "ActorCritic"}}};
constexpr Names<Activation, 6> activation_names{{{Activation::gelu, "gelu"},
                                                 {Activation::tanh, "tanh"},
                                                 {Activation::relu, "relu"},
                                                 {Activation::silu, "silu"},
                                                 {Activation::elu, "elu"},
                                                 {Activation::sigmoid, "sigmoid"}}};
constexpr Names<ActionSpaceKind, 3> space_names{{{ActionSpaceKind::free, "Free"},
                                                 {ActionSpaceKind::box, "Box"},
                                                 {ActionSpaceKind::max_norm, "MaxNorm"}}};
constexpr Names<ComponentKind, 5> component_names{
    {{ComponentKind::velocity, "velocity"},
     {ComponentKind::angular_velocity, "angular_velocity"},
     {ComponentKind::goal_direction, "goal_direction"},
     {ComponentKind::goal_displacement, "goal_displacement"},
     {ComponentKind::lidar, "lidar"}}};
constexpr Names<ModelVariant, 2> variant_names{
    {{ModelVariant::seed, "seed"}, {ModelVariant::current, "current"}}};

/// So that their list, however it is spelt, fits into an attribute again.
constexpr std::size_t max_components = 1024;

template <class Value, std::size_t N>
std::string to_name(const Names<Value, N>& names, Value value) {
  return std::find_if(names.begin(), names.end(), [&](auto& n) { return n.first == value; })
      ->second;
}

template <class Value, std::size_t N>
Value from_name(const Names<Value, N>& names, const std::string& name, const std::string& what,
                const std::string& source) {
  std::vector<std::string> known;
  for (const auto& [value, spelling] : names) {
    if (name == spelling) return value;
    known.emplace_back(spelling);
  }
  fail("'{}': unknown {} '{}' (known: {}) convert the policy to one of these", source, what,
       excerpt(name), fmt::join(known, ", "));
}

/// A JSON object whose keys are asked for one by one; what nobody asked for is an error in the end.
class Arguments {
 public:
  Arguments(const json& object, std::string what, std::string source)
      : object_(object), what_(std::move(what)), source_(std::move(source)) {
    if (!object_.is_object()) fail("'{}': {} is no JSON object (write one)", source_, what_);
  }

  bool has(const char* key) {
    used_.emplace_back(key);
    return object_.contains(key) && !object_[key].is_null();
  }

  const json& raw(const char* key) {
    if (!has(key)) fail("'{}': {} lacks '{}' (it is required) add it", source_, what_, key);
    return object_[key];
  }

  std::string text(const char* key, std::optional<std::string> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    if (!raw(key).is_string()) refuse(key, "a string");
    return object_[key].get<std::string>();
  }

  /// What a simulation binds: input scripts and messages spell it.
  std::string name(const char* key, const std::string& fallback) {
    std::string value = text(key, fallback);
    if (value.empty() || excerpt(value) != value) {
      refuse(key, "a name of 1 to 80 printable characters");
    }
    return value;
  }

  double number(const char* key, std::optional<double> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    if (!raw(key).is_number() || !std::isfinite(object_[key].get<double>())) {
      refuse(key, "a finite number");
    }
    return object_[key].get<double>();
  }

  bool flag(const char* key, bool fallback) {
    if (absent(key, true)) return fallback;
    if (!raw(key).is_boolean()) refuse(key, "true or false");
    return object_[key].get<bool>();
  }

  std::size_t width(const char* key, std::size_t least, std::optional<std::size_t> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    return checked_width(raw(key), key, least);
  }

  std::vector<std::size_t> widths(const char* key, std::size_t most) {
    const json& list = raw(key);
    if (!list.is_array() || list.empty() || list.size() > most) {
      refuse(key, fmt::format("a list of 1 to {} widths", most));
    }
    std::vector<std::size_t> values;
    for (const json& item : list)
      values.push_back(checked_width(item, key, 1));
    return values;
  }

  /// `count` numbers: a list of so many or of one, or one number for all.
  std::vector<double> numbers(const char* key, std::size_t count) {
    const json& value = raw(key);
    const json list = value.is_array() ? value : json::array({value});
    const bool all_finite = std::all_of(list.begin(), list.end(), [](const json& item) {
      return item.is_number() && std::isfinite(item.get<double>());
    });
    if (!all_finite || (list.size() != 1 && list.size() != count)) {
      refuse(key, fmt::format("one finite number or {} of them", count));
    }
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = list[list.size() == 1 ? 0 : i].get<double>();
    return values;
  }

  void ignore(std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      used_.emplace_back(key);
  }

  [[noreturn]] void refuse(const char* key, const std::string& expected) const {
    fail("'{}': {} has '{}' = {} ({} expected) correct it", source_, what_, key,
         excerpt(object_.value(key, json()).dump()), expected);
  }

  /// Call when all known keys have been asked for.
  void refuse_unknown_keys() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(used_.begin(), used_.end(), key) == used_.end()) {
        fail("'{}': {} has the unknown key '{}' (a misspelling, or a newer format) remove it",
             source_, what_, excerpt(key));
      }
    }
  }

 private:
  bool absent(const char* key, bool optional) {
    used_.emplace_back(key);
    return optional && !has(key);
  }

  std::size_t checked_width(const json& value, const char* key, std::size_t least) const {
    const bool good = value.is_number_integer() &&
                      value.get<std::int64_t>() >= static_cast<std::int64_t>(least) &&
                      value.get<std::int64_t>() <= static_cast<std::int64_t>(max_width);
    if (!good) refuse(key, fmt::format("an integer from {} to {}", least, max_width));
    return value.get<std::size_t>();
  }

  const json& object_;
  std::string what_;
  std::string source_;
  std::vector<std::string> used_;
};

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

/// The arguments that only this kind of model has.
void read_model_arguments(Arguments& arguments, ModelSpec& spec, const std::string& source) {
  switch (spec.kind) {
    case ModelKind::lstm_actor_critic:
      return read_lstm(arguments, spec, source);
    case ModelKind::min_gru_actor_critic:
      spec.hidden_features = arguments.width("hidden_features", 1, 64);
      spec.gru_features = arguments.width("gru_features", 1, 128);
      spec.num_layers = arguments.width("num_layers", 1, 1);
      if (spec.num_layers > max_layer_count) {
        arguments.refuse("num_layers", fmt::format("at most {}", max_layer_count));
      }
      return;
    case ModelKind::shared_actor_critic:
      spec.architecture = arguments.widths("architecture", max_layer_count);
      return;
    case ModelKind::actor_critic:
      spec.architecture = arguments.widths("actor_architecture", max_layer_count);
      spec.critic_architecture = arguments.widths("critic_architecture", max_layer_count);
      return;
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
  }
}

}  // namespace

std::string name_of(ModelKind kind) {
  return to_name(model_names, kind);
}
std::string name_of(Activation activation) {
  return to_name(activation_names, activation);
}
std::string name_of(ComponentKind kind) {
  return to_name(component_names, kind);
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
  if (space.kind != ActionSpaceKind::free) {
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
  if (space.kind != ActionSpaceKind::free) keywords["eps"] = space.eps;
  metadata["action_space"] = {{"type", to_name(space_names, space.kind)}, {"kw", keywords}};
  return metadata;
}

namespace {

ObservationComponent read_component(const json& item, const std::string& source) {
  Arguments arguments(item, "an observation component", source);
  ObservationComponent component;
  component.kind =
      from_name(component_names, arguments.text("name"), "observation component", source);
  switch (component.kind) {
    case ComponentKind::lidar:
      component.range = arguments.number("range");
      if (component.range <= 0) arguments.refuse("range", "a positive number");
      component.n_azimuth = static_cast<int>(arguments.width("n_azimuth", 1));
      component.n_elevation = static_cast<int>(arguments.width("n_elevation", 0, 0));
      component.walls = arguments.flag("walls", false);
      component.bind = arguments.name("bind", "targets");
      break;
    case ComponentKind::goal_displacement:
      component.clip = arguments.number("clip", 3.0);
      if (component.clip <= 0) arguments.refuse("clip", "a positive number");
      [[fallthrough]];
    case ComponentKind::goal_direction:
      component.bind = arguments.name("bind", "goal");
      [[fallthrough]];
    default:
      component.dimensions = static_cast<int>(arguments.width("dimensions", 1));
      if (component.dimensions > 3) arguments.refuse("dimensions", "1, 2 or 3");
  }
  arguments.refuse_unknown_keys();
  return component;
}

}  // namespace

std::vector<ObservationComponent> components_from_json(const json& list,
                                                       const std::string& source) {
  if (!list.is_array()) fail("'{}': observation 'components' is no JSON list (write one)", source);
  if (list.size() > max_components) {
    fail("'{}': observation 'components' lists {} of them (at most {} are read) remove some",
         source, list.size(), max_components);
  }
  std::vector<ObservationComponent> components;
  for (const json& item : list)
    components.push_back(read_component(item, source));
  return components;
}

json components_to_json(const std::vector<ObservationComponent>& components) {
  json list = json::array();
  for (const ObservationComponent& component : components) {
    json item = {{"name", name_of(component.kind)}};
    if (component.kind == ComponentKind::lidar) {
      item["range"] = component.range;
      item["n_azimuth"] = component.n_azimuth;
      item["n_elevation"] = component.n_elevation;
      item["walls"] = component.walls;
    } else {
      item["dimensions"] = component.dimensions;
    }
    if (component.kind == ComponentKind::goal_displacement) item["clip"] = component.clip;
    if (!component.bind.empty()) item["bind"] = component.bind;
    list.push_back(item);
  }
  return list;
}

}  // namespace dempilot
