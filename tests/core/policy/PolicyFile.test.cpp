#include "core/policy/PolicyFile.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/policy/Metadata.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"
#include "tests/core/policy/SmallPolicy.hpp"

namespace dempilot {
namespace {

using testing::HasSubstr;

void expect_same(const PolicyFile& found, const PolicyFile& expected) {
  EXPECT_EQ(found.contract, expected.contract);
  ASSERT_EQ(found.parameters.size(), expected.parameters.size());
  for (const auto& [name, tensor] : expected.parameters) {
    EXPECT_EQ(found.parameters.at(name).shape, tensor.shape) << name;
    EXPECT_TRUE(test::same_bits(found.parameters.at(name).values, tensor.values)) << name;
  }
  EXPECT_EQ(found.golden.rows, expected.golden.rows);
  EXPECT_TRUE(test::same_bits(found.golden.observation, expected.golden.observation));
  EXPECT_TRUE(test::same_bits(found.golden.carry, expected.golden.carry));
  EXPECT_TRUE(test::same_bits(found.golden.mean, expected.golden.mean));
  EXPECT_TRUE(test::same_bits(found.golden.std, expected.golden.std));
  EXPECT_TRUE(test::same_bits(found.golden.action, expected.golden.action));
  EXPECT_TRUE(test::same_bits(found.golden.value, expected.golden.value));
  EXPECT_TRUE(test::same_bits(found.golden.next_carry, expected.golden.next_carry));
  EXPECT_EQ(found.golden.tolerance, expected.golden.tolerance);
}

class PolicyFileTest : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  const std::string path_ = (folder_ / "a.policy.h5").string();
};

TEST_F(PolicyFileTest, RoundTripsEverything) {
  const PolicyFile policy = test::small_policy();
  save_policy_file(path_, policy);
  expect_same(load_policy_file(path_), policy);
  expect_same(parse_policy_file(read_policy_bytes(path_), "elsewhere"), policy);
}

TEST_F(PolicyFileTest, RoundTripsEveryModel) {
  for (const ModelSpec& model : test::all_models()) {
    PolicyFile policy;
    policy.contract.model = model;
    policy.contract.observation = test::small_policy().contract.observation;
    policy.contract.action.target =
        model.action_size == 1 ? ActionTarget::torque : ActionTarget::force;
    if (model.action_size == 2) policy.contract.action.scale = -0.1;
    if (model.discrete) policy.contract.action.table = {1, 2, 3, -1, -2, -3, 4, 5, 6};
    policy.parameters = test::random_parameters(model, 8);
    save_policy_file(path_, policy);
    expect_same(load_policy_file(path_), policy);
  }
}

/// What can be stepped, but belongs to no particle.
TEST_F(PolicyFileTest, RoundTripsAModelAlone) {
  PolicyFile policy = test::small_policy();
  policy.contract.observation.clear();
  policy.contract.action = {};
  save_policy_file(path_, policy);
  expect_same(load_policy_file(path_), policy);
}

TEST_F(PolicyFileTest, ReplacesAFileAndLeavesNothingBeside) {
  PolicyFile policy = test::small_policy();
  save_policy_file(path_, policy);
  policy.contract.provenance = "second";
  save_policy_file(path_, policy);
  EXPECT_EQ(load_policy_file(path_).contract.provenance, "second");
  const std::filesystem::directory_iterator files(folder_.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(PolicyFileTest, SavesCompletelyOrNotAtAll) {
  PolicyFile policy = test::small_policy();
  EXPECT_THAT(test::message_of([&] { save_policy_file(folder_ / "none/a.h5", policy); }),
              HasSubstr("cannot create"));
  policy.golden.value.pop_back();
  EXPECT_THAT(test::message_of([&] { save_policy_file(path_, policy); }),
              HasSubstr("'/golden/value' of shape (2) cannot be written from 1 values"));
  policy = test::small_policy();
  policy.parameters.erase("_log_std");
  EXPECT_THAT(test::message_of([&] { save_policy_file(path_, policy); }),
              HasSubstr("parameter '_log_std' is missing"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));

  std::filesystem::create_directory(path_);
  EXPECT_THAT(test::message_of([&] { save_policy_file(path_, test::small_policy()); }),
              HasSubstr("cannot write '" + path_ + "'"));
  const std::filesystem::directory_iterator files(folder_.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "a partial file was left behind";
}

/// Written with h5py's conventions alone: variable-length strings, float64 weights, nothing that
/// is optional.
TEST_F(PolicyFileTest, LoadsWhatOtherProgramsWrite) {
  const PolicyFile policy = test::small_policy();
  const hid_t file = H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* group : {"params", "observation", "action"})
    H5Gclose(H5Gcreate2(file, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  test::put_text(file, "/", "format", "dempilot-policy");
  test::put_integer(file, "/", "version", 1);
  test::put_text(file, "/", "model", "LSTMActorCritic");
  test::put_text(file, "/", "metadata", metadata_of(policy.contract.model).dump());
  test::put_text(file, "observation", "components",
                 components_to_json(policy.contract.observation).dump(2));
  test::put_text(file, "action", "target", "force");
  test::put_integer(file, "action", "scale", 2);  // a Python int
  for (const auto& [name, tensor] : policy.parameters) {
    const std::vector<double> values(tensor.values.begin(), tensor.values.end());
    const std::string stored = name == "_log_std" ? "actor_sigma.log_std" : name;
    test::put_dataset(file, "params/" + stored, H5T_NATIVE_DOUBLE,
                      {tensor.shape.begin(), tensor.shape.end()}, values.data());
  }
  const float unused[12] = {};
  test::put_dataset(file, "params/actor_mu.kernel", H5T_NATIVE_FLOAT, {4, 3}, unused);
  H5Fclose(file);

  PolicyFile expected = policy;
  expected.contract.action = {};
  expected.contract.action.scale = 2;
  expected.contract.timing = {};
  expected.contract.units = {};
  expected.contract.model.normalization = {};
  expected.contract.provenance = "";
  expected.golden = {};
  expect_same(load_policy_file(path_), expected);
}

TEST_F(PolicyFileTest, ParsesUnderTheNameOfAnotherFile) {
  save_policy_file(path_, test::small_policy());
  const auto bytes = read_policy_bytes(path_);
  PolicyFile other = test::small_policy();
  other.contract.provenance = "other";
  save_policy_file(path_, other);
  EXPECT_EQ(parse_policy_file(bytes, path_).contract.provenance,
            test::small_policy().contract.provenance);
}

}  // namespace
}  // namespace dempilot
