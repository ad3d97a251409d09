#pragma once

#include <cstddef>

#include "core/policy/Contract.hpp"

/// The layers as vector instructions of the host's processor, float32. One source is compiled for
/// AVX-512, for AVX2 and for the vectors that every processor of its kind has; which of them runs
/// is chosen when the program starts. Plain pointers and sizes: this knows no Kokkos.
///
/// A row's result is bitwise the same whatever rows it is computed with, on one instruction set.
namespace dempilot::nn::simd {

/// Rows of floats; consecutive rows lie `stride` apart.
template <class T>
struct Rows {
  T* data = nullptr;
  std::ptrdiff_t stride = 0;

  T* operator[](std::ptrdiff_t row) const { return data + row * stride; }
};

/// y = x W + b, packed. Weights and biases lie in panels of up to `vectors` vectors of
/// TileOps::lanes outputs: weights (panel, input, vector, lane), bias (panel, vector, lane). Of
/// dense layers, a panel has consecutive outputs, and the last one as few vectors as it needs; of
/// recurrent cells, the same units of all gates.
struct Panels {
  const float* weights = nullptr;
  const float* bias = nullptr;
  int inputs = 0;
  int outputs = 0;
};

/// A recurrent layer and, of the agents of a tile, its part of their carries, replaced in place.
struct CellTile {
  Panels gates;              ///< reads [x | h], or x
  int width = 0;             ///< units
  Rows<const float> x;       ///< (rows, inputs of the layer)
  Rows<float> carry;         ///< (rows, [h | c] or h)
  Rows<float> y;             ///< (rows, width padded to lanes) what the layer gives; not x
};

/// Rows that are computed together at most, on any instruction set.
inline constexpr int max_block_rows = 6;

/// Widest vector of all instruction sets, in floats: what rows are padded to.
inline constexpr int max_lanes = 16;

/// Vectors in a panel of a dense layer.
inline constexpr int dense_vectors = 4;

/// The operations, compiled for one instruction set.
struct TileOps {
  const char* name;  ///< "AVX-512", ...
  int lanes;         ///< floats in a vector

  /// y (rows, outputs padded to lanes) = activation(x W + b) of x (rows, inputs).
  void (*dense)(const Panels& layer, Activation activation, int rows, Rows<const float> x,
                Rows<float> y);
  void (*lstm)(const CellTile& tile, int rows);
  void (*gru)(const CellTile& tile, int rows);
  void (*min_gru)(const CellTile& tile, int rows);

  /// Replaces `count` values by their activations.
  void (*activate)(Activation activation, float* values, std::size_t count);
};

/// The best that this processor can run, or what the environment variable DEMPILOT_SIMD names, if
/// it can run that.
const TileOps& tile_ops();

}  // namespace dempilot::nn::simd
