"""Draws the picture of the lighthouse: who found the way in the dark, and who did not."""

import colorsys
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from common.movie import write_picture
from common.style import GRAIN, NIGHT, TEXT, discs, night_axes
from episode import Episode

LIGHT = "#ffe9a8"
CURVES = {
    "policy": ("#ffd166", "recurrent policy"),
    "memoryless": ("#6fb7d6", "no memory, same training"),
    "carry_reset": ("#ef7b6c", "recurrent, carry reset at every decision"),
    "none": ("#8a94a6", "no policy"),
}


def goal_colours(goals: np.ndarray) -> list[tuple[float, float, float]]:
    """One colour per goal, by its bearing from the lighthouse."""
    bearing = np.arctan2(goals[:, 1], goals[:, 0]) / (2 * np.pi) % 1
    return [colorsys.hls_to_rgb(hue, 0.62, 0.85) for hue in bearing]


def _trails(axes: Axes, episode: Episode, colours: list) -> None:
    """The way of every agent, fainter towards its beginning, broken where it crosses the box."""
    ways = episode.trails
    pieces = np.stack([ways[:-1], ways[1:]], axis=2).swapaxes(0, 1)  # (agents, steps, 2, 2)
    whole = np.abs(pieces[:, :, 0] - pieces[:, :, 1]).max(-1) < episode.half_box
    age = np.linspace(0.12, 0.75, pieces.shape[1])
    for agent, colour in enumerate(colours):
        shades = np.column_stack([np.tile(colour, (pieces.shape[1], 1)), age])
        kept = whole[agent]
        axes.add_collection(LineCollection(pieces[agent][kept], colors=shades[kept],
                                           linewidths=0.9, capstyle="round", zorder=3))


def _lighthouse(axes: Axes) -> None:
    for radius, alpha in ((13, 0.05), (9.5, 0.08), (6.5, 0.13), (4, 0.25)):
        axes.add_patch(pyplot.Circle((0, 0), radius, color=LIGHT, alpha=alpha, lw=0, zorder=5))
    axes.plot(0, 0, marker="*", markersize=13, color=LIGHT, mec=NIGHT, mew=0.6, zorder=8)


def _scene(axes: Axes, episode: Episode, threshold: float, title: str) -> None:
    colours = goal_colours(episode.goals)
    arrived = episode.distance()[-1] <= threshold
    discs(axes, episode.grains, 2, facecolors=GRAIN, linewidths=0, zorder=1)
    _trails(axes, episode, colours)
    discs(axes, episode.goals, 3.4, facecolors="none", edgecolors=colours, linewidths=0.9, zorder=4)
    discs(axes, episode.trails[-1], 2.6, facecolors=colours, zorder=6, linewidths=0.7,
          edgecolors=["white" if home else NIGHT for home in arrived])
    _lighthouse(axes)
    box = episode.half_box
    axes.set(xlim=(-box, box), ylim=(-box, box), aspect="equal", xticks=[], yticks=[])
    axes.set_facecolor(NIGHT)
    for spine in axes.spines.values():
        spine.set_color(GRAIN)
    axes.set_title(f"{title}: {int(arrived.sum())} of {len(arrived)} arrive", color=TEXT,
                   fontsize=13, pad=8)


def _curves(axes: Axes, distance: dict[str, np.ndarray], threshold: float, flash: int) -> None:
    """Median distance to go over all agents of all beds; of the policy also the middle half."""
    axes.axvspan(0, flash, color=LIGHT, alpha=0.8, lw=0)
    axes.annotate("flash", (flash + 1, 66), color=LIGHT, fontsize=10)
    axes.axhline(threshold, color=TEXT, lw=0.8, ls=(0, (4, 4)))
    for name, (colour, label) in CURVES.items():
        low, middle, high = np.percentile(distance[name], (25, 50, 75), axis=(0, 2))
        time = np.arange(len(middle))
        if name == "policy":
            axes.fill_between(time, low, high, color=colour, alpha=0.15, lw=0)
        axes.plot(time, middle, color=colour, label=label, lw=2)
    axes.annotate("arrived", (time[-1] - 1, threshold + 1.5), color=TEXT, fontsize=10, ha="right")
    axes.set(xlim=(0, time[-1]), ylim=(0, 76))
    night_axes(axes, "decisions", "distance to go (radii)")
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.37), frameon=False, labelcolor=TEXT,
                fontsize=10)


def draw(
    path: Path,
    scenes: dict[str, Episode],
    distance: dict[str, np.ndarray],
    threshold: float,
    flash: int,
) -> None:
    """Writes the picture: the scenes of two contestants, and how far all four have to go.

    `scenes` has the episodes of `policy` and `memoryless`, `distance` for each contestant that of
    every agent from its goal, (beds, decisions + 1, agents).
    """
    figure = pyplot.figure(figsize=(14, 9.2), facecolor=NIGHT, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3.1, 1))
    _scene(figure.add_subplot(grid[0, 0]), scenes["policy"], threshold, "With memory")
    _scene(figure.add_subplot(grid[0, 1]), scenes["memoryless"], threshold, "Without memory")
    _curves(figure.add_subplot(grid[1, :]), distance, threshold, flash)
    write_picture(path, figure)
    pyplot.close(figure)
