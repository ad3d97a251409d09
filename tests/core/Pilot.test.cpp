#include "core/Pilot.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/reference/ReferencePolicy.hpp"
#include "tests/core/Models.hpp"

namespace dempilot {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Velocity in the plane and the direction to a goal, then one spare lidar bin: five entries.
std::vector<ObservationComponent> components() {
  ObservationComponent velocity;
  velocity.kind = ComponentKind::velocity;
  velocity.dimensions = 2;
  ObservationComponent goal;
  goal.kind = ComponentKind::goal_displacement;
  goal.dimensions = 2;
  goal.bind = "home";
  ObservationComponent lidar;
  lidar.kind = ComponentKind::lidar;
  lidar.n_azimuth = 1;
  lidar.range = 4;
  lidar.bind = "grains";
  return {velocity, goal, lidar};
}

PolicyFile policy_file(const ModelSpec& model) {
  PolicyFile policy;
  policy.contract.model = model;
  policy.contract.observation = components();
  policy.parameters = test::random_parameters(model, 1);
  return policy;
}

/// Golden rows as the oracle computes them.
GoldenRows golden_rows(const PolicyFile& policy, std::size_t rows) {
  const ModelSpec& model = policy.contract.model;
  const reference::ReferencePolicy oracle(model, policy.parameters);
  GoldenRows golden;
  golden.rows = rows;
  golden.observation = test::random_values<float>(rows * model.observation_size, 4);
  golden.carry = test::random_values<float>(rows * model.carry_size(), 5);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto slice = [&](const std::vector<float>& all) {
      const auto width = static_cast<std::ptrdiff_t>(all.size() / rows);
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(row) * width;
      return std::vector<double>(first, first + width);
    };
    std::vector<double> carry = slice(golden.carry);
    const auto decision = oracle.step(slice(golden.observation), carry);
    const auto append = [](std::vector<float>& to, const std::vector<double>& from) {
      for (const double x : from)
        to.push_back(static_cast<float>(x));
    };
    append(golden.mean, decision.mean);
    append(golden.std, decision.std);
    append(golden.action, decision.action);
    append(golden.next_carry, carry);
    append(golden.value, {decision.value});
  }
  return golden;
}

/// A crew of agents and what came of their last decision.
struct Crew {
  std::vector<float> rows, carry, action, value, log_prob;
  std::vector<std::int64_t> ids;

  Crew(const Pilot& pilot, std::size_t agents, std::uint64_t seed = 9)
      : rows(test::random_values<float>(agents * pilot.observation_size(), seed)),
        carry(test::random_values<float>(agents * pilot.carry_size(), seed + 1)),
        action(agents * pilot.action_size()),
        value(agents),
        log_prob(agents),
        ids(agents) {
    for (std::size_t i = 0; i < agents; ++i)
      ids[i] = static_cast<std::int64_t>(100 + i);
  }

  void decide(const Pilot& pilot, DecisionMode mode = DecisionMode::mean, std::uint64_t seed = 1,
              std::int64_t decision = 0, std::int64_t all_agents = Pilot::many) {
    pilot.decide(rows, carry, ids, mode, seed, decision, {action, value, log_prob}, all_agents);
  }
};

std::vector<ModelSpec> models() {
  return {test::recurrent_model(ModelVariant::current, ActionSpaceKind::box),
          test::recurrent_model(ModelVariant::seed, ActionSpaceKind::max_norm, Activation::elu, 2),
          test::min_gru_model(ActionSpaceKind::box),
          test::feed_forward_model(ActionSpaceKind::free, Activation::silu),
          test::with_sigma_head(test::separate_model()),
          test::with_normalization(
              test::stacked_model(CellKind::lstm, CriticMemory::own, ActionSpaceKind::clipped)),
          test::stacked_model(CellKind::gru, CriticMemory::none)};
}

