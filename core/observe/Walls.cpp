#include "core/observe/Walls.hpp"

#include <limits>

#include "core/Error.hpp"

namespace dempilot {

void box_walls(const WallBox& box, int dimension, const double* position,
               std::span<const std::int32_t> agents, std::span<double> walls) {
  if (dimension != 2 && dimension != 3)
    fail("the dimension of a box with walls is {} (it is 2 or 3) give the simulation's dimension",
         dimension);
  const std::size_t faces = 2 * static_cast<std::size_t>(dimension);
  if (walls.size() != agents.size() * faces * 3)
    fail(
        "the array of walls has {} places (agents x faces x 3 = {} x {} x 3 are needed) "
        "size it for these agents",
        walls.size(), agents.size(), faces);

  constexpr double nowhere = std::numeric_limits<double>::infinity();
  double* wall = walls.data();
  for (const std::int32_t agent : agents) {
    for (std::size_t face = 0; face < faces; ++face, wall += 3) {
      const std::size_t axis = face / 2;
      const double plane = face % 2 == 0 ? box.lower[axis] : box.upper[axis];
      const double distance = plane - position[3 * static_cast<std::size_t>(agent) + axis];
      for (std::size_t d = 0; d < 3; ++d)
        wall[d] = !box.is_wall[face] ? nowhere : d == axis ? distance : 0.0;
    }
  }
}

}  // namespace dempilot
