#include "plugin/c/Boundary.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

namespace dempilot::c {
namespace {

/// A plain array: it needs no memory when there is none, and outlives everything of its thread.
thread_local std::array<char, 4096> message{};

/// Keeps `text`, cut off between characters of UTF-8 if it is too long.
void keep(std::string_view text) noexcept {
  std::size_t length = std::min(text.size(), message.size() - 1);
  const auto continues = [&](char byte) { return (static_cast<unsigned char>(byte) >> 6U) == 2; };
  while (length > 0 && length < text.size() && continues(text[length]))
    --length;
  std::memcpy(message.data(), text.data(), length);
  message[length] = '\0';
}

dempilot_status keep_out_of_memory() noexcept {
  keep("out of memory (the system gave no more) use fewer agents, or a machine with more memory");
  return DEMPILOT_OUT_OF_MEMORY;
}

}  // namespace

void require(const void* pointer, const char* name) {
  if (pointer == nullptr) refuse_argument("'{}' is NULL (it is needed) pass what it names", name);
}

const char* last_error() noexcept {
  return message.data();
}

dempilot_status report_current_exception(dempilot_status meaning) noexcept {
  try {
    throw;
  } catch (const Refusal& refusal) {
    keep(refusal.what());
    return refusal.status();
  } catch (const Error& error) {
    keep(error.what());
    return meaning;
  } catch (const std::bad_alloc&) {
    return keep_out_of_memory();
  } catch (const std::length_error&) {  // more than a container can ever hold
    return keep_out_of_memory();
  } catch (const std::exception& error) {
    keep(error.what());
  } catch (...) {
    keep("something failed (it did not say what) report it to the makers of DEMPilot");
  }
  return DEMPILOT_INTERNAL_ERROR;
}

}  // namespace dempilot::c
