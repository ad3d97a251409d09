#include "core/io/AtomicFile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT: SIGXFSZ is POSIX
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "core/Error.hpp"
#include "tests/core/TemporaryFolder.hpp"

namespace dempilot {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  write_atomically(path, std::as_bytes(std::span(text)));
}

std::string message_of(const fs::path& path, const std::string& text) {
  try {
    write(path, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename());
  return names;
}

/// No file of this process may grow beyond a size while this lives: a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  sighandler_t handler_;
  rlimit before_{};
};

TEST(AtomicFile, HoldsTheBytesAndNothingElseIsLeft) {
  const test::TemporaryFolder folder;
  write(folder / "a", std::string("x\0y", 3));
  EXPECT_EQ(read(folder / "a"), std::string("x\0y", 3));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, ReplacesWhatWasThere) {
  const test::TemporaryFolder folder;
  write(folder / "a", "a long text");
  write(folder / "a", "short");
  EXPECT_EQ(read(folder / "a"), "short");
}

TEST(AtomicFile, TakesThePlaceOfAnAbandonedPartialFile) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "a.partial") << "what a killed program left here";
  write(folder / "a", "new");
  EXPECT_EQ(read(folder / "a"), "new");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "a";
  write(path, "old");
  std::string message;
  {
    const FullDisk full(1000);
    message = message_of(path, std::string(5000, 'x'));
  }
  EXPECT_EQ(message, path.string() +
                         " could not be written (File too large). Make room or choose another "
                         "folder");
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, LetsOthersWriteItAndPassesOnWhatTheyThrow) {
  const test::TemporaryFolder folder;
  const auto fill = [&](const char* text, bool stop) {
    write_atomically(folder / "a", [&](const fs::path& partial) {
      std::ofstream(partial) << text;
      if (stop) fail("no more");
    });
  };
  fill("old", false);
  EXPECT_THAT([&] { fill("new", true); }, testing::ThrowsMessage<Error>("no more"));
  EXPECT_EQ(read(folder / "a"), "old");
  fill("new", false);
  EXPECT_EQ(read(folder / "a"), "new");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
}

TEST(AtomicFile, SaysWhyAFolderCannotBeWrittenTo) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "missing" / "a";
  EXPECT_EQ(message_of(path, "x"),
            path.string() +
                " could not be written (No such file or directory). Make room or choose another "
                "folder");
}

}  // namespace
}  // namespace dempilot
