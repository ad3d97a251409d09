#pragma once

#include <cstddef>
#include <functional>

/// What a machine can do at most: the limits that the benchmarks are set against, measured. One
/// thread is timed by the processor time that it used, so that others may run on its core too.
namespace dempilot::bench {

/// The widest vectors that this processor has, of those known here: "AVX-512", "AVX2" (with FMA),
/// or "portable" (those that the compiler takes for granted).
const char* vector_kind();

/// Fused multiply-adds in float32 with those vectors, in FLOP/s of `threads` threads together: the
/// mean of about `seconds`, which is how what is compared with it is timed.
double fma_peak(int threads, double seconds);

/// The same at the clock at which the cores run while they do `work`: in slices of a fraction of a
/// millisecond between stretches of it. A core that multiplies new numbers all the time draws more
/// power, and is slower, than one that multiplies the same ones.
double fma_peak_at_work(int threads, double seconds, const std::function<void()>& work);

/// Bytes a second that `threads` threads together read from an array of `bytes`, the best of
/// several runs within about `seconds`. A small array comes from a cache.
double read_bandwidth(std::size_t bytes, int threads, double seconds);

/// The same for a copy of one array of `bytes` to another; bytes read and bytes written both count.
double copy_bandwidth(std::size_t bytes, int threads, double seconds);

}  // namespace dempilot::bench
