"""The numbers that the surrogate, the LAMMPS script and the demo share.

Lengths are in grain radii, masses in grain masses; the unit of time is whatever makes the contact
stiffness below come out (Lennard-Jones style, non-dimensional).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """One bed of grains with agents in it. All fields are in the units of the policy's world."""

    agents: int = 240
    grains: int = 5400
    half_box: float = 100.0  #: the box is [-half_box, half_box] squared, periodic both ways

    # Where agents start and where they are bound: two rings about the lighthouse at the origin.
    start_ring: tuple[float, float] = (10.0, 46.0)
    goal_ring: tuple[float, float] = (60.0, 86.0)
    goal_distance: tuple[float, float] = (35.0, 75.0)
    goal_spacing: float = 4.0

    # Contacts: a linear spring and dashpot with Coulomb friction.
    stiffness: float = 1000.0
    damping: float = 30.0  #: rate; the dashpot is damping * reduced mass
    friction: float = 0.5
    tangential_stiffness: float = 286.0
    grain_drag: float = 1.0  #: friction with the ground, per velocity

    # Agents: the pushing force has at most this norm; drag stands in the policy file.
    agent_mass: float = 2.0
    agent_force: float = 60.0
    agent_drag: float = 5.0

    # Time.
    time_step: float = 0.005
    decision_interval: int = 20  #: steps
    decisions: int = 200  #: per episode
    flash: int = 5  #: decisions, from the start, at which the goal can be seen
    flash_range: tuple[int, int] = (1, 10)  #: while training, each agent has its own
    second_flash: float = 0.3  #: while training, share of agents that see another, later

    # Sensing.
    lidar_range: float = 5.0
    lidar_bins: int = 12
    displacement_clip: float = 200.0

    # Success, stated before any experiment: at the end no farther than this from the own goal.
    threshold: float = 5.0

    @property
    def observation_size(self) -> int:
        """velocity 2, goal direction 2, goal displacement 2, lidar."""
        return 6 + self.lidar_bins


WORLD = World()
