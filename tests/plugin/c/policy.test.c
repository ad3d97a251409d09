/* Loading policies and what they say of themselves. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static void says_its_versions(void** state) {
  (void)state;
  assert_int_equal(dempilot_api_version(), DEMPILOT_API_VERSION);
  assert_string_equal(dempilot_version(), DEMPILOT_TEST_VERSION);
}

static void starts_once(void** state) {
  (void)state;
  REFUSED(dempilot_initialize(0),
          "cannot start 0 threads (at least one is needed) ask for 1 or more");
  REFUSED(dempilot_initialize(-3),
          "cannot start -3 threads (at least one is needed) ask for 1 or more");
  CHECK(dempilot_initialize(1));
  CHECK(dempilot_initialize(64));
}

static void describes_itself(void** state) {
  dempilot_policy* policy = loaded(POLICY("lstm"));
  const dempilot_description about = described(policy);
  (void)state;
  assert_int_equal(about.struct_size, sizeof about);
  assert_int_equal(about.observation_size, 5);
  assert_int_equal(about.action_size, 3);
  assert_int_equal(about.carry_size, 18);
  assert_int_equal(about.category_count, 0);
  /* encoder 5 x 7 + 7, gates (7 + 9) x 36 + 36, head 9 x 4 + 4, log_std 3 */
  assert_int_equal(about.parameter_count, 42 + 612 + 40 + 3);
  assert_int_equal(about.golden_rows, 19);
  assert_true(about.golden_tolerance == 1e-5);
  assert_true(about.time_step == 2e-3);
  assert_int_equal(about.decision_interval, 10);
  assert_int_equal(about.distribution_size, 3);
  assert_int_equal(about.for_engines, 1);
  dempilot_policy_free(policy);
}

static void describes_a_trained_policy(void** state) {
  dempilot_policy* policy = loaded(LIGHTHOUSE);
  const dempilot_description about = described(policy);
  (void)state;
  assert_int_equal(about.observation_size, 18);
  assert_int_equal(about.action_size, 2);
  assert_int_equal(about.carry_size, 128);
  assert_int_equal(about.golden_rows, 64);
  assert_int_equal(about.decision_interval, 20);
  dempilot_policy_free(policy);
}

static void describes_discrete_actions(void** state) {
  dempilot_policy* policy = loaded(POLICY("discrete"));
  dempilot_policy* bare = loaded(POLICY("discrete_bare"));
  const dempilot_description about = described(policy);
  const dempilot_description about_bare = described(bare);
  (void)state;
  assert_int_equal(about.category_count, 3);
  assert_int_equal(about.distribution_size, 3);
  assert_int_equal(about.action_size, 2); /* a row of the table */
  assert_int_equal(about.for_engines, 1);
  assert_int_equal(about_bare.category_count, 3);
  assert_int_equal(about_bare.action_size, 1); /* the index */
  assert_int_equal(about_bare.for_engines, 0);
  dempilot_policy_free(policy);
  dempilot_policy_free(bare);
}

static void a_policy_without_memory_has_no_carry(void** state) {
  dempilot_policy* policy = loaded(POLICY("shared"));
  (void)state;
  assert_int_equal(described(policy).carry_size, 0);
  dempilot_policy_free(policy);
}

/* Whether `text` holds each of the strings up to NULL. */
static void assert_holds(const char* text, const char* const* parts) {
  for (; *parts != NULL; ++parts) {
    if (strstr(text, *parts) == NULL) fail_msg("%s lacks %s", text, *parts);
  }
}

static void shows_the_whole_contract(void** state) {
  static const char* const parts[] = {"\"model\": \"LSTMActorCritic\"",
                                      "\"lstm_features\": 9",
                                      "\"observation_space_size\": 5",
                                      "\"type\": \"Box\"",
                                      "\"name\": \"goal_displacement\"",
                                      "\"bind\": \"grains\"",
                                      "\"target\": \"force\"",
                                      "\"scale\": 2.5",
                                      "\"angular_drag\": 0.125",
                                      "\"time_step\": 0.002",
                                      "\"decision_interval\": 10",
                                      "\"rows\": 19",
                                      "\"provenance\": \"made by a test, caf\xc3\xa9\"",
                                      NULL};
  dempilot_policy* policy = loaded(POLICY("lstm"));
  const char* text = dempilot_policy_contract(policy);
  (void)state;
  assert_non_null(text);
  assert_holds(text, parts);
  assert_ptr_equal(dempilot_policy_contract(policy), text);
  dempilot_policy_free(policy);
}

