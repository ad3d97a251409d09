#include <gtest/gtest.h>

#include <array>
#include <random>

#include "core/policy/PolicyFile.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"
#include "tests/core/policy/SmallPolicy.hpp"

/// Files that were cut off, overwritten or never were policies: an error or a policy, never a
/// crash.
namespace dempilot {
namespace {

using testing::HasSubstr;

class DamagedPolicyFile : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  const std::string path_ = (folder_ / "a.policy.h5").string();

  static bool sanitizers_object_to_hdf5() {
#if defined(__SANITIZE_ADDRESS__)
    return true;
#else
    return false;
#endif
  }
  static constexpr const char* objection_ =
      "HDF5 1.10 itself reads beyond damaged attributes and uses what it has freed";

  std::vector<std::byte> good_bytes() {
    save_policy_file(path_, test::small_policy());
    return read_policy_bytes(path_);
  }
};

/// Whether the bytes are a policy. Lets everything but dempilot::Error through.
bool parses(std::span<const std::byte> bytes) {
  try {
    parse_policy_file(bytes, "damaged");
    return true;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'damaged'"));
    return false;
  }
}

TEST_F(DamagedPolicyFile, IsToldWhatItIsNot) {
  const auto message = [](const std::string& path) {
    return test::message_of([&] { load_policy_file(path); });
  };
  EXPECT_EQ(message(path_), "cannot open '" + path_ + "' (no such file) check the path");
  EXPECT_EQ(message(folder_.path().string()),
            "cannot open '" + folder_.path().string() +
                "' (it is no regular file) give the path of a policy file");
  EXPECT_THAT(message("/dev/null"), HasSubstr("it is no regular file"));
  test::write_bytes(path_, {});
  EXPECT_EQ(message(path_),
            "cannot open '" + path_ + "' (not an HDF5 file) give a file written with HDF5");
  test::write_bytes(path_, std::as_bytes(std::span("PK\3\4 a zip archive")));
  EXPECT_THAT(message(path_), HasSubstr("(not an HDF5 file)"));
  EXPECT_THAT(message(std::string(DEMPILOT_GOLDEN_DIR) + "/current-mlp-shared.h5"),
              HasSubstr("is no policy file (its attribute 'format' is not 'dempilot-policy')"));
}

TEST_F(DamagedPolicyFile, CutOffAnywhereIsAnErrorNotACrash) {
  const auto bytes = good_bytes();
  for (std::size_t i = 0; i <= 64; ++i) {
    const std::size_t length = bytes.size() * i / 64;
    EXPECT_EQ(parses(std::span(bytes).first(length)), i == 64) << length << " bytes";
  }
  for (std::size_t length = 0; length < 128; ++length)
    EXPECT_FALSE(parses(std::span(bytes).first(length))) << length << " bytes";
  EXPECT_FALSE(parses(std::span(bytes).first(bytes.size() - 1)));
}

TEST_F(DamagedPolicyFile, OverwrittenBytesAreAnErrorOrAPolicyNotACrash) {
  if (sanitizers_object_to_hdf5()) GTEST_SKIP() << objection_;
  const auto good = good_bytes();
  std::mt19937 engine(20240229);
  int accepted = 0;
  constexpr int mutations = 3000;
  for (int i = 0; i < mutations; ++i) {
    auto bytes = good;
    const int changes = 1 + static_cast<int>(engine() % 4);
    for (int change = 0; change < changes; ++change) {
      const std::size_t place = engine() % bytes.size();
      // Single bits, whole bytes, and the values that sizes and offsets trip over.
      const std::array<std::byte, 4> values{bytes[place] ^ std::byte(1U << engine() % 8),
                                            std::byte(engine() % 256), std::byte{0xff},
                                            std::byte{0x00}};
      bytes[place] = values[engine() % 4];
    }
    accepted += parses(bytes) ? 1 : 0;
  }
  EXPECT_GT(accepted, 0) << "weights and unused bytes can take many values";
  EXPECT_LT(accepted, mutations) << "nothing was ever noticed";
}

/// Where the structure lies: every byte of the first headers, inverted.
TEST_F(DamagedPolicyFile, InvertedHeaderBytesAreAnErrorOrAPolicyNotACrash) {
  if (sanitizers_object_to_hdf5()) GTEST_SKIP() << objection_;
  const auto good = good_bytes();
  for (std::size_t place = 0; place < std::min<std::size_t>(good.size(), 1024); ++place) {
    auto bytes = good;
    bytes[place] = ~bytes[place];
    parses(bytes);
  }
}

TEST_F(DamagedPolicyFile, LeavesNoTraceForTheNextFile) {
  if (sanitizers_object_to_hdf5()) GTEST_SKIP() << objection_;
  const auto good = good_bytes();
  std::mt19937 engine(5);
  for (int i = 0; i < 200; ++i) {
    auto bytes = good;
    for (int change = 0; change < 8; ++change)
      bytes[engine() % bytes.size()] = std::byte(engine() % 256);
    parses(bytes);
    ASSERT_TRUE(parses(good)) << "after mutation " << i;
  }
}

}  // namespace
}  // namespace dempilot
