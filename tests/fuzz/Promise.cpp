#include "tests/fuzz/Promise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <typeinfo>
#include <vector>

#include "core/Error.hpp"
#include "core/policy/ParameterTable.hpp"
#include "core/policy/PolicyFile.hpp"
#include "tests/core/TemporaryFolder.hpp"

/// HDF5 asks for as many bytes as a file says and takes no for an answer. The rest is for speed.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:quarantine_size_mb=16:malloc_context_size=8";
}

namespace dempilot::fuzz {
namespace {

constexpr const char* source = "fuzzed";
/// What a terminal and a log can bear; the longest list of known names is well below it.
constexpr std::size_t max_message_bytes = 4000;

[[noreturn]] void broken(const std::string& what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

void check_message(const std::string& message) {
  const std::size_t opening = message.find(" (");
  const bool names_file = message.find(fmt::format("'{}'", source)) != std::string::npos;
  const bool says_why = opening != std::string::npos && opening > 0 &&
                        message.find(')', opening) != std::string::npos;
  if (!names_file || !says_why) broken("a message that does not say where and why: " + message);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(message.begin(), message.end(), is_control)) {
    broken("a message with control characters: " + message);
  }
  if (message.size() > max_message_bytes) {
    broken(fmt::format("a message of {} bytes: {}", message.size(), message.substr(0, 200)));
  }
}

/// Bit for bit, so that a NaN equals itself.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void check_equal(const PolicyFile& policy, const PolicyFile& again) {
  if (!(policy.contract == again.contract))
    broken("the contract changed on its way through a file");
  if (policy.parameters.size() != again.parameters.size()) broken("parameters came or went");
  for (const auto& [name, tensor] : policy.parameters) {
    const auto found = again.parameters.find(name);
    const bool kept = found != again.parameters.end() && found->second.shape == tensor.shape &&
                      same(found->second.values, tensor.values);
    if (!kept) broken("parameter " + name + " changed on its way through a file");
  }
  const GoldenRows& a = policy.golden;
  const GoldenRows& b = again.golden;
  const bool rows_kept = a.rows == b.rows && same(a.observation, b.observation) &&
                         same(a.carry, b.carry) && same(a.action, b.action) &&
                         same(a.mean, b.mean) && same(a.std, b.std) && same(a.value, b.value) &&
                         same(a.next_carry, b.next_carry);
  if (!rows_kept) broken("the golden rows changed on their way through a file");
  if (a.rows > 0 && a.tolerance != b.tolerance) broken("the tolerance changed");
}

void check_round_trip(const PolicyFile& policy) {
  static const test::TemporaryFolder folder;
  const auto path = folder / "again.policy.h5";
  try {
    check_parameters(policy.contract.model, policy.parameters, source);
    save_policy_file(path, policy);
    check_equal(policy, load_policy_file(path));
  } catch (const std::exception& error) {
    broken(fmt::format("a loaded policy cannot be saved and loaded again: {}", error.what()));
  }
}

}  // namespace

bool keeps_promise(std::span<const std::byte> bytes) {
  PolicyFile policy;
  try {
    policy = parse_policy_file(bytes, source);
  } catch (const Error& error) {
    check_message(error.what());
    return false;
  } catch (const std::exception& error) {
    broken(fmt::format("an exception of type {}: {}", typeid(error).name(), error.what()));
  }
  check_round_trip(policy);
  return true;
}

}  // namespace dempilot::fuzz