/* All bytes of a file, freed by the caller. */
static unsigned char* bytes_of(const char* path, size_t* size) {
  unsigned char* bytes;
  long end;
  FILE* file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  end = ftell(file);
  assert_true(end > 0);
  rewind(file);
  bytes = malloc((size_t)end);
  assert_non_null(bytes);
  *size = fread(bytes, 1, (size_t)end, file);
  assert_int_equal(*size, end);
  fclose(file);
  return bytes;
}

static void loads_from_bytes(void** state) {
  size_t size = 0;
  unsigned char* bytes = bytes_of(POLICY("lstm"), &size);
  dempilot_policy* policy = NULL;
  dempilot_policy* from_file = loaded(POLICY("lstm"));
  (void)state;
  CHECK(dempilot_policy_load_bytes(bytes, size, "broadcast", &policy));
  memset(bytes, 0, size);
  assert_string_equal(dempilot_policy_contract(policy), dempilot_policy_contract(from_file));
  dempilot_policy_free(policy);
  dempilot_policy_free(from_file);
  free(bytes);
}

static void refuses_bytes_of_something_else(void** state) {
  dempilot_policy* policy = (dempilot_policy*)&state;
  const char bytes[] = "no policy at all";
  (void)state;
  CHECK_REFUSED(dempilot_policy_load_bytes(bytes, sizeof bytes, "broadcast", &policy),
                DEMPILOT_POLICY_REFUSED,
                "cannot open 'broadcast' (not an HDF5 file) give a file written with HDF5");
  assert_null(policy);
  policy = (dempilot_policy*)&state;
  CHECK_REFUSED(dempilot_policy_load_bytes(bytes, 0, "broadcast", &policy), DEMPILOT_POLICY_REFUSED,
                "cannot open 'broadcast' (not an HDF5 file) give a file written with HDF5");
  assert_null(policy);
}

static void refuses_missing_files(void** state) {
  dempilot_policy* policy = (dempilot_policy*)&state;
  (void)state;
  CHECK_REFUSED(dempilot_policy_load("no-such.policy.h5", &policy), DEMPILOT_POLICY_REFUSED,
                "cannot open 'no-such.policy.h5' (no such file) check the path");
  assert_null(policy);
}

static void refuses_golden_rows_that_do_not_come_out(void** state) {
  dempilot_policy* policy = NULL;
  const char* message;
  (void)state;
  assert_int_equal(dempilot_policy_load(POLICY("wrong_golden"), &policy), DEMPILOT_POLICY_REFUSED);
  message = dempilot_last_error();
  assert_ptr_equal(strstr(message, "'" POLICY("wrong_golden") "': its golden rows do not come out "
                                                              "('/golden/value' is off by 0."),
                   message);
  assert_null(policy);
}

static void null_is_an_error(void** state) {
  dempilot_policy* policy = loaded(POLICY("lstm"));
  dempilot_policy* made = policy;
  dempilot_description about = DEMPILOT_DESCRIPTION_INIT;
  (void)state;
  REFUSED(dempilot_policy_load(NULL, &made), "'path' is NULL (it is needed) pass what it names");
  assert_null(made);
  REFUSED(dempilot_policy_load(POLICY("lstm"), NULL),
          "'policy' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_policy_load_bytes(NULL, 3, "x", &made),
          "'bytes' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_policy_load_bytes("abc", 3, NULL, &made),
          "'source' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_policy_load_bytes("abc", 3, "x", NULL),
          "'policy' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_policy_describe(NULL, &about),
          "'policy' is NULL (it is needed) pass what it names");
  REFUSED(dempilot_policy_describe(policy, NULL),
          "'description' is NULL (it is needed) pass what it names");
  CHECK(dempilot_initialize(1)); /* a success leaves the message alone */
  assert_string_equal(dempilot_last_error(),
                      "'description' is NULL (it is needed) pass what it names");
  assert_null(dempilot_policy_contract(NULL));
  assert_string_equal(dempilot_last_error(), "'policy' is NULL (it is needed) pass what it names");
  dempilot_policy_free(NULL);
  dempilot_policy_free(policy);
}

