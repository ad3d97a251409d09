#include "core/io/Hdf5.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tests/core/Models.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"

namespace dempilot::hdf5 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Hdf5 : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  const std::string path_ = (folder_ / "a.h5").string();

  void create() { File::create(path_).close(); }
};

template <class T>
void expect_round_trip(const std::string& path, const std::vector<T>& values) {
  const std::array<std::size_t, 2> shape{2, values.size() / 2};
  {
    File file = File::create(path);
    file.create_group("group");
    file.write<T>("group/values", shape, values);
    file.close();
  }
  const File file = File::open(path);
  EXPECT_EQ(file.shape("group/values"), (std::vector<std::size_t>{2, values.size() / 2}));
  EXPECT_TRUE(test::same_bits(file.read<T>("group/values", shape), values));
  EXPECT_TRUE(test::same_bits(file.read<T>("group/values"), values));
}

TEST_F(Hdf5, RoundTripsEveryTypeBitwise) {
  expect_round_trip<float>(path_, {0.1F, -0.0F, std::numeric_limits<float>::denorm_min(), 3e38F,
                                   std::numeric_limits<float>::quiet_NaN(), -INFINITY});
  expect_round_trip<double>(path_, {0.1, -0.0, 5e-324, 1e308, std::nan(""), -INFINITY});
  expect_round_trip<std::int8_t>(path_, {0, 1, -1, 127, -128, 5});
  expect_round_trip<std::int32_t>(path_, {0, 1, -1, INT32_MAX, INT32_MIN, 5});
  expect_round_trip<std::int64_t>(path_, {0, 1, -1, INT64_MAX, INT64_MIN, 5});
}

