#include "core/io/GlobalHeap.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "core/io/Hdf5.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"

namespace dempilot::hdf5 {
namespace {

class GlobalHeap : public testing::Test {
 protected:
  /// A file with two strings of variable length, which HDF5 has put into a global heap.
  void SetUp() override {
    const test::TemporaryFolder folder;
    const auto path = folder / "a.h5";
    File::create(path).close();
    test::edit_file(path, [](hid_t id) {
      test::put_text(id, "/", "first", "abc");
      test::put_text(id, "/", "second", std::string(100, 'x'));
    });
    bytes_ = test::bytes_of(path);
    heap_ = text().find("GCOL");
    ASSERT_NE(heap_, std::string_view::npos);
  }

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

  /// Overwrites 8 bytes of the heap with a little-endian number.
  void put(std::size_t place, std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i)
      bytes_[heap_ + place + i] = static_cast<std::byte>(value >> 8 * i);
  }

  std::string message() const {
    return test::message_of([&] { File::from_bytes(bytes_, "a.h5"); });
  }

  static constexpr const char* damaged_ =
      "cannot open 'a.h5' (the places of its strings are damaged) copy or write it again";
  /// Places of sizes in the heap: its own, that of the first object, which is 3 characters long and
  /// their end, padded to 8 bytes, that of the second, and that of the free space.
  static constexpr std::size_t whole_ = 8;
  static constexpr std::size_t first_ = 24;
  static constexpr std::size_t second_ = 48;
  static constexpr std::size_t free_ = 168;

  std::vector<std::byte> bytes_;
  std::size_t heap_ = 0;
};

TEST_F(GlobalHeap, IsSoundAsHdf5WroteIt) {
  EXPECT_TRUE(has_sound_global_heaps(text()));
  const File file = File::from_bytes(bytes_, "a.h5");
  EXPECT_EQ(file.read_string("", "first"), "abc");
  EXPECT_EQ(file.read_string("", "second"), std::string(100, 'x'));
  EXPECT_TRUE(has_sound_global_heaps(""));
  EXPECT_TRUE(has_sound_global_heaps(text().substr(0, heap_ + 12)));
}

/// HDF5 would not come back.
TEST_F(GlobalHeap, WithAFreeSpaceOfNoSizeIsRefused) {
  put(free_, 0);
  EXPECT_FALSE(has_sound_global_heaps(text()));
  EXPECT_EQ(message(), damaged_);
}

TEST_F(GlobalHeap, WithAnObjectBeyondItsEndIsRefused) {
  for (const std::size_t place : {first_, second_, free_}) {
    for (const std::uint64_t size : {UINT64_MAX, UINT64_MAX - 15, std::uint64_t{1} << 63U,
                                     std::uint64_t{4096}, std::uint64_t{4065}}) {
      SetUp();
      put(place, size);
      EXPECT_FALSE(has_sound_global_heaps(text())) << size << " at " << place;
      EXPECT_EQ(message(), damaged_);
    }
  }
}

TEST_F(GlobalHeap, SmallerThanAnyIsRefused) {
  for (const std::uint64_t size : {0, 16, 4095}) {
    put(whole_, size);
    EXPECT_FALSE(has_sound_global_heaps(text())) << size;
  }
}

/// No heap, and so nothing to walk through: the attribute is refused that leads there.
TEST_F(GlobalHeap, BeyondTheFileIsNone) {
  put(whole_, bytes_.size());
  EXPECT_TRUE(has_sound_global_heaps(text()));
  const File file = File::from_bytes(bytes_, "a.h5");
  EXPECT_EQ(test::message_of([&] { file.read_string("", "first"); }),
            "'a.h5': '/' has attributes that are damaged or of a rare kind (numbers and strings in "
            "its header are read) write it again");
}

TEST_F(GlobalHeap, IsFoundAtAnyPlace) {
  put(free_, 0);
  bytes_.insert(bytes_.begin() + 100, std::byte{});
  EXPECT_FALSE(has_sound_global_heaps(text()));
}

/// Each would be sound alone; to walk through all of them would take hours.
TEST_F(GlobalHeap, ManyInOneAnotherAreRefused) {
  constexpr std::size_t unit = 32;
  constexpr std::size_t count = 300'000;
  std::string nested(unit * count, '\0');
  const auto put_number = [&](std::size_t place, std::uint64_t value, std::size_t size) {
    std::memcpy(&nested[place], &value, size);
  };
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(&nested[unit * i], "GCOL\1", 5);
    put_number(unit * i + 8, unit * (count - i), 8);  // it reaches to the end
    put_number(unit * i + 16, 1, 2);
    put_number(unit * i + 24, i + 1 < count ? 16 : 0, 8);  // and holds the next one's header
  }
  EXPECT_FALSE(has_sound_global_heaps(nested));
}

TEST(Superblock, WithLengthsOf4BytesIsRefused) {
  const test::TemporaryFolder folder;
  const auto path = (folder / "a.h5").string();
  const hid_t properties = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_sizes(properties, 8, 4);
  H5Fclose(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties, H5P_DEFAULT));
  H5Pclose(properties);
  EXPECT_EQ(test::message_of([&] { File::from_bytes(test::bytes_of(path), "a.h5"); }),
            "cannot open 'a.h5' (its addresses or lengths have not 8 bytes) write it again");
}

}  // namespace
}  // namespace dempilot::hdf5
