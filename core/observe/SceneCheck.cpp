#include "core/observe/SceneCheck.hpp"

#include <string>

#include "core/Error.hpp"

namespace dempilot {
namespace {

const std::string& name_of_need(const std::string& name) {
  return name;
}
template <class Needs>
const std::string& name_of_need(const Needs& needs) {
  return needs.name;
}

template <class Given, class Needs>
void require_names(const std::vector<Given>& given, const std::vector<Needs>& needs,
                   const char* what) {
  if (given.size() == needs.size()) return;
  std::string names;
  for (const Needs& need : needs)
    names += (names.empty() ? "" : ", ") + name_of_need(need);
  fail("the scene holds {} {} (the policy binds {}) bind these, in this order", given.size(), what,
       names.empty() ? "none" : names);
}

void require(const void* array, const char* what, const std::string& whose) {
  if (array == nullptr)
    fail("the scene holds no {} (the policy's `{}` needs it) show the observer this array", what,
         whose);
}

/// The name is made only to be told.
void require(const void* array, const char* what, ComponentKind whose) {
  if (array == nullptr) require(array, what, name_of(whose));
}

void check_agents(const ObservationComponent& component, const Scene& scene) {
  const ComponentKind whose = component.kind;
  switch (component.kind) {
    case ComponentKind::velocity:
      return require(scene.velocity, "velocities", whose);
    case ComponentKind::angular_velocity:
      return require(scene.angular_velocity, "angular velocities", whose);
    case ComponentKind::goal_direction:
    case ComponentKind::goal_displacement:
      return require(scene.position, "positions", whose);
    case ComponentKind::lidar:
    case ComponentKind::neighbors:
    case ComponentKind::contact_count:
      require(scene.position, "positions", whose);
      require(scene.identity, "identities", whose);
      if (component.relative_velocity) require(scene.velocity, "velocities", whose);
      if (component.kind == ComponentKind::contact_count) require(scene.radius, "radii", whose);
      return;
    case ComponentKind::contact_force:
      return require(scene.contact_force, "contact forces", whose);
    case ComponentKind::quaternion:
    case ComponentKind::director:
      return require(scene.orientation, "orientations", whose);
    case ComponentKind::previous_action:
      return require(scene.previous_action, "previous actions", whose);
    case ComponentKind::time_since_reset:
      return require(scene.time_since_reset, "times since reset", whose);
    default:
      return;
  }
}

void check_targets(const TargetNeeds& needs, const SeenParticles& seen) {
  if (seen.count == 0) return;
  require(seen.position, "positions of what is seen", needs.name);
  require(seen.identity, "identities of what is seen", needs.name);
  if (needs.velocity) require(seen.velocity, "velocities of what is seen", needs.name);
  if (needs.radius) require(seen.radius, "radii of what is seen", needs.name);
  if (needs.type) require(seen.type, "types of what is seen", needs.name);
}

}  // namespace

void check_scene(const Observer& observer, const std::vector<ObservationComponent>& components,
                 const Scene& scene, std::size_t row_values) {
  require_names(scene.goals, observer.goals(), "goals");
  require_names(scene.targets, observer.target_groups(), "groups of targets");
  require_names(scene.walls, observer.wall_sets(), "sets of walls");
  require_names(scene.fields, observer.fields(), "fields");
  if (row_values != scene.agents.size() * observer.width())
    fail(
        "the observation rows hold {} values ({} agents x {} are needed) size them for these "
        "agents",
        row_values, scene.agents.size(), observer.width());
  if (scene.agents.empty()) return;  // and then engines have no arrays to show

  for (const ObservationComponent& component : components) {
    check_agents(component, scene);
    if (component.frame == Frame::body) require(scene.orientation, "orientations", component.kind);
  }
  for (std::size_t n = 0; n < scene.goals.size(); ++n)
    require(scene.goals[n], "positions of a goal", observer.goals()[n]);
  for (std::size_t n = 0; n < scene.targets.size(); ++n)
    check_targets(observer.target_groups()[n], scene.targets[n]);
  for (std::size_t n = 0; n < scene.walls.size(); ++n)
    if (scene.walls[n].per_agent > 0)
      require(scene.walls[n].vector, "walls", observer.wall_sets()[n].name);
  for (std::size_t n = 0; n < scene.fields.size(); ++n)
    require(scene.fields[n], "values of a field", observer.fields()[n].name);
}

}  // namespace dempilot