TEST_F(Hdf5, RoundTripsEmptyAndScalarDatasets) {
  File file = File::create(path_);
  file.write<float>("empty", std::array<std::size_t, 2>{0, 3}, {});
  file.write<double>("scalar", std::array<std::size_t, 0>{}, std::array{2.5});
  file.close();
  const File read = File::open(path_);
  EXPECT_TRUE(read.read<float>("empty").empty());
  EXPECT_EQ(read.shape("empty"), (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(read.read<double>("scalar", std::array<std::size_t, 0>{}), std::vector<double>{2.5});
}

TEST_F(Hdf5, ReadsRows) {
  const std::vector<std::int64_t> values{10, 11, 20, 21, 30, 31, 40, 41};
  File file = File::create(path_);
  file.write<std::int64_t>("matrix", std::array<std::size_t, 2>{4, 2}, values);
  file.write<std::int64_t>("vector", std::array<std::size_t, 1>{8}, values);
  file.write<std::int64_t>("cube", std::array<std::size_t, 3>{2, 2, 2}, values);
  file.close();
  const File read = File::open(path_);
  EXPECT_THAT(read.read_rows<std::int64_t>("matrix", 1, 2), ElementsAre(20, 21, 30, 31));
  EXPECT_THAT(read.read_rows<std::int64_t>("vector", 6, 2), ElementsAre(40, 41));
  EXPECT_THAT(read.read_rows<std::int64_t>("matrix", 4, 0), ElementsAre());
  EXPECT_THAT(
      test::message_of([&] { read.read_rows<std::int64_t>("matrix", 3, 2); }),
      HasSubstr("'" + path_ + "': '/matrix' has shape (4, 2) (2 rows from row 3 on were wanted)"));
  EXPECT_THAT(
      test::message_of([&] { read.read_rows<std::int64_t>("matrix", SIZE_MAX, 2); }),
      HasSubstr(
          "'/matrix' has shape (4, 2) (2 rows from row 18446744073709551615 on were wanted)"));
  EXPECT_THAT(test::message_of([&] { read.read_rows<std::int64_t>("cube", 0, 1); }),
              HasSubstr("'/cube' has shape (2, 2, 2)"));
}

TEST_F(Hdf5, RoundTripsAttributes) {
  File file = File::create(path_);
  file.create_group("group");
  file.write_string("", "text", "grains \xc3\xa9t\xc3\xa9");
  file.write_string("group", "empty", "");
  file.write_double("group", "number", 0.1);
  file.write_integer("group", "integer", INT64_MIN);
  file.close();
  const File read = File::open(path_);
  EXPECT_EQ(read.read_string("", "text"), "grains \xc3\xa9t\xc3\xa9");
  EXPECT_EQ(read.read_string("group", "empty"), "");
  EXPECT_EQ(read.read_double("group", "number"), 0.1);
  EXPECT_EQ(read.read_integer("group", "integer"), INT64_MIN);
  EXPECT_TRUE(read.has_attribute("group", "number"));
  EXPECT_FALSE(read.has_attribute("group", "none"));
  EXPECT_FALSE(read.has_attribute("none", "number"));
  EXPECT_THAT(read.list(""), ElementsAre("group"));
  EXPECT_THAT(read.list("group"), ElementsAre());
}

TEST_F(Hdf5, NamesTheAttributeAtFault) {
  create();
  test::edit_file(path_, [](hid_t id) {
    test::put_text(id, "/", "text", "three");
    test::put_integer(id, "/", "number", 3);
    const int pair[2] = {1, 2};
    test::put_attribute(id, "/", "pair", H5T_NATIVE_INT, {2}, pair);
  });
  const File file = File::open(path_);
  EXPECT_THAT(test::message_of([&] { file.read_string("", "none"); }),
              HasSubstr("'" + path_ + "': '/' lacks the attribute 'none'"));
  EXPECT_THAT(test::message_of([&] { file.read_string("group", "none"); }),
              HasSubstr("'/group' is missing"));
  EXPECT_THAT(test::message_of([&] { file.read_integer("", "text"); }),
              HasSubstr("'/' has an attribute 'text' that is no number (one value expected)"));
  EXPECT_THAT(test::message_of([&] { file.read_double("", "pair"); }),
              HasSubstr("an attribute 'pair' that is no number"));
  EXPECT_THAT(test::message_of([&] { file.read_string("", "number"); }),
              HasSubstr("'/' has an attribute 'number' that is no string (one string of at most "
                        "1048576 bytes expected) write it as a string"));
}

TEST_F(Hdf5, ReadsStringsAsOtherProgramsWriteThem) {
  create();
  const std::string longest(1U << 20U, 'x');
  test::edit_file(path_, [&](hid_t id) {
    test::put_text(id, "/", "variable", "d\xc3\xa9j\xc3\xa0");
    test::put_text(id, "/", "none", "");
    test::put_text(id, "/", "long", longest);
    test::put_text(id, "/", "too_long", longest + "x");
    const hid_t fixed = H5Tcopy(H5T_C_S1);  // not terminated, as h5py writes numpy.bytes_
    H5Tset_size(fixed, 4);
    H5Tset_strpad(fixed, H5T_STR_NULLPAD);
    test::put_attribute(id, "/", "fixed", fixed, {}, "four");
    H5Tclose(fixed);
  });
  const File file = File::open(path_);
  EXPECT_EQ(file.read_string("", "variable"), "d\xc3\xa9j\xc3\xa0");
  EXPECT_EQ(file.read_string("", "none"), "");
  EXPECT_EQ(file.read_string("", "fixed"), "four");
  EXPECT_EQ(file.read_string("", "long"), longest);
  EXPECT_THAT(test::message_of([&] { file.read_string("", "too_long"); }),
              HasSubstr("an attribute 'too_long' that is no string"));
}

/// An object header has room for 64 KiB; longer strings lie beside it.
TEST_F(Hdf5, WritesEveryStringThatItReads) {
  File writer = File::create(path_);
  for (const std::size_t size : {0U, 64999U, 65000U, 70'000U, 1U << 20U})
    writer.write_string("", std::to_string(size), std::string(size, 'x'));
  EXPECT_EQ(test::message_of([&] { writer.write_string("", "a", std::string(1048577, 'x')); }),
            "'" + path_ +
                "': '/' cannot have the attribute 'a' of 1048577 bytes (at most 1048576 are read) "
                "shorten it");
  writer.close();
  const File file = File::open(path_);
  for (const std::size_t size : {0U, 64999U, 65000U, 70'000U, 1U << 20U})
    EXPECT_EQ(file.read_string("", std::to_string(size)), std::string(size, 'x')) << size;
}

/// Values within the object's header follow their number of bytes, which HDF5 1.10 takes on trust.
TEST_F(Hdf5, RefusesADatasetThatIsShorterThanItsShape) {
  create();
  const std::vector<float> values{1.25F, 2.5F, 5, 10};
  test::edit_file(path_, [&](hid_t id) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_layout(properties, H5D_COMPACT);
    test::put_dataset(id, "a", H5T_IEEE_F32LE, {4}, values.data(), properties);
    H5Pclose(properties);
  });
  std::vector<std::byte> bytes = test::bytes_of(path_);
  EXPECT_EQ(File::from_bytes(bytes, "f").read<float>("a"), values);
  const auto stored = std::as_bytes(std::span(values));
  const auto found = std::search(bytes.begin(), bytes.end(), stored.begin(), stored.end());
  ASSERT_NE(found, bytes.end());
  ASSERT_EQ(*(found - 2), std::byte{16});
  for (const int size : {0, 12, 15, 17}) {
    *(found - 2) = static_cast<std::byte>(size);
    const File file = File::from_bytes(bytes, "f");
    const std::string expected =
        "'f': '/a' has not the bytes of its shape (damaged file) write it again";
    EXPECT_EQ(test::message_of([&] { file.read<float>("a"); }), expected) << size;
    EXPECT_EQ(test::message_of([&] { file.shape("a"); }), expected) << size;
  }
}

TEST_F(Hdf5, NamesTheDatasetAtFault) {
  File writer = File::create(path_);
  writer.create_group("group");
  writer.write<float>("floats", std::array<std::size_t, 2>{2, 3}, std::vector<float>(6));
  writer.write<std::int32_t>("integers", std::array<std::size_t, 1>{2}, std::array{1, 2});
  writer.close();
  const File file = File::open(path_);
  const std::array<std::size_t, 1> six{6};
  EXPECT_THAT(test::message_of([&] { file.read<float>("floats", six); }),
              HasSubstr("'" + path_ +
                        "': '/floats' has shape (2, 3) (expected (6)) check what wrote the file"));
  EXPECT_THAT(
      test::message_of([&] { file.read<float>("floats", std::size_t{5}); }),
      HasSubstr("'/floats' has shape (2, 3) (more than the 5 values that are read at most)"));
  EXPECT_THAT(test::message_of([&] { file.shape("none"); }), HasSubstr("'/none' is missing"));
  EXPECT_THAT(test::message_of([&] { file.shape("group/none/deeper"); }),
              HasSubstr("'/group/none/deeper' is missing"));
  EXPECT_THAT(test::message_of([&] { file.shape("group"); }),
              HasSubstr("'/group' cannot be opened (it is no dataset"));
  EXPECT_THAT(test::message_of([&] { file.list("floats"); }), HasSubstr("'/floats' is no group"));
  EXPECT_THAT(test::message_of([&] { file.read<float>("integers"); }),
              HasSubstr("'/integers' holds integers (floats expected) store floats"));
  EXPECT_THAT(test::message_of([&] { file.read<std::int32_t>("floats"); }),
              HasSubstr("'/floats' holds floats (integers expected) store integers"));
}

TEST_F(Hdf5, ConvertsBetweenSizesAndReadsBooleans) {
  create();
  test::edit_file(path_, [](hid_t id) {
    const double doubles[2] = {0.5, 1e300};
    test::put_dataset(id, "doubles", H5T_NATIVE_DOUBLE, {2}, doubles);
    const hid_t boolean = H5Tenum_create(H5T_NATIVE_INT8);  // as h5py writes numpy.bool_
    const signed char no = 0;
    const signed char yes = 1;
    H5Tenum_insert(boolean, "FALSE", &no);
    H5Tenum_insert(boolean, "TRUE", &yes);
    const signed char values[3] = {1, 0, 1};
    test::put_dataset(id, "booleans", boolean, {3}, values);
    H5Tclose(boolean);
    const float big_endian[1] = {0};
    test::put_dataset(id, "big_endian", H5T_IEEE_F32BE, {1}, big_endian);
  });
  const File file = File::open(path_);
  EXPECT_THAT(file.read<float>("doubles"), ElementsAre(0.5F, INFINITY));
  EXPECT_THAT(file.read<std::int8_t>("booleans"), ElementsAre(1, 0, 1));
  EXPECT_THAT(file.read<float>("big_endian"), ElementsAre(0.0F));
}

TEST_F(Hdf5, RefusesToWriteWhatDoesNotFillItsShape) {
  File file = File::create(path_);
  EXPECT_THAT(test::message_of([&] {
                file.write<float>("short", std::array<std::size_t, 2>{2, 3}, std::vector<float>(5));
              }),
              HasSubstr("'/short' of shape (2, 3) cannot be written from 5 values"));
}

TEST_F(Hdf5, SaysWhyAFileCannotBeOpened) {
  const auto message = [](const std::string& path) {
    return test::message_of([&] { File::open(path); });
  };
  EXPECT_EQ(message(path_), "cannot open '" + path_ + "' (no such file) check the path");
  EXPECT_THAT(message(folder_.path().string()), HasSubstr("it is no regular file"));
  test::write_bytes(path_, std::as_bytes(std::span("plain text")));
  EXPECT_EQ(message(path_), "cannot open '" + path_ +
                                "' (not an HDF5 file, or no permission) give a file written with "
                                "HDF5");
  EXPECT_THAT(test::message_of([&] { File::create(folder_ / "none/a.h5"); }),
              HasSubstr("(no such folder, or no permission) choose a place that can be written"));
}

TEST_F(Hdf5, SaysWhenAFileIsCutOff) {
  File writer = File::create(path_);
  writer.write<float>("floats", std::array<std::size_t, 1>{5000}, std::vector<float>(5000));
  writer.close();
  auto bytes = test::bytes_of(path_);
  bytes.resize(bytes.size() - 1000);
  test::write_bytes(path_, bytes);
  EXPECT_EQ(test::message_of([&] { File::open(path_); }),
            "cannot open '" + path_ + "' (truncated or damaged HDF5 file) copy or write it again");
  EXPECT_EQ(test::message_of([&] { File::from_bytes(bytes, "b.h5"); }),
            "cannot open 'b.h5' (truncated or damaged HDF5 file) copy or write it again");
}

TEST_F(Hdf5, ImagesOfTheSameNameAreFilesOfTheirOwn) {
  const auto image = [&](double value) {
    File file = File::create(path_);
    file.write_double("", "number", value);
    file.close();
    return test::bytes_of(path_);
  };
  const auto one = image(1);
  const auto two = image(2);
  const File first = File::from_bytes(one, path_);
  const File second = File::from_bytes(two, path_);
  EXPECT_EQ(first.read_double("", "number"), 1);
  EXPECT_EQ(second.read_double("", "number"), 2);
  EXPECT_EQ(second.name(), path_);
  const File unnamed = File::from_bytes(one, "");
  EXPECT_EQ(unnamed.read_double("", "number"), 1);
}

TEST_F(Hdf5, FollowsNoLinkOutOfTheFile) {
  const std::string other = (folder_ / "other.h5").string();
  {
    File file = File::create(other);
    file.write<float>("secret", std::array<std::size_t, 1>{1}, std::array{1.0F});
    file.close();
  }
  create();
  test::edit_file(path_, [&](hid_t id) {
    H5Lcreate_external(other.c_str(), "/secret", id, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(other.c_str(), "/", id, "group", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", id, "soft", H5P_DEFAULT, H5P_DEFAULT);
  });
  const File file = File::open(path_);
  for (const char* name : {"external", "group/secret", "soft"}) {
    EXPECT_FALSE(file.exists(name)) << name;
    EXPECT_THAT(test::message_of([&] { file.read<float>(name); }),
                HasSubstr("is missing (the file lacks it or links elsewhere)"))
        << name;
  }
  EXPECT_THAT(test::message_of([&] { file.list("group"); }), HasSubstr("'/group' is missing"));
}

TEST_F(Hdf5, ReportsAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const std::string message = test::message_of([] {
    File file = File::create("/dev/full");
    const std::vector<float> values(1U << 20U, 1.0F);
    file.write<float>("values", std::array<std::size_t, 1>{values.size()}, values);
    file.close();
  });
  EXPECT_THAT(message, testing::AnyOf(HasSubstr("cannot create '/dev/full'"),
                                      HasSubstr("(disk full or I/O error) free some space")));
}

TEST_F(Hdf5, MakesFilesInMemoryThatAreFilesOnceTheirBytesAreWritten) {
  std::vector<float> values(300000);
  for (std::size_t n = 0; n < values.size(); ++n)
    values[n] = static_cast<float>(n % 1000);
  File made = File::create_in_memory(path_);
  made.write_compressed<float>("table", std::array<std::size_t, 2>{100000, 3}, values);
  made.write_compressed<std::int64_t>("none", std::array<std::size_t, 1>{0}, {});
  made.write_string("", "text", "x");
  const std::vector<std::byte> bytes = made.image();
  made.close();
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_LT(bytes.size(), values.size());  // a quarter of what they take unpacked

  std::ofstream(path_, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const File file = File::open(path_);
  EXPECT_EQ(file.read<float>("table", std::array<std::size_t, 2>{100000, 3}), values);
  EXPECT_EQ(file.read_rows<float>("table", 99999, 1), (std::vector<float>{997, 998, 999}));
  EXPECT_TRUE(file.read<std::int64_t>("none").empty());
  EXPECT_EQ(file.read_string("", "text"), "x");
}

TEST_F(Hdf5, LeavesNothingOpenAfterErrors) {
  File writer = File::create(path_);
  writer.write<float>("floats", std::array<std::size_t, 1>{2}, std::array{1.0F, 2.0F});
  writer.write_string("", "text", "x");
  writer.close();
  const auto open_ids = [] {
    return H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL);
  };
  const auto before = open_ids();
  {
    const File file = File::open(path_);
    test::message_of([&] { file.read<float>("floats", std::array<std::size_t, 1>{3}); });
    test::message_of([&] { file.read<std::int32_t>("floats"); });
    test::message_of([&] { file.read_double("", "text"); });
    test::message_of([&] { file.list("floats"); });
    EXPECT_EQ(file.read_string("", "text"), "x");
  }
  EXPECT_EQ(open_ids(), before);
}

}  // namespace
}  // namespace dempilot::hdf5
