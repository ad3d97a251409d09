#include "core/io/Hdf5.hpp"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/Error.hpp"
#include "core/io/GlobalHeap.hpp"
#include "core/io/Hdf5Handle.hpp"
#include "core/io/Hdf5Objects.hpp"

namespace dempilot::hdf5 {
namespace {

/// What fits into an object header, a little less than 64 KiB.
constexpr std::size_t max_attribute_bytes = 65000;

std::string text(std::span<const std::size_t> shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

Handle open_dataset(hid_t id, const File& file, const std::string& dataset) {
  if (!reachable(id, dataset)) {
    fail("{} is missing (the file lacks it or links elsewhere) write the dataset into this file",
         place(file, dataset));
  }
  return Handle(H5Dopen2(id, dataset.c_str(), H5P_DEFAULT));
}

/// Refuses chunks that would unpack to far more than the dataset, and filters that HDF5 would load
/// libraries for.
void require_modest_storage(hid_t properties, const File& file, const std::string& name) {
  constexpr hsize_t max_chunk_values = hsize_t{1} << 24U;
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  const int rank = H5Pget_chunk(properties, H5S_MAX_RANK, chunk.data());
  hsize_t values = 1;
  for (int d = 0; d < rank; ++d) {
    values = chunk[d] != 0 && values > max_chunk_values / chunk[d] ? max_chunk_values + 1
                                                                   : values * chunk[d];
  }
  if (values > max_chunk_values) {
    fail("{} has chunks of more than {} values (they would be unpacked at once) store smaller ones",
         place(file, name), max_chunk_values);
  }
  for (int n = 0; n < H5Pget_nfilters(properties); ++n) {
    std::size_t parameters = 0;
    unsigned flags = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, n, &flags, &parameters, nullptr, 0, nullptr, nullptr);
    if (filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
        filter == H5Z_FILTER_FLETCHER32) {
      continue;
    }
    fail(
        "{} is stored through filter {} (gzip, shuffle and fletcher32 are read) store it with "
        "these",
        place(file, name), static_cast<int>(filter));
  }
}

/// Refuses datasets whose values lie outside the file or are not numbers; returns the class of the
/// numbers.
H5T_class_t require_plain_numbers(hid_t dataset, const File& file, const std::string& name) {
  if (dataset < 0) {
    fail("{} cannot be opened (it is no dataset, or the file is damaged) write the file again",
         place(file, name));
  }
  const Handle properties(H5Dget_create_plist(dataset));
  const auto layout = H5Pget_layout(properties);
  if (layout == H5D_VIRTUAL || layout < 0 || H5Pget_external_count(properties) > 0) {
    fail("{} keeps its values outside the file (external or virtual storage) store them inside",
         place(file, name));
  }
  if (layout == H5D_CHUNKED) require_modest_storage(properties, file, name);
  const Handle type(H5Dget_type(dataset));
  const auto kind = H5Tget_class(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER && kind != H5T_ENUM) {
    fail("{} is not numeric (HDF5 type class {}) store integers or floats", place(file, name),
         static_cast<int>(kind));
  }
  if (!is_machine_number(type)) {
    fail(
        "{} holds numbers of a rare kind (floats of 4 or 8 bytes and integers of 1 to 8 are read) "
        "store such",
        place(file, name));
  }
  if (layout == H5D_COMPACT && !fills_its_shape(dataset, type)) {
    fail("{} has not the bytes of its shape (damaged file) write it again", place(file, name));
  }
  return kind;
}

/// Refuses datasets that hold floats where T is an integer, and the other way round: converting
/// them would hide that the file means something else.
template <class T>
void require_numbers_like(hid_t dataset, const File& file, const std::string& name) {
  const bool floats = require_plain_numbers(dataset, file, name) == H5T_FLOAT;
  if (floats == std::is_floating_point_v<T>) return;
  fail("{} holds {} ({} expected) store {}", place(file, name), floats ? "floats" : "integers",
       floats ? "integers" : "floats", floats ? "integers" : "floats");
}

template <class T>
void read_into(hid_t dataset, hid_t memory_space, hid_t file_space, std::vector<T>& values,
               const File& file, const std::string& name) {
  if (values.empty()) return;
  if (H5Dread(dataset, memory_type<T>(), memory_space, file_space, H5P_DEFAULT, values.data()) <
      0) {
    fail("{} cannot be read (truncated or damaged file) copy or write the file again",
         place(file, name));
  }
}

}  // namespace

File File::open(const std::filesystem::path& path) {
  const QuietErrors quiet;
  const std::string name = path.string();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    fail("cannot open '{}' (no such file) check the path", name);
  }
  if (!std::filesystem::is_regular_file(path, ignored)) {
    fail("cannot open '{}' (it is no regular file) give the path of an HDF5 file", name);
  }
  if (H5Fis_hdf5(name.c_str()) <= 0) {
    fail("cannot open '{}' (not an HDF5 file, or no permission) give a file written with HDF5",
         name);
  }
  const hid_t id = H5Fopen(name.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0)
    fail("cannot open '{}' (truncated or damaged HDF5 file) copy or write it again", name);
  return File(id, name);
}

