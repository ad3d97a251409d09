#include "core/io/AttributeMessages.hpp"

#include <optional>
#include <vector>

#include "core/io/Cursor.hpp"
#include "core/io/GlobalHeap.hpp"

namespace dempilot::hdf5 {
namespace {

/// Of one header. HDF5 itself needs few, and a file could name the same ones again and again.
constexpr std::size_t max_blocks = 64;
constexpr std::size_t max_attributes = 64;

namespace message_type {
constexpr std::uint64_t attribute = 0x0c;
constexpr std::uint64_t continuation = 0x10;
constexpr std::uint64_t attribute_info = 0x15;
}  // namespace message_type

namespace type_class {
constexpr std::uint64_t integer = 0;
constexpr std::uint64_t floating = 1;
constexpr std::uint64_t string = 3;
constexpr std::uint64_t enumeration = 8;
constexpr std::uint64_t variable_length = 9;
}  // namespace type_class

struct Type {
  std::uint64_t size = 0;  ///< of one value
  bool variable = false;   ///< a string of variable length
};

std::optional<Type> read_type(Cursor& cursor);

/// h5py's booleans: an integer type, names that end in a NUL, their values.
void skip_enumeration(Cursor& cursor, std::uint64_t version, std::uint64_t members) {
  const std::optional<Type> base = read_type(cursor);
  for (std::uint64_t i = 0; i < members && cursor.good(); ++i) {
    const std::size_t length = cursor.left().find('\0');
    const std::uint64_t whole = length == std::string_view::npos ? UINT64_MAX : length + 1;
    cursor.skip(version < 3 && whole != UINT64_MAX ? (whole + 7) / 8 * 8 : whole);
  }
  cursor.skip(base ? members * base->size : UINT64_MAX);
}

/// The type described here, if it is one that attributes of ours have.
std::optional<Type> read_type(Cursor& cursor) {
  const std::uint64_t first = cursor.integer(1);
  const std::uint64_t details = cursor.integer(3);
  Type type{cursor.integer(4)};
  switch (first & 0xfU) {
    case type_class::integer:
      cursor.skip(4);
      break;
    case type_class::floating:
      cursor.skip(12);
      break;
    case type_class::string:
      break;
    case type_class::enumeration:
      if (cursor.left().empty() || (cursor.left()[0] & 0xf) != type_class::integer) return {};
      skip_enumeration(cursor, first >> 4U, details & 0xffffU);
      break;
    case type_class::variable_length: {
      if (cursor.left().empty()) return {};
      const auto base_class = static_cast<unsigned char>(cursor.left()[0]) & 0xfU;
      if (base_class != type_class::integer && base_class != type_class::string) return {};
      const std::optional<Type> base = read_type(cursor);
      if (!base || base->size != 1) return {};
      type.variable = true;
      break;
    }
    default:
      return {};
  }
  return cursor.good() ? std::optional(type) : std::nullopt;
}

/// The number of values of the dataspace described here.
std::optional<std::uint64_t> read_count(Cursor cursor) {
  const std::uint64_t version = cursor.integer(1);
  const std::uint64_t rank = cursor.integer(1);
  const std::uint64_t flags = cursor.integer(1);
  const bool null = cursor.integer(1) == 2 && version == 2;
  if (version == 1) cursor.skip(4);
  if (version < 1 || version > 2 || rank > 32 || flags > 1) return {};
  std::uint64_t count = null ? 0 : 1;
  for (std::uint64_t i = 0; i < rank; ++i) {
    const std::uint64_t size = cursor.integer(8);
    if (size > UINT32_MAX || count > UINT32_MAX) return {};
    count *= size;
  }
  if (flags == 1) cursor.skip(8 * rank);
  return cursor.good() ? std::optional(count) : std::nullopt;
}

/// Whether a string of variable length is as long as what holds it.
bool is_sound_reference(Cursor& value, std::string_view file) {
  const std::uint64_t length = value.integer(4);
  const std::uint64_t address = value.integer(8);
  const std::uint64_t index = value.integer(4);
  return address == 0 || heap_object_size(file, address, index) == length;
}

bool is_sound_attribute(std::string_view message, std::string_view file) {
  Cursor cursor(message);
  const std::uint64_t version = cursor.integer(1);
  const std::uint64_t shared = cursor.integer(1);
  const std::uint64_t name_bytes = cursor.integer(2);
  const std::uint64_t type_bytes = cursor.integer(2);
  const std::uint64_t space_bytes = cursor.integer(2);
  if (version == 3) cursor.skip(1);  // the name's character set
  if (version < 1 || version > 3 || (version > 1 && shared != 0)) return false;
  const auto part = [&](std::uint64_t bytes) {
    const std::string_view taken = cursor.bytes(bytes);
    if (version == 1) cursor.skip((8 - bytes % 8) % 8);
    return taken;
  };
  const std::string_view name = part(name_bytes);
  Cursor type_part(part(type_bytes));
  const Cursor space_part(part(space_bytes));
  if (!cursor.good() || name.empty() || name.find('\0') != name.size() - 1) return false;
  const std::optional<Type> type = read_type(type_part);
  const std::optional<std::uint64_t> count = read_count(space_part);
  if (!type || !count) return false;
  const std::size_t left = cursor.left().size();
  if (*count != 0 && type->size > left / *count) return false;
  if (!type->variable || *count == 0) return true;
  Cursor value(cursor.left());
  return *count == 1 && type->size == 16 && is_sound_reference(value, file);
}

/// Whether attributes lie elsewhere than in the header.
bool is_dense(Cursor info) {
  info.skip(1);  // version
  const std::uint64_t flags = info.integer(1);
  if ((flags & 1U) != 0) info.skip(2);
  return info.integer(8) != UINT64_MAX || !info.good();
}

/// Messages of an object, in the blocks over which they are spread.
class Header {
 public:
  Header(std::string_view file, std::uint64_t address) : file_(file) {
    if (address > file.size()) return;
    Cursor cursor(file.substr(address));
    if (cursor.left().substr(0, 4) == "OHDR") {
      cursor.skip(5);
      flags_ = cursor.integer(1);
      cursor.skip(((flags_ & 0x20U) != 0 ? 16 : 0) + ((flags_ & 0x10U) != 0 ? 4 : 0));
      const std::uint64_t bytes = cursor.integer(std::size_t{1} << (flags_ & 3U));
      blocks_.push_back(cursor.bytes(bytes));
    } else {
      old_ = true;
      cursor.skip(8);  // version, number of messages, reference count
      const std::uint64_t bytes = cursor.integer(4);
      cursor.skip(4);
      blocks_.push_back(cursor.bytes(bytes));
    }
    if (!cursor.good()) blocks_.clear();
  }

