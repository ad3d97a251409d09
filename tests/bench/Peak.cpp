#include "tests/bench/Peak.hpp"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(__i386__)
#define DEMPILOT_BENCH_X86 1
#endif

namespace dempilot::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int fewest_runs = 3;

/// Vectors of the compiler's; may_alias, since they are laid over arrays of floats.
template <std::size_t bytes>
struct Vector {
  using Type [[gnu::vector_size(bytes), gnu::may_alias]] = float;
};

/// `chains` sums that do not wait for each other, `rounds` products added to each. The array
/// becomes registers, since every loop over it is unrolled.
template <std::size_t bytes, int chains>
[[gnu::always_inline]] inline float multiply_add(std::int64_t rounds) {
  using Lanes = typename Vector<bytes>::Type;
  volatile float unknown = 0.5F;  // so that nothing is known to the compiler
  const Lanes factor = Lanes{} + unknown;
  const Lanes term = factor;
  Lanes sums[chains];
#pragma GCC unroll 16
  for (int i = 0; i < chains; ++i)
    sums[i] = factor * static_cast<float>(i);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < chains; ++i)
      sums[i] = sums[i] * factor + term;
  }
  Lanes total = sums[0];
#pragma GCC unroll 16
  for (int i = 1; i < chains; ++i)
    total += sums[i];
  return total[0];
}

/// Adds up an array, whose size is a multiple of four vectors.
template <std::size_t bytes>
[[gnu::always_inline]] inline float add_up(const float* values, std::size_t count) {
  using Lanes = typename Vector<bytes>::Type;
  constexpr std::size_t per_vector = bytes / sizeof(float);
  const auto* vectors = reinterpret_cast<const Lanes*>(values);
  Lanes a{}, b{}, c{}, d{};
  for (std::size_t i = 0; i + 4 <= count / per_vector; i += 4) {
    a += vectors[i];
    b += vectors[i + 1];
    c += vectors[i + 2];
    d += vectors[i + 3];
  }
  return ((a + b) + (c + d))[0];
}

/// The kernels for one kind of vectors.
struct Kernels {
  const char* name;
  double flop_per_round;
  float (*multiply_add)(std::int64_t rounds);
  float (*add_up)(const float* values, std::size_t count);
};

// The numbers of chains fill the latency of two pipes and leave registers for factor and term.
constexpr int chains_of_32_registers = 16;
constexpr int chains_of_16_registers = 12;

#ifdef DEMPILOT_BENCH_X86
[[gnu::target("avx512f")]] float multiply_add_avx512(std::int64_t rounds) {
  return multiply_add<64, chains_of_32_registers>(rounds);
}
[[gnu::target("avx512f")]] float add_up_avx512(const float* values, std::size_t count) {
  return add_up<64>(values, count);
}
[[gnu::target("avx2,fma")]] float multiply_add_avx2(std::int64_t rounds) {
  return multiply_add<32, chains_of_16_registers>(rounds);
}
[[gnu::target("avx2,fma")]] float add_up_avx2(const float* values, std::size_t count) {
  return add_up<32>(values, count);
}
#endif
float multiply_add_portable(std::int64_t rounds) {
  return multiply_add<16, chains_of_16_registers>(rounds);
}
float add_up_portable(const float* values, std::size_t count) {
  return add_up<16>(values, count);
}

