#include "plugin/lammps/EngineCheck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/Error.hpp"

namespace dempilot::lammps {
namespace {

using ::testing::HasSubstr;

Contract contract(std::size_t actions, ActionTarget target = ActionTarget::force) {
  Contract made;
  made.model.action_size = actions;
  made.action.target = target;
  made.observation = {{.kind = ComponentKind::velocity, .dimensions = 2, .bind = ""}};
  return made;
}

Contract sensing(ComponentKind kind, int dimensions) {
  Contract made = contract(2);
  made.observation.push_back({.kind = kind, .dimensions = dimensions, .bind = ""});
  return made;
}

const EngineTraits space{3, "sphere", true, true, false, false, true};
const EngineTraits plane{2, "sphere", true, true, false, false, true};
const EngineTraits points{3, "atomic", false, false, false, false, false};
const EngineTraits ellipsoids{3, "ellipsoid", true, false, true, true, false};
const EngineTraits dipoles{3, "hybrid sphere dipole", true, true, true, false, true};

std::string message(const Contract& wanted, const EngineTraits& engine) {
  try {
    check_engine(wanted, engine);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(EngineCheck, AcceptsWhatFits) {
  EXPECT_EQ(message(contract(3), space), "");
  EXPECT_EQ(message(contract(2), space), "");
  EXPECT_EQ(message(contract(2), plane), "");
  EXPECT_EQ(message(contract(2), points), "");
  EXPECT_EQ(message(contract(1, ActionTarget::torque), plane), "");
  EXPECT_EQ(message(contract(3, ActionTarget::torque), space), "");
  EXPECT_EQ(message(contract(3, ActionTarget::force_and_torque), plane), "");
  EXPECT_EQ(message(contract(6, ActionTarget::force_and_torque), space), "");
  EXPECT_EQ(message(sensing(ComponentKind::velocity, 2), plane), "");
  EXPECT_EQ(message(sensing(ComponentKind::angular_velocity, 1), plane), "");
}

TEST(EngineCheck, RefusesTheWrongDimension) {
  EXPECT_THAT(message(contract(3), plane), HasSubstr("acts by a force with 3 components"));
  EXPECT_THAT(message(contract(3, ActionTarget::torque), plane),
              HasSubstr("acts by a torque with 3 components"));
  EXPECT_THAT(message(contract(6, ActionTarget::force_and_torque), plane),
              HasSubstr("acts by a force_and_torque with 6 components"));
  EXPECT_THAT(
      message(sensing(ComponentKind::goal_direction, 3), plane),
      HasSubstr("senses 3 components of goal_direction (in this 2-dimensional simulation it "
                "has 2)"));
  EXPECT_THAT(message(sensing(ComponentKind::angular_velocity, 3), plane),
              HasSubstr("senses 3 components of angular_velocity (in this 2-dimensional simulation "
                        "it has 1)"));
}

TEST(EngineCheck, RefusesAnAtomStyleWithoutRotation) {
  EXPECT_THAT(message(contract(3, ActionTarget::torque), points),
              HasSubstr("atom style atomic has no torque (the policy acts by a torque)"));
  Contract damped = contract(3);
  damped.action.angular_drag = 0.1;
  EXPECT_THAT(message(damped, points),
              HasSubstr("atom style atomic has no torque (the policy damps rotation)"));
  EXPECT_THAT(message(sensing(ComponentKind::angular_velocity, 3), points),
              HasSubstr("atom style atomic has no angular velocity"));
  const EngineTraits ellipsoid{3, "ellipsoid", true, false, true};
  EXPECT_THAT(
      message(damped, ellipsoid),
      HasSubstr("atom style ellipsoid has no angular velocity (the policy damps rotation)"));
}

TEST(EngineCheck, RefusesABodyFrameWithoutAnOrientation) {
  Contract body = contract(3);
  body.action.frame = Frame::body;
  EXPECT_EQ(message(body, space),
            "atom style sphere has no orientation (the policy acts in the body frame). Use "
            "atom_style ellipsoid");
  EXPECT_EQ(message(body, ellipsoids), "");
}

TEST(EngineCheck, RefusesADirectorWithoutAnOrientation) {
  const Contract thrust = contract(1, ActionTarget::thrust);
  EXPECT_EQ(message(thrust, space),
            "atom style sphere has no orientation (the policy thrusts along the director). Use "
            "atom_style ellipsoid, or one with dipoles");
  EXPECT_EQ(message(thrust, dipoles), "");
  EXPECT_EQ(message(thrust, ellipsoids), "");
  EXPECT_EQ(message(contract(2, ActionTarget::thrust_and_turn), ellipsoids), "");
  EXPECT_EQ(message(contract(4, ActionTarget::thrust_and_turn), points),
            "atom style atomic has no torque (the policy acts by a torque). Use atom_style sphere "
            "or another style with torques");
  EXPECT_EQ(message(sensing(ComponentKind::director, 3), space),
            "atom style sphere has no orientation (the policy senses director). Use atom_style "
            "ellipsoid, or one with dipoles");
  EXPECT_EQ(message(sensing(ComponentKind::director, 3), dipoles), "");
}

TEST(EngineCheck, RefusesAxesThatADipoleDoesNotTell) {
  Contract sideways = contract(1, ActionTarget::thrust);
  sideways.action.axis = 1;
  EXPECT_EQ(message(sideways, dipoles),
            "atom style hybrid sphere dipole has no orientation (the policy thrusts along an axis "
            "that is not the body's x axis). Use atom_style ellipsoid");
  EXPECT_EQ(message(sideways, ellipsoids), "");
  Contract director = sensing(ComponentKind::director, 3);
  director.observation.back().axis = 2;
  EXPECT_THAT(message(director, dipoles),
              HasSubstr("(the policy senses a director that is not the body's x axis)"));
  EXPECT_THAT(message(sensing(ComponentKind::quaternion, 3), dipoles),
              HasSubstr("(the policy senses quaternion)"));
  Contract body = sensing(ComponentKind::velocity, 3);
  body.observation.back().frame = Frame::body;
  EXPECT_THAT(message(body, dipoles), HasSubstr("(the policy senses velocity in the body frame)"));
}

TEST(EngineCheck, RefusesAThrustOutOfThePlane) {
  Contract upwards = contract(1, ActionTarget::thrust);
  upwards.action.axis = 2;
  EXPECT_EQ(message(upwards, plane),
            "wrong dimension: the policy thrusts along the z axis of the body (this simulation is "
            "2-dimensional). Use a policy for 2 dimensions, or 'dimension 3'");
}

TEST(EngineCheck, RefusesRadiiThatAtomsDoNotHave) {
  EXPECT_EQ(message(sensing(ComponentKind::contact_count, 1), points),
            "atom style atomic has no radius (the policy senses contact_count). Use atom_style "
            "sphere");
  Contract sizes = sensing(ComponentKind::neighbors, 3);
  EXPECT_EQ(message(sizes, points), "");
  sizes.observation.back().radius = true;
  EXPECT_THAT(message(sizes, points), HasSubstr("(the policy senses the radius of neighbors)"));
  EXPECT_EQ(message(sizes, space), "");
}

TEST(EngineCheck, RefusesModelsThatBelongToNoParticle) {
  Contract alone = contract(3);
  alone.observation.clear();
  EXPECT_EQ(message(alone, space),
            "the policy does not say what it observes and how it acts (it was converted without a "
            "contract). Convert it again with 'dempilot convert ... --contract FILE'");
  Contract discrete = contract(4);
  discrete.model.discrete = true;
  EXPECT_EQ(message(discrete, space),
            "the policy's actions are 4 categories without a table (a category is no force or "
            "torque by itself). Convert it again with a contract whose action has a 'table'");
  discrete.action.table.assign(8, 1.0F);
  EXPECT_EQ(message(discrete, plane), "");
}

TEST(Mismatches, AreSaidWithBothNumbers) {
  Contract trained = contract(3);
  EXPECT_THAT(mismatches(trained, {0.005, 7, "si"}), ::testing::IsEmpty()) << "nothing is said";
  trained.timing = {0.002, 20};
  EXPECT_THAT(mismatches(trained, {0.002 * (1 + 1e-12), 20, "lj"}), ::testing::IsEmpty());
  EXPECT_THAT(mismatches(trained, {0.005, 10, "lj"}),
              ::testing::ElementsAre(
                  "the policy was trained with a time step of 0.002 (this simulation's is 0.005). "
                  "Write 'timestep 0.002', or see that it still does what it should",
                  "the policy was trained to decide every 20 steps (it decides every 10 here). "
                  "Write 'every 20', or see that it still does what it should"));
}

TEST(Mismatches, CompareTimeStepsInTheSimulationsUnits) {
  Contract trained = contract(3);
  trained.timing.time_step = 0.002;
  EXPECT_THAT(mismatches(trained, {0.02, 1, "lj", {1, 10, 1}}), ::testing::IsEmpty());
  EXPECT_THAT(mismatches(trained, {0.002, 1, "lj", {1, 10, 1}}),
              ::testing::ElementsAre(
                  "the policy was trained with a time step of 0.02 (this simulation's is 0.002). "
                  "Write 'timestep 0.02', or see that it still does what it should"));
}

TEST(Mismatches, CompareUnitsThatHaveASize) {
  Contract trained = contract(3);
  trained.units = {1e-3, 0, 1e-3};
  EXPECT_THAT(mismatches(trained, {0.005, 1, "lj"}), ::testing::IsEmpty());
  EXPECT_THAT(
      mismatches(trained, {0.005, 1, "cgs"}),
      ::testing::ElementsAre("the policy's unit of length is 0.001 m (here it stands for 0.01 m). "
                             "Use 'scale' or units that agree with the policy's"));
  EXPECT_THAT(mismatches(trained, {0.005, 1, "cgs", {0.1, 1, 1}}), ::testing::IsEmpty());
  EXPECT_THAT(mismatches(trained, {0.005, 1, "si"}), ::testing::SizeIs(2));
}

}  // namespace
}  // namespace dempilot::lammps
