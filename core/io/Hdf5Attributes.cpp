#include <hdf5.h>

#include <string_view>

#include "core/Error.hpp"
#include "core/io/AttributeMessages.hpp"
#include "core/io/Hdf5.hpp"
#include "core/io/Hdf5Handle.hpp"
#include "core/io/Hdf5Objects.hpp"

/// How File reads attributes.
namespace dempilot::hdf5 {
namespace {

#if H5_VERSION_GE(1, 12, 0)
using ObjectInfo = H5O_info1_t;
#else
using ObjectInfo = H5O_info_t;
#endif

/// The bytes of a file that HDF5 holds in memory; empty for one on disk.
std::string_view image_of(hid_t file) {
  const Handle access(H5Fget_access_plist(file));
  void* handle = nullptr;
  hsize_t size = 0;
  if (H5Pget_driver(access) != H5FD_CORE || H5Fget_filesize(file, &size) < 0 ||
      H5Fget_vfd_handle(file, access, &handle) < 0) {
    return {};
  }
  return {*static_cast<const char* const*>(handle), size};
}

/// Call before HDF5 looks at the attributes of an object that somebody else may have written.
void require_sound_attributes(hid_t id, hid_t object, const File& file, const std::string& name) {
  const std::string_view image = image_of(id);
  ObjectInfo info{};
  if (image.empty()) return;
  if (H5Oget_info2(object, &info, H5O_INFO_BASIC) >= 0 && has_sound_attributes(image, info.addr))
    return;
  fail(
      "{} has attributes that are damaged or of a rare kind (numbers and strings in its header are "
      "read) write it again",
      place(file, name));
}

}  // namespace

std::size_t File::attribute_count(const std::string& object) const {
  const QuietErrors quiet;
  if (!reachable(id_, object)) fail("{} is missing (the file lacks it)", place(*this, object));
  const Handle handle(open_object(id_, object));
  ObjectInfo info{};
  if (!handle.valid() || H5Oget_info2(handle, &info, H5O_INFO_NUM_ATTRS) < 0) {
    fail("the attributes of {} cannot be counted (truncated or damaged file) write it again",
         place(*this, object));
  }
  return info.num_attrs;
}

bool File::has_attribute(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  if (!reachable(id_, object)) return false;
  const Handle handle(open_object(id_, object));
  if (!handle.valid()) return false;
  require_sound_attributes(id_, handle, *this, object);
  return H5Aexists(handle, attribute.c_str()) > 0;
}

namespace {

Handle open_attribute(hid_t id, const File& file, const std::string& object,
                      const std::string& attribute) {
  if (!reachable(id, object)) fail("{} is missing (the file lacks it)", place(file, object));
  const Handle handle(open_object(id, object));
  require_sound_attributes(id, handle, file, object);
  Handle result(H5Aopen(handle, attribute.c_str(), H5P_DEFAULT));
  if (!result.valid()) {
    fail("{} lacks the attribute '{}' (every such file has one) write it again with it",
         place(file, object), attribute);
  }
  return result;
}

template <class T>
T read_scalar(hid_t id, const File& file, const std::string& object, const std::string& attribute) {
  const Handle handle = open_attribute(id, file, object, attribute);
  const Handle space(H5Aget_space(handle));
  const Handle type(H5Aget_type(handle));
  const auto kind = H5Tget_class(type);
  T value{};
  // h5py's booleans are enumerations.
  const bool number = kind == H5T_ENUM || kind == H5T_INTEGER || kind == H5T_FLOAT;
  if (!number || !is_machine_number(type) || H5Sget_simple_extent_npoints(space) != 1 ||
      H5Aread(handle, memory_type<T>(), &value) < 0) {
    fail("{} has an attribute '{}' that is no number (one value expected) write it as a number",
         place(file, object), attribute);
  }
  return value;
}

}  // namespace

std::string File::read_string(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  const Handle handle = open_attribute(id_, *this, object, attribute);
  const Handle type(H5Aget_type(handle));
  const Handle space(H5Aget_space(handle));
  const auto refuse = [&] {
    fail(
        "{} has an attribute '{}' that is no string (one string of at most {} bytes expected) "
        "write it as a string",
        place(*this, object), attribute, max_string_bytes);
  };
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) refuse();
  if (H5Tis_variable_str(type) > 0) {
    char* value = nullptr;
    const Handle memory(H5Tcopy(H5T_C_S1));
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Aread(handle, memory, static_cast<void*>(&value)) < 0 || value == nullptr) refuse();
    std::string result(value);
    H5free_memory(value);
    if (result.size() > max_string_bytes) refuse();
    return result;
  }
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > max_string_bytes) refuse();
  std::string result(size, '\0');
  if (H5Aread(handle, type, result.data()) < 0) refuse();
  return result.substr(0, result.find('\0'));
}

double File::read_double(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  return read_scalar<double>(id_, *this, object, attribute);
}

std::int64_t File::read_integer(const std::string& object, const std::string& attribute) const {
  const QuietErrors quiet;
  const auto value = read_scalar<std::int64_t>(id_, *this, object, attribute);
  const auto exact = read_scalar<double>(id_, *this, object, attribute);
  if (exact != static_cast<double>(value)) {
    fail("{} has an attribute '{}' that is no integer ({}) write it as one", place(*this, object),
         attribute, exact);
  }
  return value;
}

}  // namespace dempilot::hdf5
