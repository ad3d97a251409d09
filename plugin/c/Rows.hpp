#pragma once

#include <cstddef>
#include <span>

#include "plugin/c/Boundary.hpp"

/// Buffers of the caller's, checked against what they must hold.
namespace dempilot::c {

/// What a buffer holds: `width` elements for each of `agents`.
struct RowShape {
  const char* name;  ///< of the argument, for messages
  std::size_t agents;
  std::size_t width;

  std::size_t size() const { return agents * width; }
};

/// Throws Refusal if `data` is NULL though `needed` elements are.
inline void require_buffer(const void* data, const RowShape& shape) {
  if (data == nullptr && shape.size() > 0) {
    refuse_argument("'{}' is NULL ({} agents with {} each need {}) pass them", shape.name,
                    shape.agents, shape.width, shape.size());
  }
}

/// What the caller gives: exactly as many elements as are needed. Throws Refusal.
template <class T>
std::span<T> given_rows(T* data, std::size_t count, const RowShape& shape) {
  require_buffer(data, shape);
  if (count != shape.size()) {
    refuse_argument("'{}' has {} entries ({} agents with {} each need {}) pass as many", shape.name,
                    count, shape.agents, shape.width, shape.size());
  }
  return {data, count};
}

/// Where the caller wants results: at least as many elements as are needed. Throws Refusal.
template <class T>
std::span<T> room_for_rows(T* data, std::size_t capacity, const RowShape& shape) {
  require_buffer(data, shape);
  if (capacity < shape.size()) {
    refuse_argument("'{}' has room for {} entries ({} agents with {} each need {}) make it larger",
                    shape.name, capacity, shape.agents, shape.width, shape.size());
  }
  return {data, shape.size()};
}

}  // namespace dempilot::c
