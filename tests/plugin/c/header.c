/* The header by itself, as C99; header.cpp compiles it as C++98. */
#include <dempilot.h>

dempilot_status dempilot_test_header(const dempilot_policy* policy);
dempilot_status dempilot_test_header(const dempilot_policy* policy) {
  dempilot_description description = DEMPILOT_DESCRIPTION_INIT;
  dempilot_draw draw = DEMPILOT_DRAW_INIT;
  dempilot_outputs outputs = DEMPILOT_OUTPUTS_INIT;
  if (dempilot_api_version() < DEMPILOT_API_VERSION) return DEMPILOT_INTERNAL_ERROR;
  if (dempilot_policy_describe(policy, &description) != DEMPILOT_OK) return DEMPILOT_INTERNAL_ERROR;
  return dempilot_policy_step(policy, 0, NULL, 0, NULL, 0, &draw, &outputs);
}
