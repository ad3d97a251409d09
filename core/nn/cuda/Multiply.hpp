#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/nn/cuda/Numbers.hpp"
#include "core/nn/cuda/Plan.hpp"

/// Products of some rows and the weights of a group of columns, summed in the registers of a warp.
namespace dempilot::nn::cuda {

/// A lane's share of the sums of row_tiles x tiles matrix instructions, 16 rows x 8 columns each:
/// of lane (g, t), rows g and g + 8 (the first two, and the others), columns 2 t and 2 t + 1.
template <int row_tiles, int tiles>
struct Sums {
  float of[row_tiles][tiles][4];
};

/// A lane's share of one chunk of 16 rows: of row g, and of row g + 8.
struct RowWords {
  Word upper, lower;
};

/// A lane's operands in the order of the registers of a matrix instruction. Its k-th input is not
/// the k-th of a row, but the same one of rows and columns: the order of a sum is all that changes.
template <int count>
struct Registers {
  std::uint32_t of[count];
};
DEMPILOT_FUNCTION Registers<4> registers_of(const RowWords& rows) {
  return {{rows.upper.low, rows.lower.low, rows.upper.high, rows.lower.high}};
}
DEMPILOT_FUNCTION Registers<2> registers_of(const Word& column) {
  return {{column.low, column.high}};
}

template <int tiles>
struct WeightWords {
  Word of[tiles];
};

DEMPILOT_FUNCTION Word load_word(const void* from) {
#ifdef __CUDA_ARCH__
  return *static_cast<const Word*>(from);
#else
  Word word;
  std::memcpy(&word, from, sizeof(Word));
  return word;
#endif
}

/// Of weights, which nobody changes.
DEMPILOT_FUNCTION Word load_weight(const Word* from) {
#ifdef __CUDA_ARCH__
  const uint2 word = __ldg(reinterpret_cast<const uint2*>(from));
  return {word.x, word.y};
#else
  return *from;
#endif
}

/// Four floats, 16 bytes aligned on a device.
struct Four {
  float of[4];
};

DEMPILOT_FUNCTION Four load_four(const float* from) {
#ifdef __CUDA_ARCH__
  const float4 four = *reinterpret_cast<const float4*>(from);
  return {four.x, four.y, four.z, four.w};
#else
  return {from[0], from[1], from[2], from[3]};
#endif
}

DEMPILOT_FUNCTION Four load_weights(const float* from) {
#ifdef __CUDA_ARCH__
  const float4 four = __ldg(reinterpret_cast<const float4*>(from));
  return {four.x, four.y, four.z, four.w};
#else
  return {from[0], from[1], from[2], from[3]};
#endif
}

/// A T of each lane of a warp.
template <class Machine, class T>
using HeldBy = typename Machine::template Lane<T>;

/// Rows that are multiplied: `chunks` chunks of each, rows `stride` elements apart.
template <class Element>
struct RowsOf {
  const Element* first = nullptr;
  int stride = 0;
  int chunks = 0;
};

/// By multiply-adds, inputs in their order.
template <class Machine, int row_tiles, int tiles>
DEMPILOT_FUNCTION void add_products_by_lanes(const Machine& machine, const RowsOf<float>& rows,
                                             const float* weights,
                                             HeldBy<Machine, Sums<row_tiles, tiles>>& sums) {
  machine.each_lane([&](int lane) {
    const float* const x = rows.first + lane / 4 * rows.stride;
    const float* const w = weights + lane % 4 * 16;
    for (int half = 0; half < 2 * rows.chunks; ++half) {
      Four row[2 * row_tiles];
      DEMPILOT_UNROLL
      for (int r = 0; r < 2 * row_tiles; ++r)
        row[r] = load_four(x + 8 * r * rows.stride + 4 * half);
      const float* const here = w + half / 2 * tiles * 64 + half % 2 * 8;
      DEMPILOT_UNROLL
      for (int tile = 0; tile < tiles; ++tile) {
        const Four two[2] = {load_weights(here + tile * 64), load_weights(here + tile * 64 + 4)};
        DEMPILOT_UNROLL
        for (int k = 0; k < 4; ++k) {
          DEMPILOT_UNROLL
          for (int n = 0; n < 2; ++n) {
            const float weight = two[k / 2].of[2 * (k % 2) + n];
            DEMPILOT_UNROLL
            for (int r = 0; r < 2 * row_tiles; ++r) {
              float& sum = sums[lane].of[r / 2][tile][2 * (r % 2) + n];
              sum = std::fma(row[r].of[k], weight, sum);
            }
          }
        }
      }
    }
  });
}

/// What a tf32 holds of each of the numbers, or what is left of them: they are cut, so that the
/// rest is exact, and of what is beyond both nothing is lost but the last three of a float's 24
/// digits.
template <bool rest>
DEMPILOT_FUNCTION Word part_of(Word word) {
  const auto part = [](std::uint32_t bits) {
    const float x = float_of(bits);
    const float cut = cut_to_tf32(x);
    return bits_of(!rest ? cut : x == cut ? 0.0F : x - cut);  // of an infinity nothing is left
  };
  return {part(word.low), part(word.high)};
}

template <bool rest, int tiles>
DEMPILOT_FUNCTION WeightWords<tiles> part_of(const WeightWords<tiles>& words) {
  WeightWords<tiles> parts;
  DEMPILOT_UNROLL
  for (int tile = 0; tile < tiles; ++tile)
    parts.of[tile] = part_of<rest>(words.of[tile]);
  return parts;
}

/// Products of 16 rows and of all tiles, by the tensor cores.
template <Precision precision, class Machine, int row_tiles, int tiles>
class TensorProducts {
 public:
  template <class T>
  using Lane = typename Machine::template Lane<T>;

