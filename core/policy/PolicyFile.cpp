#include "core/policy/PolicyFile.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>

#include "core/Error.hpp"
#include "core/io/Checks.hpp"
#include "core/io/Hdf5.hpp"
#include "core/policy/ContractFile.hpp"
#include "core/policy/ParameterTable.hpp"

namespace dempilot {
namespace {

constexpr const char* format_name = "dempilot-policy";
constexpr std::int64_t format_version = 1;
constexpr std::uintmax_t max_file_bytes = 1ULL << 31U;
constexpr std::size_t max_golden_rows = 4096;
/// With a looser one the golden rows would prove nothing.
constexpr double max_golden_tolerance = 1e-2;

void check_format(const hdf5::File& file) {
  if (!file.has_attribute("", "format") || file.read_string("", "format") != format_name) {
    fail(
        "'{}' is no policy file (its attribute 'format' is not '{}') convert your model with "
        "dempilot's tools, see docs/policy_file.md",
        file.name(), format_name);
  }
  const std::int64_t version = file.read_integer("", "version");
  if (version != format_version) {
    fail(
        "'{}': policy format version {} (this release reads version {}) convert it again, or use a "
        "release that reads it",
        file.name(), version, format_version);
  }
}

/// The name under which the file holds parameter `name`.
std::string stored_name(const hdf5::File& file, const std::string& name) {
  if (file.exists("params/" + name)) return name;
  for (const auto& [alias, meant] : parameter_aliases()) {
    if (meant == name && file.exists("params/" + alias)) return alias;
  }
  return name;
}

Parameters read_parameters(const hdf5::File& file, const ModelSpec& spec) {
  check_size(spec, file.name());
  std::vector<std::string> known;
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(spec)) {
    parameters[name] = {shape, file.read<float>("params/" + stored_name(file, name), shape)};
    known.push_back(name);
  }
  for (const auto& [alias, name] : parameter_aliases())
    known.push_back(alias);
  for (const auto& [name, shape] : unused_parameter_shapes(spec))
    known.push_back(name);
  hdf5::refuse_unknown_members(file, "params", known);
  check_parameters(spec, parameters, file.name());
  return parameters;
}

GoldenRows read_golden(const hdf5::File& file, const ModelSpec& spec) {
  GoldenRows golden;
  if (!file.exists("golden")) return golden;
  hdf5::refuse_unknown_attributes(file, "golden", {"tolerance"});
  hdf5::refuse_unknown_members(
      file, "golden", {"observation", "carry", "mean", "std", "action", "value", "next_carry"});
  const std::vector<std::size_t> found = file.shape("golden/observation");
  golden.rows = found.empty() ? 0 : found[0];
  if (golden.rows == 0 || golden.rows > max_golden_rows) {
    fail("'{}': '/golden/observation' has {} rows (1 to {} are read) write so many", file.name(),
         golden.rows, max_golden_rows);
  }
  const auto read = [&](const char* name, std::size_t width) {
    const std::array<std::size_t, 2> shape{golden.rows, width};
    return file.read<float>(std::string("golden/") + name, shape);
  };
  golden.observation = read("observation", spec.observation_size);
  golden.action = read("action", spec.action_width());
  if (file.exists("golden/mean")) golden.mean = read("mean", spec.action_size);
  if (file.exists("golden/std")) golden.std = read("std", spec.action_size);
  golden.value = file.read<float>("golden/value", std::array<std::size_t, 1>{golden.rows});
  if (spec.carry_size() > 0) {
    golden.carry = read("carry", spec.carry_size());
    golden.next_carry = read("next_carry", spec.carry_size());
  }
  golden.tolerance = hdf5::read_double_or(file, "golden", "tolerance", golden.tolerance);
  if (golden.tolerance <= 0 || golden.tolerance > max_golden_tolerance) {
    fail("'{}': '/golden' allows errors of {} (more than 0 and at most {} are allowed) correct it",
         file.name(), golden.tolerance, max_golden_tolerance);
  }
  return golden;
}

void write_parameters(hdf5::File& file, const Parameters& parameters) {
  file.create_group("params");
  for (const auto& [name, tensor] : parameters) {
    file.write<float>("params/" + name, tensor.shape, tensor.values);
  }
}

void write_golden(hdf5::File& file, const GoldenRows& golden, const ModelSpec& spec) {
  if (golden.rows == 0) return;
  file.create_group("golden");
  const auto write = [&](const char* name, std::size_t width, const std::vector<float>& values) {
    const std::array<std::size_t, 2> shape{golden.rows, width};
    if (width > 0) file.write<float>(std::string("golden/") + name, shape, values);
  };
  write("observation", spec.observation_size, golden.observation);
  write("carry", spec.carry_size(), golden.carry);
  if (!golden.mean.empty()) write("mean", spec.action_size, golden.mean);
  if (!golden.std.empty()) write("std", spec.action_size, golden.std);
  write("action", spec.action_width(), golden.action);
  write("next_carry", spec.carry_size(), golden.next_carry);
  file.write<float>("golden/value", std::array<std::size_t, 1>{golden.rows}, golden.value);
  file.write_double("golden", "tolerance", golden.tolerance);
}

}  // namespace

std::vector<std::byte> read_policy_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail("cannot open '{}' (no such file) check the path", path.string());
  }
  if (!std::filesystem::is_regular_file(path, error)) {
    fail("cannot open '{}' (it is no regular file) give the path of a policy file", path.string());
  }
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (!error && size > max_file_bytes) {
    fail("cannot load '{}' ({} bytes, at most {} are read) check that it is a policy file",
         path.string(), size, max_file_bytes);
  }
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::byte> bytes(error ? 0 : size);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) fail("cannot read '{}' (no permission or I/O error) check the file", path.string());
  return bytes;
}

PolicyFile parse_policy_file(std::span<const std::byte> bytes, const std::string& source) {
  const hdf5::File file = hdf5::File::from_bytes(bytes, source);
  check_format(file);
  hdf5::refuse_unknown_members(
      file, "", {"params", "normalization", "observation", "action", "timing", "units", "golden"});
  hdf5::refuse_unknown_attributes(file, "",
                                  {"format", "version", "model", "metadata", "provenance"});
  PolicyFile policy;
  policy.contract = read_contract(file);
  policy.parameters = read_parameters(file, policy.contract.model);
  policy.golden = read_golden(file, policy.contract.model);
  return policy;
}

PolicyFile load_policy_file(const std::filesystem::path& path) {
  return parse_policy_file(read_policy_bytes(path), path.string());
}

void save_policy_file(const std::filesystem::path& path, const PolicyFile& policy) {
  check_size(policy.contract.model, path.string());
  check_parameters(policy.contract.model, policy.parameters, path.string());
  // A name of its own, so that two writers of one file do not meet.
  std::filesystem::path partial = path;
  partial += fmt::format(".{:08x}.partial", std::random_device()());
  try {
    hdf5::File file = hdf5::File::create(partial);
    file.write_string("", "format", format_name);
    file.write_integer("", "version", format_version);
    write_contract(file, policy.contract);
    write_parameters(file, policy.parameters);
    write_golden(file, policy.golden, policy.contract.model);
    file.close();
    std::filesystem::rename(partial, path);
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    if (dynamic_cast<const std::filesystem::filesystem_error*>(&error) == nullptr) throw;
    fail("cannot write '{}' ({}) choose a place that can be written", path.string(), error.what());
  }
}

}  // namespace dempilot
