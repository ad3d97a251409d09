#pragma once

#include "core/policy/PolicyFile.hpp"

/// What dempilot_bench registers with Google Benchmark.
namespace dempilot::bench {

/// fma_peak, matrix_unit where there is one, read_bandwidth, copy_bandwidth.
void register_machine(int threads);

/// single_step/<agents>, sequence/<steps>/<agents> of `policy`, and width/<lstm> of fresh ones.
void register_inference(const PolicyFile& policy);

/// observe/<component>.
void register_observation(int threads);

}  // namespace dempilot::bench
