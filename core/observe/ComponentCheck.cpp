#include "core/observe/ComponentCheck.hpp"

#include <algorithm>
#include <cmath>

#include "core/Error.hpp"

namespace dempilot {
namespace {

/// A policy of more inputs is a mistake, and bins are counted in int.
constexpr int most_bins = 1 << 20;

/// Whether a component senses up to its `range`.
bool has_range(ComponentKind kind) {
  return kind == ComponentKind::lidar || kind == ComponentKind::neighbors ||
         kind == ComponentKind::wall_distance || kind == ComponentKind::wall_direction;
}

void check_lidar(const ObservationComponent& lidar, const std::string& where) {
  if (lidar.n_azimuth < 1)
    fail("{} has {} bins over the azimuth (at least 1 is needed) correct `n_azimuth`", where,
         lidar.n_azimuth);
  if (lidar.n_elevation < 0)
    fail(
        "{} has {} bins over the elevation (0 is the planar form, 1 and more the spherical) "
        "correct `n_elevation`",
        where, lidar.n_elevation);
  if (lidar.n_azimuth > most_bins / std::max(1, lidar.n_elevation))
    fail("{} has {} x {} bins ({} are the most) correct `n_azimuth` and `n_elevation`", where,
         lidar.n_azimuth, std::max(1, lidar.n_elevation), most_bins);
}

void check_sizes(const ObservationComponent& component, const std::string& where) {
  const ComponentKind kind = component.kind;
  if (is_vector(kind) && (component.dimensions < 1 || component.dimensions > 3))
    fail("{} has {} dimensions (1, 2 or 3 are possible) correct `dimensions`", where,
         component.dimensions);
  if ((kind == ComponentKind::previous_action || kind == ComponentKind::field) &&
      component.dimensions < 1)
    fail("{} has {} entries (at least 1 is needed) correct `dimensions`", where,
         component.dimensions);
  if (kind == ComponentKind::neighbors && (component.count < 1 || component.count > max_neighbors))
    fail("{} lists {} neighbors (1 to {} are possible) correct `count`", where, component.count,
         max_neighbors);
  if (kind == ComponentKind::director && (component.axis < 0 || component.axis > 2))
    fail("{} is axis {} (0, 1 and 2 are the body's x, y and z) correct `axis`", where,
         component.axis);
}

}  // namespace

BindingKind binding_of(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::goal_direction:
    case ComponentKind::goal_displacement:
      return BindingKind::goal;
    case ComponentKind::lidar:
    case ComponentKind::neighbors:
    case ComponentKind::contact_count:
      return BindingKind::targets;
    case ComponentKind::wall_distance:
    case ComponentKind::wall_direction:
      return BindingKind::walls;
    case ComponentKind::field:
      return BindingKind::field;
    default:
      return BindingKind::nothing;
  }
}

void check_component(const ObservationComponent& component, std::size_t index) {
  const ComponentKind kind = component.kind;
  const std::string where = fmt::format("observation component {} ({})", index, name_of(kind));
  // a range whose square overflows or vanishes cannot be compared with a distance
  if (has_range(kind) &&
      (!(component.range > 0) || !std::isnormal(component.range * component.range)))
    fail("{} has range {} (it is a distance: positive and finite) correct `range`", where,
         component.range);
  if (kind == ComponentKind::lidar) check_lidar(component, where);
  check_sizes(component, where);
  const bool clips =
      kind == ComponentKind::goal_displacement || kind == ComponentKind::time_since_reset;
  if (clips && !(component.clip > 0))
    fail("{} clips to +-{} (the bound is positive) correct `clip`", where, component.clip);
  if (binding_of(kind) != BindingKind::nothing && component.bind.empty())
    fail("{} names nothing to bind (the simulation must know what it looks at) give `bind` a name",
         where);
}

}  // namespace dempilot
