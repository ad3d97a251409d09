#include "core/action/ActionSpace.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/io/Hdf5.hpp"
#include "core/policy/Metadata.hpp"
#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;

template <class Real>
struct ForwardRows {
  ActionSpace<Real, Space> space;
  Matrix<Real, Space> rows;
  Vector<Real, Space> log_det;

  KOKKOS_FUNCTION void operator()(int row) const { log_det(row) = space.forward(&rows(row, 0)); }
};

template <class Real>
struct Mapped {
  std::vector<Real> action, log_det;
};

/// f of rows of latents, on the execution space.
template <class Real>
Mapped<Real> forward(const ActionSpaceSpec& spec, std::size_t actions,
                     const std::vector<Real>& latent) {
  const std::size_t rows = latent.size() / actions;
  const Matrix<Real, Space> matrix("DEMPilot::test", rows, actions);
  const Vector<Real, Space> log_det("DEMPilot::test", rows);
  Kokkos::deep_copy(matrix, HostMatrix<const Real>(latent.data(), rows, actions));
  Kokkos::parallel_for("DEMPilot::test::forward",
                       Kokkos::RangePolicy<Space>(0, static_cast<int>(rows)),
                       ForwardRows<Real>{ActionSpace<Real, Space>(spec, actions), matrix, log_det});
  Mapped<Real> out{std::vector<Real>(latent.size()), std::vector<Real>(rows)};
  Kokkos::deep_copy(HostMatrix<Real>(out.action.data(), rows, actions), matrix);
  Kokkos::deep_copy(HostVector<Real>(out.log_det.data(), rows), log_det);
  return out;
}

double largest(const std::vector<double>& values) {
  double most = 1;
  for (const double value : values)
    most = std::max(most, std::abs(value));
  return most;
}

template <class Real>
void expect_close(const std::vector<Real>& found, const std::vector<double>& expected,
                  double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected[i], tolerance * largest(expected)) << what << ", entry " << i;
}

template <class Real>
class ActionSpaceForward : public testing::Test {
 protected:
  static constexpr bool single_ = std::is_same_v<Real, float>;

