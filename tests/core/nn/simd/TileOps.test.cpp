#include "core/nn/simd/TileOps.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "core/action/ActionSpace.hpp"
#include "core/nn/Packing.hpp"
#include "core/nn/SimdLayers.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/nn/ActivationBounds.hpp"

/// Each instruction set that this processor has, against sums and formulas in double.
namespace dempilot::nn::simd {
namespace {

using detail::Dense;
using detail::Panelled;
using test::random_values;

class EachInstructionSet : public testing::TestWithParam<const TileOps*> {
 protected:
  const TileOps& ops() const { return *GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Simd, EachInstructionSet, testing::ValuesIn(supported_tile_ops()),
                         [](const auto& instance) { return std::string(instance.param->name); });

std::size_t padded(std::size_t count, std::size_t multiple = max_lanes) {
  return (count + multiple - 1) / multiple * multiple;
}

/// Numbers at an address that vectors may be loaded from.
template <class T>
class Aligned {
 public:
  explicit Aligned(const std::vector<T>& values) : storage_(values.size() + 64 / sizeof(T), T()) {
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    data_ = storage_.data() + (64 - address % 64) % 64 / sizeof(T);
    std::copy(values.begin(), values.end(), data_);
  }
  T* data() const { return data_; }

 private:
  std::vector<T> storage_;
  T* data_;
};

/// A layer packed for an instruction set, and the memory that it needs meanwhile.
class Packed {
 public:
  Packed(const TileOps& ops, const Dense& dense, std::size_t cell_width, std::size_t features)
      : Packed(ops, dense, detail::panelled(ops, dense, cell_width, features)) {}

  const Panels& panels() const { return panels_; }
  void* scratch() const { return scratch_.data(); }

 private:
  Packed(const TileOps& ops, const Dense& dense, const Panelled& packed)
      : weights_(packed.weights),
        bias_(packed.bias),
        pieces_(packed.pieces),
        scratch_(std::vector<char>(ops.scratch_bytes(static_cast<int>(dense.inputs)))),
        panels_{weights_.data(), bias_.data(), pieces_.data(), static_cast<int>(dense.inputs),
                static_cast<int>(dense.outputs)} {}

