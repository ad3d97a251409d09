#include "core/record/Recorder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "core/io/Hdf5.hpp"
#include "tests/core/record/Recordings.hpp"

namespace dempilot::record {
namespace {

namespace fs = std::filesystem;
using test::message_of;

/// One agent after the other, with numbers that tell column, agent and decision.
struct Decision {
  Decision(const Shape& shape, std::size_t agents, std::int64_t number)
      : agent(agents),
        tag(agents),
        observation(numbers(agents * shape.observation, static_cast<float>(number))),
        action(numbers(agents * shape.action, static_cast<float>(number) + 0.25F)),
        log_prob(numbers(agents, -0.5F)),
        value(numbers(agents, 0.75F)),
        carry(numbers(agents * shape.carry, 1000.0F)),
        reward(shape.reward ? agents : 0, 0.1),
        done(shape.done ? agents : 0, 0.0),
        rows{number,   10 * number, agent, tag,    observation, action,
             log_prob, value,       carry, reward, done} {
    std::iota(agent.begin(), agent.end(), std::int64_t{1} << 40);
    std::iota(tag.begin(), tag.end(), 7);
    if (!done.empty()) done.back() = -0.5;
  }
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;

  static std::vector<float> numbers(std::size_t count, auto first) {
    std::vector<float> made(count);
    std::iota(made.begin(), made.end(), static_cast<float>(first));
    return made;
  }

  std::vector<std::int64_t> agent, tag;
  std::vector<float> observation, action, log_prob, value, carry;
  std::vector<double> reward, done;
  DecisionRows rows;
};

Launch full_launch() {
  Launch launch = test::small_launch(3);
  launch.shape = {3, 2, 4, true, true};
  launch.number = 12;
  launch.every = 5;
  return launch;
}

template <class T>
std::vector<T> joined(std::vector<T> a, const std::vector<T>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Recorder, WritesAllColumnsOfAllDecisions) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 1, 1U << 20U);
  const Decision first(launch.shape, 3, 5);
  const Decision second(launch.shape, 2, 10);
  recorder.append(first.rows);
  recorder.append(second.rows);
  EXPECT_EQ(recorder.rows(), 5U);
  EXPECT_EQ(recorder.decisions(), 2);
  recorder.write_segment();

  const hdf5::File file = hdf5::File::open(folder / "segment-0012-00001-000000.h5");
  EXPECT_EQ(file.read<std::int64_t>("decision"), (std::vector<std::int64_t>{5, 5, 5, 10, 10}));
  EXPECT_EQ(file.read<std::int64_t>("step"), (std::vector<std::int64_t>{50, 50, 50, 100, 100}));
  EXPECT_EQ(file.read<std::int64_t>("agent"), joined(first.agent, second.agent));
  EXPECT_EQ(file.read<std::int64_t>("tag"), joined(first.tag, second.tag));
  using Sizes = std::array<std::size_t, 2>;
  EXPECT_EQ(file.read<float>("observation", Sizes{5, 3}),
            joined(first.observation, second.observation));
  EXPECT_EQ(file.read<float>("action", Sizes{5, 2}), joined(first.action, second.action));
  EXPECT_EQ(file.read<float>("carry", Sizes{5, 4}), joined(first.carry, second.carry));
  EXPECT_EQ(file.read<float>("log_prob"), joined(first.log_prob, second.log_prob));
  EXPECT_EQ(file.read<float>("value"), joined(first.value, second.value));
  EXPECT_EQ(file.read<double>("reward"), std::vector<double>(5, 0.1));
  EXPECT_EQ(file.read<std::int8_t>("done"), (std::vector<std::int8_t>{0, 0, 1, 0, 1}));
}

TEST(Recorder, DescribesEachFileInItself) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 1, 1U << 20U);
  recorder.append(Decision(launch.shape, 1, 5).rows);
  recorder.clear();
  recorder.append(Decision(launch.shape, 3, 10).rows);
  recorder.append(Decision(launch.shape, 0, 15).rows);
  recorder.write_segment();
  const hdf5::File file = hdf5::File::open(folder / "segment-0012-00001-000001.h5");
  EXPECT_EQ(file.read_string("", "format"), "dempilot-recording-segment");
  EXPECT_EQ(file.read_string("", "source"), "pilot");
  EXPECT_EQ(file.read_string("", "policy"), "0123456789abcdef");
  const std::vector<std::pair<const char*, std::int64_t>> expected = {
      {"version", 1},        {"launch", 12},      {"rank", 1},
      {"ranks", 2},          {"every", 5},        {"from_decision", 3},
      {"from_step", 30},     {"flush", 1},        {"first_decision", 10},
      {"last_decision", 15}, {"first_step", 100}, {"last_step", 150},
      {"rows", 3},           {"carry_size", 4}};
  for (const auto& [name, value] : expected)
    EXPECT_EQ(file.read_integer("", name), value) << name;
  EXPECT_EQ(file.attribute_count(""), expected.size() + 3);
}

