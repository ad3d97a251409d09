#include "core/nn/Packing.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "core/nn/CellUpdate.hpp"
#include "core/nn/simd/Amx.hpp"

namespace dempilot::nn::detail {
namespace {

/// A layer of zeros, and a way to fill in parts of it.
Dense zeros(std::size_t inputs, std::size_t outputs) {
  return {inputs, outputs, std::vector<float>(inputs * outputs, 0.0F),
          std::vector<double>(outputs, 0.0)};
}

/// Columns [from, from + count) of `source` become rows from `row` and columns from `column` of
/// `target`; biases are added.
void put(Dense& target, std::size_t row, std::size_t column, const Dense& source, std::size_t from,
         std::size_t count) {
  for (std::size_t o = 0; o < count; ++o) {
    target.bias[column + o] += source.bias[from + o];
    for (std::size_t k = 0; k < source.inputs; ++k) {
      target.kernel[(row + k) * target.outputs + column + o] =
          source.kernel[k * source.outputs + from + o];
    }
  }
}

Dense lstm_gates(const Dense& from_x, const Dense& from_h) {
  const std::size_t width = from_h.inputs;
  Dense gates = zeros(from_x.inputs + width, gate_count * width);
  put(gates, 0, 0, from_x, 0, gates.outputs);
  put(gates, from_x.inputs, 0, from_h, 0, gates.outputs);
  return gates;
}

/// A file's columns are reset, update and new; the new gate's two parts are kept apart.
Dense gru_gates(const Dense& from_x, const Dense& from_h) {
  const std::size_t width = from_h.inputs;
  const auto column = [width](GruColumn c) { return static_cast<std::size_t>(c) * width; };
  Dense gates = zeros(from_x.inputs + width, gru_column_count * width);
  put(gates, 0, column(GruColumn::reset), from_x, 0, 2 * width);
  put(gates, from_x.inputs, column(GruColumn::reset), from_h, 0, 2 * width);
  put(gates, 0, column(GruColumn::new_from_x), from_x, 2 * width, width);
  put(gates, from_x.inputs, column(GruColumn::new_from_h), from_h, 2 * width, width);
  return gates;
}

/// Layer `index` of stacked kernels (layers, width, 3 width), which have no bias.
Dense min_gru_gates(const Tensor& kernels, std::size_t index) {
  const std::size_t count = kernels.shape[1] * kernels.shape[2];
  Dense gates = zeros(kernels.shape[1], kernels.shape[2]);
  const auto first = kernels.values.begin() + static_cast<std::ptrdiff_t>(index * count);
  std::copy_n(first, count, gates.kernel.begin());
  return gates;
}

/// Where the columns of a layer lie in the panels of the vector instructions.
struct PanelOrder {
  std::size_t lanes;             ///< floats in a vector
  std::size_t vectors_of_panel;  ///< at most
  std::size_t outputs;           ///< that one vector of each kind runs over: units, or all outputs
  std::size_t vectors;           ///< of all panels
  bool cell;                     ///< the vectors of a panel are of different gates

  PanelOrder(const Dense& dense, std::size_t lanes_of_vector, std::size_t cell_width)
      : lanes(lanes_of_vector),
        vectors_of_panel(cell_width > 0 ? dense.outputs / cell_width : simd::dense_vectors),
        outputs(cell_width > 0 ? cell_width : dense.outputs),
        vectors(divide_up(outputs, lanes) * (cell_width > 0 ? vectors_of_panel : 1)),
        cell(cell_width > 0) {}

  /// How many vectors the panel of `vector` has.
  std::size_t width_of_panel(std::size_t vector) const {
    return std::min(vectors_of_panel, vectors - vector / vectors_of_panel * vectors_of_panel);
  }

  /// Calls body(vector, lane, column of the layer).
  template <class Body>
  void for_each_column(const Body& body) const {
    for (std::size_t vector = 0; vector < vectors; ++vector) {
      const std::size_t first = (cell ? vector / vectors_of_panel : vector) * lanes;
      const std::size_t gate = cell ? vector % vectors_of_panel : 0;
      for (std::size_t lane = 0; lane < lanes && first + lane < outputs; ++lane)
        body(vector, lane, gate * outputs + first + lane);
    }
  }
};

std::vector<float> weights_of(const Dense& dense, const PanelOrder& order) {
  std::vector<float> weights(dense.inputs * order.vectors * order.lanes, 0.0F);
  order.for_each_column([&](std::size_t vector, std::size_t lane, std::size_t column) {
    const std::size_t in_panel = vector % order.vectors_of_panel;
    for (std::size_t k = 0; k < dense.inputs; ++k) {
      const std::size_t at =
          (vector - in_panel) * dense.inputs + k * order.width_of_panel(vector) + in_panel;
      weights[at * order.lanes + lane] = dense.kernel[k * dense.outputs + column];
    }
  });
  return weights;
}

/// The nearest bf16, as a float.
float to_bf16(float x) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(x) + 0x8000U) & 0xffff0000U);
}

