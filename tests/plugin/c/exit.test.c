/* The library loaded by name, closed while in use, and handles freed after everything else: a
 * program that ends badly fails this test. */

#include <dempilot.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dempilot_policy* policy;
static dempilot_agents* agents;
static void (*free_policy)(dempilot_policy*);
static void (*free_agents)(dempilot_agents*);

/* Registered before the library is there, so run after all that it has registered. */
static void free_last(void) {
  free_agents(agents);
  free_policy(policy);
}

static void need(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "%s\n", what);
  exit(EXIT_FAILURE);
}

/* ISO C knows no way from an object's pointer to a function's. */
static void find(void* library, const char* name, void* function) {
  void* symbol = dlsym(library, name);
  need(symbol != NULL, name);
  memcpy(function, &symbol, sizeof symbol);
}

static void use_library(int threads) {
  dempilot_status (*initialize)(int);
  dempilot_status (*load)(const char*, dempilot_policy**);
  dempilot_status (*create)(const dempilot_policy*, size_t, dempilot_agents**);
  dempilot_status (*step)(dempilot_agents*, const float*, size_t, const dempilot_draw*,
                          const dempilot_outputs*);
  static const float observation[5 * 40];
  void* library = dlopen(DEMPILOT_TEST_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  need(library != NULL, "the library does not load");
  find(library, "dempilot_initialize", &initialize);
  find(library, "dempilot_policy_load", &load);
  find(library, "dempilot_policy_free", &free_policy);
  find(library, "dempilot_agents_create", &create);
  find(library, "dempilot_agents_step", &step);
  find(library, "dempilot_agents_free", &free_agents);
  need(initialize(threads) == DEMPILOT_OK, "initialize");
  need(load(DEMPILOT_TEST_POLICIES "/lstm.policy.h5", &policy) == DEMPILOT_OK, "load");
  need(create(policy, 40, &agents) == DEMPILOT_OK, "create");
  need(step(agents, observation, 5 * 40, NULL, NULL) == DEMPILOT_OK, "step");
  need(dlclose(library) == 0, "dlclose");
}

int main(void) {
  const char* threads = getenv("DEMPILOT_TEST_THREADS");
  int round;
  atexit(free_last);
  for (round = 0; round < 3; ++round) {
    use_library(threads == NULL ? 1 : atoi(threads));
    if (round < 2) free_last();
  }
  return EXIT_SUCCESS;
}
