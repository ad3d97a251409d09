#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/policy/Contract.hpp"

/// The layers as vector instructions of the host's processor, float32. One source is compiled for
/// AVX-512, AVX2, SSE4 and what every processor of its kind has, and for AVX-512 once more with
/// products on the matrix unit (Amx.hpp); which of them runs is chosen when the program starts.
/// Plain pointers and sizes: this knows no Kokkos.
///
/// With each, a row's result is bitwise the same whatever rows it is computed with, on processors
/// of one kind. Instruction sets differ in the last place: products and sums are fused or not, and
/// quotients rounded once or twice.
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
/// recurrent cells, the same units of all gates. Dense layers of at most TileOps::narrow_outputs
/// have weights (inputs / 4, vector, output of the vector, one of the four inputs), zeros where
/// there is no input, and their bias where the first of the four lies.
struct Panels {
  const float* weights = nullptr;
  const float* bias = nullptr;
  const std::uint16_t* pieces = nullptr;  ///< the same weights as amx::Product has them, or null
  int inputs = 0;
  int outputs = 0;
};

/// A recurrent layer and, of the agents of a tile, its part of their carries, replaced in place.
struct CellTile {
  Panels gates;             ///< reads [x | h], or x
  int width = 0;            ///< units
  Rows<const float> x;      ///< (rows, inputs of the layer)
  Rows<float> carry;        ///< (rows, [h | c] or h)
  Rows<float> y;            ///< (rows, width padded to lanes) what the layer gives; not x
  void* scratch = nullptr;  ///< TileOps::scratch_bytes, aligned as the widest vectors
};

/// Actions of a tile before the action space, one column of agents for each of their components,
/// replaced by what acts. See ActionSpace, whose members these are.
struct SquashTile {
  ActionSpaceKind kind = ActionSpaceKind::free;
  int size = 0;
  const float* centre = nullptr;
  const float* half = nullptr;
  const float* lower = nullptr;
  const float* upper = nullptr;
  float width = 1;
  float radius = 1;
  float eps = 0;
  float log_gain = 0;        ///< what log |det df/dx| has beside its dependence on x
  Rows<float> x;             ///< (size, rows padded to lanes)
  float* log_det = nullptr;  ///< (rows padded to lanes) log |det df/dx|
};

/// Rows of a tile at most, on any instruction set.
inline constexpr int max_tile_rows = 96;

/// Widest vector of all instruction sets, in floats: what rows are padded to.
inline constexpr int max_lanes = 16;

/// Vectors in a panel of a dense layer.
inline constexpr int dense_vectors = 4;

/// The operations, compiled for one instruction set.
struct TileOps {
  const char* name;      ///< as DEMPILOT_SIMD names it
  int lanes;             ///< floats in a vector
  int narrow_outputs;    ///< dense layers of so many outputs are packed in another way
  int block_rows;        ///< rows that are computed together
  int small_block_rows;  ///< that take as long as fewer would
  int tile_rows;         ///< rows that a tile should have at most, a multiple of block_rows
  bool reads_pieces;     ///< of layers that are not narrow, not their weights

  /// Fewer agents than `min_agents` are sooner done by others, which read the same packed layers.
  const TileOps* for_fewer;  ///< or null
  int min_agents;

  /// Memory that a layer of so many inputs needs meanwhile.
  std::size_t (*scratch_bytes)(int inputs);

  /// y (rows, outputs padded to lanes) = activation(x W + b) of x (rows, inputs); of a narrow
  /// layer, x is padded to a multiple of 4 with zeros.
  void (*dense)(const Panels& layer, Activation activation, int rows, Rows<const float> x,
                Rows<float> y, void* scratch);
  void (*lstm)(const CellTile& tile, int rows);
  void (*gru)(const CellTile& tile, int rows);
  void (*min_gru)(const CellTile& tile, int rows);

  /// Replaces `count` values by their activations.
  void (*activate)(Activation activation, float* values, std::size_t count);

  /// Takes actions of the Gaussian through the action space.
  void (*squash)(const SquashTile& tile, int rows);
};

/// Those that this processor can run, the best first.
std::vector<const TileOps*> supported_tile_ops();

/// The best of them, or what the environment variable DEMPILOT_SIMD names: amx, avx512, avx2, sse4
/// or baseline. Throws Error where this processor cannot run that.
const TileOps& tile_ops();

}  // namespace dempilot::nn::simd
