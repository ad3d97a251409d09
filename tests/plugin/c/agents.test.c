/* What agents decide, remember, forget, and hand over. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { crew_size = 37 };

/* Largest |a - b| / max(1, max |b|). */
static double deviation(const float* found, const float* expected, size_t count) {
  double largest = 0;
  double scale = 1;
  size_t i;
  for (i = 0; i < count; ++i) {
    const double difference = fabs((double)found[i] - (double)expected[i]);
    if (!(difference <= largest)) largest = difference;
    if (fabs((double)expected[i]) > scale) scale = fabs((double)expected[i]);
  }
  return largest / scale;
}

static void check_against_golden(const char* path) {
  dempilot_policy* policy = loaded(path);
  const dempilot_description about = described(policy);
  golden_rows golden = read_golden(path);
  dempilot_agents* agents = crew_of(path, golden.rows);
  dempilot_outputs outputs = outputs_for(&about, golden.rows);
  const size_t remembered = golden.rows * about.carry_size;
  float* carry = zeros(remembered);

  assert_int_equal(golden.rows, about.golden_rows);
  if (golden.carry != NULL) CHECK(dempilot_agents_carry_set(agents, golden.carry, remembered));
  CHECK(dempilot_agents_step(agents, golden.observation, golden.rows * about.observation_size, NULL,
                             &outputs));
  CHECK(dempilot_agents_carry_get(agents, carry, remembered));
  assert_true(deviation(outputs.action, golden.action, golden.rows * about.action_size) < 1e-5);
  assert_true(deviation(outputs.value, golden.value, golden.rows) < 1e-5);
  if (golden.carry != NULL) {
    assert_true(deviation(carry, golden.next_carry, remembered) < 1e-5);
  } else {
    assert_int_equal(about.carry_size, 0);
  }

  free(carry);
  free_outputs(&outputs);
  free_golden(&golden);
  dempilot_agents_free(agents);
  dempilot_policy_free(policy);
}

static void steps_as_the_original_models_do(void** state) {
  size_t i;
  (void)state;
  for (i = 0; i < policy_file_count; ++i)
    check_against_golden(policy_files[i]);
}

/* A crew of the LSTM's with everything that a step needs. */
typedef struct crew {
  dempilot_description about;
  dempilot_agents* agents;
  size_t size;
  size_t entries;    /* of the observation */
  size_t remembered; /* floats of the carry */
  float* observation;
  dempilot_outputs outputs;
} crew;

static crew make_crew(size_t size) {
  crew made;
  dempilot_policy* policy = loaded(POLICY("lstm"));
  made.about = described(policy);
  made.size = size;
  made.entries = size * made.about.observation_size;
  made.remembered = size * made.about.carry_size;
  made.observation = numbers(made.entries, 1);
  made.outputs = outputs_for(&made.about, size);
  CHECK(dempilot_agents_create(policy, size, &made.agents));
  dempilot_policy_free(policy);
  return made;
}

static void disband(crew* old) {
  free(old->observation);
  free_outputs(&old->outputs);
  dempilot_agents_free(old->agents);
}

static void step(crew* those, const dempilot_draw* draw) {
  CHECK(dempilot_agents_step(those->agents, those->observation, those->entries, draw,
                             &those->outputs));
}

static float* carry_of(const crew* those) {
  float* carry = zeros(those->remembered);
  CHECK(dempilot_agents_carry_get(those->agents, carry, those->remembered));
  return carry;
}

static dempilot_draw draw_of(uint64_t seed, int64_t decision) {
  dempilot_draw draw = DEMPILOT_DRAW_INIT;
  draw.seed = seed;
  draw.decision = decision;
  return draw;
}

/* A copy of what the crew decided last. */
static float* actions_of(const crew* those) {
  float* copy = zeros(those->outputs.action_capacity);
  memcpy(copy, those->outputs.action, those->outputs.action_capacity * sizeof *copy);
  return copy;
}

#define SAME_BITS(a, b, floats) assert_memory_equal(a, b, (floats) * sizeof(float))
#define OTHER_BITS(a, b, floats) assert_memory_not_equal(a, b, (floats) * sizeof(float))

static void starts_from_zeros_and_remembers(void** state) {
  crew those = make_crew(crew_size);
  float* none = zeros(those.remembered);
  float* carry = carry_of(&those);
  float* first;
  (void)state;
  SAME_BITS(carry, none, those.remembered);
  step(&those, NULL);
  first = actions_of(&those);
  free(carry);
  carry = carry_of(&those);
  OTHER_BITS(carry, none, those.remembered);
  step(&those, NULL);
  OTHER_BITS(those.outputs.action, first, those.outputs.action_capacity);
  free(carry);
  free(first);
  free(none);
  disband(&those);
}

