#pragma once

#include <hdf5.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

/// Private to core/io: what keeps the C library's identifiers and its error stack in order.
namespace dempilot::hdf5 {

/// Silences HDF5's own printing of its error stack while it lives: our messages say what matters.
class QuietErrors {
 public:
  QuietErrors() {
    // HDF5 1.10 loses track of memory when it meets a damaged file, and overruns a buffer while it
    // complains about that at exit. All that File opens is closed before, so nothing needs that.
    // Without effect when somebody else has used HDF5 before.
    static const herr_t no_exit_handler = H5dont_atexit();
    static_cast<void>(no_exit_handler);
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Owns one HDF5 identifier of any kind.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool valid() const { return id_ >= 0; }

 private:
  hid_t id_;
};

template <class T>
hid_t memory_type();
template <>
inline hid_t memory_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t memory_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t memory_type<std::int8_t>() {
  return H5T_NATIVE_INT8;
}
template <>
inline hid_t memory_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
inline hid_t memory_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}

/// Whether addresses and lengths in a file have 8 bytes.
inline bool has_lengths_of_8_bytes(hid_t file) {
  const Handle properties(H5Fget_create_plist(file));
  std::size_t addresses = 0;
  std::size_t lengths = 0;
  return H5Pget_sizes(properties, &addresses, &lengths) >= 0 && addresses == 8 && lengths == 8;
}

/// Sizes of a dataset's axes.
inline std::vector<std::size_t> extent(hid_t dataset) {
  const Handle space(H5Dget_space(dataset));
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0) return {};
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  return {sizes.begin(), sizes.begin() + rank};
}

/// Number of values of a shape, saturating instead of wrapping around.
inline std::size_t count_of(std::span<const std::size_t> shape) {
  std::size_t count = 1;
  for (const std::size_t size : shape) {
    if (size != 0 && count > SIZE_MAX / size) return SIZE_MAX;
    count *= size;
  }
  return count;
}

/// Whether a dataset within its header has as many bytes as its shape and type need: HDF5 1.10
/// reads them unasked.
inline bool fills_its_shape(hid_t dataset, hid_t type) {
  const std::size_t count = count_of(extent(dataset));
  const std::size_t size = H5Tget_size(type);
  return count <= SIZE_MAX / size && H5Dget_storage_size(dataset) == count * size;
}

}  // namespace dempilot::hdf5
