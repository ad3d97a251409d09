#pragma once

#include <cstddef>
#include <span>

namespace dempilot::fuzz {

/// What the loader promises about any bytes: it throws dempilot::Error with a message that reads
/// "problem (why) what to do", or gives a policy that can be saved and loaded again unchanged. Says
/// what was broken and aborts where that does not hold, so that libFuzzer keeps the input. Returns
/// whether the bytes are a policy.
bool keeps_promise(std::span<const std::byte> bytes);

}  // namespace dempilot::fuzz
