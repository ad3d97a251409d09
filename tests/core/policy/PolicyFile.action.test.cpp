#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/policy/PolicyFile.hpp"
#include "tests/core/TemporaryFolder.hpp"
#include "tests/core/io/RawHdf5.hpp"
#include "tests/core/policy/SmallPolicy.hpp"

/// How a policy acts: what its file may say, and what else it is told.
namespace dempilot {
namespace {

using testing::HasSubstr;

/// A small policy that acts so.
PolicyFile acting(ActionTarget target, std::size_t actions) {
  PolicyFile policy = test::small_policy();
  policy.golden = {};
  policy.contract.model =
      test::recurrent_model(ModelVariant::seed, ActionSpaceKind::free, {}, actions);
  policy.contract.action.target = target;
  policy.contract.action.frame = Frame::lab;
  if (target == ActionTarget::velocity) policy.contract.action.bind = "aim";
  policy.parameters = test::random_parameters(policy.contract.model, 1);
  return policy;
}

TEST(ActionTargets, MustFitTheNumberOfActions) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  const auto load = [&](std::size_t actions, ActionTarget target) {
    save_policy_file(path, acting(target, actions));
    return load_policy_file(path);
  };
  EXPECT_NO_THROW(load(2, ActionTarget::force));
  EXPECT_NO_THROW(load(3, ActionTarget::force));
  EXPECT_NO_THROW(load(1, ActionTarget::torque));
  EXPECT_NO_THROW(load(3, ActionTarget::torque));
  EXPECT_NO_THROW(load(3, ActionTarget::force_and_torque));
  EXPECT_NO_THROW(load(6, ActionTarget::force_and_torque));
  EXPECT_THAT(test::message_of([&] { load(1, ActionTarget::force); }),
              HasSubstr("'" + path +
                        "': 1 actions cannot be a force (a force takes 2 or 3) choose another "
                        "target"));
  EXPECT_THAT(test::message_of([&] { load(2, ActionTarget::torque); }),
              HasSubstr("2 actions cannot be a torque (a torque 1 or 3) choose another target"));
  EXPECT_THAT(test::message_of([&] { load(4, ActionTarget::force_and_torque); }),
              HasSubstr("4 actions cannot be a force_and_torque (both take 3 in the plane, or 6) "
                        "choose another target"));
  EXPECT_NO_THROW(load(1, ActionTarget::thrust));
  EXPECT_NO_THROW(load(2, ActionTarget::thrust_and_turn));
  EXPECT_NO_THROW(load(4, ActionTarget::thrust_and_turn));
  EXPECT_NO_THROW(load(2, ActionTarget::velocity));
  EXPECT_NO_THROW(load(3, ActionTarget::velocity));
  EXPECT_THAT(test::message_of([&] { load(2, ActionTarget::thrust); }),
              HasSubstr("2 actions cannot be a thrust (a thrust takes 1) choose another target"));
  EXPECT_THAT(test::message_of([&] { load(3, ActionTarget::thrust_and_turn); }),
              HasSubstr("3 actions cannot be a thrust_and_turn (it takes 2 in the plane, or 4) "
                        "choose another target"));
  EXPECT_THAT(test::message_of([&] { load(4, ActionTarget::velocity); }),
              HasSubstr("4 actions cannot be a velocity (a velocity takes 2 or 3) choose another "
                        "target"));
}

TEST(ActionTable, MustHaveARowOfFiniteNumbersForEachAction) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  const auto load = [&](const std::vector<hsize_t>& shape, float value) {
    PolicyFile policy = test::small_policy();
    policy.golden = {};
    policy.contract.model = test::with_discrete_actions(test::feed_forward_model());
    policy.contract.action.table = std::vector<float>(9, 1.0F);
    policy.parameters = test::random_parameters(policy.contract.model, 1);
    save_policy_file(path, policy);
    test::edit_file(path, [&](hid_t id) {
      test::put_floats(id, "action/table", shape, std::vector<float>(shape[0] * shape[1], value));
    });
    return load_policy_file(path).contract.acting_width();
  };
  EXPECT_EQ(load({3, 1}, 1), 1U);
  EXPECT_EQ(load({3, 3}, 1), 3U);
  EXPECT_THAT(test::message_of([&] {
                load({2, 3}, 1);
              }),
              HasSubstr("'" + path +
                        "': '/action/table' has shape (2, 3) (a row of 1 to 6 numbers for each of "
                        "the 3 actions is needed) correct it"));
  EXPECT_THAT(test::message_of([&] {
                load({3, 7}, 1);
              }),
              HasSubstr("'/action/table' has shape (3, 7)"));
  EXPECT_THAT(test::message_of([&] {
                load({3, 2}, 1);
              }),
              HasSubstr("2 actions cannot be a torque (a torque 1 or 3)"));
  EXPECT_THAT(test::message_of([&] {
                load({3, 3}, NAN);
              }),
              HasSubstr("'/action/table' holds a number that is not finite (it is a force) correct "
                        "it"));
}