TEST(Pilot, DecidesAsTheReferenceDoes) {
  for (const ModelSpec& model : models()) {
    const PolicyFile policy = policy_file(model);
    const Pilot pilot(policy, "a.h5");
    EXPECT_EQ(pilot.observation_size(), model.observation_size);
    EXPECT_EQ(pilot.action_size(), model.action_size);
    EXPECT_EQ(pilot.carry_size(), model.carry_size());
    EXPECT_EQ(pilot.contract(), policy.contract);
    const reference::ReferencePolicy oracle(model, policy.parameters);
    Crew crew(pilot, 21);
    std::vector<double> carry(crew.carry.begin(), crew.carry.end());
    for (int step = 0; step < 3; ++step) {
      crew.decide(pilot);
      for (std::size_t i = 0; i < 21; ++i) {
        const auto row = crew.rows.begin() + static_cast<std::ptrdiff_t>(5 * i);
        const std::vector<double> observation(row, row + 5);
        const auto expected = oracle.step(
            observation, std::span(carry).subspan(i * model.carry_size(), model.carry_size()));
        for (std::size_t a = 0; a < model.action_size; ++a)
          ASSERT_NEAR(crew.action[i * model.action_size + a], expected.action[a], 5e-6);
        ASSERT_NEAR(crew.value[i], expected.value, 5e-6);
      }
    }
    for (std::size_t i = 0; i < carry.size(); ++i)
      ASSERT_NEAR(crew.carry[i], carry[i], 5e-6);
  }
}

TEST(Pilot, ActsByTheRowOfTheTableThatADiscreteActionNames) {
  PolicyFile policy =
      policy_file(test::with_discrete_actions(test::stacked_model(CellKind::gru, {})));
  const Pilot raw(policy, "a.h5");
  policy.contract.action.table = {10, 11, 20, 21, 30, 31};
  policy.golden = golden_rows(policy, 5);  // their action is the index, whatever the table
  const Pilot pilot(policy, "a.h5");
  EXPECT_EQ(raw.action_size(), 1U);
  ASSERT_EQ(pilot.action_size(), 2U);
  Crew indices(raw, 50);
  Crew crew(pilot, 50);
  indices.decide(raw, DecisionMode::sample);
  crew.decide(pilot, DecisionMode::sample);
  std::array<int, 3> counts{};
  for (std::size_t i = 0; i < 50; ++i) {
    const auto category = static_cast<std::size_t>(indices.action[i]);
    ++counts.at(category);
    EXPECT_EQ(crew.action[2 * i], 10.0F * static_cast<float>(category + 1));
    EXPECT_EQ(crew.action[2 * i + 1], 10.0F * static_cast<float>(category + 1) + 1);
  }
  EXPECT_THAT(counts, testing::Each(testing::Gt(0)));
  EXPECT_TRUE(test::same_bits(crew.carry, indices.carry));
}

TEST(Pilot, GivesMeanAndDeviationToWhoAsks) {
  const PolicyFile policy = policy_file(models()[0]);
  const Pilot pilot(policy, "a.h5");
  const GoldenRows golden = golden_rows(policy, 7);
  Crew crew(pilot, 7);
  crew.rows = golden.observation;
  crew.carry = golden.carry;
  std::vector<float> mean(21);
  std::vector<float> std(21);
  pilot.decide(crew.rows, crew.carry, crew.ids, DecisionMode::mean, 1, 0,
               {crew.action, crew.value, crew.log_prob, mean, std});
  for (std::size_t i = 0; i < 21; ++i) {
    EXPECT_NEAR(mean[i], golden.mean[i], 2e-6);
    EXPECT_NEAR(std[i], golden.std[i], 2e-6);
  }
}

