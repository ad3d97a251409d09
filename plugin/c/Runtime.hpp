#pragma once

#include <mutex>

/// The parallel runtime, which takes one caller at a time.
namespace dempilot::c {

using RuntimeLock = std::unique_lock<std::mutex>;

/// Starts the runtime, once. Throws Error when `threads` < 1.
void start_runtime(int threads);

/// The right to compute: waits for its turn, and starts the runtime with one thread if nobody did.
/// Throws Refusal where the runtime's threads belong to another thread.
[[nodiscard]] RuntimeLock enter_runtime();

/// The right to free what the runtime made, from any thread, also when the process ends.
[[nodiscard]] RuntimeLock hold_runtime();

}  // namespace dempilot::c
