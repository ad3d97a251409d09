#include "core/io/AttributeMessages.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "core/io/Hdf5.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"

/// Attributes as HDF5 writes them in its first and in its latest format, and what becomes of them
/// when single fields are changed.
namespace dempilot::hdf5 {
namespace {

void put_bool(hid_t id, const std::string& name) {
  const hid_t type = H5Tenum_create(H5T_NATIVE_INT8);
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  test::put_attribute(id, "/", name, type, {}, &yes);
  H5Tclose(type);
}

void put_fixed(hid_t id, const std::string& name, const std::string& value) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, value.size());
  test::put_attribute(id, "/", name, type, {}, value.data());
  H5Tclose(type);
}

enum class Format { first, latest };

/// The bytes of a file that `edit` has written.
template <class Edit>
std::vector<std::byte> written(Format format, const Edit& edit) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.h5").string();
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (format == Format::latest) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  edit(id);
  H5Fclose(id);
  H5Pclose(access);
  return test::bytes_of(path);
}

constexpr std::size_t long_string = 6000;
constexpr const char* damaged =
    "'a.h5': '/' has attributes that are damaged or of a rare kind (numbers and strings in its "
    "header are read) write it again";

std::string message_of(const std::vector<std::byte>& bytes) {
  return test::message_of([&] { File::from_bytes(bytes, "a.h5").has_attribute("", "other"); });
}

class AttributeMessages : public testing::TestWithParam<Format> {
 protected:
  void SetUp() override {
    bytes_ = written(GetParam(), [](hid_t id) {
      test::put_double(id, "/", "number", 2.5);
      put_fixed(id, "fixed_text", "four");
      put_bool(id, "flag");
      test::put_text(id, "/", "variable", std::string(long_string, 'x'));
      test::put_text(id, "/", "none", "");
    });
  }

  /// Where the message of an attribute begins.
  std::size_t message(const std::string& name) const {
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    const std::size_t place = text.find(std::string_view(name.c_str(), name.size() + 1));
    EXPECT_NE(place, std::string_view::npos) << name;
    return place - (GetParam() == Format::first ? 8 : 9);
  }

  /// Where its type begins.
  std::size_t type(const std::string& name) const {
    const std::size_t size = name.size() + 1;
    return GetParam() == Format::first ? message(name) + 8 + (size + 7) / 8 * 8
                                       : message(name) + 9 + size;
  }

  /// Where the value of "text" begins, which is a length, an address and an index.
  std::size_t text_value() const {
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    return text.find(std::string_view("\x70\x17\0\0", 4), message("variable"));
  }

  void put(std::size_t place, std::uint64_t value, std::size_t count) {
    ASSERT_LE(place + count, bytes_.size());
    for (std::size_t i = 0; i < count; ++i)
      bytes_[place + i] = static_cast<std::byte>(value >> 8 * i);
  }

  bool sound() const {
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    // The root group's header, of which HDF5 writes the address into the superblock.
    std::uint64_t address = 0;
    std::memcpy(&address, &bytes_[GetParam() == Format::first ? 64 : 36], 8);
    return has_sound_attributes(text, address);
  }

  /// Refused by itself, and by File where no checksum lets HDF5 notice first.
  void expect_refused(const std::string& what) const {
    EXPECT_FALSE(sound()) << what;
    if (GetParam() == Format::first) {
      EXPECT_EQ(message_of(bytes_), damaged) << what;
    }
  }

  std::vector<std::byte> bytes_;
};

TEST_P(AttributeMessages, AreSoundAsHdf5WritesThem) {
  EXPECT_TRUE(sound());
  const File file = File::from_bytes(bytes_, "a.h5");
  EXPECT_EQ(file.attribute_count(""), 5U);
  EXPECT_EQ(file.read_double("", "number"), 2.5);
  EXPECT_EQ(file.read_string("", "fixed_text"), "four");
  EXPECT_EQ(file.read_integer("", "flag"), 1);
  EXPECT_EQ(file.read_string("", "variable"), std::string(long_string, 'x'));
  EXPECT_EQ(file.read_string("", "none"), "");
}

TEST_P(AttributeMessages, WithPartsBeyondTheirMessageAreRefused) {
  for (const std::string name : {"number", "fixed_text", "flag", "variable"}) {
    for (const std::size_t field : {2U, 4U, 6U}) {  // sizes of the name, the type, the dataspace
      for (const std::uint64_t size : {0xffffU, 0x100U, 0U}) {
        SetUp();
        put(message(name) + field, size, 2);
        expect_refused(name + ", size " + std::to_string(size) + " in byte " +
                       std::to_string(field));
      }
    }
  }
}

