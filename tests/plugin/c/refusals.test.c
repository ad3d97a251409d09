/* Every mistake with agents is a status and a message, and changes nothing. */

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef DEMPILOT_TEST_MEMORY_LIMIT
#include <sys/resource.h>
#endif

#include "support.h"

enum { count = 2, entries = 10, actions = 6, remembered = 36 };

/* Two agents of the LSTM's, who have taken a step, and buffers that fit them. */
static dempilot_policy* policy;
static dempilot_agents* agents;
static float observation[entries], action[actions], value[count], log_prob[count];
static float before[remembered];

static int set_up(void** state) {
  (void)state;
  policy = loaded(POLICY("lstm"));
  agents = crew_of(POLICY("lstm"), count);
  CHECK(dempilot_agents_step(agents, observation, entries, NULL, NULL));
  CHECK(dempilot_agents_carry_get(agents, before, remembered));
  return 0;
}

/* What was refused has changed nothing. */
static int tear_down(void** state) {
  float after[remembered];
  (void)state;
  CHECK(dempilot_agents_carry_get(agents, after, remembered));
  assert_memory_equal(after, before, sizeof before);
  dempilot_agents_free(agents);
  dempilot_policy_free(policy);
  return 0;
}

static void null_is_an_error(void** state) {
  static const char no_agents[] = "'agents' is NULL (it is needed) pass what it names";
  dempilot_agents* made = agents;
  size_t how_many;
  (void)state;
  REFUSED(dempilot_agents_create(NULL, 1, &made),
          "'policy' is NULL (it is needed) pass what it names");
  assert_null(made);
  REFUSED(dempilot_agents_create(policy, 1, NULL), no_agents);
  REFUSED(dempilot_agents_count(NULL, &how_many), no_agents);
  REFUSED(dempilot_agents_count(agents, NULL), "'count' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_agents_resize(NULL, 1), no_agents);
  REFUSED(dempilot_agents_step(NULL, observation, entries, NULL, NULL), no_agents);
  REFUSED(dempilot_agents_reset(NULL, NULL, 0), no_agents);
  REFUSED(dempilot_agents_carry_get(NULL, before, remembered), no_agents);
  REFUSED(dempilot_agents_carry_set(NULL, before, remembered), no_agents);
  REFUSED(dempilot_policy_step(NULL, 0, NULL, 0, NULL, 0, NULL, NULL),
          "'policy' is NULL (it is needed) pass what it names");
  dempilot_agents_free(NULL);
}

static void observations_must_fit(void** state) {
  (void)state;
  REFUSED(dempilot_agents_step(agents, NULL, entries, NULL, NULL),
          "'observation' is NULL (2 agents with 5 each need 10) pass them");
  REFUSED(dempilot_agents_step(agents, observation, entries - 1, NULL, NULL),
          "'observation' has 9 entries (2 agents with 5 each need 10) pass as many");
  REFUSED(dempilot_agents_step(agents, observation, entries + 5, NULL, NULL),
          "'observation' has 15 entries (2 agents with 5 each need 10) pass as many");
}

static dempilot_outputs all_outputs(void) {
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  outputs.action = action;
  outputs.action_capacity = actions;
  outputs.value = value;
  outputs.value_capacity = count;
  outputs.log_prob = log_prob;
  outputs.log_prob_capacity = count;
  return outputs;
}

static void outputs_must_fit(void** state) {
  dempilot_outputs outputs = all_outputs();
  (void)state;
  outputs.action_capacity = actions - 1;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "'action' has room for 5 entries (2 agents with 3 each need 6) make it larger");
  outputs = all_outputs();
  outputs.value_capacity = 1;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "'value' has room for 1 entries (2 agents with 1 each need 2) make it larger");
  outputs = all_outputs();
  outputs.log_prob_capacity = 0;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "'log_prob' has room for 0 entries (2 agents with 1 each need 2) make it larger");
  outputs = all_outputs();
  outputs.mean = action;
  outputs.mean_capacity = actions - 1;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "'mean' has room for 5 entries (2 agents with 3 each need 6) make it larger");
  outputs = all_outputs();
  outputs.std_dev = action;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "'std_dev' has room for 0 entries (2 agents with 3 each need 6) make it larger");
  outputs = all_outputs();
  outputs.struct_size = 3;
  REFUSED(dempilot_agents_step(agents, observation, entries, NULL, &outputs),
          "dempilot_outputs has struct_size 3 (56 to 4096 is possible) start it with "
          "DEMPILOT_OUTPUTS_INIT");
}

static void draws_must_fit(void** state) {
  int64_t ids[count] = {1, 2};
  dempilot_draw draw = DEMPILOT_DRAW_INIT;
  (void)state;
  draw.decision = -1;
  REFUSED(dempilot_agents_step(agents, observation, entries, &draw, NULL),
          "decision -1 has no noise (they are numbered from 0 to 1099511627775) count from 0");
  draw.decision = (int64_t)1 << 40;
  REFUSED(dempilot_agents_step(agents, observation, entries, &draw, NULL),
          "decision 1099511627776 has no noise (they are numbered from 0 to 1099511627775) count "
          "from 0");
  draw.decision = 0;
  draw.ids = ids;
  draw.id_count = 1;
  REFUSED(dempilot_agents_step(agents, observation, entries, &draw, NULL),
          "'ids' has 1 entries (2 agents with 1 each need 2) pass as many");
  draw.ids = NULL;
  draw.id_count = 2;
  REFUSED(dempilot_agents_step(agents, observation, entries, &draw, NULL),
          "'ids' is NULL (2 agents with 1 each need 2) pass them");
  draw.struct_size = 0;
  REFUSED(dempilot_agents_step(agents, observation, entries, &draw, NULL),
          "dempilot_draw has struct_size 0 (40 to 4096 is possible) start it with "
          "DEMPILOT_DRAW_INIT");
}

