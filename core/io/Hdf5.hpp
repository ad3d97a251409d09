#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

/// The little of HDF5 that DEMPilot needs, with errors as dempilot::Error messages that name file
/// and object, and with nothing read that was not bounded before. No header of HDF5 leaks out of
/// it. What happens inside HDF5's own parser is beyond us: 1.10 reads beyond the end of an
/// attribute that says it is longer than it is, and may use what it has freed.
namespace dempilot::hdf5 {

/// An open file. Objects are named by their path from the root ("params/critic.bias"; "" is the
/// root group). Only hard links are followed and data outside the file is refused, since a file may
/// be hostile.
class File {
 public:
  /// Opens for reading. Throws Error: missing, not HDF5, truncated or damaged.
  static File open(const std::filesystem::path& path);
  /// Opens the bytes of a file for reading; `name` is what messages call it.
  static File from_bytes(std::span<const std::byte> bytes, std::string name);
  /// Creates, replacing what is there.
  static File create(const std::filesystem::path& path);
  /// Creates a file that lives in memory alone; `name` is what messages call it. image() gives its
  /// bytes, for a caller who must know what became of each of them: HDF5 is not able to let go of a
  /// file whose last bytes a full disk refused.
  static File create_in_memory(const std::string& name);

  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  const std::string& name() const { return name_; }

  bool exists(const std::string& object) const;
  /// Names of the members of a group, sorted.
  std::vector<std::string> list(const std::string& group) const;
  std::vector<std::size_t> shape(const std::string& dataset) const;

  /// All values of a dataset, converted to T (float, double, std::int8_t, std::int32_t,
  /// std::int64_t; booleans of h5py read as std::int8_t). Throws Error when it is missing or not
  /// numeric, when it holds integers and T is a float or the other way round, or when it has
  /// another shape than `expected`, given as shape or as the number of values at most.
  template <class T>
  std::vector<T> read(const std::string& dataset, std::span<const std::size_t> expected) const;
  template <class T>
  std::vector<T> read(const std::string& dataset, std::size_t at_most = 1ULL << 28U) const;
  /// Rows [first, first + count) of a dataset of rank 1 or 2.
  template <class T>
  std::vector<T> read_rows(const std::string& dataset, std::size_t first, std::size_t count) const;

  std::size_t attribute_count(const std::string& object) const;
  bool has_attribute(const std::string& object, const std::string& attribute) const;
  std::string read_string(const std::string& object, const std::string& attribute) const;
  double read_double(const std::string& object, const std::string& attribute) const;
  std::int64_t read_integer(const std::string& object, const std::string& attribute) const;

  void create_group(const std::string& group);
  /// Throws Error unless `values` fill the shape.
  template <class T>
  void write(const std::string& dataset, std::span<const std::size_t> shape,
             std::span<const T> values);
  /// The same for a dataset of rank 1 or 2 that is compressed (shuffle, deflate), a number of rows
  /// at a time.
  template <class T>
  void write_compressed(const std::string& dataset, std::span<const std::size_t> shape,
                        std::span<const T> values);
  void write_string(const std::string& object, const std::string& attribute,
                    const std::string& value);
  void write_double(const std::string& object, const std::string& attribute, double value);
  void write_integer(const std::string& object, const std::string& attribute, std::int64_t value);

  /// Flushes and closes; throws Error when the data did not reach the file (disk full).
  void close();
  /// All bytes of a file that was created in memory.
  std::vector<std::byte> image() const;

 private:
  File(std::int64_t id, std::string name) : id_(id), name_(std::move(name)) {}
  template <class T>
  void write_as(const std::string& dataset, std::span<const std::size_t> shape,
                std::span<const T> values, std::int64_t properties);

  std::int64_t id_ = -1;
  std::string name_;
};

}  // namespace dempilot::hdf5
