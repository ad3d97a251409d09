"""Writes what matplotlib draws, small enough to lie in a repository."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

COLOURS = 64


def write_picture(path: Path, figure: Figure, dpi: int = 110) -> None:
    """Saves `figure` as PNG with a palette: a third of the size, and nobody sees it."""
    figure.savefig(path, dpi=dpi, facecolor=figure.get_facecolor())
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(256)
    small.save(path, optimize=True)


def snapshot(figure: Figure) -> Image.Image:
    """The figure as it is now; its canvas must be Agg."""
    figure.canvas.draw()
    return Image.frombuffer("RGBA", figure.canvas.get_width_height(),
                            bytes(figure.canvas.buffer_rgba())).convert("RGB")


def write_movie(path: Path, frames: Iterable[Image.Image], milliseconds: int = 60) -> None:
    """Saves `frames` as an animated GIF that repeats for ever, after a rest on the last one.

    All frames share the palette of the last, in which most has happened, so that what stands still
    is not stored again.
    """
    images = list(frames)
    palette = images[-1].quantize(COLOURS)
    flat = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    times = [milliseconds] * (len(flat) - 1) + [1500]
    flat[0].save(path, save_all=True, append_images=flat[1:], duration=times, loop=0,
                 optimize=True)