TEST_P(AttributeMessages, WithNamesThatDoNotEndAreRefused) {
  put(type("fixed_text") - (GetParam() == Format::first ? 6 : 1), 'x', 1);
  expect_refused("a name of 11 letters in 11 bytes");
}

TEST_P(AttributeMessages, WithValuesBeyondTheirMessageAreRefused) {
  for (const std::uint64_t size : {5000U, 0xffffffffU}) {
    SetUp();
    put(type("fixed_text") + 4, size, 4);
    expect_refused("a string of so many bytes: " + std::to_string(size));
  }
}

TEST_P(AttributeMessages, OfRareTypesAreRefused) {
  for (const std::uint64_t kind : {2U, 4U, 5U, 6U, 7U, 10U, 15U}) {
    SetUp();
    put(type("number"), 0x10U | kind, 1);
    expect_refused("type class " + std::to_string(kind));
  }
}

/// HDF5 1.10 would write what the heap holds beyond the buffer that it took by the length.
TEST_P(AttributeMessages, WithStringsOfAnotherLengthThanTheirHeapsAreRefused) {
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{long_string - 1},
        std::uint64_t{long_string + 1}, std::uint64_t{0xffffffff}}) {
    SetUp();
    put(text_value(), length, 4);
    expect_refused("length " + std::to_string(length));
  }
}

TEST_P(AttributeMessages, WithStringsThatNoHeapHoldsAreRefused) {
  for (const std::uint64_t index : {0U, 7U, 0xffffU, 0xffffffffU}) {
    SetUp();
    put(text_value() + 12, index, 4);
    expect_refused("index " + std::to_string(index));
  }
  for (const std::uint64_t address : {std::uint64_t{8}, std::uint64_t{1} << 40U, UINT64_MAX}) {
    SetUp();
    put(text_value() + 4, address, 8);
    expect_refused("address " + std::to_string(address));
  }
}

TEST_P(AttributeMessages, BeyondTheFileAreRefused) {
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  for (const std::uint64_t address :
       {std::uint64_t{bytes_.size()}, std::uint64_t{bytes_.size() - 3},
        std::uint64_t{bytes_.size() + 1}, UINT64_MAX}) {
    EXPECT_FALSE(has_sound_attributes(text, address)) << address;
  }
}

/// Cut off anywhere, as if the header were: never a read beyond what is there.
TEST_P(AttributeMessages, CutOffAnywhereAreSoundOrNot) {
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  std::uint64_t address = 0;
  std::memcpy(&address, &bytes_[GetParam() == Format::first ? 64 : 36], 8);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::vector<char> exactly(text.begin(), text.begin() + static_cast<long>(size));
    has_sound_attributes({exactly.data(), exactly.size()}, address);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AttributeMessages, testing::Values(Format::first, Format::latest),
                         [](const auto& format) {
                           return format.param == Format::first ? "First" : "Latest";
                         });

TEST(DenseAttributes, AreRefused) {
  const auto bytes = written(Format::latest, [](hid_t id) {
    for (int i = 0; i < 12; ++i)
      test::put_integer(id, "/", fmt::format("a{}", i), i);
  });
  EXPECT_EQ(message_of(bytes), damaged);
}

TEST(ManyAttributes, AreReadUpToALimit) {
  const auto file_of = [](int count) {
    return written(Format::first, [count](hid_t id) {
      for (int i = 0; i < count; ++i)
        test::put_integer(id, "/", fmt::format("a{}", i), i);
    });
  };
  EXPECT_EQ(File::from_bytes(file_of(64), "a.h5").attribute_count(""), 64U);
  EXPECT_EQ(message_of(file_of(65)), damaged);
}

TEST(CompoundAttributes, AreRefused) {
  const auto bytes = written(Format::first, [](hid_t id) {
    const hid_t type = H5Tcreate(H5T_COMPOUND, 8);
    H5Tinsert(type, "a", 0, H5T_NATIVE_DOUBLE);
    const double value = 1;
    test::put_attribute(id, "/", "pair", type, {}, &value);
    H5Tclose(type);
  });
  EXPECT_EQ(message_of(bytes), damaged);
}

}  // namespace
}  // namespace dempilot::hdf5
