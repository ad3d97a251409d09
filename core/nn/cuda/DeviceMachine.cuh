#pragma once

#include <cuda_bf16.h>

#include "core/nn/cuda/Multiply.hpp"

namespace dempilot::nn::cuda {

/// The threads of a block, for TileStep. What is a lane's own lies in its registers.
class DeviceMachine {
 public:
  template <class T>
  struct Lane {
    T own;
    DEMPILOT_FUNCTION T& operator[](int) { return own; }
    DEMPILOT_FUNCTION const T& operator[](int) const { return own; }
  };

  template <class Work>
  DEMPILOT_FUNCTION void each_lane(const Work& work) const {
#ifdef __CUDA_ARCH__
    work(static_cast<int>(threadIdx.x % 32));
#endif
  }
  template <class Work>
  DEMPILOT_FUNCTION void each_warp(int count, const Work& work) const {
#ifdef __CUDA_ARCH__
    for (int n = static_cast<int>(threadIdx.x / 32); n < count;
         n += static_cast<int>(blockDim.x / 32))
      work(n);
#endif
  }
  template <class Work>
  DEMPILOT_FUNCTION void each_thread(int count, const Work& work) const {
#ifdef __CUDA_ARCH__
    for (int n = static_cast<int>(threadIdx.x); n < count; n += static_cast<int>(blockDim.x))
      work(n);
#endif
  }
  DEMPILOT_FUNCTION void barrier() const {
#ifdef __CUDA_ARCH__
    __syncthreads();
#endif
  }

  template <class Rows, class Columns, class Sums>
  DEMPILOT_FUNCTION void multiply_tf32(const Rows& rows, const Columns& columns, Sums& sums, int m,
                                       int tile) const {
#ifdef __CUDA_ARCH__
    const auto a = registers_of(rows.own);
    const auto b = registers_of(columns.own.of[tile]);
    float(&d)[4] = sums.own.of[m][tile];
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a.of[0]), "r"(a.of[1]), "r"(a.of[2]), "r"(a.of[3]), "r"(b.of[0]), "r"(b.of[1]));
#endif
  }

  template <class Rows, class Columns, class Sums>
  DEMPILOT_FUNCTION void multiply_bf16(const Rows& rows, const Columns& columns, Sums& sums, int m,
                                       int tile) const {
#ifdef __CUDA_ARCH__
    const auto a = registers_of(rows.own);
    const auto b = registers_of(columns.own.of[tile]);
    float(&d)[4] = sums.own.of[m][tile];
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a.of[0]), "r"(a.of[1]), "r"(a.of[2]), "r"(a.of[3]), "r"(b.of[0]), "r"(b.of[1]));
#endif
  }

  /// Two neighbors at once.
  template <Precision precision>
  DEMPILOT_FUNCTION void store(typename Format<precision>::Element* to, float first,
                               float second) const {
#ifdef __CUDA_ARCH__
    if constexpr (precision == Precision::bf16) {
      *reinterpret_cast<__nv_bfloat162*>(to) = __floats2bfloat162_rn(first, second);
    } else {
      *reinterpret_cast<float2*>(to) =
          make_float2(element_of<precision>(first), element_of<precision>(second));
    }
#endif
  }
};

}  // namespace dempilot::nn::cuda
