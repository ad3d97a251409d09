/* Calls from several threads. Assertions stay in the main thread, where cmocka lives. */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { crew_size = 50, rounds = 20, thread_count = 4 };

/* One thread's work on agents of its own: the statuses of its calls, and what came out last. */
typedef struct job {
  const dempilot_policy* policy;
  dempilot_status load, create, step;
  float action[crew_size * 3];
  char message[256];
} job;

static void* work(void* given) {
  job* mine = given;
  dempilot_policy* policy = NULL;
  dempilot_agents* agents = NULL;
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  float observation[crew_size * 5] = {0.5F};
  int round;
  outputs.action = mine->action;
  outputs.action_capacity = crew_size * 3;
  mine->load = dempilot_policy_load(POLICY("lstm"), &policy);
  mine->create = dempilot_agents_create(mine->policy, crew_size, &agents);
  for (round = 0; round < rounds; ++round) {
    mine->step = dempilot_agents_step(agents, observation, crew_size * 5, NULL, &outputs);
    if (mine->step != DEMPILOT_OK) break;
  }
  strncpy(mine->message, dempilot_last_error(), sizeof mine->message - 1);
  dempilot_agents_free(agents);
  dempilot_policy_free(policy);
  return NULL;
}

/* Runs jobs in threads of their own, all at once. */
static void run_jobs(job* jobs, const dempilot_policy* policy) {
  pthread_t threads[thread_count];
  size_t i;
  for (i = 0; i < thread_count; ++i) {
    memset(&jobs[i], 0, sizeof jobs[i]);
    jobs[i].policy = policy;
    assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
  }
  for (i = 0; i < thread_count; ++i)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void threads_take_turns(void** state) {
  dempilot_policy* policy = loaded(POLICY("lstm"));
  job jobs[thread_count];
  job here;
  size_t i;
  (void)state;
  run_jobs(jobs, policy);
  memset(&here, 0, sizeof here);
  here.policy = policy;
  work(&here);
  for (i = 0; i < thread_count; ++i) {
    assert_string_equal(jobs[i].message, "");
    assert_int_equal(jobs[i].load, DEMPILOT_OK);
    assert_int_equal(jobs[i].create, DEMPILOT_OK);
    assert_int_equal(jobs[i].step, DEMPILOT_OK);
    assert_memory_equal(jobs[i].action, here.action, sizeof here.action);
  }
  dempilot_policy_free(policy);
}

static void first_calls_may_come_from_any_thread(void** state) {
  job jobs[thread_count];
  size_t i;
  (void)state;
  run_jobs(jobs, NULL);
  for (i = 0; i < thread_count; ++i)
    assert_int_equal(jobs[i].load, DEMPILOT_OK);
}

static void steps_in_a_forked_process(void** state) {
  dempilot_agents* agents = crew_of(POLICY("lstm"), crew_size);
  const float observation[crew_size * 5] = {0.5F};
  const char* threads = getenv("DEMPILOT_TEST_THREADS");
  const dempilot_status expected =
      threads != NULL && atoi(threads) > 1 ? DEMPILOT_UNAVAILABLE : DEMPILOT_OK;
  int ended = -1;
  pid_t child;
  (void)state;
  child = fork();
  if (child == 0) {
    dempilot_policy* policy;
    const dempilot_status step =
        dempilot_agents_step(agents, observation, crew_size * 5, NULL, NULL);
    const dempilot_status load = dempilot_policy_load(POLICY("lstm"), &policy);
    const int told = strcmp(dempilot_last_error(),
                            "the runtime is not here (it stayed in the process that this one was "
                            "forked from) load and step after the fork, or step with one thread");
    _exit(step == expected && load == DEMPILOT_UNAVAILABLE && told == 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &ended, 0), child);
  assert_int_equal(ended, 0);
  dempilot_agents_free(agents);
}

static void messages_belong_to_a_thread(void** state) {
  job jobs[thread_count];
  (void)state;
  REFUSED(dempilot_policy_load(NULL, NULL), "'path' is NULL (it is needed) pass what it names");
  run_jobs(jobs, NULL);
  assert_int_equal(jobs[0].create, DEMPILOT_INVALID_ARGUMENT);
  assert_string_equal(jobs[0].message, "'agents' is NULL (it is needed) pass what it names");
  assert_string_equal(dempilot_last_error(), "'path' is NULL (it is needed) pass what it names");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(first_calls_may_come_from_any_thread),
      cmocka_unit_test(threads_take_turns),
      cmocka_unit_test(messages_belong_to_a_thread),
      cmocka_unit_test(steps_in_a_forked_process),
  };
  return cmocka_run_group_tests(tests, start_library, NULL);
}