static void resets_whom_the_mask_names(void** state) {
  crew those = make_crew(crew_size);
  uint8_t mask[crew_size] = {0};
  float *before, *after;
  size_t width, i;
  (void)state;
  step(&those, NULL);
  before = carry_of(&those);
  mask[0] = 1;
  mask[20] = 255;
  CHECK(dempilot_agents_reset(those.agents, mask, crew_size));
  after = carry_of(&those);
  width = those.about.carry_size;
  for (i = 0; i < crew_size; ++i) {
    if (mask[i] != 0) memset(before + i * width, 0, width * sizeof(float));
  }
  SAME_BITS(after, before, those.remembered);
  free(after);

  CHECK(dempilot_agents_reset(those.agents, NULL, 0));
  after = carry_of(&those);
  memset(before, 0, those.remembered * sizeof(float));
  SAME_BITS(after, before, those.remembered);
  free(after);
  free(before);
  disband(&those);
}

static void continues_to_the_bit_from_a_saved_carry(void** state) {
  crew those = make_crew(crew_size);
  crew others = make_crew(crew_size);
  dempilot_draw draw = draw_of(5, 2);
  float* saved;
  int i;
  (void)state;
  for (i = 0; i < 3; ++i)
    step(&those, NULL);
  saved = carry_of(&those);
  CHECK(dempilot_agents_carry_set(others.agents, saved, others.remembered));
  for (i = 0; i < 3; ++i, ++draw.decision) {
    step(&those, &draw);
    step(&others, &draw);
    SAME_BITS(others.outputs.action, those.outputs.action, those.outputs.action_capacity);
    SAME_BITS(others.outputs.value, those.outputs.value, crew_size);
    SAME_BITS(others.outputs.log_prob, those.outputs.log_prob, crew_size);
  }
  free(saved);
  disband(&those);
  disband(&others);
}

static void resizing_keeps_those_who_stay(void** state) {
  crew those = make_crew(crew_size);
  float* before;
  float* after;
  float* none;
  size_t count = 0;
  const size_t width = those.about.carry_size;
  (void)state;
  step(&those, NULL);
  before = carry_of(&those);
  CHECK(dempilot_agents_resize(those.agents, crew_size - 10));
  CHECK(dempilot_agents_resize(those.agents, crew_size + 3));
  CHECK(dempilot_agents_count(those.agents, &count));
  assert_int_equal(count, crew_size + 3);
  after = zeros((crew_size + 3) * width);
  none = zeros(13 * width);
  CHECK(dempilot_agents_carry_get(those.agents, after, (crew_size + 3) * width));
  SAME_BITS(after, before, (crew_size - 10) * width);
  SAME_BITS(after + (crew_size - 10) * width, none, 13 * width);
  free(before);
  free(after);
  free(none);
  disband(&those);
}

static void draws_as_seed_id_and_decision_say(void** state) {
  crew those = make_crew(crew_size);
  const dempilot_draw base = draw_of(7, 3);
  const dempilot_draw others[] = {draw_of(8, 3), draw_of(7, 4), draw_of(7, ((int64_t)1 << 40) - 1)};
  float* mean;
  float* drawn;
  size_t i;
  (void)state;
  step(&those, NULL);
  mean = actions_of(&those);
  CHECK(dempilot_agents_reset(those.agents, NULL, 0));
  step(&those, &base);
  drawn = actions_of(&those);
  OTHER_BITS(drawn, mean, those.outputs.action_capacity);
  CHECK(dempilot_agents_reset(those.agents, NULL, 0));
  step(&those, &base);
  SAME_BITS(those.outputs.action, drawn, those.outputs.action_capacity);
  for (i = 0; i < sizeof others / sizeof *others; ++i) {
    CHECK(dempilot_agents_reset(those.agents, NULL, 0));
    step(&those, &others[i]);
    OTHER_BITS(those.outputs.action, drawn, those.outputs.action_capacity);
  }
  free(mean);
  free(drawn);
  disband(&those);
}

