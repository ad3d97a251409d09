// Dense and recurrent layers on rows of floats. Compiled once for each instruction set, so there is
// no #pragma once.
#if defined(DEMPILOT_NN_SIMD_LAYERS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#undef DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#else
#define DEMPILOT_NN_SIMD_LAYERS_INL_HPP
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <utility>

#include "core/nn/simd/Math-inl.hpp"
#include "core/nn/simd/TileOps.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

/// Rows of a block: as many as leave sums of four vectors each in registers.
#if HWY_TARGET <= HWY_AVX3
constexpr int block_rows = 6;  // of 32 registers
#elif HWY_TARGET <= HWY_AVX2
constexpr int block_rows = 3;  // of 16
#else
constexpr int block_rows = 2;
#endif
static_assert(lanes <= max_lanes);

/// Where four partial sums an output take fewer vectors than one sum an output: up to 3 vectors.
constexpr int narrow_outputs = 3 * lanes / 4;

/// sum += x w for `inputs` entries of x and as many rows of a panel. Sums run over the inputs in
/// their order, whatever the number of rows.
template <int rows, int vectors>
HWY_INLINE void multiply(Rows<const float> x, const float* HWY_RESTRICT weights, int inputs,
                         Floats (&sum)[rows][vectors]) {
  const FloatTag tag;
  constexpr int ahead = 16;  // inputs; weights come from the second level's cache
  HWY_UNROLL(2)
  for (int k = 0; k < inputs; ++k, weights += vectors * lanes) {
    Floats weight[vectors];
    DEMPILOT_EACH(v, vectors) weight[v] = hn::Load(tag, weights + v * lanes);
    if constexpr (rows > 2) {
      DEMPILOT_EACH(v, vectors) hwy::Prefetch(weights + (ahead * vectors + v) * lanes);
    }
    DEMPILOT_EACH(row, rows) {
      const Floats entry = hn::Set(tag, x[row][k]);
      DEMPILOT_EACH(v, vectors) sum[row][v] = hn::MulAdd(entry, weight[v], sum[row][v]);
    }
  }
}

