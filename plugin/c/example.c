/* Steps three agents of a policy: example FILE.policy.h5 */

#include <dempilot.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program with the message of what failed. */
static void check(dempilot_status status) {
  if (status == DEMPILOT_OK) return;
  fprintf(stderr, "%s\n", dempilot_last_error());
  exit(EXIT_FAILURE);
}

static float* zeros(size_t count) {
  float* values = calloc(count > 0 ? count : 1, sizeof *values);
  if (values == NULL) exit(EXIT_FAILURE);
  return values;
}

int main(int argc, char** argv) {
  const size_t count = 3;
  dempilot_policy* policy;
  dempilot_agents* agents;
  dempilot_description about = DEMPILOT_DESCRIPTION_INIT;
  dempilot_draw draw = DEMPILOT_DRAW_INIT;
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  float* observation;

  check(dempilot_policy_load(argc > 1 ? argv[1] : "lighthouse.policy.h5", &policy));
  check(dempilot_policy_describe(policy, &about));
  check(dempilot_agents_create(policy, count, &agents));
  dempilot_policy_free(policy); /* the agents keep what they need */

  observation = zeros(count * about.observation_size);
  outputs.action = zeros(count * about.action_size);
  outputs.action_capacity = count * about.action_size;
  draw.seed = 4711;
  for (draw.decision = 0; draw.decision < 5; ++draw.decision) {
    size_t i;
    /* ... here an engine writes what each agent senses to `observation` ... */
    check(
        dempilot_agents_step(agents, observation, count * about.observation_size, &draw, &outputs));
    for (i = 0; i < outputs.action_capacity; ++i)
      printf("%s%g", i == 0 ? "" : " ", (double)outputs.action[i]);
    printf("\n");
  }

  free(outputs.action);
  free(observation);
  dempilot_agents_free(agents);
  return EXIT_SUCCESS;
}