static void draws_for_ids_whatever_their_order(void** state) {
  crew those = make_crew(crew_size);
  crew reversed = make_crew(crew_size);
  dempilot_draw draw = draw_of(7, 3);
  int64_t ids[crew_size], backwards[crew_size];
  const size_t entries = those.about.observation_size;
  const size_t actions = those.about.action_size;
  size_t i;
  (void)state;
  for (i = 0; i < crew_size; ++i) {
    const size_t opposite = crew_size - 1 - i;
    ids[i] = (int64_t)(1000 - 7 * i) + ((int64_t)1 << 40);
    backwards[opposite] = ids[i];
    memcpy(reversed.observation + opposite * entries, those.observation + i * entries,
           entries * sizeof(float));
  }
  draw.id_count = crew_size;
  draw.ids = ids;
  step(&those, &draw);
  draw.ids = backwards;
  step(&reversed, &draw);
  for (i = 0; i < crew_size; ++i) {
    SAME_BITS(reversed.outputs.action + (crew_size - 1 - i) * actions,
              those.outputs.action + i * actions, actions);
  }
  disband(&those);
  disband(&reversed);
}

static void counts_agents_who_have_no_ids(void** state) {
  crew those = make_crew(crew_size);
  dempilot_draw draw = draw_of(7, 3);
  int64_t ids[crew_size];
  float* named;
  size_t i;
  (void)state;
  for (i = 0; i < crew_size; ++i)
    ids[i] = (int64_t)i;
  draw.ids = ids;
  draw.id_count = crew_size;
  step(&those, &draw);
  named = actions_of(&those);
  CHECK(dempilot_agents_reset(those.agents, NULL, 0));
  draw.ids = NULL;
  draw.id_count = 0;
  step(&those, &draw);
  SAME_BITS(those.outputs.action, named, those.outputs.action_capacity);
  free(named);
  disband(&those);
}

static void writes_only_what_is_wanted(void** state) {
  crew those = make_crew(crew_size);
  crew others = make_crew(crew_size);
  dempilot_outputs wanted = DEMPILOT_OUTPUTS_INIT;
  float value[crew_size + 1];
  (void)state;
  step(&those, NULL);
  value[crew_size] = 42;
  wanted.value = value;
  wanted.value_capacity = crew_size + 1;
  CHECK(dempilot_agents_step(others.agents, others.observation, others.entries, NULL, &wanted));
  SAME_BITS(value, those.outputs.value, crew_size);
  assert_true(value[crew_size] == 42);
  step(&those, NULL);
  CHECK(dempilot_agents_step(others.agents, others.observation, others.entries, NULL, NULL));
  step(&those, NULL);
  step(&others, NULL); /* which remembers the steps that wrote nothing */
  SAME_BITS(others.outputs.action, those.outputs.action, those.outputs.action_capacity);
  disband(&those);
  disband(&others);
}

static void steps_agents_whose_memory_the_caller_keeps(void** state) {
  crew those = make_crew(crew_size);
  dempilot_policy* policy = loaded(POLICY("lstm"));
  dempilot_outputs outputs = outputs_for(&those.about, crew_size);
  const dempilot_draw draw = draw_of(7, 3);
  float* carry = zeros(those.remembered);
  float* kept;
  int i;
  (void)state;
  for (i = 0; i < 3; ++i) {
    step(&those, &draw);
    CHECK(dempilot_policy_step(policy, crew_size, those.observation, those.entries, carry,
                               those.remembered, &draw, &outputs));
    SAME_BITS(outputs.action, those.outputs.action, those.outputs.action_capacity);
  }
  kept = carry_of(&those);
  SAME_BITS(carry, kept, those.remembered);
  free(kept);
  free(carry);
  free_outputs(&outputs);
  dempilot_policy_free(policy);
  disband(&those);
}

static void what_is_not_finite_spoils_nobody_else(void** state) {
  crew those = make_crew(crew_size);
  crew others = make_crew(crew_size);
  const size_t actions = those.about.action_size;
  (void)state;
  others.observation[3 * those.about.observation_size + 1] = NAN;
  step(&those, NULL);
  step(&others, NULL);
  SAME_BITS(others.outputs.action, those.outputs.action, 3 * actions);
  SAME_BITS(others.outputs.action + 4 * actions, those.outputs.action + 4 * actions,
            (crew_size - 4) * actions);
  disband(&those);
  disband(&others);
}

