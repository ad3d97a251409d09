#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/policy/Metadata.hpp"
#include "core/policy/detail/Arguments.hpp"

namespace dempilot {
namespace {

using detail::Arguments;
using detail::from_name;
using detail::json;
using detail::Names;
using detail::to_name;

constexpr Names<ComponentKind, 15> component_names{
    {{ComponentKind::velocity, "velocity"},
     {ComponentKind::angular_velocity, "angular_velocity"},
     {ComponentKind::goal_direction, "goal_direction"},
     {ComponentKind::goal_displacement, "goal_displacement"},
     {ComponentKind::lidar, "lidar"},
     {ComponentKind::neighbors, "neighbors"},
     {ComponentKind::contact_force, "contact_force"},
     {ComponentKind::contact_count, "contact_count"},
     {ComponentKind::wall_distance, "wall_distance"},
     {ComponentKind::wall_direction, "wall_direction"},
     {ComponentKind::quaternion, "quaternion"},
     {ComponentKind::director, "director"},
     {ComponentKind::previous_action, "previous_action"},
     {ComponentKind::time_since_reset, "time_since_reset"},
     {ComponentKind::field, "field"}}};

/// So that their list, however it is spelt, fits into an attribute again.
constexpr std::size_t max_components = 1024;

constexpr double unbounded = std::numeric_limits<double>::infinity();

int read_dimensions(Arguments& arguments) {
  const std::size_t dimensions = arguments.width("dimensions", 1);
  if (dimensions > 3) arguments.refuse("dimensions", "1, 2 or 3");
  return static_cast<int>(dimensions);
}

double read_positive(Arguments& arguments, const char* key, std::optional<double> fallback = {}) {
  const double value = arguments.number(key, fallback);
  if (value <= 0) arguments.refuse(key, "a positive number");
  return value;
}

/// The only one that is infinite where it is not said.
double read_bound(Arguments& arguments, const char* key) {
  return arguments.has(key) ? read_positive(arguments, key) : unbounded;
}

void read_lidar(Arguments& arguments, ObservationComponent& component) {
  component.range = read_positive(arguments, "range");
  component.n_azimuth = static_cast<int>(arguments.width("n_azimuth", 1));
  component.n_elevation = static_cast<int>(arguments.width("n_elevation", 0, 0));
  component.walls = arguments.flag("walls", false);
  component.bind = arguments.name("bind", "targets");
}

void read_neighbors(Arguments& arguments, ObservationComponent& component) {
  component.range = read_positive(arguments, "range");
  const std::size_t count = arguments.width("count", 1);
  if (count > std::size_t{max_neighbors})
    arguments.refuse("count", fmt::format("1 to {}", max_neighbors));
  component.count = static_cast<int>(count);
  component.dimensions = read_dimensions(arguments);
  component.relative_velocity = arguments.flag("velocity", false);
  component.radius = arguments.flag("radius", false);
  component.type = arguments.flag("type", false);
  component.bind = arguments.name("bind", "targets");
}

void read_director(Arguments& arguments, ObservationComponent& component) {
  component.dimensions = read_dimensions(arguments);
  component.axis = static_cast<int>(arguments.width("axis", 0, 0));
  if (component.axis > 2) arguments.refuse("axis", "0, 1 or 2");
}

void read_arguments(Arguments& arguments, ObservationComponent& component) {
  switch (component.kind) {
    case ComponentKind::velocity:
    case ComponentKind::angular_velocity:
    case ComponentKind::contact_force:
      component.dimensions = read_dimensions(arguments);
      break;
    case ComponentKind::goal_displacement:
      component.clip = read_positive(arguments, "clip", 3.0);
      [[fallthrough]];
    case ComponentKind::goal_direction:
      component.bind = arguments.name("bind", "goal");
      component.dimensions = read_dimensions(arguments);
      break;
    case ComponentKind::lidar:
      return read_lidar(arguments, component);
    case ComponentKind::neighbors:
      return read_neighbors(arguments, component);
    case ComponentKind::contact_count:
      component.walls = arguments.flag("walls", false);
      component.bind = arguments.name("bind", "targets");
      break;
    case ComponentKind::wall_direction:
      component.dimensions = read_dimensions(arguments);
      [[fallthrough]];
    case ComponentKind::wall_distance:
      component.range = read_positive(arguments, "range");
      component.bind = arguments.name("bind", "walls");
      break;
    case ComponentKind::director:
      return read_director(arguments, component);
    case ComponentKind::field:
      component.bind = arguments.name("bind", {});
      [[fallthrough]];
    case ComponentKind::previous_action:
      component.dimensions = static_cast<int>(arguments.width("dimensions", 1));
      break;
    case ComponentKind::time_since_reset:
      component.clip = read_bound(arguments, "clip");
      break;
    case ComponentKind::quaternion:
      break;
  }
}

ObservationComponent read_component(const json& item, const std::string& source) {
  Arguments arguments(item, "an observation component", source);
  ObservationComponent component;
  component.kind =
      from_name(component_names, arguments.text("name"), "observation component", source);
  read_arguments(arguments, component);
  if (has_frame(component.kind))
    component.frame = frame_from_name(arguments.text("frame", "lab"), source);
  arguments.refuse_unknown_keys();
  return component;
}

json to_json(const ObservationComponent& component) {
  json item = {{"name", name_of(component.kind)}};
  const auto put_dimensions = [&] { item["dimensions"] = component.dimensions; };
  switch (component.kind) {
    case ComponentKind::lidar:
      item["n_azimuth"] = component.n_azimuth;
      item["n_elevation"] = component.n_elevation;
      item["range"] = component.range;
      item["walls"] = component.walls;
      break;
    case ComponentKind::neighbors:
      put_dimensions();
      item["range"] = component.range;
      item["count"] = component.count;
      item["velocity"] = component.relative_velocity;
      item["radius"] = component.radius;
      item["type"] = component.type;
      break;
    case ComponentKind::contact_count:
      item["walls"] = component.walls;
      break;
    case ComponentKind::wall_direction:
      put_dimensions();
      [[fallthrough]];
    case ComponentKind::wall_distance:
      item["range"] = component.range;
      break;
    case ComponentKind::director:
      put_dimensions();
      item["axis"] = component.axis;
      break;
    case ComponentKind::goal_displacement:
      put_dimensions();
      item["clip"] = component.clip;
      break;
    case ComponentKind::time_since_reset:
      if (std::isfinite(component.clip)) item["clip"] = component.clip;
      break;
    case ComponentKind::quaternion:
      break;
    default:
      put_dimensions();
  }
  if (!component.bind.empty()) item["bind"] = component.bind;
  if (component.frame == Frame::body) item["frame"] = name_of(component.frame);
  return item;
}

}  // namespace

std::string name_of(ComponentKind kind) {
  return to_name(component_names, kind);
}

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
  for (const ObservationComponent& component : components)
    list.push_back(to_json(component));
  return list;
}

}  // namespace dempilot
