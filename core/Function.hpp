#pragma once

/// Marks what runs on a host and, where a compiler for CUDA reads it, on a device too: for code
/// that needs nothing of Kokkos.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define DEMPILOT_FUNCTION __host__ __device__ inline
/// Before a loop whose arrays are to be registers of a device.
#define DEMPILOT_UNROLL _Pragma("unroll")
#else
#define DEMPILOT_FUNCTION inline
#define DEMPILOT_UNROLL
#endif
