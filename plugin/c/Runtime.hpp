#pragma once

#include <functional>

/// The parallel runtime. Kokkos below 4 belongs to the thread that started it, so this one has a
/// thread of its own, and any thread may ask. That keeps it out of the caller's OpenMP settings
/// too. It takes one task at a time; others wait for their turn.
namespace dempilot::c {

/// Starts the runtime, once. Throws Refusal when `threads` < 1, or when there is no thread to have.
void start_runtime(int threads);

/// Runs `task` in the runtime's thread, after starting it with one thread if nobody did, and throws
/// what it throws. Throws Refusal in a process that was forked from who started the runtime.
void run_in_runtime(const std::function<void()>& task);

/// The same for tasks that only compute: with one thread they run where they are asked for, which
/// costs nothing and survives a fork.
void compute_in_runtime(const std::function<void()>& task);

/// Runs `task`, which only frees, here and in turn, also when the process ends.
void free_in_runtime(const std::function<void()>& task);

}  // namespace dempilot::c
