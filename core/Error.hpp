#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dempilot {

/// The one exception the core throws. Its message reads "problem (why) what to do".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error with a message formatted as by fmt::format.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// Text from a file as a message shows it: on one line, in the terminal's own colours, and not
/// longer than a glance. Characters of UTF-8 stay whole.
inline std::string excerpt(std::string_view text, std::size_t most = 80) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::size_t end = std::min(text.size(), most);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;
  std::string shown(text.substr(0, end));
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return end < text.size() ? shown + "..." : shown;
}

}  // namespace dempilot
