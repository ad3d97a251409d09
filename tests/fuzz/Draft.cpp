#include "tests/fuzz/Draft.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/Error.hpp"
#include "core/policy/Metadata.hpp"
#include "core/policy/ParameterTable.hpp"
#include "tests/fuzz/Hdf5Words.hpp"

namespace dempilot::fuzz {
namespace {

using hdf5::Handle;
using nlohmann::json;

/// Fuzzing is for many small files; what is written is no larger than this.
constexpr std::size_t max_written_values = 4096;
constexpr std::size_t max_text_bytes = 3U << 20U;
constexpr std::size_t max_lines = 64;

/// The first `count` words, and the rest of the line as one more; empty where the line is short.
std::vector<std::string> split(std::string_view line, std::size_t count) {
  std::vector<std::string> words;
  while (words.size() < count && !line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    words.emplace_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  words.emplace_back(line);
  words.resize(count + 1);
  return words;
}

/// Parsed, unless printing it would need much stack.
json shallow_json(const std::string& text) {
  const auto brackets =
      std::count_if(text.begin(), text.end(), [](char c) { return c == '[' || c == '{'; });
  return brackets > 64 ? json() : json::parse(text, nullptr, false);
}

/// A list is filled up to the index that is set in it.
bool has_large_number(const std::string& pointer) {
  std::size_t digits = 0;
  for (const char c : pointer) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 2) return true;
  }
  return false;
}

hid_t open_image(std::span<const std::byte> bytes) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_core(access, 1U << 16U, 0);
  H5Pset_file_image(access, const_cast<std::byte*>(bytes.data()), bytes.size());
  return H5Fopen("draft", H5F_ACC_RDWR, access);
}

/// As many copies of a number in the words of `type` as `space` has room for; none if that is too
/// many, or if the type takes no numbers.
std::vector<std::byte> filled(hid_t type, hid_t space, double value) {
  const auto kind = H5Tget_class(type);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const bool number = kind == H5T_FLOAT || kind == H5T_INTEGER;
  const bool modest = count > 0 && count <= static_cast<hssize_t>(max_written_values);
  if (!number || !modest) return {};
  const auto values = static_cast<std::size_t>(count);
  const std::vector<double> doubles(values, value);
  std::vector<std::byte> bytes(values * std::max(sizeof(double), H5Tget_size(type)));
  std::memcpy(bytes.data(), doubles.data(), values * sizeof(double));
  H5Tconvert(H5T_NATIVE_DOUBLE, type, values, bytes.data(), nullptr, H5P_DEFAULT);
  return bytes;
}

}  // namespace

Draft::Draft(const BasePolicy& base)
    : file_(open_image(bytes_of(base))),
      model_(base.model),
      metadata_(json::parse(base.metadata)),
      components_(json::parse(base.components)) {}

Draft::~Draft() {
  H5Fclose(file_);
}

