#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "core/nn/cuda/Multiply.hpp"
#include "core/nn/cuda/Numbers.hpp"

/// A block of a CUDA kernel whose threads one thread of a host does one after the other. The matrix
/// instructions do what NVIDIA's manual says of registers of lanes (PTX ISA, "Matrix Fragments for
/// mma.m16n8k8" and "mma.m16n8k16").
namespace dempilot::test {

class HostMachine {
 public:
  template <class T>
  struct Lane {
    T of[32];
    T& operator[](int lane) { return of[lane]; }
    const T& operator[](int lane) const { return of[lane]; }
  };

  template <class Work>
  void each_lane(const Work& work) const {
    for (int lane = 0; lane < 32; ++lane)
      work(lane);
  }
  template <class Work>
  void each_warp(int count, const Work& work) const {
    for (int n = count; n-- > 0;)  // in an order that no device has: it may not matter
      work(n);
  }
  template <class Work>
  void each_thread(int count, const Work& work) const {
    for (int n = 0; n < count; ++n)
      work(n);
  }
  void barrier() const {}

  template <class Rows, class Columns, class Sums>
  void multiply_tf32(const Rows& rows, const Columns& columns, Sums& sums, int m, int tile) const {
    Matrix<16, 8> a;
    Matrix<8, 8> b;
    each_lane([&](int lane) {
      const int g = lane / 4;
      const int t = lane % 4;
      const auto a_words = nn::cuda::registers_of(rows[lane]);
      const auto b_words = nn::cuda::registers_of(columns[lane].of[tile]);
      for (int i = 0; i < 4; ++i)
        a[g + 8 * (i % 2)][t + 4 * (i / 2)] = as_tf32(a_words.of[i]);
      for (int i = 0; i < 2; ++i)
        b[t + 4 * i][g] = as_tf32(b_words.of[i]);
    });
    add(a, b, sums, m, tile);
  }

  template <class Rows, class Columns, class Sums>
  void multiply_bf16(const Rows& rows, const Columns& columns, Sums& sums, int m, int tile) const {
    Matrix<16, 16> a;
    Matrix<16, 8> b;
    each_lane([&](int lane) {
      const int g = lane / 4;
      const int t = lane % 4;
      const auto a_words = nn::cuda::registers_of(rows[lane]);
      const auto b_words = nn::cuda::registers_of(columns[lane].of[tile]);
      for (int half = 0; half < 2; ++half) {
        const auto bf16 = [half](std::uint32_t bits) {
          return nn::cuda::float_of_bf16(bits >> (16 * half) & 0xffffU);
        };
        for (int i = 0; i < 4; ++i)
          a[g + 8 * (i % 2)][2 * t + half + 8 * (i / 2)] = bf16(a_words.of[i]);
        for (int i = 0; i < 2; ++i)
          b[2 * t + half + 8 * i][g] = bf16(b_words.of[i]);
      }
    });
    add(a, b, sums, m, tile);
  }

  template <nn::Precision precision>
  void store(typename nn::cuda::Format<precision>::Element* to, float first, float second) const {
    to[0] = nn::cuda::element_of<precision>(first);
    to[1] = nn::cuda::element_of<precision>(second);
  }

 private:
  template <std::size_t rows, std::size_t columns>
  using Matrix = std::array<std::array<float, columns>, rows>;

  /// The instruction does not look at the other digits.
  static float as_tf32(std::uint32_t bits) {
    return nn::cuda::cut_to_tf32(nn::cuda::float_of(bits));
  }

  /// Tensor cores do not round their sums, but cut them, and know one NaN alone.
  static float cut_to_float(double x) {
    if (std::isnan(x)) return nn::cuda::float_of(0x7fffffffU);
    const auto nearest = static_cast<float>(x);
    return std::abs(static_cast<double>(nearest)) > std::abs(x) ? std::nextafter(nearest, 0.0F)
                                                                : nearest;
  }

  template <std::size_t inputs, class Sums>
  void add(const Matrix<16, inputs>& a, const Matrix<inputs, 8>& b, Sums& sums, int m,
           int tile) const {
    each_lane([&](int lane) {
      for (int i = 0; i < 4; ++i) {
        const auto row = static_cast<std::size_t>(lane / 4 + 8 * (i / 2));
        const auto column = static_cast<std::size_t>(2 * (lane % 4) + i % 2);
        double sum = sums[lane].of[m][tile][i];
        for (std::size_t k = 0; k < inputs; ++k)
          sum += static_cast<double>(a[row][k]) * b[k][column];
        sums[lane].of[m][tile][i] = cut_to_float(sum);
      }
    });
  }
};

}  // namespace dempilot::test