/// amx::Product's weights.
std::vector<std::uint16_t> pieces_of(const Dense& dense, const PanelOrder& order,
                                     std::size_t features) {
  using simd::amx::piece_count;
  constexpr std::size_t most = simd::amx::tile_inputs;
  constexpr std::size_t size = simd::amx::tile_size;
  // x and h end with a tile of their own.
  const std::size_t feature_tiles = simd::amx::tiles_of(features);
  const std::size_t tiles = feature_tiles + simd::amx::tiles_of(dense.inputs - features);
  std::vector<std::uint16_t> pieces(order.vectors * tiles * piece_count * size, 0);
  order.for_each_column([&](std::size_t vector, std::size_t lane, std::size_t column) {
    const std::size_t in_panel = vector % order.vectors_of_panel;
    const std::size_t second = in_panel % 2;
    const std::size_t pair = in_panel - second + 1 < order.width_of_panel(vector) ? 2 : 1;
    std::uint16_t* const first = &pieces[(vector - second) * tiles * piece_count * size];
    for (std::size_t k = 0; k < dense.inputs; ++k) {
      const std::size_t place = k < features ? k : feature_tiles * most + (k - features);
      const std::size_t in_tile = place % most;
      std::uint16_t* const tile = first + place / most * piece_count * pair * size;
      float rest = std::clamp(dense.kernel[k * dense.outputs + column], -simd::amx::largest_bf16,
                              simd::amx::largest_bf16);
      for (std::size_t piece = piece_count; piece-- > 0;) {
        const float part = to_bf16(rest);
        tile[(piece * pair + second) * size + in_tile / 2 * most + 2 * lane + in_tile % 2] =
            static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(part) >> 16U);
        rest -= part;
      }
    }
  });
  return pieces;
}

/// A layer of few outputs, four inputs side by side.
Panelled narrow(const Dense& dense, std::size_t lanes) {
  const std::size_t padded = round_up(4 * dense.outputs, lanes);
  Panelled result{std::vector<float>((dense.inputs + 3) / 4 * padded, 0.0F),
                  std::vector<float>(padded, 0.0F),
                  {}};
  for (std::size_t o = 0; o < dense.outputs; ++o) {
    result.bias[4 * o] = static_cast<float>(dense.bias[o]);
    for (std::size_t k = 0; k < dense.inputs; ++k)
      result.weights[k / 4 * padded + 4 * o + k % 4] = dense.kernel[k * dense.outputs + o];
  }
  return result;
}

}  // namespace

Dense dense(const Parameters& parameters, const std::string& name) {
  const Tensor& kernel = parameters.at(name + ".kernel");
  Dense layer{kernel.shape[0], kernel.shape[1], kernel.values,
              std::vector<double>(kernel.shape[1], 0.0)};
  if (const auto bias = parameters.find(name + ".bias"); bias != parameters.end()) {
    layer.bias.assign(bias->second.values.begin(), bias->second.values.end());
  }
  return layer;
}

Dense columns_of(const Parameters& parameters, const Head& head) {
  const Dense layer = dense(parameters, head.layer.name);
  Dense columns = zeros(layer.inputs, head.count);
  put(columns, 0, 0, layer, head.first, head.count);
  return columns;
}

Dense side_by_side(const Dense& a, const Dense& b) {
  Dense both = zeros(a.inputs, a.outputs + b.outputs);
  put(both, 0, 0, a, 0, a.outputs);
  put(both, 0, a.outputs, b, 0, b.outputs);
  return both;
}

Dense heads_of(const Parameters& parameters, const Architecture& model) {
  Dense head = columns_of(parameters, model.mean);
  for (const std::optional<Head>& more : {model.sigma, model.value}) {
    if (more) head = side_by_side(head, columns_of(parameters, *more));
  }
  return head;
}

Dense gates_of(const Parameters& parameters, const RecurrentLayers& layers, std::size_t index) {
  const std::string& name = layers.names[index];
  if (layers.cell == CellKind::min_gru) return min_gru_gates(parameters.at(name), index);
  const Dense from_x = dense(parameters, name + ".dense_i");
  const Dense from_h = dense(parameters, name + ".dense_h");
  return layers.cell == CellKind::lstm ? lstm_gates(from_x, from_h) : gru_gates(from_x, from_h);
}

int carry_width(const RecurrentLayers& layers) {
  return static_cast<int>(layers.cell == CellKind::lstm ? 2 * layers.width : layers.width);
}

std::vector<double> inverse_std_of(const Normalization& normalization) {
  std::vector<double> factors;
  for (const double variance : normalization.variance)
    factors.push_back(1 / std::sqrt(variance + normalization.epsilon));
  return factors;
}

Panelled panelled(const simd::TileOps& ops, const Dense& dense, std::size_t cell_width,
                  std::size_t features) {
  if (cell_width == 0 && dense.outputs <= static_cast<std::size_t>(ops.narrow_outputs))
    return narrow(dense, static_cast<std::size_t>(ops.lanes));
  const PanelOrder order(dense, static_cast<std::size_t>(ops.lanes), cell_width);
  Panelled result;
  result.bias.assign(order.vectors * order.lanes, 0.0F);
  order.for_each_column([&](std::size_t vector, std::size_t lane, std::size_t column) {
    result.bias[vector * order.lanes + lane] = static_cast<float>(dense.bias[column]);
  });
  result.weights = weights_of(dense, order);
  if (ops.reads_pieces) result.pieces = pieces_of(dense, order, features);
  return result;
}

}  // namespace dempilot::nn::detail
