"""Makes the settled bed of a seed, once."""

from pathlib import Path

import numpy as np

from common.engine import simulate

HERE = Path(__file__).resolve().parent
GRAIN, AGENT = 1.0, 2.0  #: diameters; grains spread by a tenth about theirs
SPACING = 1.35  #: of the lattice from which grains fall
HEIGHT = 3.5  #: of the agents at the start, in spacings of the lattice


def lattice(side: float, agents: int, grains: int, seed: int) -> np.ndarray:
    """Rows (type, diameter, x, y, z), agents first: a loose lattice, jittered, in a column.

    `agents` is a square number, `side` that of the column; at most `grains` grains.
    """
    rng = np.random.default_rng(seed)
    across = int(side / SPACING)
    step = side / across
    # room for what gives way to the agents
    layers = 2 + (grains + 20 * agents) // across**2
    points = np.stack(np.meshgrid(range(layers), range(across), range(across), indexing="ij"), -1)
    points = (points.reshape(-1, 3)[:, ::-1] + 0.5) * step
    points += rng.uniform(-0.1, 0.1, points.shape)
    row = (np.arange(int(agents**0.5)) + 0.5) * side / int(agents**0.5)
    where = np.stack(np.meshgrid(row, row, [HEIGHT * step], indexing="ij"), -1).reshape(-1, 3)
    gap = points[:, None] - where
    gap[..., :2] -= side * np.round(gap[..., :2] / side)
    free = np.all(np.linalg.norm(gap, axis=-1) > (AGENT + 1.1 * GRAIN) / 2, axis=1)
    points = points[free][:grains]
    diameter = rng.uniform(0.9, 1.1, (len(points), 1)) * GRAIN
    return np.vstack([np.hstack([np.full((agents, 1), 2), np.full((agents, 1), AGENT), where]),
                      np.hstack([np.ones((len(points), 1)), diameter, points])])


def write_lattice(path: Path, rows: np.ndarray, side: float) -> None:
    """Writes a LAMMPS data file; all have the density at which a sphere of diameter 1 weighs 1."""
    top = rows[:, 4].max() + 2
    lines = ["burrow: agents (type 2) in a bed of grains (type 1)", "", f"{len(rows)} atoms",
             "2 atom types", "", f"0 {side} xlo xhi", f"0 {side} ylo yhi", f"-1 {top} zlo zhi", "",
             "Atoms # sphere", ""]
    lines += [f"{index} {int(kind)} {diameter:.6f} {6 / np.pi:.17g} {x:.6f} {y:.6f} {z:.6f}"
              for index, (kind, diameter, x, y, z) in enumerate(rows, 1)]
    path.write_text("\n".join(lines) + "\n")


def settled_bed(
    folder: Path, side: float, agents: int, grains: int, seed: int, ranks: int
) -> Path:
    """The data file of a bed at rest, made in `folder` if it is not there yet."""
    bed = folder / f"bed-{seed}.data"
    if not bed.exists():
        raw, fresh = folder / f"lattice-{seed}.data", folder / f"bed-{seed}.partial"
        write_lattice(raw, lattice(side, agents, grains, seed), side)
        simulate(HERE / "bed.in", {"raw": raw, "bed": fresh}, folder / f"bed-{seed}.log",
                 ranks=ranks)
        fresh.replace(bed)
    return bed
