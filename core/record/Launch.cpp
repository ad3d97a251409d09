#include "core/record/Launch.hpp"

#include <fmt/format.h>

namespace dempilot::record {

std::vector<std::string> columns_of(const Shape& shape) {
  std::vector<std::string> columns{"decision",    "step",   "agent",    "tag",
                                   "observation", "action", "log_prob", "value"};
  if (shape.carry > 0) columns.emplace_back("carry");
  if (shape.reward) columns.emplace_back("reward");
  if (shape.done) columns.emplace_back("done");
  return columns;
}

std::string segment_name(std::int64_t launch, std::int64_t rank, std::int64_t flush) {
  return fmt::format("segment-{:04}-{:05}-{:06}.h5", launch, rank, flush);
}

}  // namespace dempilot::record
