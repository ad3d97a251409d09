"""What the pictures of the experiments share: a night, axes in it, discs."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection

matplotlib.use("Agg")

NIGHT, GRAIN, TEXT = "#10151f", "#2c3646", "#e8ecf2"


def night_axes(axes: Axes, across: str, up: str) -> None:
    """Gives a plot its colours and the labels of its two axes."""
    axes.set_xlabel(across, color=TEXT)
    axes.set_ylabel(up, color=TEXT)
    axes.set_facecolor(NIGHT)
    axes.tick_params(colors=TEXT)
    for side, spine in axes.spines.items():
        spine.set_color(TEXT if side in ("left", "bottom") else "none")


def discs(
    axes: Axes, centres: np.ndarray, diameters: np.ndarray | float, **style: object
) -> EllipseCollection:
    """Adds discs of `diameters`, (n,) or one for all, about `centres` (n, 2), in the data's unit."""
    sizes = np.broadcast_to(diameters, len(centres))
    drawn = EllipseCollection(sizes, sizes, np.zeros(len(centres)), units="xy", offsets=centres,
                              offset_transform=axes.transData, **style)
    axes.add_collection(drawn)
    return drawn
