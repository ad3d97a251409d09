#include "plugin/lammps/RestartFile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/Error.hpp"
#include "core/io/Hdf5.hpp"

namespace dempilot::lammps {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class RestartFile : public ::testing::Test {
 protected:
  RestartFile() { fs::create_directories(folder); }
  ~RestartFile() override { fs::remove_all(folder); }

  fs::path folder = fs::temp_directory_path() / ("dempilot-restart-" + std::to_string(getpid()));
  fs::path path = folder / "a.pilot.h5";
  RestartStamp stamp{"0123456789abcdef", "pilot", "digest", 1234567890123};
};

/// Agents 3, 1, 2 with numbers that tell whose they are.
AgentColumns agents(const AgentShape& shape) {
  AgentColumns made;
  made.id = {3, 1, 2};
  for_each_column(made, shape, [&](const char*, auto& column, std::size_t width) {
    column.resize(3 * width);
    for (std::size_t n = 0; n < 3 * width; ++n) {
      using Value = typename std::remove_reference_t<decltype(column)>::value_type;
      column[n] = width == 1 && column[n] != Value{}
                      ? column[n]
                      : static_cast<Value>(10 * made.id[n / width] + std::int64_t(n % width));
    }
  });
  made.id = {3, 1, 2};
  return made;
}

TEST_F(RestartFile, GivesAgentsBackInTheOrderOfTheirIds) {
  const AgentShape shape{4, 2, 3};
  write_agents(path, stamp, shape, agents(shape));
  const AgentReader reader(path);
  EXPECT_EQ(reader.size(), 3U);
  EXPECT_EQ(reader.shape(), shape);
  EXPECT_EQ(reader.stamp().token, stamp.token);
  EXPECT_EQ(reader.stamp().fix_id, stamp.fix_id);
  EXPECT_EQ(reader.stamp().policy, stamp.policy);
  EXPECT_EQ(reader.stamp().timestep, stamp.timestep);
  const AgentColumns two = reader.read(1, 2);
  EXPECT_EQ(two.id, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(two.carry, (std::vector<float>{20, 21, 22, 23, 30, 31, 32, 33}));
  EXPECT_EQ(two.pending, (std::vector<float>{20, 21, 30, 31}));
  EXPECT_EQ(two.observation.back(), 32.0F);
  EXPECT_EQ(two.wrench.front(), 20.0);
}

TEST_F(RestartFile, MayHoldNobodyAndNoCarry) {
  write_agents(path, stamp, {0, 1, 0}, {});
  const AgentReader reader(path);
  EXPECT_EQ(reader.size(), 0U);
  EXPECT_TRUE(reader.read(0, 0).id.empty());
}

TEST_F(RestartFile, LeavesNothingElseBehind) {
  const AgentShape shape{4, 2, 0};
  write_agents(path, stamp, shape, agents(shape));
  write_agents(path, stamp, shape, agents(shape));  // replaces the first
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  EXPECT_THROW(write_agents(folder / "none" / "a.h5", stamp, shape, agents(shape)), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

std::string message(const fs::path& path) {
  try {
    const AgentReader reader(path);
    reader.read(0, reader.size());
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(RestartFile, RefusesOtherFiles) {
  EXPECT_THAT(message(folder / "none.h5"), HasSubstr("none.h5"));
  std::ofstream(path) << "text";
  EXPECT_THAT(message(path), HasSubstr("a.pilot.h5"));
  hdf5::File file = hdf5::File::create(path);
  file.close();
  EXPECT_THAT(message(path), HasSubstr("does not hold agents"));
}

TEST_F(RestartFile, RefusesWhatDoesNotAddUp) {
  const AgentShape shape{4, 2, 0};
  write_agents(path, stamp, shape, agents(shape));
  fs::resize_file(path, fs::file_size(path) / 2);
  EXPECT_THAT(message(path), HasSubstr("a.pilot.h5"));
}

}  // namespace
}  // namespace dempilot::lammps
