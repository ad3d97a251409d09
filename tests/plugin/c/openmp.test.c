/* An OpenMP program keeps its own number of threads. */

#include <omp.h>

#include "support.h"

static void leaves_the_callers_threads_alone(void** state) {
  int seen = 0;
  (void)state;
  omp_set_num_threads(3);
  CHECK(dempilot_initialize(2));
  assert_int_equal(omp_get_max_threads(), 3);
  dempilot_agents_free(crew_of(POLICY("lstm"), 5));
  assert_int_equal(omp_get_max_threads(), 3);
#pragma omp parallel
#pragma omp single
  seen = omp_get_num_threads();
  assert_int_equal(seen, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(leaves_the_callers_threads_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
