#include "core/nn/simd/Amx.hpp"

#ifdef DEMPILOT_HAS_AMX
#include <asm/prctl.h>
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dempilot::nn::simd::amx {
namespace {

#define DEMPILOT_AMX __attribute__((target("amx-tile,amx-bf16")))

bool processor_has_it() {
  constexpr unsigned bf16_and_tiles = 1U << 22U | 1U << 24U;  // of leaf 7's EDX
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & bf16_and_tiles) == bf16_and_tiles;
}

/// The registers' 8 KiB are kept for a process only if it asks.
bool system_lets_us() {
#ifdef ARCH_REQ_XCOMP_PERM
  constexpr int tile_data = 18;
  return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, tile_data) == 0;
#else
  return false;
#endif
}

/// As LDTILECFG reads it.
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr Configuration eight_full_registers;

DEMPILOT_AMX void configure() {
  _tile_loadconfig(&eight_full_registers);
}

DEMPILOT_AMX void release() {
  _tile_release();
}

// Registers 0 to 3 are sums (row tile, vector), 4 and 5 pieces of rows, 6 and 7 of weights.

template <int row_tiles, int vectors>
DEMPILOT_AMX inline void multiply_pieces() {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (vectors > 1) _tile_dpbf16ps(1, 4, 7);
  if constexpr (row_tiles > 1) _tile_dpbf16ps(2, 5, 6);
  if constexpr (row_tiles > 1 && vectors > 1) _tile_dpbf16ps(3, 5, 7);
}

/// The pieces `piece`, counted as they lie in memory, of the rows of an input tile.
template <int row_tiles>
DEMPILOT_AMX inline void load_rows(const std::uint16_t* rows, int piece) {
  rows += piece * row_tiles * tile_size;
  _tile_loadd(4, rows, 64);
  if constexpr (row_tiles > 1) _tile_loadd(5, rows + tile_size, 64);
}

template <int vectors>
DEMPILOT_AMX inline void load_weights(const std::uint16_t* weights, int piece) {
  weights += piece * vectors * tile_size;
  _tile_loadd(6, weights, 64);
  if constexpr (vectors > 1) _tile_loadd(7, weights + tile_size, 64);
}

/// Of what the next input tile needs, one third. Loads of whole registers leave the fetching from
/// the second level's cache to us.
template <int tiles>
inline void prefetch(const std::uint16_t* from, int third) {
  from += third * tiles * tile_size;
#pragma GCC unroll 32
  for (int line = 0; line < tiles * tile_rows; ++line)
    _mm_prefetch(reinterpret_cast<const char*>(from + line * tile_inputs), _MM_HINT_T0);
}

/// Sums of one or two vectors of columns. Small products come first; from one to the next, either
/// the rows or the weights are kept.
template <int row_tiles, int vectors>
DEMPILOT_AMX void multiply_block(const Product& product, const std::uint16_t* weights,
                                 const float* bias, float* sums) {
  // All rows begin with the bias: it is loaded without a stride.
  _tile_loadd(0, bias, 0);
  if constexpr (vectors > 1) _tile_loadd(1, bias + tile_rows, 0);
  if constexpr (row_tiles > 1) _tile_loadd(2, bias, 0);
  if constexpr (row_tiles > 1 && vectors > 1) _tile_loadd(3, bias + tile_rows, 0);
  const std::uint16_t* rows = product.rows;
  for (int tile = 0; tile < product.input_tiles; ++tile) {
    const std::uint16_t* const next_rows = rows + piece_count * row_tiles * tile_size;
    const std::uint16_t* const next_weights = weights + piece_count * vectors * tile_size;
    load_rows<row_tiles>(rows, 0);
    load_weights<vectors>(weights, 0);
    multiply_pieces<row_tiles, vectors>();
    prefetch<vectors>(next_weights, 0);
    load_weights<vectors>(weights, 1);
    multiply_pieces<row_tiles, vectors>();
    prefetch<vectors>(next_weights, 1);
    load_rows<row_tiles>(rows, 1);
    multiply_pieces<row_tiles, vectors>();
    prefetch<row_tiles>(next_rows, 0);
    load_weights<vectors>(weights, 2);
    multiply_pieces<row_tiles, vectors>();
    prefetch<vectors>(next_weights, 2);
    load_rows<row_tiles>(rows, 0);
    multiply_pieces<row_tiles, vectors>();
    prefetch<row_tiles>(next_rows, 1);
    load_rows<row_tiles>(rows, 2);
    multiply_pieces<row_tiles, vectors>();
    prefetch<row_tiles>(next_rows, 2);
    rows = next_rows;
    weights = next_weights;
  }
  const auto stride = static_cast<std::ptrdiff_t>(product.vectors) * tile_rows;
  const auto bytes = stride * static_cast<std::ptrdiff_t>(sizeof(float));
  _tile_stored(0, sums, bytes);
  if constexpr (vectors > 1) _tile_stored(1, sums + tile_rows, bytes);
  if constexpr (row_tiles > 1) _tile_stored(2, sums + tile_rows * stride, bytes);
  if constexpr (row_tiles > 1 && vectors > 1)
    _tile_stored(3, sums + tile_rows * stride + tile_rows, bytes);
}

template <int row_tiles>
DEMPILOT_AMX void multiply_rows(const Product& product, float* sums) {
  const std::ptrdiff_t of_a_vector =
      static_cast<std::ptrdiff_t>(product.input_tiles) * piece_count * tile_size;
  int vector = 0;
  for (; vector + 2 <= product.vectors; vector += 2) {
    multiply_block<row_tiles, 2>(product, product.weights + vector * of_a_vector,
                                 product.bias + vector * tile_rows, sums + vector * tile_rows);
  }
  if (vector < product.vectors) {
    multiply_block<row_tiles, 1>(product, product.weights + vector * of_a_vector,
                                 product.bias + vector * tile_rows, sums + vector * tile_rows);
  }
}

}  // namespace

bool available() {
  static const bool both = processor_has_it() && system_lets_us();
  return both;
}

Registers::Registers() {
  configure();
}

Registers::~Registers() {
  release();
}

void multiply(const Product& product, float* sums) {
  if (product.row_tiles > 1) {
    multiply_rows<2>(product, sums);
  } else {
    multiply_rows<1>(product, sums);
  }
}

}  // namespace dempilot::nn::simd::amx

#endif
