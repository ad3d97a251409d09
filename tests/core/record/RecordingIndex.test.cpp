#include "core/record/RecordingIndex.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/core/record/Recordings.hpp"

namespace dempilot::record {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::small_launch;

class Index : public ::testing::Test {
 protected:
  nlohmann::json content() const { return nlohmann::json::parse(test::read_text(index_path)); }
  std::string refusal(const Launch& launch) const {
    return message_of([&] { const RecordingIndex index(folder, launch); });
  }
  void spoil(const std::string& text) const { std::ofstream(index_path) << text; }

  dempilot::test::TemporaryFolder parent;
  fs::path folder = parent / "deep/run.recording";
  fs::path index_path = folder / "index.json";
};

TEST_F(Index, SaysWhatIsRecordedBeforeAnythingIs) {
  Launch launch = small_launch();
  launch.shape = {2, 1, 4, true, true};
  launch.every = 3;
  const RecordingIndex index(folder, launch);
  EXPECT_EQ(index.launch().number, 1);
  EXPECT_EQ(index.superseded(), 0);
  EXPECT_EQ(content(), nlohmann::json::parse(R"({
    "format": "dempilot-recording", "version": 1, "source": "pilot",
    "observation_size": 2, "action_size": 1, "carry_size": 4,
    "columns": ["decision", "step", "agent", "tag", "observation", "action", "log_prob", "value",
                "carry", "reward", "done"],
    "launches": [{"launch": 1, "policy": "0123456789abcdef", "every": 3, "ranks": 2,
                  "from_decision": 0, "from_step": 0, "flushes": []}]})"));
}

TEST_F(Index, EntersFlushesAndLaunchesOneAfterTheOther) {
  {
    RecordingIndex index(folder, small_launch());
    index.commit({0, 0, 4, 0, 40, {5, 6}});
    index.commit({1, 5, 9, 50, 90, {0, 7}});
  }
  RecordingIndex index(folder, small_launch(5));
  EXPECT_EQ(index.launch().number, 2);
  EXPECT_EQ(index.superseded(), 7);
  index.commit({0, 5, 6, 50, 60, {8, 8}});
  EXPECT_EQ(index.superseded(), 7);
  const nlohmann::json launches = content().at("launches");
  ASSERT_EQ(launches.size(), 2U);
  EXPECT_EQ(launches[0].at("flushes"), nlohmann::json::parse(R"([
    {"flush": 0, "first_decision": 0, "last_decision": 4, "first_step": 0, "last_step": 40,
     "rows": [5, 6]},
    {"flush": 1, "first_decision": 5, "last_decision": 9, "first_step": 50, "last_step": 90,
     "rows": [0, 7]}])"));
  EXPECT_EQ(launches[1].at("from_decision"), 5);
  EXPECT_EQ(launches[1].at("from_step"), 50);
  EXPECT_EQ(launches[1].at("flushes").size(), 1U);
}

TEST_F(Index, CountsRowsThatAreSupersededTwiceOnce) {
  {
    RecordingIndex first(folder, small_launch());
    first.commit({0, 0, 4, 0, 40, {5, 6}});
    first.commit({1, 5, 9, 50, 90, {0, 7}});
    first.commit({2, 10, 14, 100, 140, {0, 9}});
  }
  {
    RecordingIndex second(folder, small_launch(10));
    EXPECT_EQ(second.superseded(), 9);
    second.commit({0, 10, 11, 100, 110, {20, 0}});
  }
  // it has no rows, so that it supersedes nothing
  {
    RecordingIndex third(folder, small_launch(0));
    EXPECT_EQ(third.superseded(), 11 + 7 + 20);
    third.commit({0, 0, 0, 0, 0, {0, 0}});
  }
  RecordingIndex fourth(folder, small_launch(5));
  EXPECT_EQ(fourth.superseded(), 7 + 20);
  fourth.commit({0, 5, 6, 50, 60, {30, 0}});
  EXPECT_EQ(fourth.superseded(), 7 + 20);
  EXPECT_EQ(RecordingIndex(folder, small_launch(5)).superseded(), 30);
}

TEST_F(Index, GivesNoNumberTwiceThoughTheIndexIsOlderThanTheSegments) {
  { const RecordingIndex index(folder, small_launch()); }
  std::ofstream(folder / "segment-0007-00000-000000.h5") << "x";
  EXPECT_EQ(RecordingIndex(folder, small_launch()).launch().number, 8);
}

TEST_F(Index, RemovesWhatAKilledLaunchWasWriting) {
  { const RecordingIndex index(folder, small_launch()); }
  const fs::path segment = folder / "segment-0001-00000-000000.h5.partial";
  std::ofstream(segment) << "x";
  std::ofstream(folder / "index.json.partial") << "x";
  std::ofstream(folder / "notes.partial") << "the user's own";
  { const RecordingIndex index(folder, small_launch()); }
  EXPECT_FALSE(fs::exists(segment));
  EXPECT_FALSE(fs::exists(folder / "index.json.partial"));
  EXPECT_TRUE(fs::exists(folder / "notes.partial"));
}

TEST_F(Index, BeginsWhereALaunchWasKilledBeforeItsFirstIndex) {
  fs::create_directories(folder);
  std::ofstream(folder / "index.json.partial") << "{";
  EXPECT_EQ(RecordingIndex(folder, small_launch()).launch().number, 1);
}

TEST_F(Index, SharesItsFolderWithNoOtherSimulation) {
  RecordingIndex first(folder, small_launch());
  RecordingIndex second(folder, small_launch());
  EXPECT_EQ(message_of([&] {
              first.commit({0, 0, 4, 0, 40, {5, 6}});
            }),
            index_path.string() +
                " was changed while this simulation recorded (another one records to the same "
                "folder). Give each a folder of its own");
  second.commit({0, 0, 4, 0, 40, {5, 6}});
  second.commit({1, 5, 9, 50, 90, {5, 6}});
  EXPECT_EQ(content().at("launches")[1].at("flushes").size(), 2U);
}

TEST_F(Index, RefusesRecordingsOfAnotherKind) {
  { const RecordingIndex index(folder, small_launch()); }
  const auto expected = [&](const std::string& difference) {
    return folder.string() + " holds a recording of another kind (" + difference +
           "). Record to another folder, or as it was recorded before";
  };
  Launch launch = small_launch();
  launch.source = "other";
  EXPECT_EQ(refusal(launch), expected("its source is pilot, here it is other"));
  launch = small_launch();
  launch.shape.observation = 3;
  EXPECT_EQ(refusal(launch), expected("its observation_size is 2, here it is 3"));
  launch = small_launch();
  launch.shape.action = 2;
  EXPECT_EQ(refusal(launch), expected("its action_size is 1, here it is 2"));
  launch = small_launch();
  launch.shape.carry = 4;
  EXPECT_EQ(refusal(launch), expected("its carry_size is 0, here it is 4"));
  launch = small_launch();
  launch.shape.reward = true;
  EXPECT_EQ(
      refusal(launch),
      expected("its columns is decision step agent tag observation action log_prob value, "
               "here it is decision step agent tag observation action log_prob value reward"));
  launch = small_launch();
  launch.policy = "another policy of this shape";
  EXPECT_EQ(refusal(launch), "nothing was thrown");
}

TEST_F(Index, RefusesFoldersOfOtherThings) {
  fs::create_directories(folder);
  std::ofstream(folder / "thesis.tex") << "x";
  EXPECT_EQ(refusal(small_launch()),
            "the folder " + folder.string() +
                " is no recording (it holds files, but no index.json). Record to a new or empty "
                "folder");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST_F(Index, RefusesDamagedIndexes) {
  fs::create_directories(folder);
  const std::string name = index_path.string();
  spoil("{\"format\": ");
  EXPECT_TRUE(
      refusal(small_launch()).starts_with(name + " is damaged ([json.exception.parse_error"));
  EXPECT_TRUE(
      refusal(small_launch()).ends_with("). Move the folder away or record to another one"));
  spoil("[]");
  EXPECT_TRUE(
      refusal(small_launch()).starts_with(name + " is damaged ([json.exception.type_error"));
  spoil(R"({"format": "music", "version": 1})");
  EXPECT_EQ(refusal(small_launch()), name +
                                         " is no index of a recording (its format is 'music'). "
                                         "Record to another folder");
  spoil(R"({"format": "dempilot-recording", "version": 2})");
  EXPECT_EQ(refusal(small_launch()), name +
                                         " has format version 2 (this DEMPilot writes version 1). "
                                         "Record to another folder");
}

TEST_F(Index, RefusesLaunchesThatAreNoListOfObjects) {
  { const RecordingIndex index(folder, small_launch()); }
  nlohmann::json damaged = content();
  const auto expect_refusal = [&](const char* launches, const std::string& why) {
    damaged["launches"] = nlohmann::json::parse(launches);
    spoil(damaged.dump());
    EXPECT_EQ(refusal(small_launch()), index_path.string() + " is damaged (" + why +
                                           "). Move the folder away or record to another one");
  };
  for (const char* launches : {"{}", "null", "3", R"("none")", R"({"launch": {"launch": 1}})"})
    expect_refusal(launches, "its launches are no list");
  for (const char* launches : {"[1]", "[[]]", "[null]"})
    expect_refusal(launches, "one of its launches is no object");
}

TEST_F(Index, RefusesAPlaceThatIsNoFolder) {
  std::ofstream(parent / "deep") << "a file";
  EXPECT_EQ(refusal(small_launch()), "the folder " + folder.string() +
                                         " could not be made (Not a directory). Choose another "
                                         "place");
  EXPECT_EQ(message_of([&] { const RecordingIndex index(parent / "deep", small_launch()); }),
            "the folder " + (parent / "deep").string() +
                " could not be made (Not a directory). Choose another place");
}

}  // namespace
}  // namespace dempilot::record