namespace {

/// HDF5 takes two open images of one name for the same file, and refuses one under the name of a
/// file that exists.
std::string unique_image_name(const std::string& name) {
  static std::atomic<std::uint64_t> images{0};
  return fmt::format("image {} of {}", images++, name);
}

}  // namespace

File File::from_bytes(std::span<const std::byte> bytes, std::string name) {
  const QuietErrors quiet;
  constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  const bool signed_as_hdf5 =
      bytes.size() >= signature.size() &&
      std::equal(signature.begin(), signature.end(), bytes.begin(),
                 [](unsigned char a, std::byte b) { return std::byte{a} == b; });
  if (!signed_as_hdf5) {
    fail("cannot open '{}' (not an HDF5 file) give a file written with HDF5", name);
  }
  if (!has_sound_global_heaps({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
    fail("cannot open '{}' (the places of its strings are damaged) copy or write it again", name);
  }
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access, 1U << 16U, 0);
  // HDF5 copies the image and never writes through the pointer.
  H5Pset_file_image(access, const_cast<std::byte*>(bytes.data()), bytes.size());
  const hid_t id = H5Fopen(unique_image_name(name).c_str(), H5F_ACC_RDONLY, access);
  if (id < 0)
    fail("cannot open '{}' (truncated or damaged HDF5 file) copy or write it again", name);
  File file(id, std::move(name));
  hsize_t size = 0;
  if (H5Fget_filesize(id, &size) < 0 || size > bytes.size()) {
    fail("cannot open '{}' (truncated or damaged HDF5 file) copy or write it again", file.name());
  }
  // What our own look at heaps and attributes takes for granted. No program writes anything else.
  if (!has_lengths_of_8_bytes(id)) {
    fail("cannot open '{}' (its addresses or lengths have not 8 bytes) write it again",
         file.name());
  }
  return file;
}

File File::create(const std::filesystem::path& path) {
  const QuietErrors quiet;
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0) {
    fail("cannot create '{}' (no such folder, or no permission) choose a place that can be written",
         path.string());
  }
  return File(id, path.string());
}

File File::create_in_memory(const std::string& name) {
  constexpr std::size_t growth = 1U << 20U;
  const QuietErrors quiet;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access, growth, 0);
  // Small nodes of the trees of chunks: by default those are most of a small file.
  constexpr unsigned half_chunks_of_a_node = 4;
  const Handle creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_istore_k(creation, half_chunks_of_a_node);
  const hid_t id = H5Fcreate(unique_image_name(name).c_str(), H5F_ACC_TRUNC, creation, access);
  if (id < 0) fail("cannot create '{}' (not enough memory) free some memory", name);
  return File(id, name);
}

File::~File() {
  if (id_ < 0) return;
  const QuietErrors quiet;
  H5Fclose(id_);
}

