"""Loads the library with ctypes, steps a policy, and ends: with everything freed, and with nothing."""

import ctypes
import sys

library, policy_file, free = sys.argv[1:]
dempilot = ctypes.CDLL(library)
dempilot.dempilot_last_error.restype = ctypes.c_char_p


def check(status):
    if status != 0:
        sys.exit(dempilot.dempilot_last_error().decode())


policy = ctypes.c_void_p()
agents = ctypes.c_void_p()
observation = (ctypes.c_float * 10)()
check(dempilot.dempilot_initialize(2))
check(dempilot.dempilot_policy_load(policy_file.encode(), ctypes.byref(policy)))
check(dempilot.dempilot_agents_create(policy, ctypes.c_size_t(2), ctypes.byref(agents)))
check(dempilot.dempilot_agents_step(agents, observation, ctypes.c_size_t(10), None, None))
if free == "free":
    dempilot.dempilot_agents_free(agents)
    dempilot.dempilot_policy_free(policy)
