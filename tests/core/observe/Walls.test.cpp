#include "core/observe/Walls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/Error.hpp"

namespace dempilot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double nowhere = std::numeric_limits<double>::infinity();
const std::vector<double> position{9, 9, 9, 1, 2, 3};
const WallBox room{{0, -1, 0}, {10, 5, 7}, {true, true, true, true, true, true}};

std::vector<double> walls_of(const WallBox& box, int dimension,
                             const std::vector<std::int32_t>& agents) {
  std::vector<double> walls(agents.size() * 2 * static_cast<std::size_t>(dimension) * 3, -7);
  box_walls(box, dimension, position.data(), agents, walls);
  return walls;
}

TEST(BoxWalls, point_from_the_agent_to_lower_and_upper_face_of_each_axis) {
  EXPECT_THAT(walls_of(room, 3, {1}), ElementsAre(-1, 0, 0, 9, 0, 0,    // x
                                                  0, -3, 0, 0, 3, 0,    // y
                                                  0, 0, -3, 0, 0, 4));  // z
}

TEST(BoxWalls, have_no_floor_in_two_dimensions) {
  EXPECT_THAT(walls_of(room, 2, {1}), ElementsAre(-1, 0, 0, 9, 0, 0, 0, -3, 0, 0, 3, 0));
}

TEST(BoxWalls, are_nowhere_where_a_face_is_periodic) {
  const WallBox channel{{0, -1, 0}, {10, 5, 7}, {false, false, true, false, false, false}};
  EXPECT_THAT(walls_of(channel, 2, {1}), ElementsAre(nowhere, nowhere, nowhere, nowhere, nowhere,
                                                     nowhere, 0, -3, 0, nowhere, nowhere, nowhere));
}

TEST(BoxWalls, stand_one_agent_after_the_other) {
  const auto walls = walls_of(room, 3, {1, 0});
  ASSERT_EQ(walls.size(), 36U);
  EXPECT_EQ(walls[18], -9);
  EXPECT_EQ(walls[35], -2);
  EXPECT_TRUE(walls_of(room, 3, {}).empty());
}

TEST(BoxWalls, have_no_negative_zeros) {
  for (const double value : walls_of(room, 3, {1}))
    EXPECT_FALSE(value == 0 && std::signbit(value));
}

TEST(BoxWalls, refuse_other_dimensions_and_sizes) {
  std::vector<double> walls(12);
  const std::vector<std::int32_t> agents{1};
  EXPECT_THAT(
      [&] { box_walls(room, 4, position.data(), agents, walls); },
      ThrowsMessage<Error>(HasSubstr("the dimension of a box with walls is 4 (it is 2 or 3)")));
  EXPECT_THAT([&] { box_walls(room, 3, position.data(), agents, walls); },
              ThrowsMessage<Error>(HasSubstr(
                  "the array of walls has 12 places (agents x faces x 3 = 1 x 6 x 3 are needed)")));
}

}  // namespace
}  // namespace dempilot
