// Dense and recurrent layers whose products the matrix unit computes (Amx.hpp), for the one
// instruction set that every processor with such a unit has.
#if defined(DEMPILOT_NN_SIMD_AMX_LAYERS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_AMX_LAYERS_INL_HPP
#undef DEMPILOT_NN_SIMD_AMX_LAYERS_INL_HPP
#else
#define DEMPILOT_NN_SIMD_AMX_LAYERS_INL_HPP
#endif

#include "core/nn/simd/Amx.hpp"
#include "core/nn/simd/Layers-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && defined(DEMPILOT_HAS_AMX)

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

static_assert(lanes == amx::tile_rows && 2 * lanes == amx::tile_inputs);

/// The nearest float whose lower half is zero: a bf16. It must not be beyond the largest.
HWY_INLINE Floats to_bf16(Floats x) {
  const hn::RebindToUnsigned<FloatTag> bits;
  const auto rounded = hn::Add(hn::BitCast(bits, x), hn::Set(bits, 0x8000U));
  return hn::BitCast(FloatTag(), hn::And(rounded, hn::Set(bits, 0xffff0000U)));
}

/// The upper halves of 32 floats.
HWY_INLINE void store_bf16(Floats first, Floats second, std::uint16_t* to) {
  const hn::Repartition<std::uint16_t, FloatTag> halves;
  hn::StoreU(hn::ConcatOdd(halves, hn::BitCast(halves, second), hn::BitCast(halves, first)), halves,
             to);
}

/// An input tile of a row as pieces, which lie `stride` apart. The infinite becomes the largest
/// bf16, since infinity has no remainder; NaN stays what it is.
HWY_INLINE void split(const float* x, std::uint16_t* pieces, std::ptrdiff_t stride) {
  const Floats most = all(amx::largest_bf16);
  Floats rest[2];
  DEMPILOT_EACH(half, 2) {
    const Floats entry = hn::LoadU(FloatTag(), x + half * lanes);
    const auto beyond = hn::Gt(hn::Abs(entry), most);
    rest[half] = hn::IfThenElse(beyond, hn::CopySign(most, entry), entry);
  }
  DEMPILOT_EACH(piece, amx::piece_count - 1) {
    const Floats part[] = {to_bf16(rest[0]), to_bf16(rest[1])};
    store_bf16(part[0], part[1], pieces + piece * stride);
    DEMPILOT_EACH(half, 2) rest[half] = hn::Sub(rest[half], part[half]);
  }
  store_bf16(rest[0], rest[1], pieces + (amx::piece_count - 1) * stride);
}

/// Up to amx::block_rows rows, their inputs as pieces in scratch memory.
class SplitRows {
 public:
  SplitRows(int rows, void* scratch)
      : rows_(rows),
        row_tiles_(rows > amx::tile_rows ? 2 : 1),
        pieces_(static_cast<std::uint16_t*>(scratch)) {}

  /// Appends `inputs` of each row, and zeros to the end of the last input tile.
  void add(Rows<const float> x, int inputs) {
    const std::ptrdiff_t stride = row_tiles_ * std::ptrdiff_t{amx::tile_size};
    for (int first = 0; first < inputs; first += amx::tile_inputs, ++input_tiles_) {
      std::uint16_t* const tile = pieces_ + input_tiles_ * amx::piece_count * stride;
      const int count = std::min(inputs - first, amx::tile_inputs);
      for (int row = 0; row < rows_; ++row) {
        std::uint16_t* const to = tile + row * amx::tile_inputs;
        if (count == amx::tile_inputs) {
          split(x[row] + first, to, stride);
        } else {
          HWY_ALIGN float part[amx::tile_inputs] = {};
          std::copy_n(x[row] + first, count, part);
          split(part, to, stride);
        }
      }
    }
  }

  /// What they give with `vectors` vectors of columns.
  amx::Product product(const std::uint16_t* weights, const float* bias, int vectors) const {
    return {pieces_, row_tiles_, input_tiles_, weights, bias, vectors};
  }

  /// Where the weights of the next columns lie.
  std::ptrdiff_t weights_of(int vectors) const {
    return std::ptrdiff_t{vectors} * input_tiles_ * amx::piece_count * amx::tile_size;
  }