/// Where the engine does not say how many agents there are, and where it does.
TEST(Pilot, DecidesForAnAgentWhateverItsCompany) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  for (const auto& [agents, agent, all_agents] :
       {std::tuple{40, 23, Pilot::many}, {40, 23, std::int64_t{40}}, {5, 2, std::int64_t{5}}}) {
    Crew crew(pilot, static_cast<std::size_t>(agents));
    Crew alone(pilot, 1);
    const auto i = static_cast<std::size_t>(agent);
    alone.rows = {&crew.rows[i * 5], &crew.rows[i * 5] + 5};
    alone.carry = {&crew.carry[i * 18], &crew.carry[i * 18] + 18};
    alone.ids = {crew.ids[i]};
    crew.decide(pilot, DecisionMode::sample, 3, 17, all_agents);
    alone.decide(pilot, DecisionMode::sample, 3, 17, all_agents);
    EXPECT_TRUE(test::same_bits(alone.action.data(), &crew.action[i * 3], 12)) << agents;
    EXPECT_TRUE(test::same_bits(alone.carry.data(), &crew.carry[i * 18], 72)) << agents;
    EXPECT_TRUE(test::same_bits(alone.log_prob.data(), &crew.log_prob[i], 4)) << agents;
  }
}

TEST(Pilot, NoiseIsThatOfSeedIdAndDecision) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  const auto act = [&](std::uint64_t seed, std::int64_t id, std::int64_t decision) {
    Crew crew(pilot, 1);
    crew.ids = {id};
    crew.decide(pilot, DecisionMode::sample, seed, decision);
    return crew.action;
  };
  const auto base = act(1, 2, 3);
  EXPECT_EQ(act(1, 2, 3), base);
  EXPECT_NE(act(2, 2, 3), base);
  EXPECT_NE(act(1, 3, 3), base);
  EXPECT_NE(act(1, 2, 4), base);
  EXPECT_NE(act(1, 2 + (std::int64_t{1} << 40), 3), base);
}

TEST(Pilot, MeanModeHearsNothingOfTheNoise) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  Crew a(pilot, 4);
  Crew b(pilot, 4);
  b.ids = {5, 6, 7, 8};
  a.decide(pilot, DecisionMode::mean, 1, 0);
  b.decide(pilot, DecisionMode::mean, 2, 9);
  EXPECT_TRUE(test::same_bits(a.action, b.action));
  EXPECT_TRUE(test::same_bits(a.carry, b.carry));
}

TEST(Pilot, CarryIsReadAndReplaced) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  Crew crew(pilot, 2);
  const auto before = crew.carry;
  crew.decide(pilot);
  const auto first = crew.action;
  EXPECT_NE(crew.carry, before);
  crew.decide(pilot);
  EXPECT_NE(crew.action, first);
  crew.carry = before;
  crew.decide(pilot);
  EXPECT_EQ(crew.action, first);
}

TEST(Pilot, NobodyToDecideForIsFine) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  Crew nobody(pilot, 0);
  EXPECT_NO_THROW(nobody.decide(pilot));
}

TEST(Pilot, RefusesSpansThatDoNotFit) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  const auto message = [&](auto spoil) {
    Crew crew(pilot, 2);
    spoil(crew);
    return test::message_of([&] { crew.decide(pilot); });
  };
  EXPECT_THAT(message([](Crew& crew) { crew.rows.pop_back(); }),
              HasSubstr("cannot decide for 2 agents (observations 9, carry 36, ids 2, actions 6 "
                        "entries) give 10, 36, 2 and 6"));
  EXPECT_THAT(message([](Crew& crew) { crew.carry.pop_back(); }), HasSubstr("carry 35"));
  EXPECT_THAT(message([](Crew& crew) { crew.ids.pop_back(); }), HasSubstr("ids 1"));
  EXPECT_THAT(message([](Crew& crew) { crew.action.pop_back(); }), HasSubstr("actions 5"));
  EXPECT_THAT(message([](Crew& crew) { crew.log_prob.pop_back(); }),
              HasSubstr("cannot decide for 2 agents"));
}

TEST(Pilot, ReplaysGoldenRows) {
  for (const ModelSpec& model : models()) {
    PolicyFile policy = policy_file(model);
    policy.golden = golden_rows(policy, 19);
    EXPECT_NO_THROW(Pilot(policy, "a.h5"));
  }
}

