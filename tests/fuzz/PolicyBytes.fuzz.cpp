#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/Promise.hpp"

/// The input is a policy file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dempilot::fuzz::keeps_promise(std::as_bytes(std::span(data, size)));
  return 0;
}
