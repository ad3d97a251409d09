#include <gmock/gmock.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "core/policy/Initialization.hpp"
#include "tests/core/Models.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"

/// The tool as its users meet it: exit status and what it prints.
namespace dempilot {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
  int status = -1;
  std::string output;  ///< standard output and error
};

Outcome tool(const std::string& arguments) {
  const std::string command = std::string("'") + DEMPILOT_TOOL + "' " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer{};
  while (fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr)
    outcome.output += buffer.data();
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(DEMPILOT_GOLDEN_DIR) / name;
}

class Verify : public testing::Test {
 protected:
  test::TemporaryFolder folder_;

  /// A copy of a golden file that may be spoiled.
  std::string copy(const std::string& name) {
    std::filesystem::copy_file(golden(name), folder_ / name);
    return (folder_ / name).string();
  }
};

TEST_F(Verify, RecomputesWhatItSupports) {
  const Outcome outcome =
      tool("verify '" + golden("current-mlp-shared.h5").string() + "' --parts sequence");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("verify: PASS in 1 file"), HasSubstr("Serial"),
                                    HasSubstr("reference"), HasSubstr("float"), HasSubstr("double"),
                                    Not(HasSubstr("FAILED"))));
}

TEST_F(Verify, NamesTheQuantitiesThatPerturbedWeightsSpoil) {
  const std::string file = copy("current-lstm-small-box.h5");
  test::edit_file(file, [](hid_t id) {
    const hid_t dataset = H5Dopen2(id, "params/fused_head.bias", H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    float bias[3];  // two actions and the value
    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bias);
    bias[2] += 1e-3F;
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, bias);
    H5Dclose(dataset);
  });
  const Outcome outcome = tool("verify '" + file + "' --parts single,sequence,action");
  EXPECT_EQ(outcome.status, 1);
  const auto failed = [](const std::string& quantity) {
    return testing::ContainsRegex(quantity + " [^\n]*FAILED");
  };
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("verify: FAIL"), failed("single/value"), failed("sequence/value"),
                    Not(failed("sequence/mean")), Not(failed("single/h"))));
}

TEST_F(Verify, SaysWhatItDoesNotSupport) {
  const Outcome outcome =
      tool("verify '" + golden("current-lstm-small-box.h5").string() + "' --parts gradient");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("not supported yet: part 'gradient'"), HasSubstr("verify: FAIL")));
}

TEST_F(Verify, RefusesWhatIsNoGoldenFile) {
  const std::string missing = (folder_ / "none.h5").string();
  EXPECT_THAT(tool("verify '" + missing + "'").output,
              HasSubstr("ERROR: cannot open '" + missing + "' (no such file) check the path"));
  EXPECT_EQ(tool("verify '" + missing + "'").status, 1);

  const Outcome directory = tool("verify '" + folder_.path().string() + "'");
  EXPECT_EQ(directory.status, 1);
  EXPECT_THAT(directory.output, HasSubstr("it is no regular file"));

  test::write_bytes(folder_ / "text.h5", std::as_bytes(std::span("no HDF5")));
  const Outcome text = tool("verify '" + (folder_ / "text.h5").string() + "'");
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.output, HasSubstr("not an HDF5 file"));
}

TEST_F(Verify, GoesOnAfterABadFileAndStillFails) {
  const Outcome outcome = tool("verify '" + (folder_ / "none.h5").string() + "' '" +
                               golden("current-mlp-shared.h5").string() + "' --parts single");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("no such file"), HasSubstr("single/mean"),
                                    HasSubstr("FAIL in 2 files")));
}

TEST_F(Verify, RefusesMissingWeightsAndAnUnknownPart) {
  const std::string file = copy("current-mlp-shared.h5");
  test::edit_file(file, [](hid_t id) { test::remove_link(id, "params/critic.bias"); });
  const Outcome outcome = tool("verify '" + file + "'");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("'" + file + "': '/params/critic.bias' is missing"));
  const Outcome part = tool("verify '" + file + "' --parts everything");
  EXPECT_NE(part.status, 0);
  EXPECT_THAT(part.output, HasSubstr("everything"));
}

TEST_F(Verify, RefusesHostileCases) {
  const std::string discrete = copy("current-lstm-discrete.h5");
  test::edit_file(discrete, [](hid_t id) {
    const hid_t dataset = H5Dopen2(id, "distribution/action", H5P_DEFAULT);
    ASSERT_GE(dataset, 0);
    const std::vector<long long> actions(54, 1'000'000'000'000);  // (9, 6)
    H5Dwrite(dataset, H5T_NATIVE_LLONG, H5S_ALL, H5S_ALL, H5P_DEFAULT, actions.data());
    H5Dclose(dataset);
  });
  EXPECT_THAT(
      tool("verify '" + discrete + "' --parts distribution").output,
      HasSubstr("'/distribution/action' holds 1000000000000 (there are 5 actions) check what "
                "wrote the file"));

  const std::string deep = copy("current-mlp-shared.h5");
  test::edit_file(deep,
                  [](hid_t id) { test::put_text(id, "/", "case", std::string(500'000, '[')); });
  EXPECT_THAT(tool("verify '" + deep + "'").output,
              HasSubstr("attribute 'case' of '/' is nested deeper than 16 levels"));
}

TEST_F(Verify, FailsWhereAPartThatWasAskedForIsMissing) {
  const std::string file = copy("current-mlp-shared.h5");
  test::edit_file(file, [](hid_t id) { test::remove_link(id, "single"); });
  const Outcome outcome = tool("verify '" + file + "' --parts single,sequence");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("FAILED: the file does not hold part 'single'"));
}

class Info : public Verify {};

TEST_F(Info, DescribesAPolicyAndRefusesAnythingElse) {
  PolicyFile policy;
  policy.contract.model = test::recurrent_model(ModelVariant::current);
  policy.parameters = initialize_parameters(policy.contract.model, 1);
  ObservationComponent lidar;
  lidar.kind = ComponentKind::lidar;
  lidar.range = 4;
  lidar.n_azimuth = 5;
  lidar.bind = "grains";
  policy.contract.observation = {lidar};
  policy.contract.provenance = "made by a test";
  const std::string path = (folder_ / "a.policy.h5").string();
  save_policy_file(path, policy);
  const Outcome outcome = tool("info '" + path + "'");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("LSTMActorCritic"), HasSubstr("18 floats of memory an agent"),
                    HasSubstr("\"bind\":\"grains\""), HasSubstr("3 -> force"),
                    HasSubstr("made by a test"), HasSubstr("golden rows  none")));

  const Outcome refused = tool("info '" + golden("current-mlp-shared.h5").string() + "'");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("is no policy file"));
}

TEST(Tool, NeedsACommand) {
  EXPECT_NE(tool("").status, 0);
  EXPECT_EQ(tool("--help").status, 0);
  EXPECT_NE(tool("verify").status, 0);
}

}  // namespace
}  // namespace dempilot