Kernels kernels() {
#ifdef DEMPILOT_BENCH_X86
  if (__builtin_cpu_supports("avx512f"))
    return {"AVX-512", 2.0 * 16 * chains_of_32_registers, multiply_add_avx512, add_up_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {"AVX2", 2.0 * 8 * chains_of_16_registers, multiply_add_avx2, add_up_avx2};
#endif
  return {"portable", 2.0 * 4 * chains_of_16_registers, multiply_add_portable, add_up_portable};
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// For a thread alone the seconds for which it ran, since others may use its core too; threads that
/// wait for each other take what passes.
double seconds_now(int threads) {
  if (threads > 1) return seconds_since({});
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

/// Seconds that a run of `work(thread)` on all threads at once takes, of several that go on for
/// about `seconds`.
struct RunTimes {
  double fastest = 1e300;
  double mean = 0;
};
RunTimes repeat(int threads, double seconds, const std::function<void(int)>& work) {
  const Clock::time_point first = Clock::now();
  double begin = 0;
  double total = 0;
  RunTimes times;
  int runs = 0;
  bool done = false;
  const auto note = [&]() noexcept {
    // The first time is that of the start, before any run.
    if (runs > 0) {
      const double taken = seconds_now(threads) - begin;
      times.fastest = std::min(times.fastest, taken);
      total += taken;
      times.mean = total / runs;
    }
    ++runs;
    done = runs > fewest_runs && seconds_since(first) >= seconds;
    begin = seconds_now(threads);
  };
  std::barrier barrier(threads, note);
  const auto body = [&](int thread) {
    for (barrier.arrive_and_wait(); !done; barrier.arrive_and_wait())
      work(thread);
  };
  std::vector<std::jthread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(body, thread);
  body(0);
  return times;
}

/// Floats on a boundary of a page, one array for each thread, each touched by its thread.
class Arrays {
 public:
  Arrays(std::size_t bytes, int threads)
      : count_(std::max<std::size_t>(
            block, bytes / sizeof(float) / static_cast<std::size_t>(threads) / block * block)) {
    for (int thread = 0; thread < threads; ++thread) {
      arrays_.emplace_back(
          static_cast<float*>(::operator new (count_ * sizeof(float), std::align_val_t{page})));
      std::fill_n(arrays_.back().get(), count_, 1.0F);
    }
  }

  std::size_t count() const { return count_; }
  double bytes() const { return static_cast<double>(count_ * sizeof(float) * arrays_.size()); }
  float* operator[](int thread) const { return arrays_[static_cast<std::size_t>(thread)].get(); }

 private:
  static constexpr std::size_t block = 64;  ///< floats of four of the widest vectors
  static constexpr std::size_t page = 4096;
  struct Free {
    void operator()(float* array) const { ::operator delete (array, std::align_val_t{page}); }
  };

  std::size_t count_;
  std::vector<std::unique_ptr<float, Free>> arrays_;
};

/// Where results go, so that the compiler computes them.
void keep(float value) {
  [[maybe_unused]] volatile float kept = value;
}

}  // namespace

const char* vector_kind() {
  return kernels().name;
}

double fma_peak(int threads, double seconds) {
  constexpr std::int64_t rounds = 500'000;  // a millisecond or so
  const Kernels chosen = kernels();
  // The mean, as for what is compared with it: the clock is not the same all the time.
  const double run = repeat(threads, seconds, [&](int) { keep(chosen.multiply_add(rounds)); }).mean;
  return threads * static_cast<double>(rounds) * chosen.flop_per_round / run;
}

double fma_peak_at_work(int threads, double seconds, const std::function<void()>& work) {
  constexpr std::int64_t rounds = 50'000;  // a tenth of a millisecond
  constexpr double stretch = 5e-3;         // of work: longer than the clock takes to change
  const Kernels chosen = kernels();
  const Clock::time_point begin = Clock::now();
  double total = 0;
  int slices = 0;
  while (slices < fewest_runs || seconds_since(begin) < seconds) {
    const Clock::time_point working = Clock::now();
    do
      work();
    while (seconds_since(working) < stretch);
    total += repeat(threads, 0, [&](int) { keep(chosen.multiply_add(rounds)); }).mean;
    ++slices;
  }
  return threads * static_cast<double>(rounds) * chosen.flop_per_round * slices / total;
}

double read_bandwidth(std::size_t bytes, int threads, double seconds) {
  constexpr std::size_t least = std::size_t{1}
                                << 24U;  // a run is no shorter than a millisecond or so
  const Kernels chosen = kernels();
  const Arrays arrays(bytes, threads);
  const std::size_t repeats = std::max<std::size_t>(1, least / std::max<std::size_t>(1, bytes));
  const RunTimes run = repeat(threads, seconds, [&](int thread) {
    for (std::size_t i = 0; i < repeats; ++i)
      keep(chosen.add_up(arrays[thread], arrays.count()));
  });
  return static_cast<double>(repeats) * arrays.bytes() / run.fastest;
}

double copy_bandwidth(std::size_t bytes, int threads, double seconds) {
  const Arrays from(bytes, threads);
  const Arrays to(bytes, threads);
  const RunTimes run = repeat(threads, seconds, [&](int thread) {
    std::memcpy(to[thread], from[thread], from.count() * sizeof(float));
  });
  return 2 * from.bytes() / run.fastest;
}

}  // namespace dempilot::bench
