/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DEMPilot from C: load a policy file, and step it for agents that each remember for themselves.
 * docs/c_api.md is the manual page.
 *
 * Arrays are float32 and row-major; sizes count elements, not bytes. "(agents, observation_size)"
 * means one row of observation_size floats for each agent, one row after the other. Every buffer is
 * passed with its size, and a size that does not fit is an error. Buffers of one call must not
 * overlap.
 *
 * Functions that can fail return a status. One that fails changes nothing of the caller's but
 * pointers to objects it was to make, which become NULL, and leaves a message for
 * dempilot_last_error. NULL where something is needed is an error as any other. Nothing is thrown,
 * printed or aborted.
 *
 * Threads. Every thread may call, and different objects may be used at the same time; what computes
 * waits for its turn. A policy never changes, so threads may share it. Of one dempilot_agents,
 * calls must not overlap.
 */
#ifndef DEMPILOT_H
#define DEMPILOT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DEMPILOT_API __attribute__((visibility("default")))
#else
#define DEMPILOT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every addition to this header. A library serves programs compiled with a header of its
 * own version or an older one; what breaks that has another file name (libdempilot.so.N). */
#define DEMPILOT_API_VERSION 1

/* The DEMPILOT_API_VERSION that the library in use was built with. */
DEMPILOT_API int dempilot_api_version(void);

/* Version of DEMPilot in use, as "0.1.0". Static text. */
DEMPILOT_API const char* dempilot_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

typedef enum dempilot_status {
  DEMPILOT_OK = 0,
  DEMPILOT_INVALID_ARGUMENT = 1, /* NULL, or a size or value that does not fit */
  DEMPILOT_POLICY_REFUSED = 2,   /* the file is missing, damaged, or not what it promises to be */
  DEMPILOT_OUT_OF_MEMORY = 3,
  DEMPILOT_UNAVAILABLE = 4,   /* no thread to be had, or they stayed in a parent process */
  DEMPILOT_INTERNAL_ERROR = 5 /* a mistake of the library or of what it is built on */
} dempilot_status;

/* What went wrong in the calling thread's last call that failed, as "problem (why) what to do", in
 * UTF-8; "" if none has. Never NULL. Belongs to the library, stays as it is until a call of this
 * thread fails again, and is cut off at 4095 bytes. */
DEMPILOT_API const char* dempilot_last_error(void);

/* ---- runtime --------------------------------------------------------------------------------- */

/* Starts the library's runtime with `threads` threads, once for the process. Later calls do
 * nothing, whatever number they ask for. Without a call the first load starts it with one thread.
 *
 * Its threads are its own, so the caller's OpenMP settings stay as they are. It is never shut down,
 * and does not follow fork(): a child may step policies that its parent loaded with one thread, no
 * more.
 * DEMPILOT_INVALID_ARGUMENT if threads < 1, DEMPILOT_UNAVAILABLE. */
DEMPILOT_API dempilot_status dempilot_initialize(int threads);

/* ---- structures ------------------------------------------------------------------------------ */

/* Structures grow at their end. Start each with its INIT macro, which writes down the size that
 * this header knows, so that a newer library understands it:
 *   dempilot_draw draw = DEMPILOT_DRAW_INIT; */

