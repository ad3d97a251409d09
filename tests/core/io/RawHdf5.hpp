#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

/// Files written and spoiled through HDF5's own C API, as other programs would.
namespace dempilot::test {

/// Opens `path` for writing, hands it to edit(hid_t) and closes it.
template <class Edit>
void edit_file(const std::filesystem::path& path, const Edit& edit) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  ASSERT_GE(file, 0) << path;
  edit(file);
  ASSERT_GE(H5Fclose(file), 0);
}

inline void remove_link(hid_t file, const std::string& name) {
  ASSERT_GE(H5Ldelete(file, name.c_str(), H5P_DEFAULT), 0) << name;
}

/// Replaces or adds a dataset; `data` may be null: nothing is written then.
inline void put_dataset(hid_t file, const std::string& name, hid_t type,
                        const std::vector<hsize_t>& shape, const void* data,
                        hid_t properties = H5P_DEFAULT) {
  if (H5Lexists(file, name.c_str(), H5P_DEFAULT) > 0) remove_link(file, name);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset =
      H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0) << name;
  if (data != nullptr) {
    ASSERT_GE(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0);
  }
  H5Dclose(dataset);
  H5Sclose(space);
}

inline void put_floats(hid_t file, const std::string& name, const std::vector<hsize_t>& shape,
                       const std::vector<float>& values) {
  put_dataset(file, name, H5T_NATIVE_FLOAT, shape, values.data());
}

/// Overwrites one value of a dataset of floats.
inline void poke(hid_t file, const std::string& name, hsize_t index, float value) {
  const hid_t dataset = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  ASSERT_GE(dataset, 0) << name;
  const hid_t space = H5Dget_space(dataset);
  std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  ASSERT_GE(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  values.at(index) = value;
  ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Sclose(space);
  H5Dclose(dataset);
}

inline void remove_attribute(hid_t file, const std::string& object, const std::string& name) {
  if (H5Aexists_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT) > 0) {
    ASSERT_GE(H5Adelete_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT), 0);
  }
}

inline void put_attribute(hid_t file, const std::string& object, const std::string& name,
                          hid_t type, const std::vector<hsize_t>& shape, const void* value) {
  remove_attribute(file, object, name);
  const hid_t space = shape.empty()
                          ? H5Screate(H5S_SCALAR)
                          : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t attribute = H5Acreate_by_name(file, object.c_str(), name.c_str(), type, space,
                                            H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  ASSERT_GE(attribute, 0) << name;
  if (value != nullptr) {
    ASSERT_GE(H5Awrite(attribute, type, value), 0);
  }
  H5Aclose(attribute);
  H5Sclose(space);
}

/// A variable-length UTF-8 string, as h5py writes a Python string.
inline void put_text(hid_t file, const std::string& object, const std::string& name,
                     const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const char* value = text.c_str();
  put_attribute(file, object, name, type, {}, static_cast<const void*>(&value));
  H5Tclose(type);
}

inline void put_integer(hid_t file, const std::string& object, const std::string& name,
                        long long value) {
  put_attribute(file, object, name, H5T_NATIVE_LLONG, {}, &value);
}

inline void put_double(hid_t file, const std::string& object, const std::string& name,
                       double value) {
  put_attribute(file, object, name, H5T_NATIVE_DOUBLE, {}, &value);
}

inline std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> chars{std::istreambuf_iterator<char>(stream), {}};
  std::vector<std::byte> bytes;
  for (const char c : chars)
    bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

inline void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
}

}  // namespace dempilot::test
