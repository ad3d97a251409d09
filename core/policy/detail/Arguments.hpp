#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/Error.hpp"
#include "core/policy/Contract.hpp"

/// What reading JSON that may be wrong has in common.
namespace dempilot::detail {

using nlohmann::json;

/// The spellings of an enumeration.
template <class Value, std::size_t N>
using Names = std::array<std::pair<Value, const char*>, N>;

template <class Value, std::size_t N>
std::string to_name(const Names<Value, N>& names, Value value) {
  return std::find_if(names.begin(), names.end(), [&](auto& n) { return n.first == value; })
      ->second;
}

template <class Value, std::size_t N>
Value from_name(const Names<Value, N>& names, const std::string& name, const std::string& what,
                const std::string& source) {
  std::vector<std::string> known;
  for (const auto& [value, spelling] : names) {
    if (name == spelling) return value;
    known.emplace_back(spelling);
  }
  fail("'{}': unknown {} '{}' (known: {}) convert the policy to one of these", source, what,
       excerpt(name), fmt::join(known, ", "));
}

/// A JSON object whose keys are asked for one by one; what nobody asked for is an error in the end.
class Arguments {
 public:
  Arguments(const json& object, std::string what, std::string source)
      : object_(object), what_(std::move(what)), source_(std::move(source)) {
    if (!object_.is_object()) fail("'{}': {} is no JSON object (write one)", source_, what_);
  }

  bool has(const char* key) {
    used_.emplace_back(key);
    return object_.contains(key) && !object_[key].is_null();
  }

  const json& raw(const char* key) {
    if (!has(key)) fail("'{}': {} lacks '{}' (it is required) add it", source_, what_, key);
    return object_[key];
  }

  std::string text(const char* key, std::optional<std::string> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    if (!raw(key).is_string()) refuse(key, "a string");
    return object_[key].get<std::string>();
  }

  /// What a simulation binds: input scripts and messages spell it.
  std::string name(const char* key, std::optional<std::string> fallback = {}) {
    std::string value = text(key, std::move(fallback));
    if (value.empty() || excerpt(value) != value) {
      refuse(key, "a name of 1 to 80 printable characters");
    }
    return value;
  }

  double number(const char* key, std::optional<double> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    if (!raw(key).is_number() || !std::isfinite(object_[key].get<double>())) {
      refuse(key, "a finite number");
    }
    return object_[key].get<double>();
  }

  bool flag(const char* key, bool fallback) {
    if (absent(key, true)) return fallback;
    if (!raw(key).is_boolean()) refuse(key, "true or false");
    return object_[key].get<bool>();
  }

  std::size_t width(const char* key, std::size_t least, std::optional<std::size_t> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    return checked_width(raw(key), key, least);
  }

  /// How many layers are stacked: 1 if not said.
  std::size_t layers(const char* key) {
    const std::size_t count = width(key, 1, 1);
    if (count > max_layer_count) refuse(key, fmt::format("at most {}", max_layer_count));
    return count;
  }

  /// A list of at most `max_layer_count` widths.
  std::vector<std::size_t> widths(const char* key,
                                  std::optional<std::vector<std::size_t>> fallback = {}) {
    if (absent(key, fallback.has_value())) return *fallback;
    const json& list = raw(key);
    if (!list.is_array() || list.size() > max_layer_count) {
      refuse(key, fmt::format("a list of 0 to {} widths", max_layer_count));
    }
    std::vector<std::size_t> values;
    for (const json& item : list)
      values.push_back(checked_width(item, key, 1));
    return values;
  }

  /// `count` numbers: a list of so many or of one, or one number for all. Where `null_means` is
  /// given, it stands for null.
  std::vector<double> numbers(const char* key, std::size_t count,
                              std::optional<double> null_means = {}) {
    used_.emplace_back(key);
    if (!object_.contains(key)) raw(key);
    const json& value = object_[key];
    const json list = value.is_array() ? value : json::array({value});
    const bool all_good = std::all_of(list.begin(), list.end(), [&](const json& item) {
      if (item.is_null()) return null_means.has_value();
      return item.is_number() && std::isfinite(item.get<double>());
    });
    if (!all_good || (list.size() != 1 && list.size() != count)) {
      refuse(key, fmt::format("one finite number or {} of them", count));
    }
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      const json& item = list[list.size() == 1 ? 0 : i];
      values[i] = item.is_null() ? *null_means : item.get<double>();
    }
    return values;
  }

  void ignore(std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      used_.emplace_back(key);
  }

  [[noreturn]] void refuse(const char* key, const std::string& expected) const {
    fail("'{}': {} has '{}' = {} ({} expected) correct it", source_, what_, key,
         excerpt(object_.value(key, json()).dump()), expected);
  }

  /// Call when all known keys have been asked for.
  void refuse_unknown_keys() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(used_.begin(), used_.end(), key) == used_.end()) {
        fail("'{}': {} has the unknown key '{}' (a misspelling, or a newer format) remove it",
             source_, what_, excerpt(key));
      }
    }
  }

 private:
  bool absent(const char* key, bool optional) {
    used_.emplace_back(key);
    return optional && !has(key);
  }

  std::size_t checked_width(const json& value, const char* key, std::size_t least) const {
    const bool good = value.is_number_integer() &&
                      value.get<std::int64_t>() >= static_cast<std::int64_t>(least) &&
                      value.get<std::int64_t>() <= static_cast<std::int64_t>(max_width);
    if (!good) refuse(key, fmt::format("an integer from {} to {}", least, max_width));
    return value.get<std::size_t>();
  }

  const json& object_;
  std::string what_;
  std::string source_;
  std::vector<std::string> used_;
};

}  // namespace dempilot::detail
