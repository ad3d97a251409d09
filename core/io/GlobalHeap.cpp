#include "core/io/GlobalHeap.hpp"

#include <cstdint>
#include <string_view>

namespace dempilot::hdf5 {
namespace {

/// "GCOL", the version, and three reserved bytes; then the size of all, header included.
constexpr std::string_view signature("GCOL\1", 5);
constexpr std::size_t header_bytes = 16;
constexpr std::size_t least_heap_bytes = 4096;
/// Index, reference count, reserved bytes, and the size of what follows.
constexpr std::size_t object_header_bytes = 16;

/// A little-endian integer of `count` bytes.
std::uint64_t integer(std::string_view bytes, std::size_t place, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;)
    value = value << 8U | static_cast<unsigned char>(bytes[place + i]);
  return value;
}

/// How many bytes an object takes of those that are left; 0 if that cannot be.
std::size_t object_bytes(std::string_view left) {
  const std::uint64_t index = integer(left, 0, 2);
  const std::uint64_t size = integer(left, 8, 8);
  if (size > left.size()) return 0;
  // Object 0 is the free space, whose size counts its header; the others are padded to 8 bytes.
  if (index == 0) return size >= object_header_bytes ? size : 0;
  const std::uint64_t all = object_header_bytes + (size + 7) / 8 * 8;
  return all <= left.size() ? all : 0;
}

/// `objects`: how many may still be looked at.
bool is_sound(std::string_view heap, std::size_t& objects) {
  heap.remove_prefix(header_bytes);
  while (heap.size() >= object_header_bytes) {
    const std::size_t bytes = object_bytes(heap);
    if (bytes == 0 || objects-- == 0) return false;
    heap.remove_prefix(bytes);
  }
  return true;
}

}  // namespace

bool has_sound_global_heaps(std::span<const std::byte> bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // Heaps that lie one in the other would make walking through all of them quadratic.
  std::size_t objects = bytes.size() / object_header_bytes;
  for (std::size_t at = file.find(signature); at != std::string_view::npos;
       at = file.find(signature, at + 1)) {
    if (file.size() - at < header_bytes) break;
    const std::uint64_t size = integer(file, at + 8, 8);
    // HDF5 itself refuses one that does not lie in the file.
    if (size > file.size() - at) continue;
    if (size < least_heap_bytes || !is_sound(file.substr(at, size), objects)) return false;
  }
  return true;
}

}  // namespace dempilot::hdf5
