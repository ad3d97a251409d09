"""Convert trained recurrent policies for DEM engines, and step them from Python."""

from dempilot.errors import Error

__all__ = ["Error"]
__version__ = "0.1.0"