template <int rows, int vectors>
HWY_INLINE void load_bias(const float* HWY_RESTRICT bias, Floats (&sum)[rows][vectors]) {
  DEMPILOT_EACH(row, rows) {
    DEMPILOT_EACH(v, vectors) sum[row][v] = hn::Load(FloatTag(), bias + v * lanes);
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
  DEMPILOT_EACH(row, rows) {
    DEMPILOT_EACH(v, vectors) hn::StoreU(sum[row][v], FloatTag(), y[row] + v * lanes);
  }
}

#if HWY_TARGET != HWY_SCALAR
/// A layer of few outputs: a vector holds partial sums of four inputs for each of lanes / 4
/// outputs, where a panel's would be mostly empty.
template <int rows, int vectors>
HWY_NOINLINE void narrow_panel(const Panels& layer, Rows<const float> x, Rows<float> y) {
  const FloatTag tag;
  Floats sum[rows][vectors];
  load_bias(layer.bias, sum);
  const float* weights = layer.weights;
  for (int k = 0; k < layer.inputs; k += 4, weights += vectors * lanes) {
    Floats weight[vectors];
    DEMPILOT_EACH(v, vectors) weight[v] = hn::Load(tag, weights + v * lanes);
    DEMPILOT_EACH(row, rows) {
      const Floats four = hn::LoadDup128(tag, x[row] + k);
      DEMPILOT_EACH(v, vectors) sum[row][v] = hn::MulAdd(four, weight[v], sum[row][v]);
    }
  }
  DEMPILOT_EACH(row, rows) {
    HWY_ALIGN float sums[vectors * lanes];
    DEMPILOT_EACH(v, vectors) {
      const Floats pairs = hn::Add(sum[row][v], hn::Shuffle2301(sum[row][v]));
      hn::Store(hn::Add(pairs, hn::Shuffle1032(pairs)), tag, sums + v * lanes);
    }
    // Up to a multiple of four, which a narrow layer reads: there the sums are zeros.
    for (int output = 0; output < (layer.outputs + 3) / 4 * 4; ++output)
      y[row][output] = output < layer.outputs ? sums[4 * output] : 0.0F;
  }
}

struct NarrowBlock {
  const Panels& layer;
  Rows<const float> x;
  Rows<float> y;

  template <int rows>
  void operator()(int first) const {
    const Rows<const float> in{x[first], x.stride};
    const Rows<float> out{y[first], y.stride};
    switch ((4 * layer.outputs + lanes - 1) / lanes) {
      case 1:
        return narrow_panel<rows, 1>(layer, in, out);
      case 2:
        return narrow_panel<rows, 2>(layer, in, out);
      default:
        return narrow_panel<rows, 3>(layer, in, out);
    }
  }
};
#endif

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

HWY_NOINLINE inline void dense(const Panels& layer, Activation activation, int rows,
                               Rows<const float> x, Rows<float> y, void*) {
#if HWY_TARGET != HWY_SCALAR
  const bool narrow = layer.outputs <= narrow_outputs;
  if (narrow) for_blocks_of_rows(0, rows, NarrowBlock{layer, x, y});
#else
  constexpr bool narrow = false;
#endif
  if (!narrow) for_blocks_of_rows(0, rows, DenseBlock{layer, x, y});
  if (activation == Activation::identity) return;
  for (int row = 0; row < rows; ++row)
    activate(activation, y[row], static_cast<std::size_t>(layer.outputs));
}

/// A vector of units. The last one of a layer may have fewer than its lanes: `count`, if not all.
template <bool all_lanes>
HWY_INLINE Floats load_units(const float* from, int count) {
  if constexpr (all_lanes) return hn::LoadU(FloatTag(), from);
  HWY_ALIGN float part[lanes] = {};
  std::copy_n(from, count, part);
  return hn::Load(FloatTag(), part);
}

template <bool all_lanes>
HWY_INLINE void store_units(Floats values, float* to, int count) {
  if constexpr (all_lanes) return hn::StoreU(values, FloatTag(), to);
  HWY_ALIGN float part[lanes];
  hn::Store(values, FloatTag(), part);
  std::copy_n(part, count, to);
}

/// c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'). |c| < 2^54, or it becomes
/// infinite; it grows by at most 1 a step.
struct Lstm {
  static constexpr int gates = 4;
  static constexpr bool reads_h = true;
  static constexpr bool has_cell_state = true;
  static constexpr bool row_by_row = false;

  /// The new cell state of a row, and 1 + exp(-o).
  template <bool all_lanes>
  static HWY_INLINE void update_cell(const Floats (&z)[gates], const CellTile& tile, int row,
                                     int unit, Floats& cell, Floats& one_and_o) {
    const int units = tile.width - unit;
    float* const c = tile.carry[row] + tile.width + unit;
    Floats e[] = {z[0], z[1], z[3]};
    one_and_exp_of_minus(e);
    const Floats q = expm1_of_double(z[2]);
    // c / (1 + e_f) + q / ((1 + e_i) (2 + q)) as one fraction
    const Floats b = hn::Mul(e[0], hn::Add(q, all(2)));
    const Floats numerator = hn::MulAdd(load_units<all_lanes>(c, units), b, hn::Mul(q, e[1]));
    cell = quotient(numerator, hn::Mul(b, e[1]));
    one_and_o = e[2];
    store_units<all_lanes>(cell, c, units);
  }

  template <bool all_lanes, int rows>
  static HWY_INLINE void update(const Floats (&z)[rows][gates], const CellTile& tile, int unit) {
    Floats p[rows];
    Floats one_and_o[rows];
    DEMPILOT_EACH(row, rows)
    update_cell<all_lanes>(z[row], tile, row, unit, p[row], one_and_o[row]);
    expm1_of_double(p);
    DEMPILOT_EACH(row, rows) {
      const Floats h = quotient(p[row], hn::Mul(one_and_o[row], hn::Add(p[row], all(2))));
      hn::StoreU(h, FloatTag(), tile.y[row] + unit);
    }
  }
};

/// n = tanh(x's part + sigmoid(r) h's part), h' = (1 - sigmoid(u)) n + sigmoid(u) h.
struct Gru {
  static constexpr int gates = 4;
  static constexpr bool reads_h = true;
  static constexpr bool has_cell_state = false;
  static constexpr bool row_by_row = true;

  template <bool all_lanes>
  static HWY_INLINE void update_row(const Floats (&z)[gates], const CellTile& tile, int row,
                                    int unit) {
    const int count = tile.width - unit;
    const Floats h = load_units<all_lanes>(tile.carry[row] + unit, count);
    const Floats reset = hn::Div(all(1), hn::Add(exp_of_minus(z[0]), all(1)));
    const Floats candidate = tanh(hn::MulAdd(reset, z[3], z[2]));
    const Floats e = exp_of_minus(z[1]);
    const Floats keep = hn::Div(all(1), hn::Add(e, all(1)));
    // 1 - sigmoid(u) is e sigmoid(u), which does not cancel
    const Floats next = hn::MulAdd(hn::Mul(e, keep), candidate, hn::Mul(keep, h));
    hn::StoreU(next, FloatTag(), tile.y[row] + unit);
  }
};

/// h' = (1 - w) h + w g(hidden) with w = sigmoid(gate), x' = sigmoid(proj) h' + (1 - sigmoid(proj))
/// x.
struct MinGru {
  static constexpr int gates = 3;
  static constexpr bool reads_h = false;
  static constexpr bool has_cell_state = false;
  static constexpr bool row_by_row = true;

  template <bool all_lanes>
  static HWY_INLINE void update_row(const Floats (&z)[gates], const CellTile& tile, int row,
                                    int unit) {
    const int count = tile.width - unit;
    float* const h = tile.carry[row] + unit;
    const Floats below = hn::Div(all(1), hn::Add(exp_of_minus(z[0]), all(1)));
    const Floats candidate = hn::IfThenElse(hn::Lt(z[0], all(0)), below, hn::Add(z[0], all(0.5F)));
    const Floats e = exp_of_minus(z[1]);
    const Floats w = hn::Div(all(1), hn::Add(e, all(1)));
    const Floats next =
        hn::MulAdd(hn::Mul(e, w), load_units<all_lanes>(h, count), hn::Mul(w, candidate));
    store_units<all_lanes>(next, h, count);
    const Floats d = exp_of_minus(z[2]);
    const Floats through = hn::Div(all(1), hn::Add(d, all(1)));
    const Floats x = load_units<all_lanes>(tile.x[row] + unit, count);
    hn::StoreU(hn::MulAdd(through, next, hn::Mul(hn::Mul(d, through), x)), FloatTag(),
               tile.y[row] + unit);
  }
};

/// The rows of `tile` from `first`.
HWY_INLINE CellTile rows_from(CellTile tile, int first) {
  tile.x.data = tile.x[first];
  tile.carry.data = tile.carry[first];
  tile.y.data = tile.y[first];
  return tile;
}

/// Fetches a row's carry, of one vector of units.
template <class Cell>
HWY_INLINE void prefetch_carry(const CellTile& tile, int row, int unit) {
  const float* const state = tile.carry[row] + unit;
  hwy::Prefetch(state);
  if constexpr (Cell::has_cell_state) hwy::Prefetch(state + tile.width);
}

/// From the pre-activations of one vector of units to their new states.
template <class Cell, bool all_lanes, int rows>
HWY_INLINE void update(const Floats (&z)[rows][Cell::gates], const CellTile& tile, int unit) {
  if constexpr (Cell::row_by_row) {
    DEMPILOT_EACH(row, rows) Cell::template update_row<all_lanes>(z[row], tile, row, unit);
  } else {
    Cell::template update<all_lanes>(z, tile, unit);
  }
}

/// h becomes what the layer gave. Only once all units are done, since the product of each vector of
/// them reads all of h.
HWY_INLINE void replace_h(const CellTile& tile, int rows) {
  for (int row = 0; row < rows; ++row)
    std::copy_n(tile.y[row], tile.width, tile.carry[row]);
}

/// One vector of units of all gates, for a block of rows.
template <class Cell, int rows, bool all_lanes>
HWY_NOINLINE void cell_panel(const CellTile& tile, const float* weights, const float* bias,
                             int unit) {
  Floats z[rows][Cell::gates];
  load_bias(bias, z);
  const int features = Cell::reads_h ? tile.gates.inputs - tile.width : tile.gates.inputs;
  multiply(tile.x, weights, features, z);
  if constexpr (Cell::reads_h) {
    weights += static_cast<std::ptrdiff_t>(features) * Cell::gates * lanes;
    // The next block's part of the carry, which lies behind this one's, is fetched meanwhile, a row
    // at a time: all at once would hold up the weights.
    for (int row = 0, k = 0; row < rows; ++row) {
      prefetch_carry<Cell>(tile, row + rows, unit);
      const int end = tile.width * (row + 1) / rows;
      multiply({tile.carry.data + k, tile.carry.stride},
               weights + static_cast<std::ptrdiff_t>(k) * Cell::gates * lanes, end - k, z);
      k = end;
    }
  }
  update<Cell, all_lanes>(z, tile, unit);
}

template <class Cell>
struct CellBlock {
  const CellTile& whole;

  template <int rows>
  void operator()(int first) const {
    const CellTile tile = rows_from(whole, first);
    const std::ptrdiff_t panel =
        static_cast<std::ptrdiff_t>(tile.gates.inputs) * Cell::gates * lanes;
    const float* weights = tile.gates.weights;
    const float* bias = tile.gates.bias;
    for (int unit = 0; unit < tile.width; unit += lanes) {
      if (unit + lanes <= tile.width) {
        cell_panel<Cell, rows, true>(tile, weights, bias, unit);
      } else {
        cell_panel<Cell, rows, false>(tile, weights, bias, unit);
      }
      weights += panel;
      bias += Cell::gates * lanes;
    }
    if constexpr (Cell::reads_h) replace_h(tile, rows);
  }
};

template <class Cell>
HWY_NOINLINE void step(const CellTile& tile, int rows) {
  for_blocks_of_rows(0, rows, CellBlock<Cell>{tile});
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
