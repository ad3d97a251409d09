#include "core/observe/Walls.hpp"

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

  double* wall = walls.data();
  for (const std::int32_t agent : agents) {
    for (std::size_t face = 0; face < faces; ++face, wall += 3)
      box.find(static_cast<int>(face), position + 3 * static_cast<std::size_t>(agent), wall);
  }
}

}  // namespace dempilot
