#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "core/Error.hpp"
#include "core/record/Launch.hpp"
#include "tests/core/TemporaryFolder.hpp"

/// What the tests of recordings share.
namespace dempilot::record::test {

inline Launch small_launch(std::int64_t from_decision = 0) {
  Launch launch;
  launch.source = "pilot";
  launch.policy = "0123456789abcdef";
  launch.shape = {2, 1, 0, false, false};
  launch.ranks = 2;
  launch.from_decision = from_decision;
  launch.from_step = 10 * from_decision;
  return launch;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// Message of the Error that `work` throws.
template <class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace dempilot::record::test
