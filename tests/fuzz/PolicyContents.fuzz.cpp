#include <hdf5.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/Draft.hpp"
#include "tests/fuzz/Mutator.hpp"
#include "tests/fuzz/Promise.hpp"

/// libFuzzer's own mutations, of bytes and of words that the code under test compared with.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Were a base no policy, no edit of it would reach far.
extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
  // HDF5 keeps what each open file costs it, some MiB, for the next one.
  H5set_free_list_limits(1 << 26, 1 << 25, 1 << 20, 1 << 18, 1 << 24, 1 << 22);
  for (const dempilot::fuzz::BasePolicy& base : dempilot::fuzz::base_policies()) {
    if (!dempilot::fuzz::keeps_promise(dempilot::fuzz::bytes_of(base))) std::abort();
  }
  return 0;
}

/// The input is a text that says what to change in a policy file, see Draft.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dempilot::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::byte> bytes = policy_of(text);
  keeps_promise(bytes);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 4 == 0) return LLVMFuzzerMutate(data, size, most);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string changed = dempilot::fuzz::mutated(text, random);
  const std::size_t kept = std::min(changed.size(), most);
  std::memcpy(data, changed.data(), kept);
  return kept;
}
