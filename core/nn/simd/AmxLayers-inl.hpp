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

/// The nearest float whose lower half is zero: a bf16.
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

/// An input tile of a row, of which there are `count`, as pieces that lie `stride` apart. What is
/// not finite has a remainder that is NaN.
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
  DEMPILOT_EACH(piece, amx::piece_count - 1) {
    const Floats part[] = {to_bf16(rest[0]), to_bf16(rest[1])};
    store_bf16(part[0], part[1], pieces + piece * stride);
    DEMPILOT_EACH(half, 2) rest[half] = hn::Sub(rest[half], part[half]);
  }
  store_bf16(rest[0], rest[1], pieces + (amx::piece_count - 1) * stride);
}

/// A block of rows, up to amx::block_rows, their inputs as pieces in scratch memory.
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

  int count() const { return rows_; }

  /// What they give with `vectors` vectors of columns.
  amx::Product product(const std::uint16_t* weights, const float* bias, int vectors) const {
    return {pieces_, row_tiles_, input_tiles_, weights, bias, vectors};
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

/// Sums of some columns of a block of rows, each row of which waits to be updated.
template <class Columns>
class PendingRows {
 public:
  PendingRows(const Columns& columns, int rows) : columns_(columns), rows_(rows), done_(rows) {}

  /// `sums` (rows, vectors of these columns, lanes) must stay where they are until finish().
  void take_on(const float* sums, int column) {
    sums_ = sums;
    column_ = column;
    done_ = 0;
  }

  void update_next() {
    if (done_ == rows_) return;
    columns_.update(done_, sums_ + done_ * columns_.vectors(column_) * lanes, column_);
    ++done_;
  }

  void finish() {
    while (done_ < rows_)
      update_next();
  }

 private:
  const Columns& columns_;
  int rows_;
  int done_;
  const float* sums_ = nullptr;
  int column_ = 0;
};

/// A block of rows through a layer: while the unit multiplies for some of the columns, those before
/// them are updated. `Columns` are the layer's: `step` of them at a time, which are
/// vectors(column), at most `most_vectors`, until end(); and update(row, sums (vectors, lanes),
/// column).
template <class Columns>
HWY_INLINE void multiply_and_update(const SplitRows& rows, const Panels& layer,
                                    const Columns& columns) {
  HWY_ALIGN float sums[2][amx::block_rows * Columns::most_vectors * lanes];
  const std::uint16_t* weights = layer.pieces;
  const float* bias = layer.bias;
  PendingRows<Columns> pending(columns, rows.count());
  for (int column = 0, turn = 0; column < columns.end(); column += Columns::step, ++turn) {
    const int vectors = columns.vectors(column);
    weights = amx::multiply(rows.product(weights, bias, vectors), sums[turn % 2],
                            [&]() HWY_ATTR { pending.update_next(); });
    pending.finish();
    pending.take_on(sums[turn % 2], column);
    bias += vectors * lanes;
  }
  pending.finish();
}

struct DenseColumns {
  const Panels& layer;
  Activation activation;
  Rows<float> y;

  static constexpr int most_vectors = 2;
  static constexpr int step = most_vectors * lanes;

  int end() const { return layer.outputs; }
  int vectors(int column) const { return layer.outputs - column > lanes ? 2 : 1; }

  void update(int row, const float* sums, int column) const {
    const int width = vectors(column) * lanes;
    std::copy_n(sums, width, y[row] + column);
    activate(activation, y[row] + column, static_cast<std::size_t>(width));
  }
};

HWY_NOINLINE inline void amx_dense(const Panels& layer, Activation activation, int rows,
                                   Rows<const float> x, Rows<float> y, void* scratch) {
  if (layer.outputs <= narrow_outputs) return dense(layer, activation, rows, x, y, scratch);
  const amx::Registers registers;
  for (int first = 0; first < rows; first += amx::block_rows) {
    SplitRows split_rows(std::min(rows - first, amx::block_rows), scratch);
    split_rows.add({x[first], x.stride}, layer.inputs);
    multiply_and_update(split_rows, layer, DenseColumns{layer, activation, {y[first], y.stride}});
  }
}

/// The units of a cell, all gates of one vector of them at a time.
template <class Cell>
struct CellColumns {
  const CellTile& tile;

  static constexpr int most_vectors = Cell::gates;
  static constexpr int step = lanes;

  int end() const { return tile.width; }
  static int vectors(int) { return Cell::gates; }

  void update(int row, const float* sums, int unit) const {
    if (unit + lanes <= tile.width) {
      update_units<true>(row, sums, unit);
    } else {
      update_units<false>(row, sums, unit);
    }
  }

  template <bool all_lanes>
  HWY_NOINLINE void update_units(int row, const float* sums, int unit) const {
    Floats z[1][Cell::gates];
    DEMPILOT_EACH(gate, Cell::gates) z[0][gate] = hn::Load(FloatTag(), sums + gate * lanes);
    prefetch_carry<Cell>(tile, row + amx::block_rows, unit);
    simd::HWY_NAMESPACE::update<Cell, all_lanes>(z, rows_from(tile, row), unit);
  }
};

template <class Cell>
HWY_NOINLINE void amx_step(const CellTile& whole, int rows) {
  const amx::Registers registers;
  for (int first = 0; first < rows; first += amx::block_rows) {
    const CellTile tile = rows_from(whole, first);
    SplitRows split_rows(std::min(rows - first, amx::block_rows), tile.scratch);
    const int features = Cell::reads_h ? tile.gates.inputs - tile.width : tile.gates.inputs;
    split_rows.add(tile.x, features);
    if constexpr (Cell::reads_h) split_rows.add({tile.carry.data, tile.carry.stride}, tile.width);
    multiply_and_update(split_rows, tile.gates, CellColumns<Cell>{tile});
    if constexpr (Cell::reads_h) replace_h(tile, split_rows.count());
  }
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
#endif
