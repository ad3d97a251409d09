#include "tests/plugin/lammps/Recorded.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/io/Hdf5.hpp"
#include "core/record/Launch.hpp"

namespace dempilot::lammps::testing {
namespace {

/// Entries of row n of a table.
std::vector<float> row(const std::vector<float>& table, std::size_t n, std::size_t rows) {
  const auto width = static_cast<std::ptrdiff_t>(table.size() / rows);
  const auto first = table.begin() + static_cast<std::ptrdiff_t>(n) * width;
  return {first, first + width};
}

void read_segment(const std::filesystem::path& path, std::int64_t launch, Recorded& recorded) {
  const hdf5::File file = hdf5::File::open(path);
  const auto decision = file.read<std::int64_t>("decision");
  const auto step = file.read<std::int64_t>("step");
  const auto agent = file.read<std::int64_t>("agent");
  const auto tag = file.read<std::int64_t>("tag");
  const auto observation = file.read<float>("observation");
  const auto action = file.read<float>("action");
  const auto log_prob = file.read<float>("log_prob");
  const auto value = file.read<float>("value");
  std::vector<float> carry;
  if (file.exists("carry")) carry = file.read<float>("carry");
  std::vector<double> reward(decision.size());
  if (file.exists("reward")) reward = file.read<double>("reward");
  std::vector<std::int8_t> done(decision.size());
  if (file.exists("done")) done = file.read<std::int8_t>("done");
  const std::size_t rows = decision.size();
  for (std::size_t n = 0; n < rows; ++n) {
    RecordedRow& made = recorded[{decision[n], agent[n]}];
    EXPECT_LT(made.launch, launch)
        << path << " holds decision " << decision[n] << " of agent " << agent[n] << " again";
    made = {step[n],
            tag[n],
            launch,
            row(observation, n, rows),
            row(action, n, rows),
            log_prob[n],
            value[n],
            row(carry, n, rows),
            reward[n],
            done[n] != 0};
  }
}

}  // namespace

nlohmann::json index_of(const std::filesystem::path& folder) {
  return nlohmann::json::parse(std::ifstream(folder / "index.json"));
}

Recorded read_recording(const std::filesystem::path& folder) {
  Recorded recorded;
  const nlohmann::json index = index_of(folder);
  for (const auto& launch : index.at("launches")) {
    const std::int64_t number = launch.at("launch");
    if (!launch.at("flushes").empty()) {
      const std::int64_t from = launch.at("from_decision");
      recorded.erase(recorded.lower_bound({from, 0}), recorded.end());
    }
    for (const auto& flush : launch.at("flushes")) {
      for (std::size_t rank = 0; rank < flush.at("rows").size(); ++rank) {
        if (flush.at("rows")[rank] == 0) continue;
        read_segment(folder / record::segment_name(number, static_cast<std::int64_t>(rank),
                                                   flush.at("flush")),
                     number, recorded);
      }
    }
  }
  return recorded;
}

}  // namespace dempilot::lammps::testing
