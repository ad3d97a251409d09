#pragma once

#include <cstddef>
#include <functional>
#include <numeric>
#include <vector>

namespace dempilot {

using Shape = std::vector<std::size_t>;

inline std::size_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

/// `shape` with its last extent replaced.
inline Shape with_last(Shape shape, std::size_t last) {
  shape.back() = last;
  return shape;
}

/// A row-major array of any rank in host memory.
template <class T>
struct Array {
  Shape shape;
  std::vector<T> values;
};

}  // namespace dempilot
