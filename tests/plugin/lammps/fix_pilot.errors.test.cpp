// Whatever a script gets wrong is said at once, on all ranks, with what to do about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/Pilot.hpp"
#include "tests/plugin/lammps/LammpsRun.hpp"
#include "tests/plugin/lammps/TestPolicies.hpp"

namespace dempilot::lammps::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A few atoms in a box; `style`, `dimension` and `boundary` as LAMMPS spells them.
std::string world(const std::string& style = "sphere", const std::string& boundary = "p p p") {
  return "units lj\natom_style " + style + "\nboundary " + boundary +
         "\nregion box block 0 8 0 8 0 8\ncreate_box 1 box\ncreate_atoms 1 random 20 77 box\n" +
         (style == "atomic" ? "mass 1 1.0\n" : "") +
         "pair_style zero 1.0\npair_coeff * *\nfix move all nve\n";
}

std::string plane_world() {
  return "units lj\natom_style sphere\ndimension 2\nregion box block 0 8 0 8 -0.5 0.5\n"
         "create_box 1 box\ncreate_atoms 1 random 20 77 box\npair_style zero 1.0\npair_coeff * *\n"
         "fix move all nve\nfix plane all enforce2d\n";
}

class Errors : public ::testing::Test {
 protected:
  void save(const PolicyFile& policy) const { save_policy_file(lammps.file("policy.h5"), policy); }

  /// Message of `fix pilot all pilot policy.h5 <options>` after `before`, with `policy`.
  std::string error_of(const PolicyFile& policy, const std::string& options,
                       const std::string& before = world(), int ranks = 1) const {
    save(policy);
    return lammps.expect_error(before + "fix pilot all pilot policy.h5 " + options + "\nrun 1\n",
                               ranks);
  }

  LammpsRun lammps;
  PolicyFile seeker = make_policy({velocity(), goal_direction()});
  std::string bound = "bind goal 1 2 3 ";
};

TEST_F(Errors, UnknownKeyword) {
  EXPECT_THAT(error_of(seeker, bound + "evry 5"),
              AllOf(HasSubstr("Fix pilot pilot: unknown keyword 'evry'"),
                    HasSubstr("Remove or correct it"), HasSubstr(".cpp:")));
}

TEST_F(Errors, RanksOfDifferentInstructionSets) {
  if (std::string(instruction_set()) == "baseline") GTEST_SKIP() << "there is but one";
  lammps.start_through(
      "case ${OMPI_COMM_WORLD_RANK-${PMI_RANK-}} in 1) export DEMPILOT_SIMD=baseline;; esac\n"
      "exec \"$@\"\n");
  EXPECT_THAT(error_of(seeker, bound, world(), 2),
              AllOf(HasSubstr("rank 1 would decide by baseline and rank 0 by "),
                    HasSubstr("set the environment variable DEMPILOT_SIMD")));
}

TEST_F(Errors, UnknownInstructionSet) {
  lammps.start_through("export DEMPILOT_SIMD=fastest\nexec \"$@\"\n");
  EXPECT_THAT(error_of(seeker, bound), AllOf(HasSubstr("DEMPILOT_SIMD asks for 'fastest'"),
                                             HasSubstr("choose one of these")));
}

TEST_F(Errors, UnboundName) {
  EXPECT_THAT(
      error_of(seeker, "", world(), 2),
      AllOf(HasSubstr("'goal' is not bound"), HasSubstr("Add e.g. 'bind goal v_x v_y v_z'")));
}

TEST_F(Errors, BindingThatThePolicyDoesNotWant) {
  EXPECT_THAT(error_of(seeker, bound + "bind beacon 1 2 3"),
              HasSubstr("the policy wants no 'beacon' (it wants: goal). Remove or correct"));
}

TEST_F(Errors, GoalWithTooFewCoordinates) {
  EXPECT_THAT(error_of(seeker, "bind goal 1 2"),
              HasSubstr("'goal' is bound to 2 coordinates (it has 3). Write 'bind goal X Y Z'"));
}

TEST_F(Errors, GoalThatIsNotUnderstood) {
  EXPECT_THAT(error_of(seeker, "bind goal 1 2 here"),
              HasSubstr("bind goal: 'here' is not understood"));
}

TEST_F(Errors, GoalFromSomethingMissing) {
  const auto error = [&](const std::string& z) { return error_of(seeker, "bind goal 1 2 " + z); };
  EXPECT_THAT(error("v_none"), HasSubstr("there is no variable 'none'"));
  EXPECT_THAT(error("c_none[1]"), HasSubstr("there is no compute 'none'"));
  EXPECT_THAT(error("f_none"), HasSubstr("there is no fix 'none'"));
  EXPECT_THAT(error("d_none"), HasSubstr("there is no per-atom property 'd_none'"));
  EXPECT_THAT(error("c_thermo_temp"), HasSubstr("does not compute per-atom values"));
}

TEST_F(Errors, GoalFromTheWrongColumn) {
  const std::string before = world() +
                             "compute where all property/atom x y z\n"
                             "compute single all property/atom x\n"
                             "variable words string a\n";
  EXPECT_THAT(error_of(seeker, "bind goal 1 2 c_where[4]", before), HasSubstr("it has 3 columns"));
  EXPECT_THAT(error_of(seeker, "bind goal 1 2 c_single[1]", before), HasSubstr("it has 0 columns"));
  EXPECT_THAT(error_of(seeker, "bind goal 1 2 v_words", before), HasSubstr("has the wrong style"));
}

TEST_F(Errors, TargetsThatAreNoGroup) {
  const PolicyFile watcher = make_policy({lidar(2.0, 4, 2)});
  EXPECT_THAT(error_of(watcher, "bind targets nobody"), HasSubstr("there is no group 'nobody'"));
  EXPECT_THAT(error_of(watcher, "bind targets all recrd"), HasSubstr("unknown keyword 'recrd'"));
}

