#include "core/nn/simd/Amx.hpp"

#ifdef DEMPILOT_HAS_AMX
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
  constexpr int request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM, of Linux 5.16
  constexpr int tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
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

/// g++ does not know that loads of registers read memory: what they read must be there before.
inline void finish_stores() {
  asm volatile("" ::: "memory");
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

/// Sums begin with the bias, which is the same for all rows: it is loaded without a stride.
template <int row_tiles, int vectors>
DEMPILOT_AMX void load_bias(const float* bias) {
  finish_stores();
  _tile_loadd(0, bias, 0);
  if constexpr (vectors > 1) _tile_loadd(1, bias + tile_rows, 0);
  if constexpr (row_tiles > 1) _tile_loadd(2, bias, 0);
  if constexpr (row_tiles > 1 && vectors > 1) _tile_loadd(3, bias + tile_rows, 0);
}

/// A third of an input tile's six products of pieces. The largest comes last; from one to the next,
/// either the rows or the weights are kept.
template <int row_tiles, int vectors, int part>
DEMPILOT_AMX void add_products(const std::uint16_t* rows, const std::uint16_t* weights) {
  finish_stores();
  if constexpr (part == 0) {
    load_rows<row_tiles>(rows, 0);
    load_weights<vectors>(weights, 0);
    multiply_pieces<row_tiles, vectors>();
    load_weights<vectors>(weights, 1);
    multiply_pieces<row_tiles, vectors>();
  } else if constexpr (part == 1) {
    load_rows<row_tiles>(rows, 1);
    multiply_pieces<row_tiles, vectors>();
    load_weights<vectors>(weights, 2);
    multiply_pieces<row_tiles, vectors>();
  } else {
    load_rows<row_tiles>(rows, 2);
    multiply_pieces<row_tiles, vectors>();
    load_rows<row_tiles>(rows, 0);
    multiply_pieces<row_tiles, vectors>();
  }
}

template <int row_tiles, int vectors>
DEMPILOT_AMX void store_sums(float* sums, std::ptrdiff_t stride) {
  const auto bytes = stride * static_cast<std::ptrdiff_t>(sizeof(float));
  _tile_stored(0, sums, bytes);
  if constexpr (vectors > 1) _tile_stored(1, sums + tile_rows, bytes);
  if constexpr (row_tiles > 1) _tile_stored(2, sums + tile_rows * stride, bytes);
  if constexpr (row_tiles > 1 && vectors > 1)
    _tile_stored(3, sums + tile_rows * stride + tile_rows, bytes);
}

template <int row_tiles, int vectors>
constexpr Steps steps_of() {
  return {load_bias<row_tiles, vectors>,
          {add_products<row_tiles, vectors, 0>, add_products<row_tiles, vectors, 1>,
           add_products<row_tiles, vectors, 2>},
          store_sums<row_tiles, vectors>};
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

const Steps& steps(int row_tiles, int vectors) {
  static constexpr Steps all[] = {steps_of<1, 1>(), steps_of<1, 2>(), steps_of<2, 1>(),
                                  steps_of<2, 2>()};
  return all[2 * (row_tiles - 1) + vectors - 1];
}

}  // namespace dempilot::nn::simd::amx

#endif
