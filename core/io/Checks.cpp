#include "core/io/Checks.hpp"

#include <algorithm>
#include <cmath>

#include "core/Error.hpp"

namespace dempilot::hdf5 {

void refuse_unknown_members(const File& file, const std::string& group,
                            const std::vector<std::string>& known) {
  for (const std::string& member : file.list(group)) {
    if (std::find(known.begin(), known.end(), member) == known.end()) {
      fail("'{}': unknown '{}/{}' (known: {}) remove it, or use a release that reads it",
           file.name(), group, excerpt(member), fmt::join(known, ", "));
    }
  }
}

// Counts instead of listing: HDF5 1.10 crashes when it lists the attributes of a damaged file.
void refuse_unknown_attributes(const File& file, const std::string& object,
                               const std::vector<std::string>& known) {
  const auto found = static_cast<std::size_t>(std::count_if(
      known.begin(), known.end(),
      [&](const std::string& attribute) { return file.has_attribute(object, attribute); }));
  const std::size_t all = file.attribute_count(object);
  if (all == found) return;
  fail("'{}': '/{}' has {} attributes, of which {} are unknown (known: {}) correct or remove them",
       file.name(), object, all, all - found, fmt::join(known, ", "));
}

double read_double_or(const File& file, const std::string& object, const std::string& attribute,
                      double fallback) {
  if (!file.has_attribute(object, attribute)) return fallback;
  const double value = file.read_double(object, attribute);
  if (!std::isfinite(value)) {
    fail("'{}': attribute '{}' of '/{}' is {} (a finite number expected) correct it", file.name(),
         attribute, object, value);
  }
  return value;
}

}  // namespace dempilot::hdf5