/* A later version of the header, with one more field. */
typedef struct later_draw {
  dempilot_draw now;
  uint64_t added;
} later_draw;

static void what_only_a_newer_library_knows_is_refused(void** state) {
  dempilot_agents* others = crew_of(POLICY("lstm"), count);
  later_draw later;
  (void)state;
  memset(&later, 0, sizeof later);
  later.now.struct_size = sizeof later;
  CHECK(dempilot_agents_step(others, observation, entries, &later.now, NULL));
  later.added = 1;
  REFUSED(dempilot_agents_step(agents, observation, entries, &later.now, NULL),
          "dempilot_draw asks for something new (this library speaks version 1 of the API) install "
          "a newer libdempilot");
  dempilot_agents_free(others);
}

static void carries_must_fit(void** state) {
  (void)state;
  REFUSED(dempilot_agents_carry_get(agents, NULL, remembered),
          "'carry' is NULL (2 agents with 18 each need 36) pass them");
  REFUSED(dempilot_agents_carry_get(agents, action, actions),
          "'carry' has room for 6 entries (2 agents with 18 each need 36) make it larger");
  REFUSED(dempilot_agents_carry_set(agents, NULL, remembered),
          "'carry' is NULL (2 agents with 18 each need 36) pass them");
  REFUSED(dempilot_agents_carry_set(agents, before, remembered - 1),
          "'carry' has 35 entries (2 agents with 18 each need 36) pass as many");
  REFUSED(
      dempilot_policy_step(policy, count, observation, entries, before, remembered + 1, NULL, NULL),
      "'carry' has 37 entries (2 agents with 18 each need 36) pass as many");
  REFUSED(dempilot_policy_step(policy, count, observation, entries, NULL, 0, NULL, NULL),
          "'carry' is NULL (2 agents with 18 each need 36) pass them");
}

static void masks_must_fit(void** state) {
  const uint8_t mask[count + 1] = {1, 1, 1};
  (void)state;
  REFUSED(dempilot_agents_reset(agents, mask, count + 1),
          "'mask' has 3 entries (2 agents with 1 each need 2) pass as many");
  REFUSED(dempilot_agents_reset(agents, mask, 0),
          "'mask' has 0 entries (2 agents with 1 each need 2) pass as many");
  REFUSED(dempilot_agents_reset(agents, NULL, count),
          "'mask' is NULL (2 agents with 1 each need 2) pass them");
}

static void there_are_limits_to_the_number_of_agents(void** state) {
  dempilot_agents* made = agents;
  (void)state;
  REFUSED(dempilot_agents_create(policy, (size_t)INT_MAX + 1, &made),
          "2147483648 agents are too many (a step serves 2147483647 at most) split them");
  assert_null(made);
  REFUSED(dempilot_agents_resize(agents, (size_t)-1),
          "18446744073709551615 agents are too many (a step serves 2147483647 at most) split them");
  REFUSED(dempilot_policy_step(policy, (size_t)1 << 63, NULL, 0, NULL, 0, NULL, NULL),
          "9223372036854775808 agents are too many (a step serves 2147483647 at most) split them");
}

#ifdef DEMPILOT_TEST_MEMORY_LIMIT
static void too_little_memory_is_an_error(void** state) {
  static const char message[] =
      "out of memory (the system gave no more) use fewer agents, or a machine with more memory";
  const struct rlimit little = {(rlim_t)1 << 34, RLIM_INFINITY};
  const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  dempilot_agents* made = agents;
  (void)state;
  assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
  CHECK_REFUSED(dempilot_agents_create(policy, INT_MAX, &made), DEMPILOT_OUT_OF_MEMORY, message);
  assert_null(made);
  CHECK_REFUSED(dempilot_agents_resize(agents, INT_MAX), DEMPILOT_OUT_OF_MEMORY, message);
  assert_int_equal(setrlimit(RLIMIT_AS, &unlimited), 0);
}
#endif

#define WITH_TWO_AGENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_TWO_AGENTS(null_is_an_error),
      WITH_TWO_AGENTS(observations_must_fit),
      WITH_TWO_AGENTS(outputs_must_fit),
      WITH_TWO_AGENTS(draws_must_fit),
      WITH_TWO_AGENTS(what_only_a_newer_library_knows_is_refused),
      WITH_TWO_AGENTS(carries_must_fit),
      WITH_TWO_AGENTS(masks_must_fit),
      WITH_TWO_AGENTS(there_are_limits_to_the_number_of_agents),
#ifdef DEMPILOT_TEST_MEMORY_LIMIT
      WITH_TWO_AGENTS(too_little_memory_is_an_error),
#endif
  };
  return cmocka_run_group_tests(tests, start_library, NULL);
}