TEST_F(Errors, TargetsWithTooFewCoordinates) {
  const PolicyFile watcher = make_policy({lidar(2.0, 4, 2)});
  EXPECT_THAT(
      error_of(watcher, "bind targets 1 2"),
      HasSubstr("'targets' is bound to 2 coordinates (it has 3). Write 'bind targets X Y Z'"));
  EXPECT_THAT(error_of(watcher, "bind targets 1 2 here"),
              HasSubstr("bind targets: 'here' is not understood"));
  EXPECT_THAT(error_of(watcher, "bind targets 1 2 3 recrd"), HasSubstr("unknown keyword 'recrd'"));
}

TEST_F(Errors, RangeOfManyPeriods) {
  EXPECT_THAT(error_of(make_policy({lidar(161.0, 4, 2)}), "", world(), 2),
              HasSubstr("Fix pilot pilot: the policy senses 161 far in a box that repeats itself "
                        "every 8 (every atom would be seen more than 40 times along this side). "
                        "Use a larger box"));
  save(make_policy({lidar(161.0, 4, 2)}));
  lammps.expect_success(world("sphere", "f f f") + "fix pilot all pilot policy.h5\nrun 1\n");
}

TEST_F(Errors, WrongDimension) {
  EXPECT_THAT(error_of(make_policy({velocity(2)}, 3), "", plane_world()),
              HasSubstr("wrong dimension: the policy acts by a force with 3 components"));
  EXPECT_THAT(error_of(make_policy({velocity(3)}, 2), "", plane_world()),
              HasSubstr("wrong dimension: the policy senses 3 components of velocity"));
  EXPECT_THAT(error_of(make_policy({lidar(2.0, 4, 2)}, 2), "", plane_world()),
              HasSubstr("wrong dimension: the policy's lidar has 2 bins of elevation"));
}

TEST_F(Errors, AtomStyleWithoutRotation) {
  ActionSpec turn;
  turn.target = ActionTarget::torque;
  EXPECT_THAT(error_of(make_policy({velocity()}, 3, turn), "", world("atomic")),
              HasSubstr("atom style atomic has no torque (the policy acts by a torque). Use "
                        "atom_style sphere"));
  EXPECT_THAT(error_of(make_policy({angular_velocity()}), "", world("atomic")),
              HasSubstr("atom style atomic has no angular velocity (the policy senses "
                        "angular_velocity). Use atom_style sphere"));
}

TEST_F(Errors, MissingPolicyFile) {
  EXPECT_THAT(lammps.expect_error(world() + "fix pilot all pilot nowhere.h5\n", 2),
              HasSubstr("Fix pilot pilot: cannot open 'nowhere.h5' (no such file) check the path"));
}

TEST_F(Errors, CorruptPolicyFile) {
  lammps.write("text.h5", "this is not a policy");
  EXPECT_THAT(lammps.expect_error(world() + "fix pilot all pilot text.h5\n", 2),
              HasSubstr("'text.h5' (not an HDF5 file)"));
  save(seeker);
  const auto path = lammps.file("policy.h5");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(lammps.expect_error(world() + "fix pilot all pilot policy.h5 " + bound, 2),
              HasSubstr("'policy.h5' (truncated or damaged HDF5 file)"));
}

TEST_F(Errors, GoldenRowsThatDoNotComeOut) {
  GoldenRows& golden = seeker.golden;
  golden.rows = 1;
  golden.observation.assign(6, 0.5F);
  golden.carry.assign(32, 0.0F);
  golden.action.assign(3, 7.0F);
  golden.value.assign(1, 7.0F);
  golden.next_carry.assign(32, 7.0F);
  EXPECT_THAT(
      error_of(seeker, bound, world(), 2),
      AllOf(HasSubstr("its golden rows do not come out ('/golden/action' is off by"),
            HasSubstr("the weights or the metadata are not those of the model that wrote the "
                      "rows: convert it again")));
}

TEST_F(Errors, Respa) {
  EXPECT_THAT(error_of(seeker, bound + "\nrun_style respa 2 2 pair 1"),
              HasSubstr("run style respa is not supported"));
}

TEST_F(Errors, TriclinicBox) {
  save(seeker);
  const std::string before =
      "units lj\natom_style sphere\nregion box prism 0 8 0 8 0 8 1 0 0\n"
      "create_box 1 box\n";
  EXPECT_THAT(lammps.expect_error(before + "fix pilot all pilot policy.h5 " + bound + "\n"),
              HasSubstr("the box is triclinic"));
}

TEST_F(Errors, AtomsWithoutIds) {
  save(seeker);
  const std::string before =
      "units lj\natom_style sphere\natom_modify id no\n"
      "region box block 0 8 0 8 0 8\ncreate_box 1 box\n";
  EXPECT_THAT(lammps.expect_error(before + "fix pilot all pilot policy.h5 " + bound + "\n"),
              HasSubstr("atoms have no IDs"));
}

TEST_F(Errors, WallsOfAnUnknownRegion) {
  const PolicyFile watcher = make_policy({lidar(2.0, 4, 2, true)});
  EXPECT_THAT(error_of(watcher, "walls region nowhere"), HasSubstr("there is no region 'nowhere'"));
}

TEST_F(Errors, FixThatIsNotUpToDate) {
  const std::string before = world() + "fix mean all ave/atom 1 1 2 x\n";
  EXPECT_THAT(error_of(seeker, "bind goal f_mean 0 0", before),
              HasSubstr("fix 'mean' has no values on step 1 (it computes them every 2 steps)"));
}

}  // namespace
}  // namespace dempilot::lammps::testing
