#include "core/Error.hpp"

#include <gtest/gtest.h>

#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

TEST(Fail, ThrowsTheFormattedMessage) {
  EXPECT_EQ(test::message_of([] { fail("'{}' is {} (why) do this", "a", 3); }),
            "'a' is 3 (why) do this");
}

TEST(Excerpt, KeepsWhatIsShortAndPrintable) {
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(excerpt("caf\xc3\xa9 {}%s"), "caf\xc3\xa9 {}%s");
  EXPECT_EQ(excerpt(std::string(80, 'a')), std::string(80, 'a'));
}

TEST(Excerpt, CutsAndMarksWhatIsLong) {
  EXPECT_EQ(excerpt(std::string(81, 'a')), std::string(80, 'a') + "...");
  EXPECT_EQ(excerpt("abcdef", 3), "abc...");
}

TEST(Excerpt, KeepsCharactersOfUtf8Whole) {
  EXPECT_EQ(excerpt("ab\xc3\xa9z", 3), "ab...");
  EXPECT_EQ(excerpt("ab\xc3\xa9z", 4), "ab\xc3\xa9...");
  EXPECT_EQ(excerpt("\xf0\x9f\x98\x80", 3), "...");
}

/// A message is a C string on one line, whatever the file holds.
TEST(Excerpt, ShowsNoControlCharacters) {
  EXPECT_EQ(excerpt(std::string("a\0b\n\x1b[2J\x7f", 9)), "a?b??[2J?");
}

}  // namespace
}  // namespace dempilot
