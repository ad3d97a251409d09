#include "support.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

const char* const policy_files[] = {
    LIGHTHOUSE,       POLICY("lstm"),     POLICY("seed"),        POLICY("min_gru"),
    POLICY("shared"), POLICY("separate"), POLICY("stacked_gru"), POLICY("discrete_bare")};
const size_t policy_file_count = sizeof policy_files / sizeof *policy_files;

void check_ok(dempilot_status status, const char* call, const char* file, int line) {
  if (status == DEMPILOT_OK) return;
  print_error("%s: %s\n", call, dempilot_last_error());
  _fail(file, line);
}

dempilot_policy* loaded(const char* path) {
  dempilot_policy* policy = NULL;
  CHECK(dempilot_policy_load(path, &policy));
  assert_non_null(policy);
  return policy;
}

dempilot_description described(const dempilot_policy* policy) {
  dempilot_description about = DEMPILOT_DESCRIPTION_INIT;
  CHECK(dempilot_policy_describe(policy, &about));
  return about;
}

dempilot_agents* crew_of(const char* path, size_t count) {
  dempilot_policy* policy = loaded(path);
  dempilot_agents* agents = NULL;
  CHECK(dempilot_agents_create(policy, count, &agents));
  assert_non_null(agents);
  dempilot_policy_free(policy);
  return agents;
}

float* zeros(size_t count) {
  float* values = calloc(count > 0 ? count : 1, sizeof *values);
  assert_non_null(values);
  return values;
}

float* numbers(size_t count, unsigned seed) {
  float* values = zeros(count);
  uint32_t state = 2654435769U * (seed + 1U);
  size_t i;
  for (i = 0; i < count; ++i) {
    state = 1664525U * state + 1013904223U;
    values[i] = (float)(state >> 8U) / 8388608.0F - 1.0F;
  }
  return values;
}

dempilot_outputs outputs_for(const dempilot_description* about, size_t agents) {
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  outputs.action_capacity = agents * about->action_size;
  outputs.value_capacity = agents;
  outputs.log_prob_capacity = agents;
  outputs.action = zeros(outputs.action_capacity);
  outputs.value = zeros(agents);
  outputs.log_prob = zeros(agents);
  outputs.mean_capacity = agents * about->distribution_size;
  outputs.mean = zeros(outputs.mean_capacity);
  outputs.std_dev_capacity = agents * about->distribution_size;
  outputs.std_dev = zeros(outputs.std_dev_capacity);
  return outputs;
}

void free_outputs(dempilot_outputs* outputs) {
  free(outputs->action);
  free(outputs->value);
  free(outputs->log_prob);
  free(outputs->mean);
  free(outputs->std_dev);
}

/* All values of a dataset, or NULL if the file lacks it. */
static float* read_values(hid_t file, const char* dataset, size_t* rows) {
  float* values;
  hid_t set, space;
  hsize_t extent[2] = {0, 1};
  if (H5Lexists(file, dataset, H5P_DEFAULT) <= 0) return NULL;
  set = H5Dopen2(file, dataset, H5P_DEFAULT);
  assert_true(set >= 0);
  space = H5Dget_space(set);
  assert_true(H5Sget_simple_extent_ndims(space) <= 2);
  assert_true(H5Sget_simple_extent_dims(space, extent, NULL) >= 0);
  values = zeros((size_t)(extent[0] * extent[1]));
  assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Sclose(space);
  H5Dclose(set);
  *rows = (size_t)extent[0];
  return values;
}

golden_rows read_golden(const char* path) {
  golden_rows golden;
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  memset(&golden, 0, sizeof golden);
  golden.carry = read_values(file, "/golden/carry", &golden.rows);
  golden.action = read_values(file, "/golden/action", &golden.rows);
  golden.value = read_values(file, "/golden/value", &golden.rows);
  golden.next_carry = read_values(file, "/golden/next_carry", &golden.rows);
  golden.observation = read_values(file, "/golden/observation", &golden.rows);
  H5Fclose(file);
  assert_non_null(golden.observation);
  return golden;
}

void free_golden(golden_rows* golden) {
  free(golden->observation);
  free(golden->carry);
  free(golden->action);
  free(golden->value);
  free(golden->next_carry);
}

int start_library(void** state) {
  const char* threads = getenv("DEMPILOT_TEST_THREADS");
  (void)state;
  return dempilot_initialize(threads == NULL ? 1 : atoi(threads)) == DEMPILOT_OK ? 0 : -1;
}
