#include "plugin/lammps/FixOptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "core/Error.hpp"

namespace dempilot::lammps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FixOptions parse(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return parse_options(words);
}

std::string message(const std::string& line) {
  try {
    parse(line);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(FixOptions, HaveDefaults) {
  const FixOptions options = parse("a.policy.h5");
  EXPECT_EQ(options.policy_path, "a.policy.h5");
  EXPECT_EQ(options.every, 0);
  EXPECT_FALSE(options.sample);
  EXPECT_FALSE(options.observations);
  EXPECT_FALSE(options.strict);
  EXPECT_TRUE(options.walls.empty());
  EXPECT_EQ(options.reset_every, 0);
  EXPECT_TRUE(options.bindings.empty());
  EXPECT_FALSE(options.record.has_value());
}

TEST(FixOptions, ReadAllKeywords) {
  const FixOptions options = parse(
      "p.h5 every 7 mode sample 18446744073709551615 bind goal v_x c_1[2] 3 bind targets grains "
      "walls region a b walls box reset every 100 restart f.h5 observations yes strict yes "
      "scale 1e-3 0.01 2 precision bf16");
  EXPECT_EQ(options.every, 7);
  EXPECT_TRUE(options.sample);
  EXPECT_EQ(options.seed, 18446744073709551615U);
  ASSERT_EQ(options.bindings.size(), 2U);
  EXPECT_EQ(options.bindings[0].name, "goal");
  EXPECT_THAT(options.bindings[0].arguments, ElementsAre("v_x", "c_1[2]", "3"));
  EXPECT_THAT(options.bindings[1].arguments, ElementsAre("grains"));
  EXPECT_THAT(options.walls, ElementsAre("a", "b", "box"));
  EXPECT_EQ(options.reset_every, 100);
  EXPECT_EQ(options.restart_path, "f.h5");
  EXPECT_TRUE(options.observations);
  EXPECT_TRUE(options.strict);
  EXPECT_THAT(options.scale, ElementsAre(1e-3, 0.01, 2));
  EXPECT_EQ(options.precision, "bf16");
  EXPECT_EQ(parse("p.h5 reset region cell every 2").reset_region, "cell");
}

TEST(FixOptions, ResetMayFollowAVariable) {
  const FixOptions options = parse("p.h5 reset v_born every 3");
  EXPECT_EQ(options.reset_variable, "v_born");
  EXPECT_EQ(options.reset_every, 0);
  EXPECT_EQ(options.every, 3);
}

TEST(FixOptions, TellTheIntervalOfARecordingFromThatOfDecisions) {
  for (const char* line :
       {"p.h5 record every every 4 flush 9 carry yes reward v_r done c_d[2] every 3",
        "p.h5 every 3 record every every 4 done c_d[2] carry yes reward v_r flush "
        "9 observations no"}) {
    const FixOptions options = parse(line);
    EXPECT_EQ(options.every, 3);
    ASSERT_TRUE(options.record.has_value());
    EXPECT_EQ(options.record->path, "every");  // a folder may have any name
    EXPECT_EQ(options.record->every, 4);
    EXPECT_EQ(options.record->flush, 9);
    EXPECT_TRUE(options.record->carry);
    EXPECT_EQ(options.record->reward, "v_r");
    EXPECT_EQ(options.record->done, "c_d[2]");
  }
  const FixOptions options = parse("p.h5 record r every 1");
  EXPECT_EQ(options.every, 0);
  EXPECT_EQ(options.record->flush, 0);
  EXPECT_FALSE(options.record->carry);
  EXPECT_EQ(options.record->reward, "");
}

TEST(FixOptions, SayWhatPrecisionsThereAre) {
  EXPECT_EQ(message("p.h5 precision fp16"),
            "'precision' is 'fp16' (products are computed in fp32, tf32x3, tf32 or bf16) set it to "
            "one of these");
  EXPECT_EQ(message("p.h5 precision"),
            "the keyword in 'precision NAME' has 0 arguments (it takes 1). Write 'precision NAME'");
}

TEST(FixOptions, SayWhatIsWrongWithARecording) {
  const std::string usage =
      "the keyword 'record' is not followed by what it takes (a folder, and how many decisions lie "
      "between those that are recorded). Write 'record FOLDER every N'";
  EXPECT_EQ(message("p.h5 record"), usage);
  EXPECT_EQ(message("p.h5 record r"), usage);
  EXPECT_EQ(message("p.h5 record r every"), usage);
  EXPECT_EQ(message("p.h5 record r flush 3"), usage);
  EXPECT_EQ(message("p.h5 record r every 0"),
            "'record every' cannot be '0' (it is a whole number of at least 1). Correct the "
            "argument");
  EXPECT_EQ(message("p.h5 record r every 1 flush 0"),
            "'record flush' cannot be '0' (it is a whole number of at least 1). Correct the "
            "argument");
  EXPECT_EQ(message("p.h5 record r every 1 carry maybe"),
            "'carry' cannot be 'maybe' (it is yes or no). Write 'carry yes'");
  EXPECT_EQ(message("p.h5 record r every 1 reward"),
            "'reward' of the keyword 'record' lacks its argument (it takes one). Write 'reward "
            "v_name'");
  EXPECT_EQ(message("p.h5 record r every 1 flush every 3"),
            "'flush' of the keyword 'record' lacks its argument (it takes one). Write 'flush M'");
  EXPECT_EQ(message("p.h5 record r every 1 record s every 1"),
            "'record' is given twice (a fix makes one recording). Remove one of the two");
  EXPECT_EQ(message("p.h5 record r every 1 speed 3"),
            "unknown keyword 'speed' (known are every, mode, bind, walls, reset, restart, record, "
            "observations, strict, scale and precision). Remove or correct it");
}

TEST(FixOptions, SayWhatIsWrong) {
  EXPECT_THAT(message(""), HasSubstr("no policy is named"));
  EXPECT_THAT(message("p.h5 scales 1 1 1"), HasSubstr("unknown keyword 'scales' (known are every"));
  EXPECT_THAT(message("p.h5 every 0"), HasSubstr("'every' cannot be '0' (it is a whole number of "
                                                 "at least 1)"));
  EXPECT_THAT(message("p.h5 every 2x"), HasSubstr("'every' cannot be '2x'"));
  EXPECT_THAT(message("p.h5 every"), HasSubstr("has 0 arguments (it takes 1). Write 'every N'"));
  EXPECT_THAT(message("p.h5 every 5 scales 1 1 1"), HasSubstr("unknown keyword 'scales'"));
  EXPECT_THAT(message("p.h5 mode loud"), HasSubstr("unknown mode 'loud'"));
  EXPECT_THAT(message("p.h5 mode sample"), HasSubstr("Write 'mode sample SEED'"));
  EXPECT_THAT(message("p.h5 mode sample -1"),
              HasSubstr("the seed of 'mode sample' cannot be '-1'"));
  EXPECT_THAT(message("p.h5 bind goal"), HasSubstr("the keyword 'bind' lacks arguments"));
  EXPECT_THAT(message("p.h5 bind g 1 bind g 2"), HasSubstr("'g' is bound twice"));
  EXPECT_THAT(message("p.h5 walls round"), HasSubstr("unknown walls 'round'"));
  EXPECT_THAT(message("p.h5 walls region"), HasSubstr("Write 'walls box' or 'walls region ID"));
  EXPECT_THAT(message("p.h5 reset never"),
              HasSubstr("Write 'reset every N', 'reset v_name' or 'reset region ID'"));
  EXPECT_THAT(message("p.h5 reset"),
              HasSubstr("Write 'reset every N', 'reset v_name' or 'reset region ID'"));
  EXPECT_EQ(message("p.h5 scale 1 1e-160 1"),
            "'scale 1 1e-160 1' makes units of 1e+160 for velocities, inf for forces and inf for "
            "torques (they must be numbers that can be computed with). Correct the arguments");
  EXPECT_THAT(message("p.h5 reset region"), HasSubstr("Write 'reset region ID'"));
  EXPECT_THAT(message("p.h5 scale 1 2"),
              HasSubstr("has 2 arguments (it takes 3). Write 'scale L T M'"));
  for (const std::string& number :
       std::vector<std::string>{"0", "-1", "nan", "inf", "1e-320", "one"}) {
    EXPECT_EQ(message("p.h5 scale 1 " + number + " 1"),
              "'scale' cannot be '" + number +
                  "' (it is what one unit of the policy's length, time and mass is in units of the "
                  "simulation: three positive numbers). Correct the argument");
  }
  EXPECT_THAT(message("p.h5 observations maybe"), HasSubstr("'observations' cannot be 'maybe'"));
  EXPECT_EQ(message("p.h5 strict 1"),
            "'strict' cannot be '1' (it is yes or no). Write 'strict yes'");
}

}  // namespace
}  // namespace dempilot::lammps
