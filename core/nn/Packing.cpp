#include "core/nn/Packing.hpp"

#include <algorithm>

#include "core/nn/Gru.hpp"
#include "core/nn/Lstm.hpp"

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

Dense gates_of(const Parameters& parameters, const RecurrentLayers& layers, std::size_t index) {
  const std::string& name = layers.names[index];
  if (layers.cell == CellKind::min_gru) return min_gru_gates(parameters.at(name), index);
  const Dense from_x = dense(parameters, name + ".dense_i");
  const Dense from_h = dense(parameters, name + ".dense_h");
  return layers.cell == CellKind::lstm ? lstm_gates(from_x, from_h) : gru_gates(from_x, from_h);
}

Panelled panelled(const Dense& dense, const PanelOrder& order) {
  const auto lanes = static_cast<std::size_t>(order.lanes);
  const auto most = static_cast<std::size_t>(order.vectors);
  const auto width = static_cast<std::size_t>(order.width);
  // Columns that one vector of each kind runs over: a cell's units, or all outputs.
  const std::size_t vectors_in_all =
      width > 0 ? (width + lanes - 1) / lanes * most : (dense.outputs + lanes - 1) / lanes;
  Panelled result{std::vector<float>(dense.inputs * vectors_in_all * lanes, 0.0F),
                  std::vector<float>(vectors_in_all * lanes, 0.0F)};
  for (std::size_t vector = 0; vector < vectors_in_all; ++vector) {
    const std::size_t panel = vector / most;
    const std::size_t vectors = std::min(most, vectors_in_all - panel * most);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t unit = width > 0 ? panel * lanes + lane : vector * lanes + lane;
      if (unit >= (width > 0 ? width : dense.outputs)) continue;
      const std::size_t column = width > 0 ? vector % most * width + unit : unit;
      result.bias[vector * lanes + lane] = static_cast<float>(dense.bias[column]);
      for (std::size_t k = 0; k < dense.inputs; ++k) {
        const std::size_t at = panel * most * dense.inputs + k * vectors + vector % most;
        result.weights[at * lanes + lane] = dense.kernel[k * dense.outputs + column];
      }
    }
  }
  return result;
}

Panelled narrow(const Dense& dense, int lanes) {
  const auto width = static_cast<std::size_t>(lanes);
  const std::size_t padded = round_up(4 * dense.outputs, width);
  Panelled result{std::vector<float>((dense.inputs + 3) / 4 * padded, 0.0F),
                  std::vector<float>(padded, 0.0F)};
  for (std::size_t o = 0; o < dense.outputs; ++o) {
    result.bias[4 * o] = static_cast<float>(dense.bias[o]);
    for (std::size_t k = 0; k < dense.inputs; ++k)
      result.weights[k / 4 * padded + 4 * o + k % 4] = dense.kernel[k * dense.outputs + o];
  }
  return result;
}

}  // namespace dempilot::nn::detail
