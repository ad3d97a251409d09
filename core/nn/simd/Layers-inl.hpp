// Dense and recurrent layers on rows of floats. Compiled once for each instruction set, so there is
// no #pragma once.
#if defined(DEMPILOT_NN_SIMD_LAYERS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#undef DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#else
#define DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#endif

#include <algorithm>
#include <utility>

#include "core/nn/simd/Math-inl.hpp"
#include "core/nn/simd/TileOps.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

/// Rows of a block: sums of four vectors a row, the weights and one entry of x in registers.
#if HWY_TARGET <= HWY_AVX3
constexpr int block_rows = 6;  // of 32 registers
#elif HWY_TARGET <= HWY_AVX2
constexpr int block_rows = 3;  // of 16
#else
constexpr int block_rows = 2;
#endif
static_assert(block_rows <= max_block_rows);

constexpr int lanes = static_cast<int>(hn::MaxLanes(FloatTag()));

/// sum += x w for `inputs` entries of x and as many rows of a panel. Sums run over the inputs in
/// their order, whatever the number of rows.
template <int rows, int vectors>
HWY_INLINE void multiply(Rows<const float> x, const float* HWY_RESTRICT weights, int inputs,
                         Floats (&sum)[rows][vectors]) {
  const FloatTag tag;
  for (int k = 0; k < inputs; ++k, weights += vectors * lanes) {
    Floats weight[vectors];
    HWY_UNROLL(4)
    for (int v = 0; v < vectors; ++v)
      weight[v] = hn::Load(tag, weights + v * lanes);
    HWY_UNROLL(6)
    for (int row = 0; row < rows; ++row) {
      const Floats entry = hn::Set(tag, x[row][k]);
      HWY_UNROLL(4)
      for (int v = 0; v < vectors; ++v)
        sum[row][v] = hn::MulAdd(entry, weight[v], sum[row][v]);
    }
  }
}

template <int rows, int vectors>
HWY_INLINE void load_bias(const float* HWY_RESTRICT bias, Floats (&sum)[rows][vectors]) {
  HWY_UNROLL(6)
  for (int row = 0; row < rows; ++row) {
    HWY_UNROLL(4)
    for (int v = 0; v < vectors; ++v)
      sum[row][v] = hn::Load(FloatTag(), bias + v * lanes);
  }
}

/// Calls block.template operator()<n>(first row) for blocks of rows, the last one as small as it
/// must be.
template <int rows = block_rows, class Block>
HWY_INLINE void for_blocks_of_rows(int first, int count, const Block& block) {
  for (; count >= rows; first += rows, count -= rows)
    block.template operator()<rows>(first);
  if constexpr (rows > 1) for_blocks_of_rows<rows - 1>(first, count, block);
}

template <int rows, int vectors>
HWY_NOINLINE void dense_panel(const float* weights, const float* bias, int inputs,
                              Rows<const float> x, Rows<float> y) {
  Floats sum[rows][vectors];
  load_bias(bias, sum);
  multiply(x, weights, inputs, sum);
  HWY_UNROLL(6)
  for (int row = 0; row < rows; ++row) {
    HWY_UNROLL(4)
    for (int v = 0; v < vectors; ++v)
      hn::StoreU(sum[row][v], FloatTag(), y[row] + v * lanes);
  }
}

struct DenseBlock {
  const Panels& layer;
  Rows<const float> x;
  Rows<float> y;

  template <int rows>
  void operator()(int first) const {
    constexpr int panel_width = dense_vectors * lanes;
    const float* weights = layer.weights;
    const Rows<const float> in{x[first], x.stride};
    for (int output = 0; output < layer.outputs; output += panel_width) {
      const int vectors = std::min((layer.outputs - output + lanes - 1) / lanes, dense_vectors);
      const float* bias = layer.bias + output;
      const Rows<float> out{y[first] + output, y.stride};
      switch (vectors) {
        case 1:
          dense_panel<rows, 1>(weights, bias, layer.inputs, in, out);
          break;
        case 2:
          dense_panel<rows, 2>(weights, bias, layer.inputs, in, out);
          break;
        case 3:
          dense_panel<rows, 3>(weights, bias, layer.inputs, in, out);
          break;
        default:
          dense_panel<rows, 4>(weights, bias, layer.inputs, in, out);
      }
      weights += static_cast<std::ptrdiff_t>(layer.inputs) * vectors * lanes;
    }
  }
};

HWY_NOINLINE void dense(const Panels& layer, Activation activation, int rows, Rows<const float> x,
                        Rows<float> y) {
  for_blocks_of_rows(0, rows, DenseBlock{layer, x, y});
  if (activation == Activation::identity) return;
  for (int row = 0; row < rows; ++row)
    activate(activation, y[row], static_cast<std::size_t>(layer.outputs));
}

/// A vector of units, of which the last of a layer may have fewer than its lanes.
HWY_INLINE Floats load_units(const float* from, int count) {
  if (HWY_LIKELY(count >= lanes)) return hn::LoadU(FloatTag(), from);
  HWY_ALIGN float part[lanes] = {};
  std::copy_n(from, count, part);
  return hn::Load(FloatTag(), part);
}

HWY_INLINE void store_units(Floats values, float* to, int count) {
  if (HWY_LIKELY(count >= lanes)) return hn::StoreU(values, FloatTag(), to);
  HWY_ALIGN float part[lanes];
  hn::Store(values, FloatTag(), part);
  std::copy_n(part, count, to);
}

