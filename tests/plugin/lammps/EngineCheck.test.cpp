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
  return made;
}

Contract sensing(ComponentKind kind, int dimensions) {
  Contract made = contract(2);
  made.observation.push_back({.kind = kind, .dimensions = dimensions, .bind = ""});
  return made;
}

const EngineTraits space{3, "sphere", true, true};
const EngineTraits plane{2, "sphere", true, true};
const EngineTraits points{3, "atomic", false, false};

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
  EXPECT_EQ(message(sensing(ComponentKind::velocity, 2), plane), "");
  EXPECT_EQ(message(sensing(ComponentKind::angular_velocity, 1), plane), "");
}

TEST(EngineCheck, RefusesTheWrongDimension) {
  EXPECT_THAT(message(contract(3), plane), HasSubstr("acts by a force with 3 components"));
  EXPECT_THAT(message(contract(3, ActionTarget::torque), plane),
              HasSubstr("acts by a torque with 3 components"));
  EXPECT_THAT(message(contract(1), space), HasSubstr("has 1 actions for a force"));
  EXPECT_THAT(message(contract(4, ActionTarget::torque), space),
              HasSubstr("has 4 actions for a torque"));
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
  const EngineTraits ellipsoid{3, "ellipsoid", true, false};
  EXPECT_THAT(
      message(damped, ellipsoid),
      HasSubstr("atom style ellipsoid has no angular velocity (the policy damps rotation)"));
}

}  // namespace
}  // namespace dempilot::lammps
