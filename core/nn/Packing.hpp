#pragma once

#include <cstdint>
#include <vector>

#include "core/nn/Network.hpp"
#include "core/nn/simd/TileOps.hpp"
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

/// The heads side by side: [mean or logits | sigma's pre-activation | value].
Dense heads_of(const Parameters& parameters, const Architecture& model);

/// All pre-activations of recurrent layer `index` from one product of [x | h], in the order that
/// the cell reads them; of a MinGRU from x alone.
Dense gates_of(const Parameters& parameters, const RecurrentLayers& layers, std::size_t index);

/// Floats that an agent remembers of one of the layers.
int carry_width(const RecurrentLayers& layers);

/// What an observation's distances from the mean are multiplied by.
std::vector<double> inverse_std_of(const Normalization& normalization);

/// A layer as the vector instructions read it (simd::Panels); what no input or output has is zero.
struct Panelled {
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<std::uint16_t> pieces;  ///< bf16, where the instruction set reads them
};

/// `cell_width`: the units of a recurrent cell's gates, which share panels; 0 for a dense layer.
/// `features`: inputs of a cell before its h, or all of them.
Panelled panelled(const simd::TileOps& ops, const Dense& dense, std::size_t cell_width,
                  std::size_t features);

}  // namespace dempilot::nn::detail
