#pragma once

#include "core/nn/Network.hpp"
#include "core/policy/Architecture.hpp"

/// From named parameters to the matrices that the kernels read.
namespace dempilot::nn::detail {

/// A kernel and bias in host memory while it is being put together.
struct Dense {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<float> kernel;  ///< (inputs, outputs)
  std::vector<double> bias;   ///< (outputs), in double: those of two kernels are added
};

/// The dense layer `name` as it lies in `parameters`; a bias that is not there is zero.
Dense dense(const Parameters& parameters, const std::string& name);

/// The columns of `head` in its layer.
Dense columns_of(const Parameters& parameters, const Head& head);

/// Two layers that read the same input, as one: columns of `a`, then those of `b`.
Dense side_by_side(const Dense& a, const Dense& b);

/// All pre-activations of recurrent layer `index` from one product of [x | h], in the order that
/// the cell reads them; of a MinGRU from x alone.
Dense gates_of(const Parameters& parameters, const RecurrentLayers& layers, std::size_t index);

/// Where the columns of a layer lie in the panels of the vector instructions (simd::Panels).
struct PanelOrder {
  int lanes = 1;    ///< floats in a vector
  int vectors = 1;  ///< of a panel, at most
  int width = 0;    ///< units of a cell with `vectors` gates, which share panels; 0: a dense layer
};

/// A layer in panels; what no output has is zero.
struct Panelled {
  std::vector<float> weights;
  std::vector<float> bias;
};
Panelled panelled(const Dense& dense, const PanelOrder& order);

}  // namespace dempilot::nn::detail