/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c').
struct Lstm {
  static constexpr int gates = 4;
  static constexpr bool reads_h = true;

  static HWY_INLINE void update(const Floats (&z)[gates], const CellTile& tile, int row, int unit) {
    const int count = tile.width - unit;
    float* const c = tile.carry[row] + tile.width + unit;
    const Floats one_and_i = hn::Add(exp_of_minus(z[0]), all(1));
    const Floats one_and_f = hn::Add(exp_of_minus(z[1]), all(1));
    const Floats q = expm1_of_double(z[2]);
    const Floats one_and_o = hn::Add(exp_of_minus(z[3]), all(1));
    // sigmoid(i) tanh(g) in one division: (1 / (1 + e_i)) (q / (q + 2))
    const Floats entering = hn::Div(q, hn::Mul(one_and_i, hn::Add(q, all(2))));
    const Floats cell = hn::Add(hn::Div(load_units(c, count), one_and_f), entering);
    const Floats p = expm1_of_double(cell);
    const Floats h = hn::Div(p, hn::Mul(one_and_o, hn::Add(p, all(2))));
    store_units(cell, c, count);
    hn::StoreU(h, FloatTag(), tile.y[row] + unit);
  }
};

/// n = tanh(x's part + sigmoid(r) h's part), h' = (1 - sigmoid(u)) n + sigmoid(u) h.
struct Gru {
  static constexpr int gates = 4;
  static constexpr bool reads_h = true;

  static HWY_INLINE void update(const Floats (&z)[gates], const CellTile& tile, int row, int unit) {
    const int count = tile.width - unit;
    const Floats h = load_units(tile.carry[row] + unit, count);
    const Floats reset = hn::Div(all(1), hn::Add(exp_of_minus(z[0]), all(1)));
    const Floats candidate = tanh(hn::MulAdd(reset, z[3], z[2]));
    const Floats e = exp_of_minus(z[1]);
    const Floats keep = hn::Div(all(1), hn::Add(e, all(1)));
    // 1 - sigmoid(u) is e sigmoid(u), which does not cancel
    const Floats next = hn::MulAdd(hn::Mul(e, keep), candidate, hn::Mul(keep, h));
    hn::StoreU(next, FloatTag(), tile.y[row] + unit);
  }
};

/// h' = (1 - w) h + w g(hidden) with w = sigmoid(gate), x' = sigmoid(proj) h' + (1 - sigmoid(proj)) x.
struct MinGru {
  static constexpr int gates = 3;
  static constexpr bool reads_h = false;

  static HWY_INLINE void update(const Floats (&z)[gates], const CellTile& tile, int row, int unit) {
    const int count = tile.width - unit;
    float* const h = tile.carry[row] + unit;
    const Floats below = hn::Div(all(1), hn::Add(exp_of_minus(z[0]), all(1)));
    const Floats candidate =
        hn::IfThenElse(hn::Lt(z[0], all(0)), below, hn::Add(z[0], all(0.5F)));
    const Floats e = exp_of_minus(z[1]);
    const Floats w = hn::Div(all(1), hn::Add(e, all(1)));
    const Floats next =
        hn::MulAdd(hn::Mul(e, w), load_units(h, count), hn::Mul(w, candidate));
    store_units(next, h, count);
    const Floats d = exp_of_minus(z[2]);
    const Floats through = hn::Div(all(1), hn::Add(d, all(1)));
    const Floats x = load_units(tile.x[row] + unit, count);
    hn::StoreU(hn::MulAdd(through, next, hn::Mul(hn::Mul(d, through), x)), FloatTag(),
               tile.y[row] + unit);
  }
};

/// One vector of units of all gates, for a block of rows.
template <class Cell, int rows>
HWY_NOINLINE void cell_panel(const CellTile& tile, const float* weights, const float* bias,
                             int unit) {
  Floats z[rows][Cell::gates];
  load_bias(bias, z);
  const int features = Cell::reads_h ? tile.gates.inputs - tile.width : tile.gates.inputs;
  multiply(tile.x, weights, features, z);
  if constexpr (Cell::reads_h) {
    const Rows<const float> h{tile.carry.data, tile.carry.stride};
    multiply(h, weights + static_cast<std::ptrdiff_t>(features) * Cell::gates * lanes, tile.width,
             z);
  }
  HWY_UNROLL(6)
  for (int row = 0; row < rows; ++row)
    Cell::update(z[row], tile, row, unit);
}

template <class Cell>
struct CellBlock {
  const CellTile& whole;

  template <int rows>
  void operator()(int first) const {
    CellTile tile = whole;
    tile.x.data = whole.x[first];
    tile.carry.data = whole.carry[first];
    tile.y.data = whole.y[first];
    const std::ptrdiff_t panel =
        static_cast<std::ptrdiff_t>(tile.gates.inputs) * Cell::gates * lanes;
    const float* weights = tile.gates.weights;
    const float* bias = tile.gates.bias;
    for (int unit = 0; unit < tile.width; unit += lanes) {
      cell_panel<Cell, rows>(tile, weights, bias, unit);
      weights += panel;
      bias += Cell::gates * lanes;
    }
    // Only now, since the product of each vector of units reads all of h.
    if constexpr (Cell::reads_h) {
      for (int row = 0; row < rows; ++row)
        std::copy_n(tile.y[row], tile.width, tile.carry[row]);
    }
  }
};

template <class Cell>
HWY_NOINLINE void step(const CellTile& tile, int rows) {
  for_blocks_of_rows(0, rows, CellBlock<Cell>{tile});
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
