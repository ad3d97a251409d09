#pragma once

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <limits>
#include <span>

#include "core/observe/Borrowed.hpp"
#include "core/observe/CellList.hpp"
#include "core/observe/Launch.hpp"
#include "core/observe/Lidar.hpp"
#include "core/observe/Motion.hpp"
#include "core/observe/NearestWall.hpp"
#include "core/observe/Neighbors.hpp"
#include "core/observe/Scene.hpp"
#include "core/policy/Contract.hpp"

namespace dempilot {

/// A scene's arrays as views, and the launches of the observation kernels over them; `rows` are
/// (agents, width), `column` is the first of a component's entries in them.
template <class Real, class ExecutionSpace>
class SceneObserver {
 public:
  SceneObserver(const ExecutionSpace& space, const Scene& scene, std::span<Real> rows,
                std::size_t width)
      : space_(space),
        scene_(scene),
        agent_count_(scene.agents.size()),
        position_(scene.position, scene.particle_count),
        agents_(scene.agents.data(), agent_count_),
        orientation_(scene.orientation, scene.orientation == nullptr ? 0 : agent_count_),
        rows_(rows.data(), agent_count_, width) {}

  /// A vector of each of the rank's own particles, in the scene's units.
  void observe_motion(const ObservationComponent& component, const double* vector, double unit,
                      std::size_t column) const {
    const bool planar = component.kind == ComponentKind::angular_velocity;
    run(VectorKernel<Real, ExecutionSpace>{
        Vectors(vector, scene_.particle_count), agents_, axes(component), rows_, column,
        planar && component.dimensions == 1 ? 2 : 0, component.dimensions, 1 / unit});
  }

  void observe_contact_force(const ObservationComponent& component, std::size_t column) const {
    run(VectorKernel<Real, ExecutionSpace>{Vectors(scene_.contact_force, agent_count_), Indices(),
                                           axes(component), rows_, column, 0, component.dimensions,
                                           1 / scene_.scales.force()});
  }

  void observe_goal(const ObservationComponent& component, const double* goal,
                    std::size_t column) const {
    const GoalOffset<ExecutionSpace> offset{position_,
                                            agents_,
                                            Vectors(goal, agent_count_),
                                            {scene_.period[0], scene_.period[1], scene_.period[2]},
                                            axes(component)};
    if (component.kind == ComponentKind::goal_direction)
      run(GoalDirectionKernel<Real, ExecutionSpace>{offset, rows_, column, component.dimensions});
    else
      run(GoalDisplacementKernel<Real, ExecutionSpace>{offset, rows_, column, component.dimensions,
                                                       component.clip, 1 / scene_.scales.length});
  }

  /// `cell_width` is in the scene's units.
  void build(CellList<ExecutionSpace>& list, const SeenParticles& seen, double cell_width) const {
    list.build(space_, Vectors(seen.position, seen.count), Identities(seen.identity, seen.count),
               cell_width);
  }

  void observe_lidar(const ObservationComponent& lidar, const CellList<ExecutionSpace>& list,
                     const SeenParticles& seen, const SeenWalls& walls, std::size_t column) const {
    run(LidarKernel<Real, ExecutionSpace>{{lidar.n_azimuth, lidar.n_elevation},
                                          lidar.range * scene_.scales.length,
                                          neighborhood(list, seen),
                                          view(walls),
                                          axes(lidar),
                                          rows_,
                                          column});
  }

  void observe_neighbors(const ObservationComponent& component,
                         const CellList<ExecutionSpace>& list, const SeenParticles& seen,
                         std::size_t column) const {
    const Scales& scales = scene_.scales;
    run(NeighborsKernel<Real, ExecutionSpace>{
        neighborhood(list, seen), component.range * scales.length, component.count,
        component.dimensions, Vectors(seen.position, seen.count),
        Vectors(seen.velocity, component.relative_velocity ? seen.count : 0),
        Numbers(seen.radius, component.radius ? seen.count : 0),
        Indices(seen.type, component.type ? seen.count : 0),
        Vectors(scene_.velocity, scene_.velocity == nullptr ? 0 : scene_.particle_count),
        axes(component), component.entries_per_neighbor(), 1 / scales.length, 1 / scales.velocity(),
        rows_, column});
  }

  void observe_contact_count(const CellList<ExecutionSpace>& list, const SeenParticles& seen,
                             const SeenWalls& walls, std::size_t column) const {
    run(ContactCountKernel<Real, ExecutionSpace>{
        neighborhood(list, seen), seen.contact_range, Numbers(seen.radius, seen.count),
        Numbers(scene_.radius, scene_.particle_count), view(walls), rows_, column});
  }

  void observe_wall(const ObservationComponent& component, const SeenWalls& walls,
                    std::size_t column) const {
    const double length = scene_.scales.length;
    const bool direction = component.kind == ComponentKind::wall_direction;
    run(NearestWallKernel<Real, ExecutionSpace>{view(walls), axes(component),
                                                component.range * length, 1 / length, rows_, column,
                                                direction ? component.dimensions : 0});
  }

  void observe_orientation(const ObservationComponent& component, std::size_t column) const {
    if (component.kind == ComponentKind::quaternion)
      run(QuaternionKernel<Real, ExecutionSpace>{orientation_, rows_, column});
    else
      run(DirectorKernel<Real, ExecutionSpace>{orientation_, rows_, column, component.axis,
                                               component.dimensions});
  }

  /// `values` (agents, entries), in multiples of `unit`, at most `most`.
  template <class Value>
  void observe_columns(const Value* values, int entries, std::size_t column, double unit = 1,
                       double most = std::numeric_limits<double>::infinity()) const {
    run(ColumnsKernel<Real, Value, ExecutionSpace>{
        Borrowed<const Value**, ExecutionSpace>(values, agent_count_,
                                                static_cast<std::size_t>(entries)),
        rows_, column, 1 / unit, most});
  }

 private:
  using Vectors = Borrowed<const double* [3], ExecutionSpace>;
  using Numbers = Borrowed<const double*, ExecutionSpace>;
  using Indices = Borrowed<const std::int32_t*, ExecutionSpace>;
  using Identities = Borrowed<const std::int64_t*, ExecutionSpace>;
  using Walls = Borrowed<const double** [3], ExecutionSpace>;

  AgentAxes<ExecutionSpace> axes(const ObservationComponent& component) const {
    return component.frame == Frame::body ? AgentAxes<ExecutionSpace>{orientation_}
                                          : AgentAxes<ExecutionSpace>{};
  }

  Neighborhood<ExecutionSpace> neighborhood(const CellList<ExecutionSpace>& list,
                                            const SeenParticles& seen) const {
    return {list, Identities(seen.identity, seen.count), position_, agents_,
            Identities(scene_.identity, agent_count_)};
  }

  Walls view(const SeenWalls& walls) const {
    return Walls(walls.vector, agent_count_, walls.per_agent);
  }

  template <class Kernel>
  void run(const Kernel& kernel) const {
    launch(space_, agent_count_, kernel);
  }

  ExecutionSpace space_;
  const Scene& scene_;
  std::size_t agent_count_;
  Vectors position_;
  Indices agents_;
  Borrowed<const double* [4], ExecutionSpace> orientation_;
  Borrowed<Real**, ExecutionSpace> rows_;
};

}  // namespace dempilot
