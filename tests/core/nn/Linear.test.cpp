#include "core/nn/Linear.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <limits>

#include "tests/core/Models.hpp"
#include "tests/core/nn/Teams.hpp"

namespace dempilot::nn {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Real>
struct ApplyLinear {
  Linear<Real, Space> layer;
  Matrix<Real, Space> in, out;

  template <class Member>
  KOKKOS_FUNCTION void operator()(const Member& team) const {
    const auto x = test::loaded_tile<Real, Space>(team, in);
    const auto y = test::loaded_tile<Real, Space>(team, out);
    layer(team, static_cast<int>(in.extent(0)), x, y);
    test::store_tile<Real, Space>(team, y, out);
  }
};

template <class Real>
RowMajor in_double(const std::vector<Real>& values, std::size_t rows) {
  RowMajor matrix(rows, values.size() / rows);
  for (std::size_t i = 0; i < values.size(); ++i)
    matrix.data()[i] = static_cast<double>(values[i]);
  return matrix;
}

template <class Real>
class LinearLayer : public testing::Test {
 protected:
  /// (rows, padded outputs)
  static std::vector<Real> apply(const Linear<Real, Space>& layer, const std::vector<Real>& in,
                                 std::size_t rows) {
    const auto columns = static_cast<std::size_t>(layer.padded_outputs());
    const std::vector<Real> garbage(rows * columns, std::numeric_limits<Real>::quiet_NaN());
    const auto out = test::on_device<Real, Space>(garbage, rows, columns);
    const auto x = test::on_device<Real, Space>(in, rows, static_cast<std::size_t>(layer.inputs));
    test::in_one_team<Space>(ApplyLinear<Real>{layer, x, out});
    return test::to_host<Real>(out);
  }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(LinearLayer, Reals);

TYPED_TEST(LinearLayer, IsTheProductPlusTheBias) {
  using Real = TypeParam;
  for (const std::size_t rows : {4, 8, 12, 16}) {
    for (const std::size_t inputs : {1, 2, 7, 8, 33}) {
      for (const std::size_t outputs : {1, 3, 8, 9, 36}) {
        const auto kernel = test::random_values<Real>(inputs * outputs, 1);
        const auto bias = test::random_values<Real>(outputs, 2);
        const auto in = test::random_values<Real>(rows * inputs, 3);
        const auto layer = test::make_linear<Real, Space>(kernel, bias, inputs);
        const auto found = this->apply(layer, in, rows);

        const RowMajor x = in_double(in, rows);
        const RowMajor k = in_double(kernel, inputs);
        const RowMajor b = in_double(bias, 1);
        const RowMajor expected = (x * k).rowwise() + b.row(0);
        const RowMajor size = (x.cwiseAbs() * k.cwiseAbs()).rowwise() + b.cwiseAbs().row(0);
        const double eps = std::numeric_limits<Real>::epsilon() * static_cast<double>(inputs + 1);
        const auto padded = static_cast<std::size_t>(layer.padded_outputs());
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t o = 0; o < outputs; ++o) {
            const auto row = static_cast<Eigen::Index>(i);
            const auto column = static_cast<Eigen::Index>(o);
            ASSERT_NEAR(found[i * padded + o], expected(row, column), eps * size(row, column))
                << inputs << " -> " << outputs << ", row " << i << ", output " << o;
          }
          for (std::size_t o = outputs; o < padded; ++o)
            ASSERT_EQ(found[i * padded + o], 0) << "padding";
        }
      }
    }
  }
}

TYPED_TEST(LinearLayer, OfARowDependsOnThatRowAlone) {
  using Real = TypeParam;
  const std::size_t inputs = 13;
  const auto layer = test::make_linear<Real, Space>(test::random_values<Real>(inputs * 10, 1),
                                                    test::random_values<Real>(10, 2), inputs);
  const auto row = test::random_values<Real>(inputs, 3);
  std::vector<Real> block(4 * inputs, Real(0));
  std::copy(row.begin(), row.end(), block.begin());
  std::vector<Real> alone = this->apply(layer, block, 4);
  alone.resize(10);
  for (std::size_t place = 0; place < 16; ++place) {
    std::vector<Real> in(16 * inputs, std::numeric_limits<Real>::quiet_NaN());
    std::copy(row.begin(), row.end(), in.begin() + static_cast<std::ptrdiff_t>(place * inputs));
    const auto out = this->apply(layer, in, 16);
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(place * 16);
    EXPECT_TRUE(test::same_bits(std::vector<Real>(first, first + 10), alone)) << "place " << place;
  }
}

TEST(LinearPadding, RoundsUpToWholeBlocks) {
  EXPECT_EQ(padded_to_lanes(1), 8);
  EXPECT_EQ(padded_to_lanes(8), 8);
  EXPECT_EQ(padded_to_lanes(9), 16);
  EXPECT_EQ(tile_rows % block_rows, 0);
}

}  // namespace
}  // namespace dempilot::nn