  Aligned<float> weights_, bias_;
  Aligned<std::uint16_t> pieces_;
  Aligned<char> scratch_;
  Panels panels_;
};

Dense random_layer(std::size_t inputs, std::size_t outputs) {
  Dense dense{inputs, outputs, random_values<float>(inputs * outputs, 5, 1), {}};
  for (const float b : random_values<float>(outputs, 6, 1))
    dense.bias.push_back(b);
  return dense;
}

double pre_activation(const Dense& dense, const float* x, std::size_t output) {
  double sum = dense.bias[output];
  for (std::size_t k = 0; k < dense.inputs; ++k)
    sum += double{dense.kernel[k * dense.outputs + output]} * x[k];
  return sum;
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST_P(EachInstructionSet, ActivationsStayWithinTheirBoundsOverTheWholeRange) {
  test::expect_within_bounds(test::sweep_of_floats(), 1e-7,
                             [&](Activation activation, std::vector<float> values) {
                               ops().activate(activation, values.data(), values.size());
                               return values;
                             });
}

TEST_P(EachInstructionSet, ActivationsKeepNanAndWhatIsSmall) {
  for (const Activation activation : test::every_activation) {
    std::vector<float> values{NAN, 1e-40F, -1e-40F};
    ops().activate(activation, values.data(), values.size());
    EXPECT_TRUE(std::isnan(values[0])) << static_cast<int>(activation);
    if (activation == Activation::tanh || activation == Activation::elu) {
      EXPECT_EQ(values[1], 1e-40F) << static_cast<int>(activation);
      EXPECT_EQ(values[2], -1e-40F) << static_cast<int>(activation);
    }
  }
}

TEST_P(EachInstructionSet, DenseIsTheProductPlusTheBias) {
  constexpr std::size_t rows = 53;  // blocks of all sizes
  for (const std::size_t inputs : {1, 2, 7, 22, 32, 33, 65}) {
    for (const std::size_t outputs : {1, 3, 4, 5, 8, 9, 12, 13, 16, 17, 31, 48, 64, 65, 130}) {
      const Dense dense = random_layer(inputs, outputs);
      const bool narrow = static_cast<int>(outputs) <= ops().narrow_outputs;
      const Packed layer(ops(), dense, 0, inputs);
      const std::size_t in_stride = padded(inputs);
      const std::size_t out_stride = padded(outputs);
      std::vector<float> x(rows * in_stride, 0.0F);
      const auto entries = random_values<float>(rows * inputs, 7, 1);
      for (std::size_t i = 0; i < entries.size(); ++i)
        x[i / inputs * in_stride + i % inputs] = entries[i];
      std::vector<float> y(rows * out_stride, NAN);
      ops().dense(layer.panels(), Activation::identity, rows,
                  {x.data(), static_cast<std::ptrdiff_t>(in_stride)},
                  {y.data(), static_cast<std::ptrdiff_t>(out_stride)}, layer.scratch());
      for (std::size_t i = 0; i < rows * outputs; ++i) {
        const std::size_t row = i / outputs;
        for (std::size_t behind = outputs; narrow && behind % 4 != 0; ++behind)
          ASSERT_EQ(y[row * out_stride + behind], 0) << outputs << " outputs";
        ASSERT_NEAR(y[row * out_stride + i % outputs],
                    pre_activation(dense, &x[row * in_stride], i % outputs), 1e-5)
            << inputs << " inputs, output " << i % outputs << " of " << outputs << ", row " << row;
      }
    }
  }
}

/// A recurrent layer of one kind, its formula in double, and its form in TileOps.
struct CellCase {
  const char* name;
  std::size_t gates;
  std::size_t states;  ///< floats of carry a unit
  bool reads_h;
  void (*TileOps::*step)(const CellTile&, int);
  /// From pre-activations, unit's carry (h, then c) and x to the new carry and output.
  std::function<double(const std::vector<double>&, double&, double&, double)> formula;
};

std::vector<CellCase> cells() {
  return {{"lstm", 4, 2, true, &TileOps::lstm,
           [](const std::vector<double>& z, double& h, double& c, double) {
             c = logistic(z[1]) * c + logistic(z[0]) * std::tanh(z[2]);
             return h = logistic(z[3]) * std::tanh(c);
           }},
          {"gru", 4, 1, true, &TileOps::gru,
           [](const std::vector<double>& z, double& h, double&, double) {
             const double n = std::tanh(z[2] + logistic(z[0]) * z[3]);
             return h = (1 - logistic(z[1])) * n + logistic(z[1]) * h;
           }},
          {"min_gru", 3, 1, false, &TileOps::min_gru,
           [](const std::vector<double>& z, double& h, double&, double x) {
             const double candidate = z[0] >= 0 ? z[0] + 0.5 : logistic(z[0]);
             h = (1 - logistic(z[1])) * h + logistic(z[1]) * candidate;
             return logistic(z[2]) * h + (1 - logistic(z[2])) * x;
           }}};
}

/// A step of `rows` agents of a cell.
struct CellRun {
  std::vector<float> x, carry, y;

  CellRun(const TileOps& ops, const CellCase& cell, const Dense& gates, std::size_t width,
          std::size_t rows, float size) {
    const std::size_t features = cell.reads_h ? gates.inputs - width : gates.inputs;
    const Packed layer(ops, gates, width, features);
    x = random_values<float>(rows * features, 8, size);
    carry = random_values<float>(rows * cell.states * width, 9, 0.9);
    y.assign(rows * padded(width), NAN);
    const CellTile tile{layer.panels(),
                        static_cast<int>(width),
                        {x.data(), static_cast<std::ptrdiff_t>(features)},
                        {carry.data(), static_cast<std::ptrdiff_t>(cell.states * width)},
                        {y.data(), static_cast<std::ptrdiff_t>(padded(width))},
                        layer.scratch()};
    (ops.*cell.step)(tile, static_cast<int>(rows));
  }
};

/// One agent's step in double, compared with what `run` got for it.
void expect_formula(const CellCase& cell, const Dense& gates, std::size_t width, const CellRun& run,
                    const std::vector<float>& before, std::size_t row, double tolerance) {
  const std::size_t features = cell.reads_h ? gates.inputs - width : gates.inputs;
  const auto at = [&](const std::vector<float>& carry, std::size_t i) {
    return carry[row * cell.states * width + i];
  };
  std::vector<float> joint(run.x.begin() + static_cast<std::ptrdiff_t>(row * features),
                           run.x.begin() + static_cast<std::ptrdiff_t>((row + 1) * features));
  for (std::size_t unit = 0; unit < width; ++unit)
    joint.push_back(at(before, unit));
  for (std::size_t unit = 0; unit < width; ++unit) {
    std::vector<double> z;
    for (std::size_t gate = 0; gate < cell.gates; ++gate)
      z.push_back(pre_activation(gates, joint.data(), gate * width + unit));
    double h = at(before, unit);
    double c = cell.states > 1 ? at(before, width + unit) : 0;
    const double out = cell.formula(z, h, c, unit < features ? joint[unit] : 0);
    ASSERT_NEAR(run.y[row * padded(width) + unit], out, tolerance) << cell.name << " " << width;
    ASSERT_NEAR(at(run.carry, unit), h, tolerance) << cell.name << " " << width;
    if (cell.states < 2) continue;
    ASSERT_NEAR(at(run.carry, width + unit), c, tolerance) << cell.name << " " << width;
  }
}

TEST_P(EachInstructionSet, CellsFollowTheirFormulas) {
  constexpr std::size_t rows = 53;
  for (const CellCase& cell : cells()) {
    for (const std::size_t width : {1, 3, 8, 15, 16, 17, 33, 65}) {
      const std::size_t features = cell.reads_h ? width % 2 == 0 ? 37 : 5 : width;
      const Dense gates = random_layer(features + (cell.reads_h ? width : 0), cell.gates * width);
      const auto before = random_values<float>(rows * cell.states * width, 9, 0.9);
      const CellRun run(ops(), cell, gates, width, rows, 1);
      for (std::size_t row = 0; row < rows; ++row)
        expect_formula(cell, gates, width, run, before, row, 4e-6);
    }
  }
}

TEST_P(EachInstructionSet, SaturatedGatesStayFinite) {
  for (const CellCase& cell : cells()) {
    constexpr std::size_t width = 16;
    const std::size_t features = cell.reads_h ? 5 : width;
    const Dense gates = random_layer(features + (cell.reads_h ? width : 0), cell.gates * width);
    const auto before = random_values<float>(7 * cell.states * width, 9, 0.9);
    for (const float size : {1e2F, 1e6F, 1e30F}) {
      const CellRun run(ops(), cell, gates, width, 7, size);
      for (const std::vector<float>* values : {&run.y, &run.carry}) {
        for (const float value : *values)
          ASSERT_TRUE(std::isfinite(value)) << cell.name << " at " << size;
      }
      if (cell.reads_h && size < 1e3F) {
        for (std::size_t row = 0; row < 7; ++row)
          expect_formula(cell, gates, width, run, before, row, 4e-5);
      }
    }
  }
}

/// What an agent gets does not depend on how many there are.
TEST_P(EachInstructionSet, CellsGiveTheSameBitsForAnyNumberOfRows) {
  constexpr std::size_t width = 33;
  for (const CellCase& cell : cells()) {
    const std::size_t features = cell.reads_h ? 5 : width;
    const Dense gates = random_layer(features + (cell.reads_h ? width : 0), cell.gates * width);
    const CellRun all(ops(), cell, gates, width, 70, 3);
    for (const std::size_t rows : {1, 2, 5, 6, 7, 13, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65}) {
      const CellRun some(ops(), cell, gates, width, rows, 3);
      const std::vector<float> carry(
          all.carry.begin(), all.carry.begin() + static_cast<std::ptrdiff_t>(some.carry.size()));
      ASSERT_THAT(some.carry, testing::ElementsAreArray(carry)) << cell.name << " " << rows;
      for (std::size_t i = 0; i < rows * padded(width); ++i) {
        if (i % padded(width) >= width) continue;
        ASSERT_EQ(some.y[i], all.y[i]) << cell.name << " " << rows;
      }
    }
  }
}

/// What the few are computed with reads the same packed layers.
TEST_P(EachInstructionSet, AgreesAboutLayersWithThatForFewer) {
  if (ops().for_fewer == nullptr) GTEST_SKIP() << "the few are computed as the many";
  EXPECT_EQ(ops().for_fewer->lanes, ops().lanes);
  EXPECT_EQ(ops().for_fewer->narrow_outputs, ops().narrow_outputs);
  EXPECT_FALSE(ops().for_fewer->reads_pieces);
}

/// y = w x of one input, for `outputs` weights each.
std::vector<float> products(const TileOps& ops, const std::vector<float>& x,
                            const std::vector<float>& weights) {
  const Dense dense{1, weights.size(), weights, std::vector<double>(weights.size())};
  const Packed layer(ops, dense, 0, 1);
  std::vector<float> y(x.size() * padded(weights.size()));
  ops.dense(layer.panels(), Activation::identity, static_cast<int>(x.size()), {x.data(), 1},
            {y.data(), static_cast<std::ptrdiff_t>(padded(weights.size()))}, layer.scratch());
  return y;
}

/// Numbers of all digits and of exponents from -30 to 30.
std::vector<float> numbers_of_all_sizes(std::size_t count, std::uint64_t seed) {
  std::vector<float> values = test::random_values<float>(count, seed, 1);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = std::ldexp(values[i], static_cast<int>(i % 61) - 30);
  return values;
}

TEST_P(EachInstructionSet, ProductsHaveAllDigitsOfFloat32) {
  const std::vector<float> x = numbers_of_all_sizes(64, 1);
  const std::vector<float> weights = numbers_of_all_sizes(80, 2);
  const std::vector<float> y = products(ops(), x, weights);
  for (std::size_t row = 0; row < x.size(); ++row) {
    for (std::size_t output = 0; output < weights.size(); ++output) {
      const double exact = double{x[row]} * weights[output];
      ASSERT_NEAR(y[row * padded(weights.size()) + output], exact, std::abs(exact) * 0x1p-23)
          << x[row] << " x " << weights[output];
    }
  }
}

TEST_P(EachInstructionSet, WhatIsNotFiniteSpoilsItsRowAlone) {
  const std::vector<float> weights = numbers_of_all_sizes(48, 2);
  const std::vector<float> y =
      products(ops(), {1, NAN, INFINITY, -INFINITY, 1e30F, 1e-30F}, weights);
  for (std::size_t output = 0; output < weights.size(); ++output) {
    for (const std::size_t row : {1, 2, 3})
      EXPECT_FALSE(std::isfinite(y[row * padded(weights.size()) + output]));
    for (const std::size_t row : {0, 4, 5})
      EXPECT_TRUE(std::isfinite(y[row * padded(weights.size()) + output]));
  }
}

TEST_P(EachInstructionSet, ActionsGoThroughTheirSpaceAsInDouble) {
  constexpr std::size_t rows = 21;
  constexpr std::size_t stride = 32;
  for (const ActionSpaceKind kind : {ActionSpaceKind::free, ActionSpaceKind::box,
                                     ActionSpaceKind::max_norm, ActionSpaceKind::clipped}) {
    ActionSpaceSpec spec;
    spec.kind = kind;
    spec.x_min = {-1.5, -0.25, 2};
    spec.x_max = {1, 0.75, 7};
    spec.width = 1.7;
    spec.max_norm = 2.5;
    const ActionSpace<double, Kokkos::DefaultHostExecutionSpace> exact(spec, 3);
    const ActionSpace<float, Kokkos::DefaultHostExecutionSpace> space(spec, 3);
    for (const float size : {1e-6F, 0.1F, 1.0F, 9.0F, 80.0F}) {
      const auto values = random_values<float>(3 * stride, 4, size);
      const Aligned x(values);
      const Aligned log_det(std::vector<float>(stride, NAN));
      SquashTile tile = squash_tile(space);
      tile.x = {x.data(), stride};
      tile.log_det = log_det.data();
      ops().squash(tile, rows);
      for (std::size_t row = 0; row < rows; ++row) {
        double y[] = {values[row], values[stride + row], values[2 * stride + row]};
        const double expected = exact.forward(y);
        EXPECT_NEAR(log_det.data()[row], expected, 1e-6 * std::max(1.0, std::abs(expected)))
            << static_cast<int>(kind) << " at " << size;
        for (std::size_t i = 0; i < 3; ++i)
          EXPECT_NEAR(x.data()[i * stride + row], y[i], 1e-6 * std::max(1.0, std::abs(y[i])));
      }
    }
  }
}

}  // namespace
}  // namespace dempilot::nn::simd