/// A file whose action is `target`, edited.
std::string message_after(ActionTarget target, std::size_t actions,
                          const std::function<void(hid_t)>& edit) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  save_policy_file(path, acting(target, actions));
  test::edit_file(path, edit);
  return test::message_of([&] { load_policy_file(path); });
}

TEST(ActionArguments, BelongToTheirTargetAlone) {
  const auto axis = [](std::int64_t value) {
    return [value](hid_t id) { test::put_integer(id, "action", "axis", value); };
  };
  const auto bind = [](const char* value) {
    return [value](hid_t id) { test::put_text(id, "action", "bind", value); };
  };
  const std::string no_axis =
      "attribute 'axis' of '/action' is no axis (0, 1 and 2 are x, y and z)"
      " correct it";
  for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{3}, INT64_MAX, INT64_MIN})
    EXPECT_THAT(message_after(ActionTarget::thrust, 1, axis(value)), HasSubstr(no_axis));
  EXPECT_THAT(message_after(ActionTarget::force, 3, axis(1)),
              HasSubstr("'/action' has an axis (only a thrust has one; the target is force) remove "
                        "it"));
  EXPECT_THAT(message_after(ActionTarget::force, 3, bind("aim")),
              HasSubstr("'/action' binds a name (only a target velocity does; the target is force) "
                        "remove it"));
  for (const char* name : {"", "a\tb"})
    EXPECT_THAT(message_after(ActionTarget::velocity, 3, bind(name)),
                HasSubstr("attribute 'bind' of '/action' is no name (1 to 80 printable characters "
                          "are needed) correct it"));
  EXPECT_THAT(message_after(ActionTarget::thrust, 1,
                            [](hid_t id) { test::put_text(id, "action", "frame", "body"); }),
              HasSubstr("'/action' has target thrust and frame body (a thrust turns with the body "
                        "anyway) leave the frame out"));
}

TEST(ActionArguments, SurviveAFile) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  PolicyFile policy = acting(ActionTarget::thrust_and_turn, 2);
  ActionSpec& action = policy.contract.action;
  action.axis = 2;
  save_policy_file(path, policy);
  EXPECT_EQ(load_policy_file(path).contract.action, action);
  action.target = ActionTarget::velocity;
  action.axis = 0;
  action.bind = "aim";
  save_policy_file(path, policy);
  EXPECT_EQ(load_policy_file(path).contract.action, action);
}

TEST(PreviousAction, MustHaveTheEntriesOfAnAction) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "a.policy.h5").string();
  PolicyFile policy = acting(ActionTarget::force, 3);
  policy.contract.observation = {{}, {}};
  policy.contract.observation[0].dimensions = 3;
  policy.contract.observation[1].kind = ComponentKind::previous_action;
  policy.contract.observation[1].dimensions = 2;
  ASSERT_EQ(policy.contract.model.observation_size, 5U);
  save_policy_file(path, policy);
  EXPECT_THAT(test::message_of([&] { load_policy_file(path); }),
              HasSubstr("the previous action is observed with 2 entries (an action has 3) correct "
                        "it"));
}

}  // namespace
}  // namespace dempilot
