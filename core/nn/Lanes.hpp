#pragma once

#include <Kokkos_Macros.hpp>
#include <cstring>

namespace dempilot::nn {

/// A few neighbouring numbers that the processor handles at once. Compilers for hosts know such
/// types; left to find the vectors by itself, g++ keeps a block of sums in memory and is five times
/// slower. The width is the smallest that every host has, so that one build runs anywhere.
template <class Real>
struct Lanes {
  static constexpr int width = 16 / static_cast<int>(sizeof(Real));
#if defined(__GNUC__) && !defined(__CUDACC__)
  using Values [[gnu::vector_size(16)]] = Real;
#else
  struct Values {
    Real value[width];
    KOKKOS_INLINE_FUNCTION
    Real operator[](int i) const { return value[i]; }
  };
#endif
  Values values;

  KOKKOS_INLINE_FUNCTION
  static Lanes load(const Real* from) {
    Lanes lanes;
    std::memcpy(&lanes.values, from, sizeof(Values));
    return lanes;
  }

  KOKKOS_INLINE_FUNCTION
  void store(Real* to) const {
    std::memcpy(to, &values, sizeof(Values));
  }

  /// this += factor * other
  KOKKOS_INLINE_FUNCTION
  void add(Real factor, const Lanes& other) {
#if defined(__GNUC__) && !defined(__CUDACC__)
    values += factor * other.values;
#else
    for (int i = 0; i < width; ++i)
      values.value[i] += factor * other.values.value[i];
#endif
  }
};

}  // namespace dempilot::nn
