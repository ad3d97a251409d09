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

/// An input tile of a row, of which there are `count`, as pieces that lie `stride` apart. The
/// infinite becomes the largest bf16, since infinity has no remainder; NaN stays what it is.
HWY_INLINE void split(const float* x, int count, std::uint16_t* pieces, std::ptrdiff_t stride) {
  const FloatTag tag;
  Floats rest[2];
  if (count == amx::tile_inputs) {
    DEMPILOT_EACH(half, 2) rest[half] = hn::LoadU(tag, x + half * lanes);
  } else {
    const int left = std::max(count - lanes, 0);
    rest[0] = hn::MaskedLoad(hn::FirstN(tag, count), tag, x);
    rest[1] = hn::MaskedLoad(hn::FirstN(tag, left), tag, left > 0 ? x + lanes : x);
  }
  const Floats most = all(amx::largest_bf16);
  // of a number and NaN, these give the second
  DEMPILOT_EACH(half, 2) rest[half] = hn::Max(hn::Neg(most), hn::Min(most, rest[half]));
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
      for (int row = 0; row < rows_; ++row)
        split(x[row] + first, count, tile + row * amx::tile_inputs, stride);
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
  // x and h end with an input tile each
  const std::size_t tiles = amx::tiles_of(static_cast<std::size_t>(inputs)) + 1;
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
      amx::multiply(split_rows.product(weights, layer.bias + output, vectors), sums, [] {});
      weights += split_rows.weights_of(vectors);
      const int width = vectors * lanes;
      activate(activation, sums, static_cast<std::size_t>(count) * width);
      for (int row = 0; row < count; ++row)
        std::copy_n(sums + row * width, width, y[first + row] + output);
    }
  }
}

/// Brings one vector of units of a block of rows to their new states, a row at a time.
template <class Cell>
class PendingUnits {
 public:
  PendingUnits(const CellTile& tile, int rows) : tile_(tile), rows_(rows), done_(rows) {}

  /// Their pre-activations (rows, gates, lanes), which stay where they are until finish().
  void take_on(const float* sums, int unit) {
    sums_ = sums;
    unit_ = unit;
    done_ = 0;
  }

  void update_next() {
    if (done_ == rows_) return;
    if (unit_ + lanes <= tile_.width) {
      update_row<true>();
    } else {
      update_row<false>();
    }
    ++done_;
  }

  void finish() {
    while (done_ < rows_)
      update_next();
  }

 private:
  template <bool all_lanes>
  HWY_NOINLINE void update_row() const {
    Floats z[1][Cell::gates];
    DEMPILOT_EACH(gate, Cell::gates)
    z[0][gate] = hn::Load(FloatTag(), sums_ + (done_ * Cell::gates + gate) * lanes);
    prefetch_carry<Cell>(tile_, done_ + amx::block_rows, unit_);
    update<Cell, all_lanes>(z, rows_from(tile_, done_), unit_);
  }

  const CellTile& tile_;
  int rows_;
  int done_;
  const float* sums_ = nullptr;
  int unit_ = 0;
};

/// While the unit multiplies for one vector of units, those before are updated.
template <class Cell>
HWY_NOINLINE void amx_cell_block(const CellTile& tile, int rows) {
  SplitRows split_rows(rows, tile.scratch);
  const int features = Cell::reads_h ? tile.gates.inputs - tile.width : tile.gates.inputs;
  split_rows.add(tile.x, features);
  if constexpr (Cell::reads_h) split_rows.add({tile.carry.data, tile.carry.stride}, tile.width);
  HWY_ALIGN float sums[2][amx::block_rows * Cell::gates * lanes];
  const std::uint16_t* weights = tile.gates.pieces;
  const float* bias = tile.gates.bias;
  PendingUnits<Cell> pending(tile, rows);
  for (int unit = 0; unit < tile.width; unit += lanes) {
    float* const new_sums = sums[unit / lanes % 2];
    amx::multiply(split_rows.product(weights, bias, Cell::gates), new_sums,
                  [&] { pending.update_next(); });
    pending.finish();
    pending.take_on(new_sums, unit);
    weights += split_rows.weights_of(Cell::gates);
    bias += Cell::gates * lanes;
  }
  pending.finish();
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