File::File(File&& other) noexcept
    : id_(std::exchange(other.id_, -1)), name_(std::move(other.name_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(name_, other.name_);
  return *this;
}

void File::close() {
  const QuietErrors quiet;
  const bool flushed = H5Fflush(id_, H5F_SCOPE_GLOBAL) >= 0;
  const bool closed = H5Fclose(std::exchange(id_, -1)) >= 0;
  if (!flushed || !closed)
    fail("cannot finish '{}' (disk full or I/O error) free some space", name_);
}

std::vector<std::byte> File::image() const {
  const QuietErrors quiet;
  const bool flushed = H5Fflush(id_, H5F_SCOPE_GLOBAL) >= 0;
  const ssize_t size = flushed ? H5Fget_file_image(id_, nullptr, 0) : -1;
  std::vector<std::byte> bytes(size > 0 ? static_cast<std::size_t>(size) : 0);
  if (size <= 0 || H5Fget_file_image(id_, bytes.data(), bytes.size()) != size) {
    fail("cannot finish '{}' (not enough memory) free some memory", name_);
  }
  return bytes;
}

bool File::exists(const std::string& object) const {
  const QuietErrors quiet;
  return reachable(id_, object);
}

std::vector<std::string> File::list(const std::string& group) const {
  const QuietErrors quiet;
  if (!reachable(id_, group))
    fail("{} is missing (the file lacks this group)", place(*this, group));
  const Handle handle(H5Gopen2(id_, group.empty() ? "/" : group.c_str(), H5P_DEFAULT));
  if (!handle.valid()) fail("{} is no group (a dataset was found)", place(*this, group));
  std::vector<std::string> names;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* data) -> herr_t {
    static_cast<std::vector<std::string>*>(data)->emplace_back(name);
    return 0;
  };
  hsize_t position = 0;
  if (H5Literate(handle, H5_INDEX_NAME, H5_ITER_INC, &position, visit, &names) < 0) {
    fail("{} cannot be listed (truncated or damaged file) write it again", place(*this, group));
  }
  return names;
}

std::vector<std::size_t> File::shape(const std::string& dataset) const {
  const QuietErrors quiet;
  const Handle handle = open_dataset(id_, *this, dataset);
  require_plain_numbers(handle, *this, dataset);
  return extent(handle);
}

template <class T>
std::vector<T> File::read(const std::string& dataset, std::span<const std::size_t> expected) const {
  const std::vector<std::size_t> found = shape(dataset);
  if (!std::equal(found.begin(), found.end(), expected.begin(), expected.end())) {
    fail("{} has shape {} (expected {}) check what wrote the file", place(*this, dataset),
         text(found), text(expected));
  }
  return read<T>(dataset, count_of(expected));
}

template <class T>
std::vector<T> File::read(const std::string& dataset, std::size_t at_most) const {
  const QuietErrors quiet;
  const Handle handle = open_dataset(id_, *this, dataset);
  require_numbers_like<T>(handle, *this, dataset);
  const std::vector<std::size_t> found = extent(handle);
  if (count_of(found) > at_most) {
    fail(
        "{} has shape {} (more than the {} values that are read at most) check what wrote the file",
        place(*this, dataset), text(found), at_most);
  }
  std::vector<T> values(count_of(found));
  read_into(handle, H5S_ALL, H5S_ALL, values, *this, dataset);
  return values;
}

template <class T>
std::vector<T> File::read_rows(const std::string& dataset, std::size_t first,
                               std::size_t count) const {
  const QuietErrors quiet;
  const Handle handle = open_dataset(id_, *this, dataset);
  require_numbers_like<T>(handle, *this, dataset);
  const std::vector<std::size_t> found = extent(handle);
  if (found.empty() || found.size() > 2 || first > found[0] || count > found[0] - first) {
    fail("{} has shape {} ({} rows from row {} on were wanted) check what wrote the file",
         place(*this, dataset), text(found), count, first);
  }
  const std::array<hsize_t, 2> start{first, 0};
  const std::array<hsize_t, 2> size{count, found.size() == 2 ? found[1] : 1};
  const int rank = static_cast<int>(found.size());
  const Handle file_space(H5Dget_space(handle));
  const Handle memory_space(H5Screate_simple(rank, size.data(), nullptr));
  H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr);
  std::vector<T> values(size[0] * size[1]);
  read_into(handle, memory_space, file_space, values, *this, dataset);
  return values;
}