static void acts_by_the_table_of_discrete_actions(void** state) {
  golden_rows golden = read_golden(POLICY("discrete"));
  dempilot_agents* agents = crew_of(POLICY("discrete"), golden.rows);
  float* action = zeros(2 * golden.rows);
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  size_t i;
  (void)state;
  outputs.action = action;
  outputs.action_capacity = 2 * golden.rows;
  CHECK(dempilot_agents_carry_set(agents, golden.carry, golden.rows * 12));
  CHECK(dempilot_agents_step(agents, golden.observation, golden.rows * 5, NULL, &outputs));
  for (i = 0; i < golden.rows; ++i) {
    assert_true(action[2 * i] == 10 * (golden.action[i] + 1));
    assert_true(action[2 * i + 1] == 10 * (golden.action[i] + 1) + 1);
  }
  free(action);
  free_golden(&golden);
  dempilot_agents_free(agents);
}

static void tells_the_distribution(void** state) {
  dempilot_policy* policy = loaded(POLICY("separate"));
  const dempilot_description about = described(policy);
  dempilot_outputs outputs = outputs_for(&about, crew_size);
  float* observation = numbers(crew_size * 5, 1);
  size_t i, k;
  (void)state;
  CHECK(
      dempilot_policy_step(policy, crew_size, observation, crew_size * 5, NULL, 0, NULL, &outputs));
  /* its action space is free: the action is the mean */
  assert_memory_equal(outputs.mean, outputs.action, crew_size * 3 * sizeof(float));
  for (i = 0; i < crew_size; ++i) {
    double log_prob = 0;
    for (k = 0; k < 3; ++k)
      log_prob -= log(outputs.std_dev[3 * i + k] * 2.50662827463100050242);
    assert_true(fabs(log_prob - outputs.log_prob[i]) < 1e-5);
  }
  free(observation);
  free_outputs(&outputs);
  dempilot_policy_free(policy);
}

static void nobody_to_decide_for_is_fine(void** state) {
  dempilot_agents* agents = crew_of(POLICY("lstm"), 0);
  const dempilot_draw draw = draw_of(1, 0);
  size_t count = 1;
  (void)state;
  CHECK(dempilot_agents_count(agents, &count));
  assert_int_equal(count, 0);
  CHECK(dempilot_agents_step(agents, NULL, 0, NULL, NULL));
  CHECK(dempilot_agents_step(agents, NULL, 0, &draw, NULL));
  CHECK(dempilot_agents_reset(agents, NULL, 0));
  CHECK(dempilot_agents_carry_get(agents, NULL, 0));
  CHECK(dempilot_agents_carry_set(agents, NULL, 0));
  dempilot_agents_free(agents);
}

static void a_policy_without_memory_needs_no_carry(void** state) {
  dempilot_policy* policy = loaded(POLICY("shared"));
  float* observation = numbers(10, 1);
  (void)state;
  CHECK(dempilot_policy_step(policy, 2, observation, 10, NULL, 0, NULL, NULL));
  free(observation);
  dempilot_policy_free(policy);
}

static void serves_several_policies_at_once(void** state) {
  crew those = make_crew(crew_size);
  dempilot_agents* strangers = crew_of(LIGHTHOUSE, 5);
  float* observation = numbers(5 * 18, 3);
  float* first;
  (void)state;
  step(&those, NULL);
  first = actions_of(&those);
  CHECK(dempilot_agents_reset(those.agents, NULL, 0));
  CHECK(dempilot_agents_step(strangers, observation, 5 * 18, NULL, NULL));
  step(&those, NULL);
  SAME_BITS(those.outputs.action, first, those.outputs.action_capacity);
  free(first);
  free(observation);
  dempilot_agents_free(strangers);
  disband(&those);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_as_the_original_models_do),
      cmocka_unit_test(starts_from_zeros_and_remembers),
      cmocka_unit_test(resets_whom_the_mask_names),
      cmocka_unit_test(continues_to_the_bit_from_a_saved_carry),
      cmocka_unit_test(resizing_keeps_those_who_stay),
      cmocka_unit_test(draws_as_seed_id_and_decision_say),
      cmocka_unit_test(draws_for_ids_whatever_their_order),
      cmocka_unit_test(counts_agents_who_have_no_ids),
      cmocka_unit_test(writes_only_what_is_wanted),
      cmocka_unit_test(steps_agents_whose_memory_the_caller_keeps),
      cmocka_unit_test(what_is_not_finite_spoils_nobody_else),
      cmocka_unit_test(acts_by_the_table_of_discrete_actions),
      cmocka_unit_test(tells_the_distribution),
      cmocka_unit_test(nobody_to_decide_for_is_fine),
      cmocka_unit_test(a_policy_without_memory_needs_no_carry),
      cmocka_unit_test(serves_several_policies_at_once),
  };
  return cmocka_run_group_tests(tests, start_library, NULL);
}