/* What dempilot_policy_describe fills in. */
typedef struct dempilot_description {
  size_t struct_size;        /* set by DEMPILOT_DESCRIPTION_INIT */
  size_t observation_size;   /* floats of an observation */
  size_t action_size;        /* floats of an action */
  size_t carry_size;         /* floats that an agent remembers; 0: it remembers nothing */
  size_t category_count;     /* 0: actions are continuous; else how many to choose from */
  size_t parameter_count;    /* weights and biases */
  size_t golden_rows;        /* rows of the original model that were reproduced at load */
  double golden_tolerance;   /* how close, see docs/policy_file.md */
  double time_step;          /* it was trained with, in the policy's units; 0: not said */
  int64_t decision_interval; /* time steps from one decision to the next; 0: not said */
} dempilot_description;
#define DEMPILOT_DESCRIPTION_INIT \
  { sizeof(dempilot_description), 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/* The noise of actions that are drawn from their distribution: a pure function of (seed, id,
 * decision), so the same for an agent whatever the order, number or place of the others. Number the
 * decisions, so that noise never repeats. */
typedef struct dempilot_draw {
  size_t struct_size; /* set by DEMPILOT_DRAW_INIT */
  uint64_t seed;      /* one for each run */
  int64_t decision;   /* 0 to 2^40 - 1 */
  const int64_t* ids; /* (agents), unique; NULL: 0, 1, 2, ... */
  size_t id_count;    /* agents; 0 if ids is NULL */
} dempilot_draw;
#define DEMPILOT_DRAW_INIT \
  { sizeof(dempilot_draw), 0, 0, NULL, 0 }

/* Where a step writes. What is NULL is not wanted. A capacity may exceed what is needed; the rest
 * is left as it is. */
typedef struct dempilot_outputs {
  size_t struct_size;       /* set by DEMPILOT_OUTPUTS_INIT */
  float* action;            /* (agents, action_size) */
  size_t action_capacity;   /* floats that fit */
  float* value;             /* (agents), the critic's estimate */
  size_t value_capacity;    /* floats that fit */
  float* log_prob;          /* (agents), logarithm of the action's probability (density) */
  size_t log_prob_capacity; /* floats that fit */
} dempilot_outputs;
#define DEMPILOT_OUTPUTS_INIT \
  { sizeof(dempilot_outputs), NULL, 0, NULL, 0, NULL, 0 }

/* ---- policies -------------------------------------------------------------------------------- */

/* A policy that was loaded and checked. It never changes. */
typedef struct dempilot_policy dempilot_policy;

/* Loads a policy file, checks it, and replays its golden rows on this machine. *policy belongs to
 * the caller, who frees it with dempilot_policy_free. HDF5 as Debian builds it allows one user at a
 * time: nobody else may be in HDF5 meanwhile, in any thread.
 * DEMPILOT_POLICY_REFUSED, with a message that names the file, the place in it, what was found and
 * what was expected. */
DEMPILOT_API dempilot_status dempilot_policy_load(const char* path, dempilot_policy** policy);

/* The same from the `size` bytes of a policy file, for programs in which one process reads and
 * broadcasts. `source` is what messages call the file. The bytes are not kept. */
DEMPILOT_API dempilot_status dempilot_policy_load_bytes(const void* bytes, size_t size,
                                                        const char* source,
                                                        dempilot_policy** policy);

/* Frees a policy; NULL is fine. Agents keep what they need of it. */
DEMPILOT_API void dempilot_policy_free(dempilot_policy* policy);

/* Fills in `description`, up to its struct_size. */
DEMPILOT_API dempilot_status dempilot_policy_describe(const dempilot_policy* policy,
                                                      dempilot_description* description);

/* The whole contract as JSON, in UTF-8: model, metadata, observation, action, timing, provenance,
 * in the words of docs/policy_file.md. The text belongs to the policy and lives as long. NULL, with
 * a message, if policy is NULL. */
DEMPILOT_API const char* dempilot_policy_contract(const dempilot_policy* policy);

/* One step for agents whose memory the caller keeps, as engines do whose particles come and go.
 *   agents        how many, up to 2^31 - 1
 *   observation   (agents, observation_size); observation_count floats
 *   carry         (agents, carry_size), read and replaced; carry_count floats. Zeros at first.
 *   draw          NULL: the action is the mean of its distribution, or the likeliest category
 *   outputs       NULL: nothing is wanted but the carry
 * What comes out for an agent depends, to the bit, on its row, its carry and its noise alone. A
 * number that is not finite in a row spoils that agent's results and carry, and nobody else's.
 * DEMPILOT_INVALID_ARGUMENT, DEMPILOT_OUT_OF_MEMORY, DEMPILOT_UNAVAILABLE. */
DEMPILOT_API dempilot_status dempilot_policy_step(const dempilot_policy* policy, size_t agents,
                                                  const float* observation,
                                                  size_t observation_count, float* carry,
                                                  size_t carry_count, const dempilot_draw* draw,
                                                  const dempilot_outputs* outputs);

/* ---- agents ---------------------------------------------------------------------------------- */

/* Agents of one policy, each with a carry of its own, kept by the library. */
typedef struct dempilot_agents dempilot_agents;

/* Makes `count` agents (0 to 2^31 - 1) that remember nothing yet. *agents belongs to the caller,
 * who frees it with dempilot_agents_free. The policy may be freed first. */
DEMPILOT_API dempilot_status dempilot_agents_create(const dempilot_policy* policy, size_t count,
                                                    dempilot_agents** agents);

/* Frees agents; NULL is fine. */
DEMPILOT_API void dempilot_agents_free(dempilot_agents* agents);

/* Writes how many agents there are to *count. */
DEMPILOT_API dempilot_status dempilot_agents_count(const dempilot_agents* agents, size_t* count);

/* Makes it `count` agents: the first ones keep their carry, new ones start with zeros. */
DEMPILOT_API dempilot_status dempilot_agents_resize(dempilot_agents* agents, size_t count);

/* One step for all agents: dempilot_policy_step with the carry kept here. */
DEMPILOT_API dempilot_status dempilot_agents_step(dempilot_agents* agents, const float* observation,
                                                  size_t observation_count,
                                                  const dempilot_draw* draw,
                                                  const dempilot_outputs* outputs);

/* Makes agents forget: those whose entry in `mask` (agents) is not 0, or all if mask is NULL and
 * mask_count is 0. */
DEMPILOT_API dempilot_status dempilot_agents_reset(dempilot_agents* agents, const uint8_t* mask,
                                                   size_t mask_count);

/* Copies the carry (agents, carry_size) to `carry`, where `capacity` floats fit. Given back to
 * dempilot_agents_carry_set, it leads to the same continuation to the bit. */
DEMPILOT_API dempilot_status dempilot_agents_carry_get(const dempilot_agents* agents, float* carry,
                                                       size_t capacity);

/* Replaces the carry (agents, carry_size) by `count` floats. */
DEMPILOT_API dempilot_status dempilot_agents_carry_set(dempilot_agents* agents, const float* carry,
                                                       size_t count);

#ifdef __cplusplus
}
#endif

#endif