namespace {

void require_written(bool good, const File& file, const std::string& object) {
  if (!good)
    fail("{} cannot be written (disk full or I/O error) free some space", place(file, object));
}

void write_attribute(hid_t id, const File& file, const std::string& object,
                     const std::string& attribute, hid_t type, const void* value) {
  const QuietErrors quiet;
  const Handle handle(open_object(id, object));
  const Handle space(H5Screate(H5S_SCALAR));
  const Handle created(
      H5Acreate2(handle, attribute.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  require_written(created.valid() && H5Awrite(created, type, value) >= 0, file, object);
}

}  // namespace

void File::create_group(const std::string& group) {
  const QuietErrors quiet;
  const Handle handle(H5Gcreate2(id_, group.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  require_written(handle.valid(), *this, group);
}

template <class T>
void File::write_as(const std::string& dataset, std::span<const std::size_t> shape,
                    std::span<const T> values, std::int64_t properties) {
  if (count_of(shape) != values.size()) {
    fail("{} of shape {} cannot be written from {} values (they must fill it) correct the shape",
         place(*this, dataset), text(shape), values.size());
  }
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  const Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
  const Handle handle(H5Dcreate2(id_, dataset.c_str(), memory_type<T>(), space, H5P_DEFAULT,
                                 properties, H5P_DEFAULT));
  const bool good =
      handle.valid() && (values.empty() || H5Dwrite(handle, memory_type<T>(), H5S_ALL, H5S_ALL,
                                                    H5P_DEFAULT, values.data()) >= 0);
  require_written(good, *this, dataset);
}

template <class T>
void File::write(const std::string& dataset, std::span<const std::size_t> shape,
                 std::span<const T> values) {
  const QuietErrors quiet;
  write_as(dataset, shape, values, H5P_DEFAULT);
}

template <class T>
void File::write_compressed(const std::string& dataset, std::span<const std::size_t> shape,
                            std::span<const T> values) {
  constexpr std::size_t chunk_bytes = 1U << 18U;
  constexpr unsigned level =
      1;  // the mantissas of floats are noise, which more effort packs no better
  const QuietErrors quiet;
  const std::size_t row = shape.size() > 1 ? shape[1] : 1;
  const std::size_t rows =
      std::max<std::size_t>(1, chunk_bytes / (sizeof(T) * std::max<std::size_t>(1, row)));
  const std::array<hsize_t, 2> chunk{std::min<hsize_t>(rows, std::max<hsize_t>(1, shape.front())),
                                     std::max<hsize_t>(1, row)};
  const Handle properties(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(properties, static_cast<int>(shape.size()), chunk.data());
  H5Pset_shuffle(properties);
  H5Pset_deflate(properties, level);
  write_as(dataset, shape, values, properties);
}

void File::write_string(const std::string& object, const std::string& attribute,
                        const std::string& value) {
  if (value.size() > max_string_bytes) {
    fail("{} cannot have the attribute '{}' of {} bytes (at most {} are read) shorten it",
         place(*this, object), attribute, value.size(), max_string_bytes);
  }
  const bool fits_header = value.size() < max_attribute_bytes;
  const char* text = value.c_str();
  const Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, fits_header ? value.size() + 1 : H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const void* source = fits_header ? static_cast<const void*>(text) : &text;
  write_attribute(id_, *this, object, attribute, type, source);
}

void File::write_double(const std::string& object, const std::string& attribute, double value) {
  write_attribute(id_, *this, object, attribute, H5T_NATIVE_DOUBLE, &value);
}

void File::write_integer(const std::string& object, const std::string& attribute,
                         std::int64_t value) {
  write_attribute(id_, *this, object, attribute, H5T_NATIVE_INT64, &value);
}

#define DEMPILOT_INSTANTIATE(T)                                                                   \
  template std::vector<T> File::read<T>(const std::string&, std::span<const std::size_t>) const;  \
  template std::vector<T> File::read<T>(const std::string&, std::size_t) const;                   \
  template std::vector<T> File::read_rows<T>(const std::string&, std::size_t, std::size_t) const; \
  template void File::write<T>(const std::string&, std::span<const std::size_t>,                  \
                               std::span<const T>);                                               \
  template void File::write_compressed<T>(const std::string&, std::span<const std::size_t>,       \
                                          std::span<const T>);
DEMPILOT_INSTANTIATE(float)
DEMPILOT_INSTANTIATE(double)
DEMPILOT_INSTANTIATE(std::int8_t)
DEMPILOT_INSTANTIATE(std::int32_t)
DEMPILOT_INSTANTIATE(std::int64_t)
#undef DEMPILOT_INSTANTIATE

}  // namespace dempilot::hdf5
