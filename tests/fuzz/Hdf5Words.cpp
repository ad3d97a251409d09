#include "tests/fuzz/Hdf5Words.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <map>
#include <utility>
#include <vector>

namespace dempilot::fuzz {
namespace {

using hdf5::Handle;

hid_t make_enumeration() {
  const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
  const signed char no = 0;
  const signed char yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  return type;
}

/// A float of half the usual size and an exponent of its own.
hid_t make_odd_float() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_ebias(type, 15);
  H5Tset_size(type, 2);
  return type;
}

hid_t make_odd_integer() {
  const hid_t type = H5Tcopy(H5T_STD_I32LE);
  H5Tset_precision(type, 17);
  H5Tset_offset(type, 3);
  return type;
}

hid_t make_compound() {
  const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(type, "r", 0, H5T_NATIVE_FLOAT);
  H5Tinsert(type, "i", 4, H5T_NATIVE_FLOAT);
  return type;
}

hid_t make_array() {
  const hsize_t size = 4;
  return H5Tarray_create2(H5T_NATIVE_FLOAT, 1, &size);
}

hid_t make_string(std::size_t size, H5T_str_t padding) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  H5Tset_strpad(type, padding);
  return type;
}

const std::map<std::string, std::function<hid_t()>>& makers() {
  static const std::map<std::string, std::function<hid_t()>> map{
      {"f4", [] { return H5Tcopy(H5T_IEEE_F32LE); }},
      {"f8", [] { return H5Tcopy(H5T_IEEE_F64LE); }},
      {"f4be", [] { return H5Tcopy(H5T_IEEE_F32BE); }},
      {"f8be", [] { return H5Tcopy(H5T_IEEE_F64BE); }},
      {"i1", [] { return H5Tcopy(H5T_STD_I8LE); }},
      {"u1", [] { return H5Tcopy(H5T_STD_U8LE); }},
      {"i4", [] { return H5Tcopy(H5T_STD_I32LE); }},
      {"i8", [] { return H5Tcopy(H5T_STD_I64LE); }},
      {"u8", [] { return H5Tcopy(H5T_STD_U64LE); }},
      {"i8be", [] { return H5Tcopy(H5T_STD_I64BE); }},
      {"bits", [] { return H5Tcopy(H5T_STD_B32LE); }},
      {"enum", make_enumeration},
      {"f4odd", make_odd_float},
      {"i4odd", make_odd_integer},
      {"long_double", [] { return H5Tcopy(H5T_NATIVE_LDOUBLE); }},
      {"compound", make_compound},
      {"array", make_array},
      {"list", [] { return H5Tvlen_create(H5T_NATIVE_FLOAT); }},
      {"opaque", [] { return H5Tcreate(H5T_OPAQUE, 4); }},
      {"string", [] { return make_string(8, H5T_STR_NULLTERM); }},
      {"padded", [] { return make_string(8, H5T_STR_SPACEPAD); }},
      {"text", [] { return make_string(H5T_VARIABLE, H5T_STR_NULLTERM); }},
      {"reference", [] { return H5Tcopy(H5T_STD_REF_OBJ); }},
      {"time", [] { return H5Tcopy(H5T_UNIX_D32LE); }},
  };
  return map;
}

std::vector<hsize_t> sizes_of(const std::string& word) {
  std::vector<hsize_t> sizes;
  for (std::size_t begin = 0; begin < word.size() && sizes.size() < 6;) {
    const std::size_t end = std::min(word.find('x', begin), word.size());
    sizes.push_back(std::strtoull(word.substr(begin, end - begin).c_str(), nullptr, 10));
    begin = end + 1;
  }
  return sizes;
}

void set_chunks(hid_t properties, hid_t space, hsize_t most) {
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  for (hsize_t& size : sizes)
    size = std::clamp<hsize_t>(size, 1, most);
  if (rank > 0) H5Pset_chunk(properties, rank, sizes.data());
}

}  // namespace

Handle type_of(const std::string& word) {
  const auto found = makers().find(word);
  return Handle(found == makers().end() ? H5Tcopy(H5T_IEEE_F32LE) : found->second());
}

Handle space_of(const std::string& word) {
  if (word == "null") return Handle(H5Screate(H5S_NULL));
  const std::vector<hsize_t> sizes = sizes_of(word);
  if (word == "scalar" || sizes.empty()) return Handle(H5Screate(H5S_SCALAR));
  std::vector<hsize_t> most = sizes;
  if (word.back() == '+') most.front() = H5S_UNLIMITED;
  return Handle(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), most.data()));
}

Handle storage_of(const std::string& word, hid_t space) {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE));
  if (word == "compact") H5Pset_layout(properties, H5D_COMPACT);
  if (word == "external") H5Pset_external(properties, "/dev/null", 0, H5F_UNLIMITED);
  if (word == "virtual") H5Pset_virtual(properties, space, "/dev/null", "/x", space);
  const bool plain =
      word == "contiguous" || word == "compact" || word == "external" || word == "virtual";
  if (!plain) set_chunks(properties, space, word == "huge" ? hsize_t{1} << 27U : 64);
  if (word == "gzip") H5Pset_deflate(properties, 6);
  if (word == "shuffle") H5Pset_shuffle(properties);
  if (word == "fletcher") H5Pset_fletcher32(properties);
  if (word == "nbit") H5Pset_nbit(properties);
  if (word == "scaleoffset") H5Pset_scaleoffset(properties, H5Z_SO_INT, 0);
  return properties;
}

double number_of(const std::string& word) {
  return std::strtod(word.c_str(), nullptr);
}

std::size_t size_of(const std::string& word, std::size_t most) {
  return std::min<std::size_t>(std::strtoull(word.c_str(), nullptr, 10), most);
}

}  // namespace dempilot::fuzz