 private:
  int rows_;
  int row_tiles_;
  int input_tiles_ = 0;
  std::uint16_t* pieces_;
};

inline std::size_t amx_scratch_bytes(int inputs) {
  // x and h end with an input tile of their own, and one more is fetched
  const std::size_t tiles = amx::tiles_of(static_cast<std::size_t>(inputs)) + 2;
  return tiles * amx::tile_inputs * amx::piece_count * amx::block_rows * sizeof(std::uint16_t);
}

HWY_NOINLINE inline void amx_dense(const Panels& layer, Activation activation, int rows,
                                   Rows<const float> x, Rows<float> y, void* scratch) {
  if (layer.outputs <= narrow_outputs) return dense(layer, activation, rows, x, y, scratch);
  const amx::Registers registers;
  HWY_ALIGN float sums[amx::block_rows * dense_vectors * lanes];
  for (int first = 0; first < rows; first += amx::block_rows) {
    const int count = std::min(rows - first, amx::block_rows);
    SplitRows split_rows(count, scratch);
    split_rows.add({x[first], x.stride}, layer.inputs);
    const std::uint16_t* weights = layer.pieces;
    for (int output = 0; output < layer.outputs; output += dense_vectors * lanes) {
      const int vectors = std::min((layer.outputs - output + lanes - 1) / lanes, dense_vectors);
      amx::multiply(split_rows.product(weights, layer.bias + output, vectors), sums);
      weights += split_rows.weights_of(vectors);
      const int width = vectors * lanes;
      activate(activation, sums, static_cast<std::size_t>(count) * width);
      for (int row = 0; row < count; ++row)
        std::copy_n(sums + row * width, width, y[first + row] + output);
    }
  }
}

/// One vector of units of all gates, from the sums that lie in memory.
template <class Cell, bool all_lanes>
struct CellFromSums {
  const CellTile& whole;
  const float* sums;
  int unit;

  template <int rows>
  void operator()(int first) const {
    const CellTile tile = rows_from(whole, first);
    const float* from = sums + first * Cell::gates * lanes;
    Floats z[rows][Cell::gates];
    DEMPILOT_EACH(row, rows) {
      DEMPILOT_EACH(gate, Cell::gates)
      z[row][gate] = hn::Load(FloatTag(), from + (row * Cell::gates + gate) * lanes);
    }
    for (int row = 0; row < rows; ++row)
      prefetch_carry<Cell>(tile, row + amx::block_rows, unit);
    update<Cell, all_lanes>(z, tile, unit);
  }
};

template <class Cell>
HWY_INLINE void amx_cell_block(const CellTile& tile, int rows) {
  SplitRows split_rows(rows, tile.scratch);
  const int features = Cell::reads_h ? tile.gates.inputs - tile.width : tile.gates.inputs;
  split_rows.add(tile.x, features);
  if constexpr (Cell::reads_h) split_rows.add({tile.carry.data, tile.carry.stride}, tile.width);
  HWY_ALIGN float sums[amx::block_rows * Cell::gates * lanes];
  const std::uint16_t* weights = tile.gates.pieces;
  const float* bias = tile.gates.bias;
  constexpr int together = 4;  // rows, as many as have their sums in registers
  for (int unit = 0; unit < tile.width; unit += lanes) {
    amx::multiply(split_rows.product(weights, bias, Cell::gates), sums);
    if (unit + lanes <= tile.width) {
      for_blocks_of_rows<together>(0, rows, CellFromSums<Cell, true>{tile, sums, unit});
    } else {
      for_blocks_of_rows<together>(0, rows, CellFromSums<Cell, false>{tile, sums, unit});
    }
    weights += split_rows.weights_of(Cell::gates);
    bias += Cell::gates * lanes;
  }
  if constexpr (Cell::reads_h) replace_h(tile, rows);
}

template <class Cell>
HWY_NOINLINE void amx_step(const CellTile& tile, int rows) {
  const amx::Registers registers;
  for (int first = 0; first < rows; first += amx::block_rows)
    amx_cell_block<Cell>(rows_from(tile, first), std::min(rows - first, amx::block_rows));
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
