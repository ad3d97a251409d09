"""What the rollers sense, how they act, and when: what training and policy file have in common."""

ACTION = {"target": "torque", "scale": 0.7, "drag": 0.1, "angular_drag": 0.1}
TIMING = {"time_step": 0.005, "decision_interval": 200}
DECISION = TIMING["time_step"] * TIMING["decision_interval"]  #: time

BEACON = 10  #: decisions from one flash to the next
FAR = 80.0  #: radii, of each component: where goals are farther only their direction is known

#: A roller feels how fast it spins, and not how fast it moves: where it slips, or pushes in vain,
#: the two differ. Where its goal lies it is told by the flashes of a beacon, never how long ago.
SENSES = [
    {"name": "goal_direction", "dimensions": 2, "bind": "goal"},
    {"name": "goal_displacement", "dimensions": 2, "clip": 20.0, "bind": "goal"},
    {"name": "goal_displacement", "dimensions": 2, "clip": FAR, "bind": "goal"},
    {"name": "angular_velocity", "dimensions": 3},
    {"name": "lidar", "range": 16.0, "n_azimuth": 12, "n_elevation": 0, "walls": False,
     "bind": "rollers"},
    {"name": "lidar", "range": 8.0, "n_azimuth": 16, "n_elevation": 0, "walls": True,
     "bind": "balls"},
]
OBSERVATIONS = 2 + 2 + 2 + 3 + 12 + 16
ACTIONS = 3
DIRECTION, DISPLACEMENT, SPIN = slice(0, 2), slice(4, 6), slice(6, 9)

CONTRACT = {"observation": {"components": SENSES}, "action": ACTION, "timing": TIMING}