/* The size of a structure whose last field is this one. */
#define SIZE_UP_TO(type, last) (offsetof(type, last) + sizeof(((type*)NULL)->last))

static void serves_older_headers(void** state) {
  dempilot_policy* policy = loaded(POLICY("lstm"));
  dempilot_description about = DEMPILOT_DESCRIPTION_INIT;
  (void)state;
  about.struct_size = SIZE_UP_TO(dempilot_description, decision_interval);
  about.distribution_size = 42;
  CHECK(dempilot_policy_describe(policy, &about));
  assert_int_equal(about.struct_size, SIZE_UP_TO(dempilot_description, decision_interval));
  assert_int_equal(about.decision_interval, 10);
  assert_int_equal(about.distribution_size, 42);
  dempilot_policy_free(policy);
}

/* A later version of the header, with one more field. */
typedef struct later_description {
  dempilot_description now;
  double added;
} later_description;

static void serves_newer_and_refuses_impossible_headers(void** state) {
  dempilot_policy* policy = loaded(POLICY("lstm"));
  dempilot_description about = DEMPILOT_DESCRIPTION_INIT;
  later_description later;
  (void)state;
  memset(&later, 0xff, sizeof later);
  later.now.struct_size = sizeof later;
  CHECK(dempilot_policy_describe(policy, &later.now));
  assert_int_equal(later.now.struct_size, sizeof later);
  assert_int_equal(later.now.observation_size, 5);
  assert_true(later.added == 0);

  about.struct_size = 0;
  REFUSED(dempilot_policy_describe(policy, &about),
          "dempilot_description has struct_size 0 (80 to 4096 is possible) start it with "
          "DEMPILOT_DESCRIPTION_INIT");
  about.struct_size = 79;
  REFUSED(dempilot_policy_describe(policy, &about),
          "dempilot_description has struct_size 79 (80 to 4096 is possible) start it with "
          "DEMPILOT_DESCRIPTION_INIT");
  about.struct_size = (size_t)-1;
  assert_int_equal(dempilot_policy_describe(policy, &about), DEMPILOT_INVALID_ARGUMENT);
  assert_int_equal(about.observation_size, 0);
  dempilot_policy_free(policy);
}

static void cuts_long_messages_between_characters(void** state) {
  char path[6001];
  dempilot_policy* policy = NULL;
  size_t i;
  (void)state;
  for (i = 0; i < 6000; i += 2)
    memcpy(path + i, "\xc3\xa9", 2);
  path[6000] = '\0';
  assert_int_equal(dempilot_policy_load(path, &policy), DEMPILOT_POLICY_REFUSED);
  /* "cannot open '" and whole characters */
  assert_int_equal(strlen(dempilot_last_error()), 13 + 2 * ((4095 - 13) / 2));
  assert_memory_equal(dempilot_last_error(), "cannot open '\xc3\xa9", 15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_its_versions),
      cmocka_unit_test(starts_once),
      cmocka_unit_test(describes_itself),
      cmocka_unit_test(describes_a_trained_policy),
      cmocka_unit_test(describes_discrete_actions),
      cmocka_unit_test(a_policy_without_memory_has_no_carry),
      cmocka_unit_test(shows_the_whole_contract),
      cmocka_unit_test(loads_from_bytes),
      cmocka_unit_test(refuses_bytes_of_something_else),
      cmocka_unit_test(refuses_missing_files),
      cmocka_unit_test(refuses_golden_rows_that_do_not_come_out),
      cmocka_unit_test(null_is_an_error),
      cmocka_unit_test(serves_older_headers),
      cmocka_unit_test(serves_newer_and_refuses_impossible_headers),
      cmocka_unit_test(cuts_long_messages_between_characters),
  };
  return cmocka_run_group_tests(tests, start_library, NULL);
}
