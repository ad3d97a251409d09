#include "core/observe/simd/CellNumbers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>

/// The numbers of each instruction set against those of one point after the other.
namespace dempilot::observe_simd {
namespace {

constexpr CellBox box{{-1.5, 0.25, -4.0}, 1 / 0.7, {7, 5, 3}};
constexpr Region region{{-1.0, -10.0, -4.0}, {9.0, 3.0, 9.0}};

std::int32_t number_of(const double* point) {
  std::int64_t number = 0;
  bool inside = true;
  for (std::size_t d = 3; d-- > 0;) {
    if (!(point[d] >= region.lower[d] && point[d] <= region.upper[d]))
      return static_cast<std::int32_t>(box.count() + 1);
    const double place = std::floor((point[d] - box.lower[d]) * box.inverse_width);
    inside = inside && place >= 0 && place < static_cast<double>(box.cells[d]);
    if (inside) number = number * box.cells[d] + static_cast<std::int64_t>(place);
  }
  return static_cast<std::int32_t>(inside ? number : box.count());
}

/// In and around the box, on the edges of cells and of the region, and nowhere.
std::vector<double> points() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> coordinates = {region.lower[0], region.upper[1], infinity, -infinity, nan,
                                     1e300,           -1e300,          0.0,      -0.0};
  for (int edge = -1; edge < 9; ++edge) {
    for (const double low : box.lower) {
      const double x = low + edge * 0.7;
      coordinates.insert(coordinates.end(), {x, std::nextafter(x, infinity)});
    }
  }
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> any(0, coordinates.size() - 1);
  std::uniform_real_distribution<double> near(-6, 6);
  std::vector<double> all;
  for (int n = 0; n < 9000; ++n)
    for (int d = 0; d < 3; ++d)
      all.push_back(n % 2 == 0 ? near(random) : coordinates[any(random)]);
  return all;
}

class EachCellNumbers : public testing::TestWithParam<const CellNumbers*> {};
INSTANTIATE_TEST_SUITE_P(Simd, EachCellNumbers, testing::ValuesIn(supported_cell_numbers()),
                         [](const auto& instance) { return std::string(instance.param->name); });

TEST_P(EachCellNumbers, AreThoseOfEachPoint) {
  const std::vector<double> all = points();
  std::vector<std::int32_t> found(all.size() / 3);
  GetParam()->find(box, region, all.data(), found.size(), found.data());
  std::vector<std::size_t> of_a_kind(3);  // inside, outside, elsewhere
  for (std::size_t n = 0; n < found.size(); ++n) {
    ASSERT_EQ(found[n], number_of(all.data() + 3 * n)) << n;
    ++of_a_kind[static_cast<std::size_t>(std::max<std::int64_t>(0, found[n] - box.count() + 1))];
  }
  for (const std::size_t count : of_a_kind)
    EXPECT_GT(count, 100U);
}

TEST_P(EachCellNumbers, AreOfAsManyAsWereAskedFor) {
  const std::vector<double> all = points();
  for (std::size_t count = 0; count < 40; ++count) {
    std::vector<double> some(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(3 * count));
    some.shrink_to_fit();  // no room to read behind them
    std::vector<std::int32_t> found(count + 1, -7);
    GetParam()->find(box, region, some.data(), count, found.data());
    for (std::size_t n = 0; n < count; ++n)
      ASSERT_EQ(found[n], number_of(some.data() + 3 * n)) << count << " " << n;
    EXPECT_EQ(found[count], -7);
  }
}

}  // namespace
}  // namespace dempilot::observe_simd
