// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/lammps/RestartFile.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/Error.hpp"
#include "core/io/AtomicFile.hpp"
#include "core/io/Hdf5.hpp"

namespace dempilot::lammps {
namespace {

constexpr std::string_view format_name = "dempilot-restart";
constexpr std::int64_t format_version = 2;
const std::string group = "agents";

std::string dataset(const char* column) {
  return group + "/" + column;
}

/// Puts the rows of all columns in the order of the ids.
void sort_by_id(AgentColumns& agents, const AgentShape& shape) {
  std::vector<std::size_t> order(agents.id.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return agents.id[a] < agents.id[b]; });
  for_each_column(agents, shape, [&order](const char*, auto& column, std::size_t width) {
    std::remove_reference_t<decltype(column)> sorted(column.size());
    for (std::size_t n = 0; n < order.size(); ++n) {
      std::copy_n(column.data() + order[n] * width, width, sorted.data() + n * width);
    }
    column.swap(sorted);
  });
}

void write_content(hdf5::File& file, const RestartStamp& stamp, const AgentShape& shape,
                   const AgentColumns& agents) {
  file.write_string("", "format", std::string(format_name));
  file.write_integer("", "version", format_version);
  file.write_string("", "token", stamp.token);
  file.write_string("", "fix", stamp.fix_id);
  file.write_string("", "policy", stamp.policy);
  file.write_integer("", "timestep", stamp.timestep);
  file.create_group(group);
  file.write_integer(group, "count", static_cast<std::int64_t>(agents.id.size()));
  file.write_integer(group, "carry_size", static_cast<std::int64_t>(shape.carry));
  file.write_integer(group, "action_size", static_cast<std::int64_t>(shape.action));
  file.write_integer(group, "observation_size", static_cast<std::int64_t>(shape.observation));
  file.write_integer(group, "region_size", static_cast<std::int64_t>(shape.region));
  const std::size_t count = agents.id.size();
  if (count == 0) return;
  for_each_column(agents, shape, [&](const char* name, const auto& column, std::size_t width) {
    using Value = typename std::remove_reference_t<decltype(column)>::value_type;
    if (width == 0) return;
    const std::array<std::size_t, 2> extent = {count, width};
    file.write<Value>(dataset(name), std::span(extent).first(width == 1 ? 1 : 2), column);
  });
}

std::size_t read_size(const hdf5::File& file, const std::string& attribute) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  const std::int64_t size = file.read_integer(group, attribute);
  if (size < 0 || size > most) {
    fail("{} is damaged (attribute {} of {} is {}). Use another restart file", file.name(),
         attribute, group, size);
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

void write_agents(const std::filesystem::path& path, const RestartStamp& stamp,
                  const AgentShape& shape, AgentColumns agents) {
  sort_by_id(agents, shape);
  write_atomically(path, [&](const std::filesystem::path& partial) {
    hdf5::File file = hdf5::File::create(partial);
    write_content(file, stamp, shape, agents);
    file.close();
  });
}

struct AgentReader::Impl {
  hdf5::File file;
  RestartStamp stamp;
  AgentShape shape;
  std::size_t size = 0;
};

AgentReader::AgentReader(const std::filesystem::path& path)
    : impl_(new Impl{hdf5::File::open(path), {}, {}, 0}) {
  const hdf5::File& file = impl_->file;
  if (!file.has_attribute("", "format") || file.read_string("", "format") != format_name) {
    fail(
        "{} does not hold agents (its attribute 'format' is not '{}'). Name the *.pilot.h5 file "
        "that was written with the restart file",
        file.name(), format_name);
  }
  const std::int64_t version = file.read_integer("", "version");
  if (version != format_version) {
    fail(
        "{} has format version {} (this DEMPilot reads version {}). Use the DEMPilot that wrote "
        "it",
        file.name(), version, format_version);
  }
  impl_->stamp = {file.read_string("", "token"), file.read_string("", "fix"),
                  file.read_string("", "policy"), file.read_integer("", "timestep")};
  impl_->shape = {read_size(file, "carry_size"), read_size(file, "action_size"),
                  read_size(file, "observation_size"), read_size(file, "region_size")};
  impl_->size = read_size(file, "count");
}

AgentReader::~AgentReader() = default;

const RestartStamp& AgentReader::stamp() const {
  return impl_->stamp;
}
const AgentShape& AgentReader::shape() const {
  return impl_->shape;
}
std::size_t AgentReader::size() const {
  return impl_->size;
}

AgentColumns AgentReader::read(std::size_t first, std::size_t count) const {
  AgentColumns agents;
  if (count == 0) return agents;
  const hdf5::File& file = impl_->file;
  for_each_column(agents, impl_->shape, [&](const char* name, auto& column, std::size_t width) {
    using Value = typename std::remove_reference_t<decltype(column)>::value_type;
    if (width == 0) return;
    const std::vector<std::size_t> found = file.shape(dataset(name));
    const bool fits = found.size() == (width == 1 ? 1U : 2U) && found[0] == impl_->size &&
                      (width == 1 || found[1] == width);
    if (!fits) {
      fail(
          "{} is damaged ({} does not hold {} values for each of {} agents). Use another restart "
          "file",
          file.name(), dataset(name), width, impl_->size);
    }
    column = file.read_rows<Value>(dataset(name), first, count);
  });
  return agents;
}

}  // namespace dempilot::lammps