TEST(Recorder, WritesAFileWithoutRowsToo) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 0, 1U << 20U);
  recorder.append(Decision(launch.shape, 0, 5).rows);
  EXPECT_EQ(recorder.decisions(), 1);
  recorder.write_segment();
  const hdf5::File file = hdf5::File::open(folder / "segment-0012-00000-000000.h5");
  EXPECT_EQ(file.shape("observation"), (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(file.shape("done"), std::vector<std::size_t>{0});
}

TEST(Recorder, GoesOnAfterAFlush) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 0, 1U << 20U);
  recorder.append(Decision(launch.shape, 2, 5).rows);
  recorder.write_segment();
  recorder.clear();
  EXPECT_EQ(recorder.rows(), 0U);
  EXPECT_EQ(recorder.decisions(), 0);
  EXPECT_EQ(recorder.next_flush().number, 1);
  recorder.append(Decision(launch.shape, 1, 10).rows);
  recorder.write_segment();
  const hdf5::File file = hdf5::File::open(folder / "segment-0012-00000-000001.h5");
  EXPECT_EQ(file.read<std::int64_t>("decision"), std::vector<std::int64_t>{10});
}

TEST(Recorder, KeepsNoMoreThanItsLimitAndOneDecision) {
  const dempilot::test::TemporaryFolder folder;
  Launch launch = full_launch();
  constexpr std::size_t row_bytes = 4 * 8 + (3 + 2 + 1 + 1 + 4) * 4 + 8 + 1;
  Recorder recorder(folder.path(), launch, 0, 100 * row_bytes);
  std::int64_t decision = 0;
  while (!recorder.is_full())
    recorder.append(Decision(launch.shape, 30, ++decision).rows);
  EXPECT_EQ(recorder.rows(), 120U);
  EXPECT_LE(recorder.memory_usage(), 120 * row_bytes);
  recorder.clear();
  EXPECT_FALSE(recorder.is_full());
}

TEST(Recorder, CompressesWhatRepeats) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 0, 1U << 24U);
  for (int decision = 0; decision < 200; ++decision)
    recorder.append(Decision(launch.shape, 100, decision).rows);
  recorder.write_segment();
  EXPECT_LT(fs::file_size(folder / "segment-0012-00000-000000.h5"), recorder.memory_usage() / 5);
}

TEST(Recorder, RemovesASegmentAgain) {
  const dempilot::test::TemporaryFolder folder;
  const Launch launch = full_launch();
  Recorder recorder(folder.path(), launch, 0, 1U << 20U);
  recorder.append(Decision(launch.shape, 2, 5).rows);
  recorder.write_segment();
  recorder.remove_segment();
  EXPECT_TRUE(fs::is_empty(folder.path()));
  EXPECT_EQ(recorder.rows(), 2U);
}

TEST(Recorder, SaysWhenItsFolderIsGone) {
  const Launch launch = full_launch();
  const dempilot::test::TemporaryFolder folder;
  Recorder recorder(folder / "gone", launch, 0, 1U << 20U);
  recorder.append(Decision(launch.shape, 2, 5).rows);
  EXPECT_EQ(message_of([&] { recorder.write_segment(); }),
            (folder / "gone/segment-0012-00000-000000.h5").string() +
                " could not be written (No such file or directory). Make room or choose another "
                "folder");
  EXPECT_EQ(recorder.rows(), 2U);
}

TEST(Recorder, RefusesColumnsThatDoNotFit) {
  const Launch launch = full_launch();
  Recorder recorder("nowhere", launch, 0, 1U << 20U);
  const Decision decision(launch.shape, 2, 5);
  const auto refusal = [&](auto change) {
    DecisionRows rows = decision.rows;
    change(rows);
    return message_of([&] { recorder.append(rows); });
  };
  EXPECT_EQ(refusal([](DecisionRows& rows) { rows.observation = rows.observation.first(5); }),
            "column 'observation' has 5 values (it takes 3 for each of 2 agents). Correct what is "
            "recorded");
  EXPECT_EQ(refusal([](DecisionRows& rows) { rows.carry = {}; }),
            "column 'carry' has 0 values (it takes 4 for each of 2 agents). Correct what is "
            "recorded");
  EXPECT_EQ(refusal([](DecisionRows& rows) { rows.done = rows.done.first(1); }),
            "column 'done' has 1 values (it takes 1 for each of 2 agents). Correct what is "
            "recorded");
  EXPECT_EQ(recorder.rows(), 0U);
}

}  // namespace
}  // namespace dempilot::record
