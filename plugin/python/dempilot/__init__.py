"""Convert trained recurrent policies for DEM engines, and step them from Python."""

from dempilot.errors import Error
from dempilot.policy import Agents, Distribution, Policy, Sampling, Step, initialize, load
from dempilot.recording import Recording

__all__ = [
    "Agents", "Distribution", "Error", "Policy", "Recording", "Sampling", "Step", "initialize",
    "load",
]  # fmt: skip
__version__ = "0.1.0"