TEST(Pilot, RefusesGoldenRowsThatDoNotComeOut) {
  PolicyFile good = policy_file(models()[0]);
  good.golden = golden_rows(good, 6);
  const auto message = [&](auto spoil) {
    PolicyFile policy = good;
    spoil(policy);
    return test::message_of([&] { Pilot(policy, "a.h5"); });
  };
  EXPECT_THAT(message([](PolicyFile& p) { p.golden.action[7] += 0.01F; }),
              AllOf(HasSubstr("'a.h5': its golden rows do not come out ('/golden/action' is off by "
                              "0.01"),
                    HasSubstr("allowed 1e-05) the weights or the metadata are not those of the "
                              "model that wrote the rows: convert it again")));
  EXPECT_THAT(message([](PolicyFile& p) { p.golden.value[5] += 0.01F; }),
              HasSubstr("'/golden/value' is off by"));
  EXPECT_THAT(message([](PolicyFile& p) { p.golden.next_carry[100] += 0.01F; }),
              HasSubstr("'/golden/next_carry' is off by 0.01"));
  EXPECT_THAT(message([](PolicyFile& p) { p.golden.value[0] = NAN; }),
              HasSubstr("'/golden/value' is off by inf"));
  EXPECT_THAT(message([](PolicyFile& p) { p.parameters["fused_head.bias"].values[3] += 0.001F; }),
              HasSubstr("'/golden/value' is off by 0.001"));
  EXPECT_THAT(message([](PolicyFile& p) { p.golden.tolerance = 0; }), HasSubstr("allowed 0)"));
  EXPECT_THAT(message([](PolicyFile& p) { p.contract.model.activation = Activation::relu; }),
              HasSubstr("its golden rows do not come out"));
  EXPECT_EQ(test::message_of([&] {
              PolicyFile policy = good;
              policy.golden.action[0] += 0.5F;
              policy.golden.tolerance = 1;
              Pilot(policy, "a.h5");
              fail("accepted");
            }),
            "accepted");
}

TEST(Pilot, RefusesParametersThatDoNotFit) {
  PolicyFile policy = policy_file(models()[0]);
  policy.parameters.erase("_log_std");
  EXPECT_THAT(test::message_of([&] { Pilot(policy, "a.h5"); }),
              HasSubstr("'a.h5': parameter '_log_std' is missing"));
}

TEST(Pilot, ObservesAScene) {
  const Pilot pilot(policy_file(models()[0]), "a.h5");
  EXPECT_EQ(pilot.observer().goals(), std::vector<std::string>{"home"});
  ASSERT_EQ(pilot.observer().target_groups().size(), 1U);
  EXPECT_EQ(pilot.observer().target_groups()[0].name, "grains");
  EXPECT_EQ(pilot.observer().target_groups()[0].range, 4);
  EXPECT_TRUE(pilot.observer().wall_sets().empty());

  const std::vector<double> position{1, 2, 0};
  const std::vector<double> velocity{0.5, -0.25, 0};
  const std::vector<double> grain{1, 3, 0};  // 1 away
  const std::vector<std::int64_t> ids{1, 2};
  const std::vector<double> goal{-1, 2.5, 0};
  const std::vector<std::int32_t> agents{0};
  Scene scene;
  scene.dimension = 2;
  scene.particle_count = 1;
  scene.position = position.data();
  scene.velocity = velocity.data();
  scene.agents = agents;
  scene.goals = {goal.data()};
  scene.identity = ids.data();
  SeenParticles grains;
  grains.count = 1;
  grains.position = grain.data();
  grains.identity = ids.data() + 1;
  scene.targets = {grains};
  std::vector<float> rows(5);
  pilot.observe(scene, rows);
  EXPECT_EQ(rows, (std::vector<float>{0.5F, -0.25F, 2, -0.5F, 0.75F}));
}

TEST(Runtime, NeedsAThread) {
  EXPECT_THAT(test::message_of([] { initialize_runtime(0); }),
              HasSubstr("cannot start 0 threads (at least one is needed) ask for 1 or more"));
  EXPECT_NO_THROW(initialize_runtime(64)) << "later calls return silently";
}

}  // namespace
}  // namespace dempilot
