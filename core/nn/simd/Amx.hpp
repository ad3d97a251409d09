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
/// below 2^-25 of the whole and left out. The unit is more than six times as fast as fused
/// multiplications and additions of vectors, so that the six products pay.
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

/// Pieces of a block of rows: (input tiles, pieces, row tiles, row, input), the largest piece first.
/// Weights: (pairs of vectors, input tiles, pieces, vectors of the pair, input / 2, column, input %
/// 2), the smallest piece first; so both lie in the order in which they are read. What lies behind
/// the last input tile is fetched too: there must be one more of each.
struct Product {
  const std::uint16_t* rows = nullptr;
  int row_tiles = 1;  ///< 1 or 2
  int input_tiles = 0;
  const std::uint16_t* weights = nullptr;
  const float* bias = nullptr;  ///< (vectors, 16)
  int vectors = 0;              ///< of 16 columns each
};

/// Whether this processor has such a unit, and the operating system lets this process use it.
bool available();

/// Room on the matrix unit for the calling thread while it lives.
class Registers {
 public:
  Registers();
  ~Registers();
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;
};

/// sums (16 row tiles, 16 vectors) = rows weights + bias. Needs Registers.
void multiply(const Product& product, float* sums);

}  // namespace dempilot::nn::simd::amx