  DEMPILOT_FUNCTION TensorProducts(const Machine& machine, const Word* weights)
      : machine_(machine), weights_(weights) {
    fetch();
  }

  /// Takes the weights of the next chunk, and asks for those of the one behind it: they are long on
  /// their way.
  DEMPILOT_FUNCTION void next_chunk() {
    machine_.each_lane([&](int lane) {
      columns_[lane] = ahead_[lane];
      if constexpr (is_split) {
        rest_[lane] = part_of<true>(columns_[lane]);
        columns_[lane] = part_of<false>(columns_[lane]);
      }
    });
    weights_ += tiles * 32;
    fetch();
  }

  /// `x`: where lane 0 finds its part of the chunk; `m`: which of the sums.
  DEMPILOT_FUNCTION void add(const typename Format<precision>::Element* x, int stride, int m,
                             Lane<Sums<row_tiles, tiles>>& sums) const {
    constexpr int quarter = Format<precision>::chunk / 4;
    Lane<RowWords> rows;
    Lane<RowWords> rest;
    machine_.each_lane([&](int lane) {
      const auto* const mine = x + lane / 4 * stride + lane % 4 * quarter;
      rows[lane] = {load_word(mine), load_word(mine + 8 * stride)};
      if constexpr (is_split) {
        const RowWords whole = rows[lane];
        rows[lane] = {part_of<false>(whole.upper), part_of<false>(whole.lower)};
        rest[lane] = {part_of<true>(whole.upper), part_of<true>(whole.lower)};
      }
    });
    DEMPILOT_UNROLL
    for (int tile = 0; tile < tiles; ++tile) {
      if constexpr (is_split) {
        add_whole(rows, rest, sums, m, tile);
      } else if constexpr (precision == Precision::tf32) {
        machine_.multiply_tf32(rows, columns_, sums, m, tile);
      } else {
        machine_.multiply_bf16(rows, columns_, sums, m, tile);
      }
    }
  }

 private:
  static constexpr bool is_split = precision == Precision::tf32x3;

  /// Tensor cores cut what they add to a sum, and cut again at each chunk. So a chunk is summed by
  /// itself, the small products first, and then added as floats are.
  DEMPILOT_FUNCTION void add_whole(const Lane<RowWords>& rows, const Lane<RowWords>& rest,
                                   Lane<Sums<row_tiles, tiles>>& sums, int m, int tile) const {
    Lane<Sums<1, tiles>> chunk;
    machine_.each_lane([&](int lane) {
      DEMPILOT_UNROLL
      for (int i = 0; i < 4; ++i)
        chunk[lane].of[0][tile][i] = 0.0F;
    });
    machine_.multiply_tf32(rest, columns_, chunk, 0, tile);
    machine_.multiply_tf32(rows, rest_, chunk, 0, tile);
    machine_.multiply_tf32(rows, columns_, chunk, 0, tile);
    machine_.each_lane([&](int lane) {
      DEMPILOT_UNROLL
      for (int i = 0; i < 4; ++i)
        sums[lane].of[m][tile][i] += chunk[lane].of[0][tile][i];
    });
  }

  DEMPILOT_FUNCTION void fetch() {
    machine_.each_lane([&](int lane) {
      DEMPILOT_UNROLL
      for (int tile = 0; tile < tiles; ++tile)
        ahead_[lane].of[tile] = load_weight(weights_ + tile * 32 + lane);
    });
  }

  const Machine& machine_;
  const Word* weights_;
  Lane<WeightWords<tiles>> ahead_;
  Lane<WeightWords<tiles>> columns_;
  Lane<WeightWords<tiles>> rest_;
};

/// Adds to `sums` the products of `x`, then of `h`, with the weights of a group.
template <Precision precision, class Machine, int row_tiles, int tiles>
DEMPILOT_FUNCTION void add_products(const Machine& machine,
                                    const RowsOf<typename Format<precision>::Element>& x,
                                    const RowsOf<typename Format<precision>::Element>& h,
                                    const Word* weights,
                                    HeldBy<Machine, Sums<row_tiles, tiles>>& sums) {
  if constexpr (precision == Precision::fp32) {
    const auto* const floats = reinterpret_cast<const float*>(weights);
    add_products_by_lanes<Machine, row_tiles, tiles>(machine, x, floats, sums);
    add_products_by_lanes<Machine, row_tiles, tiles>(machine, h, floats + x.chunks * tiles * 64,
                                                     sums);
  } else {
    TensorProducts<precision, Machine, row_tiles, tiles> products(machine, weights);
    for (const auto& rows : {x, h}) {
      for (int chunk = 0; chunk < rows.chunks; ++chunk) {
        products.next_chunk();
        DEMPILOT_UNROLL
        for (int m = 0; m < row_tiles; ++m) {
          products.add(rows.first + 16 * m * rows.stride + chunk * Format<precision>::chunk,
                       rows.stride, m, sums);
        }
      }
    }
  }
}

}  // namespace dempilot::nn::cuda
