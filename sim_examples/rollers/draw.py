"""Draws the rollers: their ways as a picture and as a movie, and who arrived when."""

import colorsys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from PIL import Image

from common.movie import snapshot, write_movie, write_picture
from common.style import NIGHT, TEXT, discs, night_axes

from contract import DECISION

TABLE, BALL, RIM = "#161d2a", "#34405a", "#3d4a63"
RADIUS = 85.0  #: of the table
TRAIL = 9  #: decisions that the movie's trails reach back


class Contestant(NamedTuple):
    """How a driver is named and drawn."""

    label: str
    colour: str


CONTESTANTS = {
    "policy": Contestant("trained recurrent policy", "#ffd166"),
    "carry_reset": Contestant("the same, carry reset at every decision", "#ef7b6c"),
    "keep_right": Contestant("keeps to the right", "#7fc8a9"),
    "straight": Contestant("straight drive", "#5c9dff"),
    "none": Contestant("nobody", "#8a94a6"),
    "sighted": Contestant("keeps to the right and always sees its goal", "#c9a7eb"),
}
SHOWN = ("straight", "keep_right", "policy")  #: in picture and movie


class Scene(NamedTuple):
    """One episode: places in the plane, in radii."""

    rollers: np.ndarray  #: (decisions + 1, rollers, 2)
    balls: np.ndarray  #: (frames, balls, 2), the first at the start and the last at the end
    goals: np.ndarray  #: (rollers, 2)
    threshold: float  #: at most this far from the own goal a roller has arrived

    def near(self) -> np.ndarray:
        """Who is at the own goal, (decisions + 1, rollers)."""
        return np.linalg.norm(self.rollers - self.goals, axis=-1) <= self.threshold

    def colours(self) -> np.ndarray:
        """A colour (rollers, 3) by the bearing of each one's goal."""
        bearing = np.arctan2(self.goals[:, 1], self.goals[:, 0]) / (2 * np.pi) % 1
        return np.array([colorsys.hls_to_rgb(hue, 0.62, 0.85) for hue in bearing])


def _ways(rollers: np.ndarray, colours: np.ndarray, fade: tuple[float, float],
          ) -> tuple[np.ndarray, np.ndarray]:
    """Pieces (n, 2, 2) of the ways `rollers` (T, B, 2), with colours (n, 4) that fade with age."""
    pieces = np.stack([rollers[:-1], rollers[1:]], axis=2)
    shades = np.empty((*pieces.shape[:2], 4))
    shades[..., :3] = colours
    shades[..., 3] = np.linspace(*fade, len(pieces))[:, None]
    return pieces.reshape(-1, 2, 2), shades.reshape(-1, 4)


def _table(axes: Axes, title: str, size: float) -> None:
    axes.add_patch(pyplot.Circle((0, 0), RADIUS, facecolor=TABLE, edgecolor=RIM, lw=1.2, zorder=0))
    limit = RADIUS + 1.5
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    axes.set_facecolor(NIGHT)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title, color=TEXT, fontsize=size, pad=6)


def _scene(axes: Axes, scene: Scene, name: str) -> None:
    """The end of an episode, with all ways that led there."""
    colours, near = scene.colours(), scene.near()[-1]
    _table(axes, f"{CONTESTANTS[name].label}: {near.sum()} of {len(near)} arrive", 12)
    discs(axes, scene.balls[-1], 2.0, facecolors=BALL, linewidths=0, zorder=1)
    pieces, shades = _ways(scene.rollers, colours, (0.1, 0.55))
    axes.add_collection(LineCollection(pieces, colors=shades, linewidths=0.7, zorder=3))
    discs(axes, scene.rollers[-1], 2.0, facecolors=colours, zorder=6, linewidths=0.6,
          edgecolors=["white" if home else NIGHT for home in near])


def _curves(axes: Axes, near: Mapping[str, np.ndarray]) -> None:
    """Share of rollers at their goals, mean and deviation over the tables."""
    for name, (label, colour) in CONTESTANTS.items():
        shares = 100 * near[name].mean(-1)
        middle, clock = shares.mean(0), np.arange(shares.shape[1]) * DECISION
        if len(shares) > 1:
            spread = shares.std(0, ddof=1)
            axes.fill_between(clock, middle - spread, middle + spread, color=colour, alpha=0.18,
                              lw=0)
        style = "--" if name == "sighted" else "-"  # told more than the others
        axes.plot(clock, middle, style, color=colour, label=label, lw=2)
    axes.set(xlim=(0, clock[-1]), ylim=(-2, 102))
    night_axes(axes, "time (√(radius / gravity))", "rollers at their goals (%)")
    axes.legend(loc="upper left", frameon=False, labelcolor=TEXT, fontsize=10)


def _picture(path: Path, scenes: Mapping[str, Scene], near: Mapping[str, np.ndarray]) -> None:
    figure = pyplot.figure(figsize=(14, 8.2), facecolor=NIGHT, layout="constrained")
    grid = figure.add_gridspec(2, len(SHOWN), height_ratios=(2.1, 1))
    for column, name in enumerate(SHOWN):
        _scene(figure.add_subplot(grid[0, column]), scenes[name], name)
    _curves(figure.add_subplot(grid[1, :]), near)
    write_picture(path, figure)
    pyplot.close(figure)


def _frames(scenes: Mapping[str, Scene]) -> Iterator[Image.Image]:
    """The frames of the movie, one for each frame of the balls."""
    figure, row = pyplot.subplots(1, len(SHOWN), figsize=(9.6, 3.6), dpi=80, facecolor=NIGHT)
    figure.subplots_adjust(0.003, 0.01, 0.997, 0.9, 0.01)
    parts = {}
    for axes, name in zip(row, SHOWN, strict=True):
        scene, colours = scenes[name], scenes[name].colours()
        _table(axes, "", 10)
        balls = discs(axes, scene.balls[0], 2.0, facecolors=BALL, linewidths=0, antialiased=False)
        trails = axes.add_collection(LineCollection([], linewidths=0.8, zorder=3))
        rollers = discs(axes, scene.rollers[0], 2.0, facecolors=colours, linewidths=0, zorder=6)
        parts[name] = axes, balls, trails, rollers
    frames = len(scenes[SHOWN[0]].balls)
    for frame in range(frames):
        for name, (axes, balls, trails, rollers) in parts.items():
            scene = scenes[name]
            now = frame * (len(scene.rollers) - 1) // (frames - 1)
            balls.set_offsets(scene.balls[frame])
            rollers.set_offsets(scene.rollers[now])
            recent = scene.rollers[max(0, now - TRAIL) : now + 1]
            pieces, shades = _ways(recent, scene.colours(), (0.1, 0.7))
            trails.set_segments(pieces)
            trails.set_color(shades)
            axes.set_title(f"{CONTESTANTS[name].label}: {100 * scene.near()[now].mean():.0f} %",
                           color=TEXT, fontsize=10, pad=5)
        yield snapshot(figure)
    pyplot.close(figure)


def write_drawings(output: Path, scenes: Mapping[str, Scene], near: Mapping[str, np.ndarray],
                   ) -> None:
    """Writes `picture.png` and `movie.gif` into `output`.

    `scenes` has the first table of each contestant, `near` who is at the own goal on all tables,
    (tables, decisions + 1, rollers).
    """
    _picture(output / "picture.png", scenes, near)
    write_movie(output / "movie.gif", _frames(scenes))