std::vector<std::byte> Draft::bytes() const {
  H5Fflush(file_, H5F_SCOPE_GLOBAL);
  const ssize_t size = H5Fget_file_image(file_, nullptr, 0);
  std::vector<std::byte> image(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  H5Fget_file_image(file_, image.data(), image.size());
  return image;
}

void Draft::apply(const std::string& line) {
  const Words words = split(line, 1);
  if (words[0] == "fit") return fit(words[1]);
  if (apply_to_attribute(words) || apply_to_link(words)) return;
  if (words[0] == "data") {
    const Words w = split(words[1], 4);
    put_data(w[0], w[1], w[2], w[3], w[4]);
  }
  if (words[0] == "poke") {
    const Words w = split(words[1], 2);
    poke(w[0], w[1], w[2]);
  }
}

/// Whether the line is about an attribute.
bool Draft::apply_to_attribute(const Words& words) {
  const std::string& what = words[0];
  const Words w = split(words[1], 3);
  const std::string& rest = w[3];
  if (what == "json") {
    set_json(w[0], w[1], w[2], rest);
  } else if (what == "text") {
    set_text(w[0], w[1], split(words[1], 2)[2]);
  } else if (what == "fixed") {
    set_fixed(w[0], w[1], w[2], rest);
  } else if (what == "long") {
    std::string text;
    const std::size_t count = size_of(w[2], max_text_bytes / std::max<std::size_t>(1, rest.size()));
    for (std::size_t i = 0; i < count; ++i)
      text += rest;
    set_text(w[0], w[1], text);
  } else if (what == "number") {
    const Words n = split(rest, 1);
    set_number(w[0], w[1], w[2], n[0], n[1]);
  } else if (what == "rename") {
    H5Arename_by_name(file_, w[0].c_str(), w[1].c_str(), w[2].c_str(), H5P_DEFAULT);
  } else if (what == "strip") {
    H5Adelete_by_name(file_, w[0].c_str(), w[1].c_str(), H5P_DEFAULT);
  } else {
    return false;
  }
  return true;
}

/// Whether the line is about a link.
bool Draft::apply_to_link(const Words& words) {
  const std::string& what = words[0];
  const Words w = split(words[1], 1);
  const char* path = w[0].c_str();
  const char* target = w.back().c_str();
  if (what == "group") {
    const Handle group(H5Gcreate2(file_, path, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  } else if (what == "type") {
    const Handle type(H5Tcopy(H5T_NATIVE_FLOAT));
    H5Tcommit2(file_, path, type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  } else if (what == "remove") {
    H5Ldelete(file_, path, H5P_DEFAULT);
  } else if (what == "move") {
    H5Lmove(file_, path, file_, target, H5P_DEFAULT, H5P_DEFAULT);
  } else if (what == "hard") {
    H5Lcreate_hard(file_, target, file_, path, H5P_DEFAULT, H5P_DEFAULT);
  } else if (what == "soft") {
    H5Lcreate_soft(target, file_, path, H5P_DEFAULT, H5P_DEFAULT);
  } else if (what == "external") {
    H5Lcreate_external("/dev/null", target, file_, path, H5P_DEFAULT, H5P_DEFAULT);
  } else {
    return false;
  }
  return true;
}

void Draft::set_json(const std::string& object, const std::string& attribute,
                     const std::string& pointer, const std::string& value) {
  json& root = attribute == "components" ? components_ : metadata_;
  const json parsed = shallow_json(value);
  if (has_large_number(pointer) || (parsed.is_discarded() && !value.empty())) return;
  try {
    const json::json_pointer place(pointer);
    if (!value.empty()) {
      root[place] = parsed;
    } else if (!place.empty()) {
      json& parent = root.at(place.parent_pointer());
      if (parent.is_object()) parent.erase(place.back());
      if (parent.is_array()) parent.erase(size_of(place.back(), 100));
    }
  } catch (const json::exception&) {
    return;
  }
  set_text(object, attribute, root.dump(-1, ' ', false, json::error_handler_t::replace));
}

void Draft::set_text(const std::string& object, const std::string& attribute,
                     const std::string& text) {
  if (object == "/" && attribute == "model") model_ = text;
  const Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const char* value = text.c_str();
  const Handle space(H5Screate(H5S_SCALAR));
  put_attribute(object, attribute, type, space, static_cast<const void*>(&value));
}

void Draft::set_fixed(const std::string& object, const std::string& attribute,
                      const std::string& size, const std::string& text) {
  std::string value = text;
  value.resize(std::max<std::size_t>(1, size_of(size, 65536)), '\0');
  const Handle type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, value.size());
  H5Tset_strpad(type, text.size() % 2 == 0 ? H5T_STR_NULLTERM : H5T_STR_SPACEPAD);
  const Handle space(H5Screate(H5S_SCALAR));
  put_attribute(object, attribute, type, space, value.data());
}

void Draft::set_number(const std::string& object, const std::string& attribute,
                       const std::string& type, const std::string& shape,
                       const std::string& value) {
  const Handle kind = type_of(type);
  const Handle space = space_of(shape);
  const std::vector<std::byte> bytes = filled(kind, space, number_of(value));
  put_attribute(object, attribute, kind, space, bytes.empty() ? nullptr : bytes.data());
}

void Draft::put_attribute(const std::string& object, const std::string& attribute, hid_t type,
                          hid_t space, const void* value) {
  // HDF5 1.10 itself miscounts the bytes of larger ones when it writes them.
  if (H5Sget_simple_extent_npoints(space) > static_cast<hssize_t>(max_written_values)) return;
  H5Adelete_by_name(file_, object.c_str(), attribute.c_str(), H5P_DEFAULT);
  const Handle handle(H5Acreate_by_name(file_, object.c_str(), attribute.c_str(), type, space,
                                        H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (handle.valid() && value != nullptr) H5Awrite(handle, type, value);
}

void Draft::put_data(const std::string& path, const std::string& type, const std::string& storage,
                     const std::string& shape, const std::string& value) {
  const Handle kind = type_of(type);
  const Handle space = space_of(shape);
  const Handle properties = storage_of(storage, space);
  H5Ldelete(file_, path.c_str(), H5P_DEFAULT);
  const Handle dataset(
      H5Dcreate2(file_, path.c_str(), kind, space, H5P_DEFAULT, properties, H5P_DEFAULT));
  const bool inside = storage != "external" && storage != "virtual" && storage != "huge";
  const std::vector<std::byte> bytes = filled(kind, space, number_of(value));
  if (dataset.valid() && inside && !value.empty() && !bytes.empty()) {
    H5Dwrite(dataset, kind, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data());
  }
}

void Draft::poke(const std::string& path, const std::string& index, const std::string& value) {
  const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT));
  if (!dataset.valid()) return;
  const Handle space(H5Dget_space(dataset));
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const Handle type(H5Dget_type(dataset));
  if (count < 1 || count > static_cast<hssize_t>(max_written_values)) return;
  if (H5Tget_class(type) != H5T_FLOAT) return;
  std::vector<double> values(static_cast<std::size_t>(count));
  if (H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) return;
  values[size_of(index, values.size() - 1)] = number_of(value);
  H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
}

void Draft::fit(const std::string& value) {
  Parameters parameters;
  try {
    const ModelSpec spec = model_from_metadata(model_, metadata_, "fit");
    check_size(spec, "fit");
    std::size_t total = 0;
    for (const auto& [name, shape] : parameter_shapes(spec)) {
      std::size_t count = 1;
      for (const std::size_t size : shape)
        count *= size;
      total += count;
    }
    if (total > 4 * max_written_values) return;
    parameters = constant_parameters(spec, static_cast<float>(number_of(value)));
  } catch (const Error&) {
    return;
  }
  for (const char* name : {"golden", "normalization", "action/table", "params"})
    H5Ldelete(file_, name, H5P_DEFAULT);
  const Handle group(H5Gcreate2(file_, "params", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  for (const auto& [name, tensor] : parameters) {
    const std::vector<hsize_t> sizes(tensor.shape.begin(), tensor.shape.end());
    const Handle space(H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr));
    const Handle dataset(H5Dcreate2(file_, ("params/" + name).c_str(), H5T_NATIVE_FLOAT, space,
                                    H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.values.data());
  }
}

std::vector<std::byte> policy_of(std::string_view text) {
  const hdf5::QuietErrors quiet;
  const auto next_line = [&text] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  const std::string name = next_line();
  const auto bases = base_policies();
  const auto base =
      std::find_if(bases.begin(), bases.end(), [&](const BasePolicy& b) { return b.name == name; });
  Draft draft(base == bases.end() ? bases.front() : *base);
  for (std::size_t line = 0; line < max_lines && !text.empty(); ++line)
    draft.apply(next_line());
  return draft.bytes();
}

}  // namespace dempilot::fuzz
