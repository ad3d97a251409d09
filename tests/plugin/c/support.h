/* What the tests in C share. */
#ifndef DEMPILOT_TESTS_PLUGIN_C_SUPPORT_H
#define DEMPILOT_TESTS_PLUGIN_C_SUPPORT_H

#include <dempilot.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* leans on the others */

/* Fails the test with the library's message unless `call` succeeds. */
#define CHECK(call) check_ok((call), #call, __FILE__, __LINE__)
void check_ok(dempilot_status status, const char* call, const char* file, int line);

/* Fails the test unless `call` gives this status, and exactly this message. */
#define CHECK_REFUSED(call, status, message)               \
  do {                                                     \
    assert_int_equal((call), (status));                    \
    assert_string_equal(dempilot_last_error(), (message)); \
  } while (0)

#define REFUSED(call, message) CHECK_REFUSED(call, DEMPILOT_INVALID_ARGUMENT, message)

/* Policy files of all kinds of models. */
#define POLICY(name) DEMPILOT_TEST_POLICIES "/" name ".policy.h5"
#define LIGHTHOUSE DEMPILOT_TEST_LIGHTHOUSE "/lighthouse.policy.h5"
extern const char* const policy_files[];
extern const size_t policy_file_count;

dempilot_policy* loaded(const char* path);
dempilot_description described(const dempilot_policy* policy);
dempilot_agents* crew_of(const char* path, size_t count);

/* `count` zeros, or numbers in [-1, 1) that `seed` fixes. Free them with free(). */
float* zeros(size_t count);
float* numbers(size_t count, unsigned seed);

/* Outputs with room for `agents` and their floats, freed by free_outputs. */
dempilot_outputs outputs_for(const dempilot_description* about, size_t agents);
void free_outputs(dempilot_outputs* outputs);

/* What the original model gave, read by HDF5 itself. */
typedef struct golden_rows {
  size_t rows;
  float *observation, *carry, *action, *value, *next_carry; /* carry: NULL where there is none */
} golden_rows;
golden_rows read_golden(const char* path);
void free_golden(golden_rows* golden);

/* Group set-up: starts the library with as many threads as DEMPILOT_TEST_THREADS says. */
int start_library(void** state);

#endif
