#include "core/io/GlobalHeap.hpp"

#include "core/io/Cursor.hpp"

namespace dempilot::hdf5 {
namespace {

/// "GCOL" and the version; three reserved bytes and the size of all, header included, follow.
constexpr std::string_view signature("GCOL\1", 5);
constexpr std::size_t header_bytes = 16;
constexpr std::size_t least_heap_bytes = 4096;
constexpr std::size_t object_header_bytes = 16;
/// HDF5 numbers objects with 16 bits.
constexpr std::size_t max_heap_objects = 1U << 16U;

struct Object {
  std::uint64_t index = 0;
  std::uint64_t size = 0;   ///< of what it holds
  std::uint64_t bytes = 0;  ///< all that it takes; 0 if that cannot be
};

/// The first object in what is left of a collection.
Object first_object(std::string_view left) {
  Cursor cursor(left);
  Object object;
  object.index = cursor.integer(2);
  cursor.skip(6);  // reference count, reserved
  object.size = cursor.integer(8);
  if (object.size > left.size()) return object;
  // Object 0 is the free space, whose size counts its header; the others are padded to 8 bytes.
  const bool free = object.index == 0;
  const std::uint64_t all = free ? object.size : object_header_bytes + (object.size + 7) / 8 * 8;
  if (all >= object_header_bytes && all <= left.size()) object.bytes = all;
  return object;
}

/// Shows each object to `visit`; returns false where the next one cannot be found, or is one more
/// than the `objects` that may still be looked at.
template <class Visit>
bool walk(std::string_view heap, std::size_t& objects, const Visit& visit) {
  heap.remove_prefix(header_bytes);
  while (heap.size() >= object_header_bytes) {
    const Object object = first_object(heap);
    if (object.bytes == 0 || objects-- == 0) return false;
    visit(object);
    heap.remove_prefix(object.bytes);
  }
  return true;
}

/// The collection that begins here; empty where it does not lie in the file, which HDF5 notices.
std::string_view collection(std::string_view file) {
  Cursor cursor(file);
  const bool named = cursor.bytes(signature.size()) == signature;
  cursor.skip(header_bytes - 8 - signature.size());
  const std::uint64_t size = cursor.integer(8);
  return named && cursor.good() && size <= file.size() ? file.substr(0, size) : std::string_view();
}

}  // namespace

bool has_sound_global_heaps(std::string_view file) {
  // Heaps that lie one in the other would make walking through all of them quadratic.
  std::size_t objects = file.size() / object_header_bytes;
  for (std::size_t at = file.find(signature); at != std::string_view::npos;
       at = file.find(signature, at + 1)) {
    Cursor cursor(file.substr(at));
    cursor.skip(header_bytes - 8);
    const std::uint64_t size = cursor.integer(8);
    // HDF5 itself refuses one that does not lie in the file.
    if (!cursor.good() || size > file.size() - at) continue;
    if (size < least_heap_bytes) return false;
    if (!walk(file.substr(at, size), objects, [](const Object&) {})) return false;
  }
  return true;
}

std::optional<std::uint64_t> heap_object_size(std::string_view file, std::uint64_t address,
                                              std::uint64_t index) {
  if (address > file.size()) return {};
  const std::string_view heap = collection(file.substr(address));
  if (heap.size() < least_heap_bytes) return {};
  std::size_t objects = max_heap_objects;
  std::optional<std::uint64_t> size;
  const bool sound = walk(heap, objects, [&](const Object& object) {
    if (object.index == index && index != 0) size = object.size;
  });
  return sound ? size : std::nullopt;
}

}  // namespace dempilot::hdf5
