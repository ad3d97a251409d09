#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && defined(__linux__)
#define DEMPILOT_HAS_AMX
#endif

/// Products on the matrix unit of the host's processor (Intel's Advanced Matrix Extensions), as
/// accurate as in float32.
///
/// The unit multiplies bf16, 8 significant bits, and sums in float32. A float is the sum of three
/// bf16, its pieces, exactly; of the nine products of two floats' pieces, the three smallest are
/// each below 2^-25 of the whole and left out. The unit is more than six times as fast as fused
/// multiplications and additions of vectors, so that the six products pay.
///
/// Pieces below 2^-126 count as zero, so that numbers below 2^-110 lose digits; those above
/// 3.39e38 are infinite to bf16, and like infinity itself give NaN (weights are cut there).
namespace dempilot::nn::simd::amx {

inline constexpr int piece_count = 3;
inline constexpr float largest_bf16 = 0x1.fep127F;
inline constexpr int tile_rows = 16;    ///< rows, and columns of floats, of a matrix register
inline constexpr int tile_inputs = 32;  ///< inputs that one multiplication sums over
inline constexpr int tile_size = tile_rows * tile_inputs;  ///< bf16 of a matrix register

/// Rows that are multiplied together at most: two registers of them.
inline constexpr int block_rows = 2 * tile_rows;

template <class Integer>
constexpr Integer tiles_of(Integer inputs) {
  return (inputs + tile_inputs - 1) / tile_inputs;
}

/// Pieces of a block of rows: (input tiles, pieces, row tiles, row, input), the largest piece
/// first. Weights: (pairs of vectors, input tiles, pieces, vectors of the pair, input / 2, column,
/// input % 2), the smallest piece first.
struct Product {
  const std::uint16_t* rows = nullptr;
  int row_tiles = 1;  ///< 1 or 2
  int input_tiles = 0;
  const std::uint16_t* weights = nullptr;
  const float* bias = nullptr;  ///< (vectors, 16)
  int vectors = 0;              ///< of 16 columns each
};

/// Whether this processor has such a unit, and the operating system lets this process use it. Asks
/// for it: from then on, stacks for signals must have room for the unit's registers too.
bool available();

/// Room on the matrix unit for the calling thread while it lives.
class Registers {
 public:
  Registers();
  ~Registers();
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;
};

/// A product of one or two tiles of rows with one or two vectors of columns, piece by piece.
struct Steps {
  static constexpr int parts = 3;  ///< of an input tile's products

  void (*begin)(const float* bias);
  void (*add[parts])(const std::uint16_t* rows, const std::uint16_t* weights);
  void (*end)(float* sums, std::ptrdiff_t stride);
};
const Steps& steps(int row_tiles, int vectors);

/// sums (16 row tiles, 16 vectors) = rows weights + bias. Needs Registers. The unit works by
/// itself: `meanwhile` is called again and again to give the rest of the processor something to do.
/// Returns where the weights end.
template <class Meanwhile>
const std::uint16_t* multiply(const Product& product, float* sums, const Meanwhile& meanwhile) {
  const std::uint16_t* weights = product.weights;
  for (int vector = 0; vector < product.vectors; vector += 2) {
    const int vectors = product.vectors - vector > 1 ? 2 : 1;
    const Steps& unit = steps(product.row_tiles, vectors);
    const std::uint16_t* rows = product.rows;
    unit.begin(product.bias + vector * tile_rows);
    for (int tile = 0; tile < product.input_tiles; ++tile) {
      for (const auto& add : unit.add) {
        add(rows, weights);
        meanwhile();
      }
      rows += product.row_tiles * piece_count * tile_size;
      weights += vectors * piece_count * tile_size;
    }
    unit.end(sums + vector * tile_rows, std::ptrdiff_t{product.vectors} * tile_rows);
  }
  return weights;
}

}  // namespace dempilot::nn::simd::amx
