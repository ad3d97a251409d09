#include "core/policy/Carry.hpp"

#include <gtest/gtest.h>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using Space = DEMPILOT_TEST_EXECUTION_SPACE;
using testing::HasSubstr;

template <class Real>
class CarryTest : public testing::Test {
 protected:
  /// Three environments of two agents that remember four numbers each.
  Carry<Real, Space> carry_{4};
  const Array<Real> start_ = test::random_array<Real>({3, 2, 4}, 1);
  CarryTest() { carry_.set(start_); }

  /// Which of the agents hold zeros now; the others must hold what they held, bit for bit.
  std::vector<bool> zeroed() const {
    std::vector<bool> result;
    const auto now = carry_.get();
    EXPECT_EQ(now.shape, start_.shape);
    for (std::size_t agent = 0; agent < 6; ++agent) {
      const auto* values = &now.values[4 * agent];
      const bool zero = std::all_of(values, values + 4, [](Real x) { return x == 0; });
      if (!zero) {
        EXPECT_TRUE(test::same_bits(values, &start_.values[4 * agent], 4 * sizeof(Real))) << agent;
      }
      result.push_back(zero);
    }
    return result;
  }
};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(CarryTest, Reals);

TYPED_TEST(CarryTest, ComesBackAsItWasSet) {
  EXPECT_EQ(this->carry_.leading_shape(), (Shape{3, 2}));
  EXPECT_EQ(this->carry_.agents(), 6U);
  EXPECT_EQ(this->zeroed(), std::vector<bool>(6, false));
}

TYPED_TEST(CarryTest, ResetsAll) {
  this->carry_.reset();
  EXPECT_EQ(this->zeroed(), std::vector<bool>(6, true));
}

TYPED_TEST(CarryTest, ResetsEnvironmentsByMask) {
  const std::vector<std::int8_t> mask{0, 1, 0};
  this->carry_.reset(mask);
  EXPECT_EQ(this->zeroed(), (std::vector<bool>{false, false, true, true, false, false}));
}

TYPED_TEST(CarryTest, ResetsSingleAgents) {
  const std::vector<std::size_t> agents{1, 4};
  this->carry_.reset_agents(agents);
  EXPECT_EQ(this->zeroed(), (std::vector<bool>{false, true, false, false, true, false}));
}

TYPED_TEST(CarryTest, StartsFromZerosInANewShape) {
  this->carry_.reset(Shape{2, 2});
  EXPECT_EQ(this->carry_.get().shape, (Shape{2, 2, 4}));
  EXPECT_EQ(this->carry_.get().values, std::vector<TypeParam>(16, 0));
}

TYPED_TEST(CarryTest, IsEmptyBeforeItsFirstShape) {
  const Carry<TypeParam, Space> fresh(4);
  EXPECT_EQ(fresh.agents(), 0U);
  EXPECT_TRUE(fresh.get().values.empty());
}

TYPED_TEST(CarryTest, RefusesWhatDoesNotFit) {
  const std::vector<std::int8_t> mask{0, 1};
  EXPECT_THAT(test::message_of([&] { this->carry_.reset(mask); }),
              HasSubstr("cannot reset by a mask of 2 entries (the carry's leading shape is (3, 2)) "
                        "give one entry for each index of the first axis"));
  const std::vector<std::size_t> agents{6};
  EXPECT_THAT(test::message_of([&] { this->carry_.reset_agents(agents); }),
              HasSubstr("cannot reset agent 6 (there are 6) give indices below that"));
  EXPECT_EQ(this->zeroed(), std::vector<bool>(6, false));
  const auto wide = test::random_array<TypeParam>({2, 5}, 1);
  EXPECT_THAT(test::message_of([&] { this->carry_.set(wide); }),
              HasSubstr("cannot set a carry of shape (2, 5) (the model's has 4 entries per agent) "
                        "give (..., 4)"));
  const Array<TypeParam> cut{{3, 4}, std::vector<TypeParam>(7)};
  EXPECT_THAT(test::message_of([&] { this->carry_.set(cut); }),
              HasSubstr("cannot set a carry of shape (3, 4) from 7 values"));
}

}  // namespace
}  // namespace dempilot
