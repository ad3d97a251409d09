// Action spaces on columns of agents. Compiled once for each instruction set, so there is no
// #pragma once.
#if defined(DEMPILOT_NN_SIMD_ACTIONSPACE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DEMPILOT_NN_SIMD_ACTIONSPACE_INL_HPP
#undef DEMPILOT_NN_SIMD_ACTIONSPACE_INL_HPP
#else
#define DEMPILOT_NN_SIMD_ACTIONSPACE_INL_HPP
#endif

#include "core/nn/simd/Math-inl.hpp"
#include "core/nn/simd/TileOps.hpp"

HWY_BEFORE_NAMESPACE();
namespace dempilot::nn::simd::HWY_NAMESPACE {

/// log sech^2 z = 2 (log 2 - |z| - log(1 + exp(-2 |z|))), which never overflows.
HWY_INLINE Floats log_sech2(Floats z) {
  constexpr float log_2 = 0.693147180559945309F;
  const Floats a = hn::Abs(z);
  const Floats rest = log1p_of_fraction(exp_of_minus(hn::Add(a, a)));
  const Floats half = hn::Sub(hn::Sub(all(log_2), a), rest);
  return hn::Add(half, half);
}

/// One vector of agents in a box: each component by itself.
HWY_INLINE Floats squash_box(const SquashTile& tile, int first) {
  const FloatTag tag;
  Floats log_det = all(tile.log_gain);
  for (int i = 0; i < tile.size; ++i) {
    float* const column = tile.x[i] + first;
    const Floats z = hn::Div(hn::Load(tag, column), all(tile.width));
    log_det = hn::Add(log_det, log_sech2(z));
    hn::Store(hn::MulAdd(all(tile.half[i]), tanh(z), all(tile.centre[i])), tag, column);
  }
  return log_det;
}

/// One vector of agents in a ball. The norm is held as scale * length, so that squares of huge
/// components do not overflow.
HWY_INLINE Floats squash_ball(const SquashTile& tile, int first) {
  const FloatTag tag;
  Floats scale = all(1);
  for (int i = 0; i < tile.size; ++i)
    scale = hn::Max(scale, hn::Abs(hn::Load(tag, tile.x[i] + first)));
  const Floats smallest = hn::Div(all(tile.eps), scale);
  Floats square = hn::Mul(smallest, smallest);
  for (int i = 0; i < tile.size; ++i) {
    const Floats share = hn::Div(hn::Load(tag, tile.x[i] + first), scale);
    square = hn::MulAdd(share, share, square);
  }
  const Floats length = hn::Sqrt(square);
  const Floats norm = hn::Mul(scale, length);
  const Floats squashed = tanh(norm);
  const Floats factor = hn::Mul(all(tile.radius), squashed);
  for (int i = 0; i < tile.size; ++i) {
    float* const column = tile.x[i] + first;
    const Floats share = hn::Div(hn::Div(hn::Load(tag, column), scale), length);
    hn::Store(hn::Mul(factor, share), tag, column);
  }
  const Floats stretch = log_of_positive(hn::Div(squashed, norm));
  const Floats across = hn::Mul(all(static_cast<float>(tile.size - 1)), stretch);
  return hn::Add(hn::Add(all(tile.log_gain), across), log_sech2(norm));
}

HWY_INLINE Floats clip(const SquashTile& tile, int first) {
  const FloatTag tag;
  for (int i = 0; i < tile.size; ++i) {
    float* const column = tile.x[i] + first;
    const Floats x = hn::Load(tag, column);
    const Floats above = hn::IfThenElse(hn::Lt(x, all(tile.lower[i])), all(tile.lower[i]), x);
    const auto too_much = hn::Gt(above, all(tile.upper[i]));
    hn::Store(hn::IfThenElse(too_much, all(tile.upper[i]), above), tag, column);
  }
  return all(0);
}

HWY_NOINLINE inline void squash(const SquashTile& tile, int rows) {
  const FloatTag tag;
  for (int first = 0; first < rows; first += lanes) {
    Floats log_det = all(0);
    switch (tile.kind) {
      case ActionSpaceKind::box:
        log_det = squash_box(tile, first);
        break;
      case ActionSpaceKind::max_norm:
        log_det = squash_ball(tile, first);
        break;
      case ActionSpaceKind::clipped:
        log_det = clip(tile, first);
        break;
      case ActionSpaceKind::free:
        break;
    }
    hn::Store(log_det, tag, tile.log_det + first);
  }
}

}  // namespace dempilot::nn::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