  bool has_sound_attributes() {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_.size() > max_blocks || !is_sound(Cursor(blocks_[i]))) return false;
    }
    return !blocks_.empty();
  }

 private:
  bool is_sound(Cursor block) {
    const std::size_t order_bytes = !old_ && (flags_ & 4U) != 0 ? 2 : 0;
    const std::size_t message_header_bytes = old_ ? 8 : 4 + order_bytes;
    while (block.left().size() >= message_header_bytes) {
      const std::uint64_t type = block.integer(old_ ? 2 : 1);
      const std::uint64_t bytes = block.integer(2);
      const bool shared = (block.integer(1) & 2U) != 0;
      block.skip(old_ ? 3 : order_bytes);
      const std::string_view message = block.bytes(bytes);
      if (!block.good()) return false;
      if (type == message_type::attribute &&
          (shared || ++attributes_ > max_attributes || !is_sound_attribute(message, file_))) {
        return false;
      }
      if (type == message_type::attribute_info && is_dense(Cursor(message))) return false;
      if (type == message_type::continuation && !add_block(Cursor(message))) return false;
    }
    return true;
  }

  bool add_block(Cursor continuation) {
    const std::uint64_t address = continuation.integer(8);
    const std::uint64_t bytes = continuation.integer(8);
    if (!continuation.good() || address > file_.size() || bytes > file_.size() - address) {
      return false;
    }
    std::string_view block = file_.substr(address, bytes);
    if (!old_) {
      if (block.size() < 8) return false;
      block = block.substr(4, block.size() - 8);  // between signature and checksum
    }
    blocks_.push_back(block);
    return true;
  }

  std::string_view file_;
  bool old_ = false;
  std::uint64_t flags_ = 0;
  std::size_t attributes_ = 0;
  std::vector<std::string_view> blocks_;
};

}  // namespace

bool has_sound_attributes(std::string_view file, std::uint64_t address) {
  return Header(file, address).has_sound_attributes();
}

}  // namespace dempilot::hdf5
