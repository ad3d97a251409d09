#include "core/io/JsonAttribute.hpp"

#include <algorithm>

#include "core/Error.hpp"

namespace dempilot::hdf5 {
namespace {

using nlohmann::json;

constexpr std::size_t max_json_depth = 16;

/// How deep brackets are nested, outside of strings.
std::size_t nesting_depth(const std::string& text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_string && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

json read_json(const File& file, const std::string& object, const std::string& attribute) {
  const std::string text = file.read_string(object, attribute);
  // Values are copied and printed by recursion.
  if (nesting_depth(text) > max_json_depth) {
    fail(
        "'{}': attribute '{}' of '/{}' is nested deeper than {} levels (nothing needs that) "
        "correct it",
        file.name(), attribute, object, max_json_depth);
  }
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    fail("'{}': attribute '{}' of '/{}' is no JSON (\"{}\") write it as JSON", file.name(),
         attribute, object, excerpt(text, 40));
  }
  return value;
}

}  // namespace dempilot::hdf5
