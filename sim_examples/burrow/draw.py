"""Draws the burrowing intruders: side views, heights over time, and when they push."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from PIL.Image import Image

from common.dump import read_dump
from common.movie import snapshot, write_movie, write_picture
from common.style import GRAIN, NIGHT, TEXT, discs, night_axes

EDGE = "#3d4a5f"
TOLD = ("#58a6d6", "#ffd166", "#ef7b6c")  #: low, middle, high
CONTESTANTS = {
    "policy": ("#ffd166", "recurrent policy"),
    "carry_reset": ("#ef7b6c", "the same, carry reset at every decision"),
    "proportional": ("#6fb7d6", "full force towards the height"),
    "derivative": ("#7fd1ae", "full force, with foresight"),
    "none": ("#8a94a6", "no policy"),
}
PERIOD = 20  #: decisions
GRAIN_SLAB, AGENT_SLAB = 3.0, 12.0  #: what a side view shows, from the front, in diameters
FLOOR_AMPLITUDE = 0.6


class SideView:
    """The front of a bed: a thin slab of grains, and intruders in the colour of their height."""

    def __init__(self, axes: Axes, side: float, title: str) -> None:
        self._axes, self._side, self._title = axes, side, title

    def draw(self, agents: np.ndarray, grains: np.ndarray, decision: int) -> None:
        """Shows agents (n, columns of the trails) and grains (m, columns of the dump)."""
        axes = self._axes
        axes.clear()
        near = grains[grains[:, 2] < GRAIN_SLAB]
        discs(axes, near[:, [1, 3]], 1.0, facecolors=GRAIN, edgecolors=EDGE, linewidths=0.3)
        shown = agents[agents[:, 2] < AGENT_SLAB]
        shown = shown[np.argsort(-shown[:, 2])]
        levels = np.unique(agents[:, 4])
        colours = [TOLD[k] for k in np.searchsorted(levels, shown[:, 4])]
        discs(axes, shown[:, [1, 3]], 2.0, facecolors=colours, edgecolors=NIGHT, linewidths=0.8)
        floor = FLOOR_AMPLITUDE * (1 - np.cos(2 * np.pi * decision / PERIOD))
        axes.plot([0, self._side], [floor, floor], color=TEXT, lw=2)
        for level, colour in zip(levels, TOLD, strict=True):
            axes.plot(self._side * 1.015, level, marker="<", color=colour, clip_on=False, ms=7)
        axes.set(xlim=(0, self._side), ylim=(-0.3, 14.5), aspect="equal", xticks=[], yticks=[])
        axes.set_facecolor(NIGHT)
        for spine in axes.spines.values():
            spine.set_color("none")
        axes.set_title(self._title, color=TEXT, fontsize=12, pad=4)


def _period_means(values: np.ndarray) -> np.ndarray:
    """Means over periods, (periods, agents), of values (decisions + 1, agents)."""
    whole = len(values) // PERIOD * PERIOD
    return values[:whole].reshape(-1, PERIOD, values.shape[1]).mean(1)


def _heights(axes: Axes, trails: dict[str, np.ndarray]) -> None:
    """Heights over time, averaged over each period; the middle half of the agents of all beds."""
    for name, line in (("none", (0, (1, 2))), ("proportional", (0, (4, 3))), ("policy", "-")):
        beds = trails[name]
        height = np.hstack([_period_means(bed[:, :, 3]) for bed in beds])
        told = np.hstack([bed[0, :, 4] for bed in beds])
        time = np.arange(len(height)) + 0.5
        for level, colour in zip(np.unique(told), TOLD, strict=True):
            low, middle, high = np.percentile(height[:, told == level], (25, 50, 75), axis=1)
            if name == "policy":
                axes.fill_between(time, low, high, color=colour, alpha=0.2, lw=0)
                axes.axhline(level, color=colour, lw=0.6, alpha=0.6)
            axes.plot(time, middle, color=colour, ls=line, lw=2 if name == "policy" else 1.3)
    for name, line in (("policy", "-"), ("proportional", (0, (4, 3))), ("none", (0, (1, 2)))):
        axes.plot([], [], color=TEXT, ls=line, label=CONTESTANTS[name][1])
    axes.set(xlim=(0, len(height)), ylim=(0, 8.2))
    axes.legend(frameon=False, labelcolor=TEXT, fontsize=9, loc="upper right", ncol=3)
    night_axes(axes, "periods of the shaking", "height (grain diameters)")


def _timing(axes: Axes, trails: dict[str, np.ndarray], starts: list[int]) -> None:
    """Mean upward push over the phase of the shaking, of those who were told to be low.

    `starts` has the phase of the first decision in each bed, in decisions.
    """
    phase = np.arange(PERIOD + 1) / PERIOD
    floor = -np.cos(2 * np.pi * phase)
    axes.fill_between(phase, -1.15, 0.12 * floor - 1.02, color=GRAIN, lw=0)
    axes.annotate("the floor", (0.5, -0.98), color=TEXT, fontsize=9, ha="center", va="top")
    for name in ("proportional", "derivative", "carry_reset", "policy"):
        lift = []
        for bed, start in zip(trails[name], starts, strict=True):
            low = bed[0, :, 4] == bed[0, :, 4].min()
            half = len(bed) // 2 // PERIOD * PERIOD
            late = bed[half : 2 * half, low, 6].reshape(-1, PERIOD, low.sum())
            lift.append(np.roll(late.mean((0, 2)), start))
        mean = np.mean(lift, axis=0)
        axes.plot(phase, np.append(mean, mean[0]), color=CONTESTANTS[name][0], lw=2,
                  label=CONTESTANTS[name][1])
    axes.axhline(0, color=TEXT, lw=0.6, alpha=0.5)
    axes.set(xlim=(0, 1), ylim=(-1.15, 1.3))
    axes.legend(frameon=False, labelcolor=TEXT, fontsize=9, loc="upper center")
    night_axes(axes, "phase of the shaking", "upward push (share of the largest)")


def draw_picture(path: Path, trails: dict[str, np.ndarray], starts: list[int]) -> None:
    """Writes the picture; `trails` (beds, decisions + 1, agents, columns) of each contestant.

    `starts` has the phase of the first decision in each bed, in decisions. The grains of the first
    bed are read from the dumps beside `path`.
    """
    figure = pyplot.figure(figsize=(14, 8.6), facecolor=NIGHT, layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.25))
    for column, (name, title) in enumerate((("none", "No policy"), ("policy", "Recurrent policy"))):
        agents = trails[name][0]
        grains = read_dump(path.parent / f"{name}-1.grains")
        view = SideView(figure.add_subplot(grid[0, column]), _side(grains), title)
        view.draw(agents[-1], grains[-1], starts[0] + len(agents) - 1)
    _heights(figure.add_subplot(grid[1, 0]), trails)
    _timing(figure.add_subplot(grid[1, 1]), trails, starts)
    write_picture(path, figure)
    pyplot.close(figure)


def _side(grains: np.ndarray) -> float:
    return float(np.ceil(grains[0, :, 1].max()))


def draw_movie(path: Path, folder: Path, start: int) -> None:
    """Writes the movie of the first bed, with and without the policy, from dumps in `folder`.

    `start` is the phase of the first decision, in decisions.
    """
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 2.7), dpi=72, facecolor=NIGHT,
                                   layout="constrained")
    titles = {"none": "No policy", "policy": "Recurrent policy"}
    agents = {name: read_dump(folder / f"{name}-1.trails") for name in titles}
    grains = {name: read_dump(folder / f"{name}-1.grains") for name in titles}
    views = {name: SideView(ax, _side(grains[name]), title)
             for ax, (name, title) in zip(axes, titles.items(), strict=True)}

    def frames() -> Iterator[Image]:
        for frame in range(0, len(grains["none"]), 2):
            for name, view in views.items():
                view.draw(agents[name][2 * frame], grains[name][frame], start + 2 * frame)
            yield snapshot(figure)

    write_movie(path, frames(), milliseconds=90)
    pyplot.close(figure)