  /// Compares with one golden file, whose seed variants carry other epsilons in their log-det.
  static void expect_golden(const std::string& name, double log_det_tolerance) {
    SCOPED_TRACE(name);
    const auto file = hdf5::File::open(std::string(DEMPILOT_GOLDEN_DIR) + "/" + name);
    const auto golden_case = nlohmann::json::parse(file.read_string("", "case"));
    const auto actions = golden_case.at("act").get<std::size_t>();
    ActionSpaceSpec spec;
    if (const auto& space = golden_case.at("space"); !space.is_null()) {
      spec = action_space_from_json(space[0], space[1], actions, name);
    }
    const auto latent = file.read<double>("distribution/latent");
    const auto out = forward<Real>(spec, actions, {latent.begin(), latent.end()});
    const double tolerance = single_ ? 2e-6 : 1e-12;
    expect_close(out.action, file.read<double>("distribution/action"), tolerance, "action");
    expect_close(out.log_det, file.read<double>("distribution/forward_log_det"),
                 std::max(log_det_tolerance, tolerance), "forward_log_det");
  }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(ActionSpaceForward, Reals);

TYPED_TEST(ActionSpaceForward, IsThatOfTheOriginalModels) {
  for (const char* name : {"current-lstm-default.h5", "current-lstm-maxnorm.h5",
                           "current-lstm-small-box.h5", "current-mlp-shared.h5"}) {
    this->expect_golden(name, 0);
  }
  for (const char* name :
       {"seed-lstm-default.h5", "seed-lstm-maxnorm.h5", "seed-lstm-small-box.h5"}) {
    this->expect_golden(name, 1e-4);
  }
}

TYPED_TEST(ActionSpaceForward, FreeChangesNothing) {
  using Real = TypeParam;
  const auto latent = test::random_values<Real>(30, 1, 5);
  const auto out = forward<Real>({}, 3, latent);
  EXPECT_TRUE(test::same_bits(out.action, latent));
  EXPECT_EQ(out.log_det, std::vector<Real>(10, Real(0)));
}

TYPED_TEST(ActionSpaceForward, ClippedClipsAndHasTheDensityOfWhatItClipped) {
  using Real = TypeParam;
  ActionSpaceSpec spec;
  spec.kind = ActionSpaceKind::clipped;
  spec.x_min = {-1, -INFINITY, 0.5};
  spec.x_max = {1, 2, INFINITY};
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  const Real inf = std::numeric_limits<Real>::infinity();
  const auto out = forward<Real>(
      spec, 3, {Real(-3), Real(-3), Real(-3), Real(0.75), Real(3), Real(3), inf, -inf, nan});
  EXPECT_TRUE(test::same_bits(
      std::vector<Real>(out.action.begin(), out.action.end() - 1),
      {Real(-1), Real(-3), Real(0.5), Real(0.75), Real(2), Real(3), Real(1), -inf}));
  EXPECT_TRUE(std::isnan(out.action.back()));
  EXPECT_EQ(out.log_det, std::vector<Real>(3, Real(0)));
}

/// log |det df/dx| against central differences of f itself.
TEST(ActionSpaceLogDet, IsTheDeterminantOfTheSlope) {
  for (const auto kind : {ActionSpaceKind::box, ActionSpaceKind::max_norm}) {
    const ActionSpaceSpec spec = test::action_space(kind, 2);
    const std::vector<double> x{0.7, -0.4};
    const double h = 1e-5;
    const auto out = forward<double>(
        spec, 2, {x[0], x[1], x[0] + h, x[1], x[0] - h, x[1], x[0], x[1] + h, x[0], x[1] - h});
    const auto slope = [&](std::size_t output, std::size_t input) {
      const std::size_t row = 1 + 2 * input;
      return (out.action[2 * row + output] - out.action[2 * (row + 1) + output]) / (2 * h);
    };
    const double determinant = slope(0, 0) * slope(1, 1) - slope(0, 1) * slope(1, 0);
    EXPECT_NEAR(out.log_det[0], std::log(determinant), 1e-8) << static_cast<int>(kind);
  }
}

TYPED_TEST(ActionSpaceForward, ExtremeLatentsStayFiniteAndInside) {
  using Real = TypeParam;
  const Real huge = std::numeric_limits<Real>::max();
  const Real tiny = std::numeric_limits<Real>::denorm_min();
  for (const std::size_t actions : {1U, 2U, 3U}) {
    for (const auto kind : {ActionSpaceKind::box, ActionSpaceKind::max_norm}) {
      const ActionSpaceSpec spec = test::action_space(kind, actions);
      for (const Real size : {Real(0), tiny, Real(1e-20), Real(30), Real(1e4), Real(1e19),
                              Real(1e30), huge / 8, huge}) {
        for (const Real sign : {Real(1), Real(-1)}) {
          const auto out = forward<Real>(spec, actions, std::vector<Real>(actions, sign * size));
          double norm = 0;
          for (std::size_t i = 0; i < actions; ++i) {
            norm = std::hypot(norm, double{out.action[i]});
            ASSERT_TRUE(std::isfinite(out.action[i])) << size;
            if (kind != ActionSpaceKind::box) continue;
            EXPECT_GE(out.action[i], static_cast<Real>(spec.x_min[i])) << size;
            EXPECT_LE(out.action[i], static_cast<Real>(spec.x_max[i])) << size;
          }
          if (kind == ActionSpaceKind::max_norm) {
            EXPECT_LE(norm, spec.max_norm) << size;
            if (size >= 30) {
              EXPECT_GT(norm, 0.99 * spec.max_norm) << size;
            }
          }
          EXPECT_FALSE(std::isnan(out.log_det[0])) << size;
          if (size <= Real(1e30)) {
            EXPECT_TRUE(std::isfinite(out.log_det[0])) << size;
          }
        }
      }
    }
  }
}

TYPED_TEST(ActionSpaceForward, ScalarBoundsHoldForEveryAction) {
  using Real = TypeParam;
  const nlohmann::json scalar{{"x_min", -2.0}, {"x_max", 1.0}, {"width", 0.5}};
  const nlohmann::json lists{
      {"x_min", {-2.0, -2.0, -2.0}}, {"x_max", {1.0, 1.0, 1.0}}, {"width", 0.5}};
  const auto spec = action_space_from_json("Box", scalar, 3, "file");
  EXPECT_EQ(spec, action_space_from_json("Box", lists, 3, "file"));
  const auto out = forward<Real>(spec, 3, {0, Real(-0.5), 100});
  const double half = (1 - 1e-6) * 1.5;
  EXPECT_NEAR(out.action[0], -0.5, 1e-6);
  EXPECT_NEAR(out.action[1], -0.5 + half * std::tanh(-1.0), 1e-6);
  EXPECT_NEAR(out.action[2], -0.5 + half, 1e-6);
}

}  // namespace
}  // namespace dempilot
