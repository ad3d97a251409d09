#include "core/record/Recorder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "core/Error.hpp"
#include "core/io/AtomicFile.hpp"
#include "core/io/Hdf5.hpp"

namespace dempilot::record {
namespace {

constexpr const char* segment_format = "dempilot-recording-segment";
constexpr std::int64_t segment_version = 1;

template <class To, class From>
void extend(std::vector<To>& column, std::span<const From> values) {
  column.insert(column.end(), values.begin(), values.end());
}

void require_size(std::string_view column, std::size_t found, std::size_t agents,
                  std::size_t width) {
  if (found == agents * width) return;
  fail("column '{}' has {} values (it takes {} for each of {} agents). Correct what is recorded",
       column, found, width, agents);
}

void write_head(hdf5::File& file, const Launch& launch, const Flush& flush, std::int64_t rank,
                std::size_t rows) {
  file.write_string("", "format", segment_format);
  file.write_integer("", "version", segment_version);
  file.write_string("", "source", launch.source);
  file.write_string("", "policy", launch.policy);
  const std::array<std::pair<const char*, std::int64_t>, 13> numbers{
      {{"every", launch.every},
       {"launch", launch.number},
       {"from_decision", launch.from_decision},
       {"from_step", launch.from_step},
       {"rank", rank},
       {"ranks", launch.ranks},
       {"flush", flush.number},
       {"first_decision", flush.first_decision},
       {"last_decision", flush.last_decision},
       {"first_step", flush.first_step},
       {"last_step", flush.last_step},
       {"rows", static_cast<std::int64_t>(rows)},
       {"carry_size", static_cast<std::int64_t>(launch.shape.carry)}}};
  for (const auto& [name, value] : numbers)
    file.write_integer("", name, value);
}

}  // namespace

/// Calls visit(name, column, width, whether it is one number a row) for what the shape has.
template <class Visitor>
void Recorder::for_each_column(auto& columns, const Shape& shape, const Visitor& visit) {
  visit("decision", columns.decision, std::size_t{1}, true);
  visit("step", columns.step, std::size_t{1}, true);
  visit("agent", columns.agent, std::size_t{1}, true);
  visit("tag", columns.tag, std::size_t{1}, true);
  visit("observation", columns.observation, shape.observation, false);
  visit("action", columns.action, shape.action, false);
  visit("log_prob", columns.log_prob, std::size_t{1}, true);
  visit("value", columns.value, std::size_t{1}, true);
  if (shape.carry > 0) visit("carry", columns.carry, shape.carry, false);
  if (shape.reward) visit("reward", columns.reward, std::size_t{1}, true);
  if (shape.done) visit("done", columns.done, std::size_t{1}, true);
}

Recorder::Recorder(std::filesystem::path folder, Launch launch, std::int64_t rank,
                   std::size_t limit)
    : folder_(std::move(folder)), launch_(std::move(launch)), rank_(rank) {
  std::size_t row_bytes = 0;
  for_each_column(columns_, launch_.shape, [&](const char*, auto& column, std::size_t width, bool) {
    row_bytes += width * sizeof(column[0]);
  });
  row_limit_ = std::max<std::size_t>(1, limit / row_bytes);
}

void Recorder::check(const DecisionRows& rows) const {
  const Shape& shape = launch_.shape;
  const std::size_t agents = rows.agent.size();
  require_size("tag", rows.tag.size(), agents, 1);
  require_size("observation", rows.observation.size(), agents, shape.observation);
  require_size("action", rows.action.size(), agents, shape.action);
  require_size("log_prob", rows.log_prob.size(), agents, 1);
  require_size("value", rows.value.size(), agents, 1);
  require_size("carry", rows.carry.size(), agents, shape.carry);
  require_size("reward", rows.reward.size(), agents, shape.reward ? 1 : 0);
  require_size("done", rows.done.size(), agents, shape.done ? 1 : 0);
}

/// Twice as much at a time, but no more than the limit needs: the memory is bounded.
void Recorder::reserve(std::size_t rows) {
  const std::size_t capacity = columns_.decision.capacity();
  if (rows <= capacity) return;
  const std::size_t roomy = std::max(rows, std::min(2 * capacity, row_limit_));
  for_each_column(columns_, launch_.shape, [&](const char*, auto& column, std::size_t width, bool) {
    column.reserve(roomy * width);
  });
}

void Recorder::append(const DecisionRows& rows) {
  check(rows);
  const std::size_t agents = rows.agent.size();
  reserve(rows_ + agents);
  columns_.decision.insert(columns_.decision.end(), agents, rows.decision);
  columns_.step.insert(columns_.step.end(), agents, rows.step);
  extend(columns_.agent, rows.agent);
  extend(columns_.tag, rows.tag);
  extend(columns_.observation, rows.observation);
  extend(columns_.action, rows.action);
  extend(columns_.log_prob, rows.log_prob);
  extend(columns_.value, rows.value);
  extend(columns_.carry, rows.carry);
  extend(columns_.reward, rows.reward);
  for (const double done : rows.done)
    columns_.done.push_back(done != 0.0 ? 1 : 0);
  if (decisions_ == 0) {
    flush_.first_decision = rows.decision;
    flush_.first_step = rows.step;
  }
  flush_.last_decision = rows.decision;
  flush_.last_step = rows.step;
  rows_ += agents;
  ++decisions_;
}

std::filesystem::path Recorder::segment() const {
  return folder_ / segment_name(launch_.number, rank_, flush_.number);
}

void Recorder::write_segment() const {
  const std::filesystem::path path = segment();
  hdf5::File file = hdf5::File::create_in_memory(path.string());
  write_head(file, launch_, flush_, rank_, rows_);
  for_each_column(columns_, launch_.shape,
                  [&](const char* name, const auto& column, std::size_t width, bool scalar) {
                    using Value = typename std::remove_reference_t<decltype(column)>::value_type;
                    const std::array<std::size_t, 2> shape{rows_, width};
                    file.write_compressed<Value>(name, std::span(shape).first(scalar ? 1 : 2),
                                                 column);
                  });
  const std::vector<std::byte> bytes = file.image();
  file.close();
  write_atomically(path, bytes);
}

void Recorder::remove_segment() const {
  std::error_code ignored;
  std::filesystem::remove(segment(), ignored);
}

void Recorder::clear() {
  for_each_column(columns_, launch_.shape,
                  [](const char*, auto& column, std::size_t, bool) { column.clear(); });
  rows_ = 0;
  decisions_ = 0;
  ++flush_.number;
}

std::size_t Recorder::memory_usage() const {
  std::size_t bytes = 0;
  for_each_column(columns_, launch_.shape, [&](const char*, const auto& column, std::size_t, bool) {
    bytes += column.capacity() * sizeof(column[0]);
  });
  return bytes;
}

}  // namespace dempilot::record
