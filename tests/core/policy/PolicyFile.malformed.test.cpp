#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/policy/PolicyFile.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"
#include "tests/core/policy/SmallPolicy.hpp"

/// Every way in which a policy file can be wrong, and what it is told.
namespace dempilot {
namespace {

using testing::HasSubstr;

struct Fault {
  std::string name;
  std::function<void(hid_t)> edit;
  std::string message;  ///< after "'<path>': " unless it starts with something else
};

void PrintTo(const Fault& fault, std::ostream* stream) {
  *stream << fault.name;
}

Fault text(const std::string& name, const std::string& object, const std::string& attribute,
           const std::string& value, const std::string& message) {
  return {name, [=](hid_t id) { test::put_text(id, object, attribute, value); }, message};
}

Fault metadata(const std::string& name, const std::string& value, const std::string& message) {
  return text(name, "/", "metadata", value, message);
}

Fault number(const std::string& name, const std::string& object, const std::string& attribute,
             double value, const std::string& message) {
  return {name, [=](hid_t id) { test::put_double(id, object, attribute, value); }, message};
}

Fault removed(const std::string& name, const std::string& link, const std::string& message) {
  return {name, [=](hid_t id) { test::remove_link(id, link); }, message};
}

Fault without_attribute(const std::string& name, const std::string& object,
                        const std::string& attribute, const std::string& message) {
  return {name, [=](hid_t id) { test::remove_attribute(id, object, attribute); }, message};
}

Fault weight(const std::string& name, float value, const std::string& message) {
  return {name, [=](hid_t id) { test::poke(id, "params/fused_head.bias", 2, value); }, message};
}

/// A dataset of this type and shape to which nothing is written.
Fault dataset(const std::string& name, const std::string& path, hid_t type,
              const std::vector<hsize_t>& shape, const std::string& message) {
  return {name, [=](hid_t id) { test::put_dataset(id, path, type, shape, nullptr); }, message};
}

std::vector<Fault> root_faults() {
  return {
      text("Format", "/", "format", "other",
           "is no policy file (its attribute 'format' is not 'dempilot-policy') convert your model "
           "with dempilot's tools, see docs/policy_file.md"),
      without_attribute("NoFormat", "/", "format", "is no policy file"),
      {"Version", [](hid_t id) { test::put_integer(id, "/", "version", 2); },
       "policy format version 2 (this release reads version 1) convert it again, or use a release "
       "that reads it"},
      text("VersionIsText", "/", "version", "1",
           "'/' has an attribute 'version' that is no number"),
      without_attribute("NoVersion", "/", "version", "'/' lacks the attribute 'version'"),
      without_attribute("NoModel", "/", "model", "'/' lacks the attribute 'model'"),
      text("UnknownModel", "/", "model", "Transformer",
           "unknown model 'Transformer' (known: LSTMActorCritic, MinGRUActorCritic, "
           "SharedActorCritic, ActorCritic, RecurrentActorCritic)"),
      text("LongModel", "/", "model", std::string(100'000, 'x'),
           "unknown model '" + std::string(80, 'x') + "...' (known: LSTMActorCritic, "),
      text("ModelWithControlCharacters", "/", "model", "\x1b[2J\n",
           "unknown model '?[2J?' (known: LSTMActorCritic, "),
      {"ModelIsANumber", [](hid_t id) { test::put_integer(id, "/", "model", 3); },
       "'/' has an attribute 'model' that is no string"},
      without_attribute("NoMetadata", "/", "metadata", "'/' lacks the attribute 'metadata'"),
      {"ProvenanceIsANumber", [](hid_t id) { test::put_integer(id, "/", "provenance", 3); },
       "'/' has an attribute 'provenance' that is no string"},
      {"UnknownGroup",
       [](hid_t id) { H5Gclose(H5Gcreate2(id, "extras", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); },
       "unknown '/extras' (known: params, normalization, observation, action, timing, units, "
       "golden) remove it, or use a release that reads it"},
  };
}

std::vector<Fault> metadata_faults() {
  return {
      metadata("MetadataIsNoJson", "{\"a\": ",
               "attribute 'metadata' of '/' is no JSON (\"{\"a\": "
               "\") write it as JSON"),
      metadata("MetadataIsNoJsonAndLong", std::string(100'000, 'x'),
               "attribute 'metadata' of '/' is no JSON (\"" + std::string(40, 'x') +
                   "...\") write it as JSON"),
      metadata(
          "ActivationWithANul",
          R"({"observation_space_size":5,"action_space_size":3,"activation":"a\u0000b"})",
          "unknown activation 'a?b' (known: gelu, gelu_erf, tanh, relu, leaky_relu, silu, elu, "
          "sigmoid, softplus, identity) convert the policy to one of these"),
      metadata("UnknownKeyWithANul",
               R"({"observation_space_size":5,"action_space_size":3,"a\u0000b":1})",
               "metadata has the unknown key 'a?b' (a misspelling, or a newer format) remove it"),
      metadata("MetadataIsAList", "[]", "metadata is no JSON object"),
      metadata("DeepMetadata", std::string(30'000, '['),
               "attribute 'metadata' of '/' is nested deeper than 16 levels"),
      metadata(
          "DeepClosedMetadata",
          "{\"action_space_size\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}",
          "attribute 'metadata' of '/' is nested deeper than 16 levels"),
      metadata("UnknownActivation",
               R"({"observation_space_size":5,"action_space_size":3,"activation":"mish"})",
               "unknown activation 'mish'"),
      metadata("HugeWidth",
               R"({"observation_space_size":5,"action_space_size":3,"lstm_features":1000000000})",
               "metadata has 'lstm_features' = 1000000000 (an integer from 1 to 16384 expected)"),
      metadata(
          "HugeModel",
          R"({"observation_space_size":5,"action_space_size":3,"hidden_features":16384,"lstm_features":16384})",
          "the model would have 2147713031 parameters (at most 134217728 are read) check its "
          "widths"),
      metadata(
          "AnotherWidth",
          R"({"observation_space_size":5,"action_space_size":3,"hidden_features":8,"lstm_features":4})",
          "'/params/cell.dense_i.kernel' has shape (7, 16) (expected (8, 16)) check what "
          "wrote the file"),
      metadata(
          "AnotherVariant",
          R"({"observation_space_size":5,"action_space_size":3,"hidden_features":7,"lstm_features":4,"variant":"seed"})",
          "'/params/actor.bias' is missing"),
  };
}

/// The head's bias as an extensible dataset of chunks of so many values, through a filter or none.
void put_packed(hid_t id, hsize_t chunk, H5Z_filter_t filter) {
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(properties, 1, &chunk);
  if (filter == H5Z_FILTER_NBIT) H5Pset_nbit(properties);
  const hsize_t size = 4;
  const hsize_t unlimited = H5S_UNLIMITED;
  const hid_t space = H5Screate_simple(1, &size, &unlimited);
  test::remove_link(id, "params/fused_head.bias");
  const hid_t dataset = H5Dcreate2(id, "params/fused_head.bias", H5T_NATIVE_FLOAT, space,
                                   H5P_DEFAULT, properties, H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(properties);
}

std::vector<Fault> parameter_faults() {
  return {
      removed("NoParameters", "params", "'/params/_log_std' is missing"),
      removed("NoKernel", "params/cell.dense_h.kernel",
              "'/params/cell.dense_h.kernel' is missing (the file lacks it or links elsewhere)"),
      dataset("Transposed", "params/cell.dense_h.kernel", H5T_NATIVE_FLOAT, {16, 4},
              "'/params/cell.dense_h.kernel' has shape (16, 4) (expected (4, 16))"),
      dataset("Flat", "params/cell.dense_h.kernel", H5T_NATIVE_FLOAT, {64},
              "has shape (64) (expected (4, 16))"),
      dataset("Enormous", "params/cell.dense_h.kernel", H5T_NATIVE_FLOAT,
              {1ULL << 40U, 1ULL << 18U}, "has shape (1099511627776, 262144) (expected (4, 16))"),
      dataset("Overflowing", "params/cell.dense_h.kernel", H5T_NATIVE_INT8,
              {1ULL << 31U, 1ULL << 31U}, "'/params/cell.dense_h.kernel' ha"),
      weight("Nan", NAN,
             "parameter 'fused_head.bias' holds nan at index 2 (weights must be finite)"),
      weight("Infinity", INFINITY, "parameter 'fused_head.bias' holds inf at index 2"),
      {"BeyondFloat",
       [](hid_t id) {
         const double bias[4] = {0, 1e39, 0, 0};
         test::put_dataset(id, "params/fused_head.bias", H5T_NATIVE_DOUBLE, {4}, bias);
       },
       "parameter 'fused_head.bias' holds inf at index 1"},
      {"UnknownGroupWithControlCharacters",
       [](hid_t id) {
         H5Gclose(H5Gcreate2(id, "params/\x1b[2J", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
       },
       "unknown 'params/?[2J' (known: "},
      dataset("UnknownDataset", "params/encoder.layers.4.bias", H5T_NATIVE_FLOAT, {7},
              "unknown 'params/encoder.layers.4.bias' (known: "),
  };
}

/// Parameters that are not stored as plain floats in the file itself.
std::vector<Fault> type_faults() {
  return {
      dataset("Integers", "params/cell.dense_h.bias", H5T_NATIVE_INT, {16},
              "'/params/cell.dense_h.bias' holds integers (floats expected) store floats"),
      {"Strings",
       [](hid_t id) {
         const hid_t type = H5Tcopy(H5T_C_S1);
         H5Tset_size(type, 8);
         test::put_dataset(id, "params/cell.dense_h.bias", type, {16}, nullptr);
         H5Tclose(type);
       },
       "'/params/cell.dense_h.bias' is not numeric (HDF5 type class 3) store integers or floats"},
      {"Group",
       [](hid_t id) {
         test::remove_link(id, "params/fused_head.bias");
         H5Gclose(H5Gcreate2(id, "params/fused_head.bias", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
       },
       "'/params/fused_head.bias' cannot be opened (it is no dataset"},
      {"NullSpace",
       [](hid_t id) {
         test::remove_link(id, "params/fused_head.bias");
         const hid_t space = H5Screate(H5S_NULL);
         H5Dclose(H5Dcreate2(id, "params/fused_head.bias", H5T_NATIVE_FLOAT, space, H5P_DEFAULT,
                             H5P_DEFAULT, H5P_DEFAULT));
         H5Sclose(space);
       },
       "'/params/fused_head.bias' has shape () (expected (4))"},
      {"UnknownGroupWithControlCharacters",
       [](hid_t id) {
         H5Gclose(H5Gcreate2(id, "params/\x1b[2J", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
       },
       "unknown 'params/?[2J' (known: "},
  };
}

std::vector<Fault> storage_faults() {
  return {
      {"External",
       [](hid_t id) {
         test::remove_link(id, "params/fused_head.bias");
         H5Lcreate_external("/etc/hostname", "/x", id, "params/fused_head.bias", H5P_DEFAULT,
                            H5P_DEFAULT);
       },
       "'/params/fused_head.bias' is missing (the file lacks it or links elsewhere)"},
      {"ExternalStorage",
       [](hid_t id) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         H5Pset_external(properties, "/etc/passwd", 0, 16);
         test::put_dataset(id, "params/fused_head.bias", H5T_NATIVE_FLOAT, {4}, nullptr,
                           properties);
         H5Pclose(properties);
       },
       "'/params/fused_head.bias' keeps its values outside the file (external or virtual storage) "
       "store them inside"},
      {"VirtualDataset",
       [](hid_t id) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t size = 4;
         const hid_t space = H5Screate_simple(1, &size, nullptr);
         H5Pset_virtual(properties, space, "/etc/other.h5", "/x", space);
         test::put_dataset(id, "params/fused_head.bias", H5T_NATIVE_FLOAT, {4}, nullptr,
                           properties);
         H5Sclose(space);
         H5Pclose(properties);
       },
       "'/params/fused_head.bias' keeps its values outside the file"},
      {"HugeChunk", [](hid_t id) { put_packed(id, hsize_t{1} << 27U, H5Z_FILTER_NONE); },
       "'/params/fused_head.bias' has chunks of more than 16777216 values (they would be unpacked "
       "at "
       "once) store smaller ones"},
      {"RareFilter", [](hid_t id) { put_packed(id, 4, H5Z_FILTER_NBIT); },
       "'/params/fused_head.bias' is stored through filter 5 (gzip, shuffle and fletcher32 are "
       "read)"},
  };
}

std::string many_components(int count) {
  std::string list;
  for (int i = 0; i < count; ++i)
    list += std::string(i == 0 ? "[" : ",") + R"({"name":"lidar","range":3,"n_azimuth":3})";
  return list + "]";
}

std::vector<Fault> contract_faults() {
  const std::string lidar = R"({"name":"lidar","range":3,"n_azimuth":3})";
  return {
      removed("NoObservation", "observation",
              "'/action' without '/observation' (a particle needs both, a model alone neither) add "
              "the other"),
      without_attribute("NoComponents", "observation", "components",
                        "'/observation' lacks the attribute 'components'"),
      text("ComponentsAreNoJson", "observation", "components", "velocity",
           "attribute 'components' of '/observation' is no JSON (\"velocity\") write it as JSON"),
      text("TooNarrow", "observation", "components", "[" + lidar + "]",
           "the observation components are 3 wide (lidar 3) but the model takes 5 (they must add "
           "up) correct the components"),
      text("TooWide", "observation", "components", "[" + lidar + "," + lidar + "]",
           "the observation components are 6 wide (lidar 3 + lidar 3) but the model takes 5"),
      text("ManyComponents", "observation", "components", many_components(100),
           "the observation components are 300 wide (lidar 3 + lidar 3"),
      text("UnknownComponent", "observation", "components", R"([{"name":"smell"}])",
           "unknown observation component 'smell'"),
      text("DeepComponents", "observation", "components", std::string(1'000'000, '['),
           "attribute 'components' of '/observation' is nested deeper than 16 levels"),
      removed("NoAction", "action",
              "'/observation' without '/action' (a particle needs both, a model alone neither) add "
              "the other"),
      without_attribute("NoTarget", "action", "target", "'/action' lacks the attribute 'target'"),
      text("TargetWithControlCharacters", "action", "target", "for\tce",
           "unknown action target 'for?ce' (known: force, torque, force_and_torque, thrust, "
           "thrust_and_turn, velocity) convert the "
           "policy to one of these"),
      text("UnknownTarget", "action", "target", "wish",
           "unknown action target 'wish' (known: force, torque, force_and_torque, thrust, "
           "thrust_and_turn, velocity) convert the "
           "policy to one of these"),
      text("UnknownFrame", "action", "frame", "moon",
           "unknown frame 'moon' (known: lab, body) convert the policy to one of these"),
      {"TableOfContinuousActions",
       [](hid_t id) {
         test::put_floats(id, "action/table", {3, 3}, std::vector<float>(9));
       },
       "'/action/table' with continuous actions (they act by themselves) remove it"},
      number("NanScale", "action", "scale", NAN,
             "attribute 'scale' of '/action' is nan (a finite number expected) correct it"),
      number("InfiniteDrag", "action", "drag", INFINITY, "attribute 'drag' of '/action' is inf"),
      text("ScaleIsText", "action", "angular_drag", "none",
           "'/action' has an attribute 'angular_drag' that is no number"),
      number("MisspeltDrag", "action", "angular_drg", 5,
             "'/action' has 6 attributes, of which 1 are unknown (known: target, frame, scale, "
             "drag, angular_drag, axis, bind) correct or remove them"),
      text("UnknownRootAttribute", "/", "units", "si",
           "'/' has 6 attributes, of which 1 are unknown"),
  };
}

std::vector<Fault> normalization_faults() {
  return {
      dataset("MeanOfAnotherWidth", "normalization/mean", H5T_NATIVE_DOUBLE, {4},
              "'/normalization/mean' has shape (4) (expected (5))"),
      removed("NoVariance", "normalization/variance", "'/normalization/variance' is missing"),
      {"NegativeVariance",
       [](hid_t id) {
         const double values[5] = {1, 1, -1e-3, 1, 1};
         test::put_dataset(id, "normalization/variance", H5T_NATIVE_DOUBLE, {5}, values);
       },
       "the normalization of entry 2 has mean -0.1 and variance -0.001 (numbers that an "
       "observation "
       "can be divided by are needed) correct it"},
      {"NanMean",
       [](hid_t id) {
         const double values[5] = {0, NAN, 0, 0, 0};
         test::put_dataset(id, "normalization/mean", H5T_NATIVE_DOUBLE, {5}, values);
       },
       "the normalization of entry 1 has mean nan and variance 0.5 (numbers that an observation "
       "can "
       "be divided by are needed) correct it"},
      number("ClipOfZero", "normalization", "clip", 0,
             "the normalization clips at 0 with epsilon 0.001 (more than 0, and 0 or more, are "
             "needed) correct it"),
      number("InfiniteClip", "normalization", "clip", INFINITY,
             "attribute 'clip' of '/normalization' is inf (a finite number expected) correct it"),
      number("NegativeEpsilon", "normalization", "epsilon", -1,
             "the normalization clips at 1.5 with epsilon -1 (more than 0, and 0 or more, are "
             "needed) correct it"),
      number("UnknownNormalization", "normalization", "std", 1,
             "'/normalization' has 3 attributes, of which 1 are unknown (known: epsilon, clip)"),
      dataset("UnknownStatistics", "normalization/std", H5T_NATIVE_DOUBLE, {5},
              "unknown 'normalization/std' (known: mean, variance)"),
  };
}

std::vector<Fault> timing_faults() {
  return {
      number("NegativeLength", "units", "length", -1,
             "attribute 'length' of '/units' is -1 (a positive number expected) correct it"),
      number("NoTime", "units", "time", 0,
             "attribute 'time' of '/units' is 0 (a positive number expected) correct it"),
      number("UnknownUnit", "units", "charge", 1,
             "'/units' has 4 attributes, of which 1 are unknown (known: length, time, mass)"),
      number("NegativeTimeStep", "timing", "time_step", -1,
             "'/timing' holds a negative number (time_step -1, decision_interval 10) correct it"),
      number("NanTimeStep", "timing", "time_step", NAN,
             "attribute 'time_step' of '/timing' is nan"),
      {"NegativeInterval",
       [](hid_t id) { test::put_integer(id, "timing", "decision_interval", -2); },
       "'/timing' holds a negative number (time_step 0.002, decision_interval -2)"},
      number("FractionalInterval", "timing", "decision_interval", 1.5,
             "'/timing' has an attribute 'decision_interval' that is no integer"),
  };
}

std::vector<Fault> golden_faults() {
  return {
      removed("GoldenWithoutRows", "golden/observation", "'/golden/observation' is missing"),
      removed("GoldenWithoutCarry", "golden/carry", "'/golden/carry' is missing"),
      dataset("GoldenOfAnotherWidth", "golden/action", H5T_NATIVE_FLOAT, {2, 4},
              "'/golden/action' has shape (2, 4) (expected (2, 3))"),
      dataset("GoldenOfNoRows", "golden/observation", H5T_NATIVE_FLOAT, {0, 5},
              "'/golden/observation' has 0 rows (1 to 4096 are read) write so many"),
      dataset("GoldenOfManyRows", "golden/observation", H5T_NATIVE_FLOAT, {1ULL << 40U, 5},
              "'/golden/observation' has 1099511627776 rows (1 to 4096 are read)"),
      number("GoldenTolerance", "golden", "tolerance", NAN,
             "attribute 'tolerance' of '/golden' is nan"),
      number("GoldenThatAllowsAnything", "golden", "tolerance", 1e30,
             "'/golden' allows errors of 1e+30 (more than 0 and at most 0.01 are allowed) correct "
             "it"),
      number("GoldenThatAllowsNothing", "golden", "tolerance", 0,
             "'/golden' allows errors of 0 (more than 0 and at most 0.01 are allowed) correct it"),
      dataset("UnknownGolden", "golden/extra", H5T_NATIVE_FLOAT, {1},
              "unknown 'golden/extra' (known: observation, carry, mean, std, action, value, "
              "next_carry)"),
  };
}

class MalformedPolicyFile : public testing::TestWithParam<Fault> {};

TEST_P(MalformedPolicyFile, IsRefusedWithAMessage) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  save_policy_file(path, test::small_policy());
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  test::edit_file(path, GetParam().edit);
  const std::string message = test::message_of([&] { load_policy_file(path); });
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, HasSubstr("'" + path + "'"));
}

const auto name_of_fault = [](const auto& fault) { return fault.param.name; };
INSTANTIATE_TEST_SUITE_P(Root, MalformedPolicyFile, testing::ValuesIn(root_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Metadata, MalformedPolicyFile, testing::ValuesIn(metadata_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Parameters, MalformedPolicyFile, testing::ValuesIn(parameter_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Types, MalformedPolicyFile, testing::ValuesIn(type_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Storage, MalformedPolicyFile, testing::ValuesIn(storage_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Contract, MalformedPolicyFile, testing::ValuesIn(contract_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Normalization, MalformedPolicyFile,
                         testing::ValuesIn(normalization_faults()), name_of_fault);
INSTANTIATE_TEST_SUITE_P(Timing, MalformedPolicyFile, testing::ValuesIn(timing_faults()),
                         name_of_fault);
INSTANTIATE_TEST_SUITE_P(Golden, MalformedPolicyFile, testing::ValuesIn(golden_faults()),
                         name_of_fault);

}  // namespace
}  // namespace dempilot
