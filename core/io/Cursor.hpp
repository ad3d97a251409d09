#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dempilot::hdf5 {

/// Bytes of a file, read from front to back. Once too few are left, nothing is: what is read then
/// is 0 or empty, and good() is false.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : left_(bytes) {}

  bool good() const { return good_; }
  std::string_view left() const { return left_; }

  std::string_view bytes(std::uint64_t count) {
    good_ = good_ && count <= left_.size();
    if (!good_) left_ = {};
    const std::string_view taken = left_.substr(0, good_ ? count : 0);
    left_.remove_prefix(taken.size());
    return taken;
  }

  void skip(std::uint64_t count) { bytes(count); }

  /// A little-endian integer of `count` bytes.
  std::uint64_t integer(std::size_t count) {
    const std::string_view taken = bytes(count);
    std::uint64_t value = 0;
    for (std::size_t i = taken.size(); i-- > 0;)
      value = value << 8U | static_cast<unsigned char>(taken[i]);
    return value;
  }

 private:
  std::string_view left_;
  bool good_ = true;
};

}  // namespace dempilot::hdf5
