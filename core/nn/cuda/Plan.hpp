#pragma once

#include <cstddef>
#include <cstdint>

#include "core/nn/Decision.hpp"
#include "core/nn/Precision.hpp"
#include "core/policy/Contract.hpp"

/// A network as the fused CUDA kernels read it: plain sizes and offsets, no library.
namespace dempilot::nn::cuda {

/// Eight bytes of a row, or of a column of weights: what one lane reads at a time.
struct alignas(8) Word {
  std::uint32_t low, high;
};

/// A chunk is 32 bytes of a row, the inputs of one matrix instruction: lane (g, t) of a warp, g =
/// lane / 4 and t = lane % 4, holds a quarter of it, from byte 8 t on.
template <Precision precision>
struct Format {
  using Element = float;  ///< of rows between layers
  static constexpr int chunk = 8;
};
template <>
struct Format<Precision::bf16> {
  using Element = std::uint16_t;
  static constexpr int chunk = 16;
};

/// All rows, and all parts of a row, end with a whole chunk of any precision.
inline constexpr int width_multiple = 16;
/// Columns of a matrix instruction.
inline constexpr int tile_columns = 8;
/// Matrix instructions side by side: those of a dense layer, and the pre-activations of a cell.
inline constexpr int dense_tiles = 2;
inline constexpr int cell_tiles = 4;

DEMPILOT_FUNCTION constexpr int padded(int width) {
  return (width + width_multiple - 1) / width_multiple * width_multiple;
}

enum class LayerKind { dense, lstm, gru, min_gru };

/// One layer. Weights are words in the order [group][chunk][tile][lane]; a group has dense_tiles or
/// cell_tiles tiles, of a cell those of the same eight units. The chunks of x come first, then
/// those of h. Of fp32, a tile's words are the floats [t][k][2]: columns 2 t and 2 t + 1 of input
/// k.
struct Layer {
  LayerKind kind = LayerKind::dense;
  Activation activation = Activation::identity;  ///< of a dense layer
  int features = 0;                              ///< of x
  int width = 0;                                 ///< outputs, or units
  int first_carry = 0;
  std::int64_t first_weight = 0;  ///< in words
  std::int64_t first_bias = 0;    ///< in floats, [group][tile][column]

  DEMPILOT_FUNCTION int tiles() const {
    return kind == LayerKind::dense ? dense_tiles : cell_tiles;
  }
  DEMPILOT_FUNCTION bool reads_h() const {
    return kind == LayerKind::lstm || kind == LayerKind::gru;
  }
  /// Groups of columns; those behind the last unit are zeros.
  DEMPILOT_FUNCTION int groups() const {
    return padded(width) / (kind == LayerKind::dense ? dense_tiles * tile_columns : tile_columns);
  }
  /// Inputs, those of x and of h padded.
  DEMPILOT_FUNCTION int padded_inputs() const {
    return padded(features) + (reads_h() ? padded(width) : 0);
  }
};

/// Layers of one branch, three stacks (see NetworkBranch) of at most max_layer_count + 1.
inline constexpr int max_branch_layers = 3 * (static_cast<int>(max_layer_count) + 1);

struct Branch {
  Layer layers[max_branch_layers];
  int layer_count = 0;
};

/// What one step does: the actor's layers, the head, decisions, the critic's layers. Pointers lie
/// in the memory of who runs it.
struct Plan {
  Branch actor;
  Layer head;
  Branch critic;  ///< its last layer gives the value, if it has any
  bool critic_reads_memory = false;
  int first_memory = 0;  ///< where the actor's last h lies in a carry
  int memory_width = 0;

  int observation_size = 0;
  int carry_size = 0;
  int widest = 0;    ///< padded, of what flows between layers
  int widest_h = 0;  ///< padded, of what recurrent layers remember; 0 without any

  const Word* weights = nullptr;
  const float* biases = nullptr;
  const double* mean = nullptr;         ///< (observation_size), or null: nothing is normalized
  const double* inverse_std = nullptr;  ///< (observation_size)
  double clip = 0;
};

/// One step of `decision.agents` agents.
struct Step {
  const float* observation = nullptr;  ///< (agents, observation_size)
  float* carry = nullptr;              ///< (agents, carry_size), read and replaced
  const std::int8_t* done = nullptr;   ///< (agents) or null; nonzero zeroes the carry afterwards
  float* hidden = nullptr;             ///< (agents, inputs of the head) or null: as it saw them
  Decision<float> decision;
  int number = 0;  ///< of the step, for what `decision` writes
};

}  // namespace dempilot::nn::cuda
