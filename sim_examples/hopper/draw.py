"""Draws the hopper: who keeps it running, and how many grains come out."""

from pathlib import Path

import numpy as np
from common.dump import read_dump
from common.movie import snapshot, write_movie, write_picture
from common.style import GRAIN, NIGHT, TEXT, discs, night_axes
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

WALL = "#8a94a6"
REST, PUSH = "#8a6726", "#fff0bd"  #: an agent at rest is dim, one that pushes is bright
CURVES = {
    "none": ("#8a94a6", "no policy"),
    "down": ("#7d6bb5", "all agents push down, always"),
    "shake": ("#6fb7d6", "all agents shake, always"),
    "shake_near": ("#5fc79a", "agents near the outlet shake, always"),
    "shake_some": ("#b9d66f", "agents near the outlet shake, 3 decisions in 10"),
    "rule": ("#d98cc0", "agents near the outlet shake when they are slow"),
    "policy": ("#ffd166", "recurrent policy"),
    "carry_reset": ("#ef7b6c", "recurrent, carry reset at every decision"),
}
SPREAD = ("none", "shake_near", "policy")  #: whose standard deviation is drawn
HALF_WIDTH, LIP = 18.0, 1.5  #: of silo and outlet, as in hopper.in
TIME = 0.5  #: between decisions
FILMED = 130  #: decisions that the movie shows
SIZES = {1: 0.9, 2: 1.1, 3: 0.9, 4: 1.1}  #: diameters of the types of hopper.in


class Scene:
    """Everyone in one hopper, to be moved from frame to frame."""

    def __init__(self, axes: Axes, frame: np.ndarray, height: float) -> None:
        """`frame` (atoms, 5): id, type, x, y, push."""
        self._agents = frame[:, 1] > 2
        sizes = np.array([SIZES[int(kind)] for kind in frame[:, 1]])
        places = 0.0 * frame[:, 2:4]  # until shown
        self._grains = discs(axes, places[~self._agents], 0.96 * sizes[~self._agents],
                             facecolors=GRAIN, linewidths=0, zorder=1)
        self._pushers = discs(axes, places[self._agents], 0.96 * sizes[self._agents],
                              linewidths=0, zorder=2)
        edge = HALF_WIDTH - LIP
        for side in (-1, 1):
            axes.plot([side * LIP, side * HALF_WIDTH, side * HALF_WIDTH], [0, edge, height],
                      color=WALL, lw=1.6, solid_capstyle="round", zorder=3)
        axes.set(xlim=(-HALF_WIDTH - 0.6, HALF_WIDTH + 0.6), ylim=(-4, height), aspect="equal")
        axes.axis("off")
        self.show(frame)

    def show(self, frame: np.ndarray) -> None:
        """Moves everyone to where they are in `frame`."""
        self._grains.set_offsets(frame[~self._agents, 2:4])
        self._pushers.set_offsets(frame[self._agents, 2:4])
        pushes = frame[self._agents, 4] > 0.5
        self._pushers.set_facecolors(np.where(pushes, PUSH, REST))


def _curves(axes: Axes, curves: dict[str, np.ndarray]) -> None:
    """Grains discharged over time: means over the beds, of some with standard deviation."""
    for name, (colour, label) in CURVES.items():
        mean, time = curves[name].mean(0), TIME * np.arange(curves[name].shape[1])
        if name in SPREAD and len(curves[name]) > 1:
            spread = curves[name].std(0, ddof=1)
            axes.fill_between(time, mean - spread, mean + spread, color=colour, alpha=0.13, lw=0)
        axes.plot(time, mean, color=colour, lw=2.2, label=label)
    axes.set(xlim=(0, time[-1]), ylim=(0, 850))  # pushing down runs out of it
    night_axes(axes, "time (√(diameter / gravity))", "grains discharged")
    axes.legend(loc="upper left", frameon=False, labelcolor=TEXT, fontsize=10)


def draw_picture(path: Path, scenes: dict[str, Path], curves: dict[str, np.ndarray]) -> None:
    """Writes the picture: two hoppers at the end, and how many grains came out of all.

    `scenes` has the dumps of some contestants, `curves` of each contestant the grains discharged
    by each decision, (beds, decisions + 1).
    """
    figure = pyplot.figure(figsize=(15, 7.6), facecolor=NIGHT, layout="constrained")
    grid = figure.add_gridspec(1, len(scenes) + 1, width_ratios=(*[1] * len(scenes), 1.35))
    for column, (name, dump) in enumerate(scenes.items()):
        axes = figure.add_subplot(grid[column])
        Scene(axes, read_dump(dump)[-1], 70)
        title = CURVES[name][1]
        axes.set_title(f"{title[0].upper()}{title[1:]}: {curves[name][0, -1]:.0f} grains",
                       color=TEXT, fontsize=13, pad=8)
    _curves(figure.add_subplot(grid[-1]), curves)
    _legend(figure, 0.0, 9)
    write_picture(path, figure)
    pyplot.close(figure)


def _legend(figure: Figure, height: float, size: float) -> None:
    """Says what the colours are; it also keeps them in the palette of a movie."""
    marks = [pyplot.Line2D([], [], ls="", marker="o", color=colour, markersize=size)
             for colour in (GRAIN, REST, PUSH)]
    figure.legend(marks, ["grain", "agent", "agent that pushes"], loc="lower center", ncol=3,
                  bbox_to_anchor=(0.5, height), frameon=False, labelcolor=TEXT,
                  fontsize=size + 1, handletextpad=0.2, columnspacing=1.5)


def draw_movie(path: Path, scenes: dict[str, Path], curves: dict[str, np.ndarray]) -> None:
    """Writes the movie: the funnels side by side, every second of the first `FILMED` decisions.

    `curves` has the grains discharged by each decision, (decisions + 1).
    """
    frames = {name: read_dump(dump) for name, dump in scenes.items()}
    figure, axes = pyplot.subplots(1, len(scenes), figsize=(5.6, 3.1), facecolor=NIGHT, dpi=100)
    figure.subplots_adjust(0.01, 0.07, 0.99, 0.92, wspace=0.02)
    drawn = {name: Scene(axis, frames[name][0], 24)
             for axis, name in zip(axes, scenes, strict=True)}
    titles = {name: axis.set_title("", color=TEXT, fontsize=9, pad=3)
              for axis, name in zip(axes, scenes, strict=True)}
    _legend(figure, -0.02, 7)
    images: list[Image.Image] = []
    for now in range(0, min(FILMED, *(len(each) for each in frames.values())), 2):
        for name, scene in drawn.items():
            scene.show(frames[name][now])
            titles[name].set_text(f"{CURVES[name][1]}: {curves[name][now]:.0f} grains")
        images.append(snapshot(figure))
    pyplot.close(figure)
    write_movie(path, images, 80)
