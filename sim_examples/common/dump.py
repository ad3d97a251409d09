"""Reads text dumps of LAMMPS."""

from pathlib import Path

import numpy as np

HEADER = 9  #: lines before the atoms of a frame


def read_dump(path: Path) -> np.ndarray:
    """All frames of a sorted dump whose frames are equally long; (frames, atoms, columns)."""
    lines = path.read_text().splitlines()
    atoms = int(lines[3])
    frames = len(lines) // (atoms + HEADER)
    rows = [row for frame in range(frames)
            for row in lines[frame * (atoms + HEADER) + HEADER : (frame + 1) * (atoms + HEADER)]]
    return np.array(" ".join(rows).split(), float).reshape(frames, atoms, -1)


def first_step(path: Path) -> int:
    """The time step of the first frame."""
    with path.open() as file:
        file.readline()
        return int(file.readline())
