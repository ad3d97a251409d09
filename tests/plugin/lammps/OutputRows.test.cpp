#include "plugin/lammps/OutputRows.h"

#include <gtest/gtest.h>

namespace dempilot::lammps {
namespace {

TEST(OutputRows, AreZeroAndContiguous) {
  OutputRows output(7);
  output.resize(100);
  for (int atom = 0; atom < 100; ++atom) {
    EXPECT_EQ(output.rows()[atom], output.rows()[0] + 7 * atom);
    for (int k = 0; k < 7; ++k)
      EXPECT_EQ(output.rows()[atom][k], 0.0);
  }
}

TEST(OutputRows, ThereIsOneEvenWithoutAtoms) {
  OutputRows output(7);
  output.resize(0);
  ASSERT_NE(output.rows(), nullptr);
  EXPECT_EQ(output.rows()[0][6], 0.0);
}

TEST(OutputRows, ForgetWhatWasFilled) {
  OutputRows output(2);
  output.resize(10);
  output.fill(3)[0] = 5.0;
  output.fill(4)[0] = 6.0;
  output.fill(4)[1] = 7.0;
  EXPECT_EQ(output.filled(), 2U);
  output.erase(3);
  EXPECT_EQ(output.rows()[3][0], 0.0);
  EXPECT_EQ(output.rows()[4][1], 7.0);
  output.clear();
  EXPECT_EQ(output.filled(), 0U);
  EXPECT_EQ(output.rows()[4][1], 0.0);
  output.fill(9)[0] = 1.0;
  output.resize(20);
  EXPECT_EQ(output.rows()[9][0], 0.0);
}

TEST(OutputRows, CostAPointerPerAtomUntilTheyAreFilled) {
  OutputRows output(1000);
  output.resize(1000000);  // 8 GB that are never there
  EXPECT_EQ(output.memory_usage(), 8e6);
  EXPECT_EQ(output.rows()[999999][999], 0.0);
}

}  // namespace
}  // namespace dempilot::lammps
