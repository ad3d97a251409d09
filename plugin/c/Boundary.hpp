#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "core/Error.hpp"
#include "plugin/c/dempilot.h"

/// Where exceptions end: what every function of the C API is wrapped in.
namespace dempilot::c {

/// An Error that knows the status it becomes.
class Refusal : public Error {
 public:
  Refusal(dempilot_status status, const std::string& message) : Error(message), status_(status) {}

  dempilot_status status() const { return status_; }

 private:
  dempilot_status status_;
};

/// Throws Refusal for an argument that is at fault.
template <class... Args>
[[noreturn]] void refuse_argument(fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal(DEMPILOT_INVALID_ARGUMENT, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Refusal if `pointer` is NULL; `name` is the argument's.
void require(const void* pointer, const char* name);

/// The calling thread's last message; never null.
const char* last_error() noexcept;

/// Leaves the message of the exception being handled and returns its status; that of an Error
/// without one is `meaning`.
dempilot_status report_current_exception(dempilot_status meaning) noexcept;

/// Calls body() and turns what it throws into a status.
template <class Body>
dempilot_status guarded(dempilot_status meaning, Body&& body) noexcept {
  try {
    std::forward<Body>(body)();
    return DEMPILOT_OK;
  } catch (...) {
    return report_current_exception(meaning);
  }
}

}  // namespace dempilot::c
