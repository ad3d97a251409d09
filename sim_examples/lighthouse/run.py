#!/usr/bin/env python3
"""The lighthouse: four contestants in the same beds, a table and a picture of who arrived.

Success was fixed before any run: at the end of its episode an agent is within 5 radii of its own
goal. Needs python3, numpy and matplotlib, and what common/engine.py takes from the environment:
`./run demo` sets it.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from common.contest import spread, write_results
from common.engine import EngineError, report, simulate
from episode import Episode, read_episode
from make_bed import make_bed, write_data
from picture import CURVES, draw
from world import WORLD

HERE = Path(__file__).resolve().parent
CONTESTANTS = tuple(CURVES)
FULL_SEEDS = 6


def parse() -> argparse.Namespace:
    """The command line."""
    default = HERE.parent.parent / "build" / "demo"
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="beds 1 to SEEDS (default 3)")
    parser.add_argument("--full", action="store_true",
                        help=f"the table of the README: --seeds {FULL_SEEDS}")
    parser.add_argument("--ranks", type=int, default=2, help="MPI ranks of LAMMPS (default 2)")
    parser.add_argument("--output", type=Path, default=default,
                        help="folder for what comes out (default: build/demo)")
    parser.add_argument("--policies", type=Path, default=HERE,
                        help="folder of the policy files (default: beside this script)")
    options = parser.parse_args()
    options.seeds = FULL_SEEDS if options.full else options.seeds
    if options.seeds < 1 or options.ranks < 1:
        parser.error("--seeds and --ranks must be at least 1")
    return options


def simulate_episode(options: argparse.Namespace, contestant: str, seed: int) -> Episode:
    """Runs one episode in LAMMPS."""
    label = f"  bed {seed}, {contestant:<12}"
    variables = {"seed": seed, "contestant": contestant, "bed": options.output / f"bed-{seed}.data",
                 "policies": options.policies.resolve(), "out": options.output,
                 "interval": WORLD.decision_interval, "decisions": WORLD.decisions,
                 "flash": WORLD.flash, "threshold": WORLD.threshold}
    seconds = simulate(HERE / "lighthouse.in", variables,
                       options.output / f"{contestant}-{seed}.log", ranks=options.ranks,
                       label=label, status=status)
    episode = read_episode(options.output, contestant, seed, WORLD.half_box)
    share = np.mean(episode.distance()[-1] <= WORLD.threshold)
    report(f"{label} {100 * share:5.1f} % arrived, {seconds:.0f} s")
    return episode


def status(numbers: list[float]) -> str | None:
    """How far a run has come, if `numbers` are those of one of its thermo lines."""
    if len(numbers) != 2:
        return None
    step, arrived = numbers
    return (f"decision {int(step) // WORLD.decision_interval:3d} of {WORLD.decisions}, "
            f"{100 * arrived:5.1f} % at their goals")


def summarise(options: argparse.Namespace, distance: dict[str, np.ndarray]) -> dict:
    """What summary.json holds; success is a share of the agents, std is over the beds."""
    shares = {name: np.mean(far[:, -1] <= WORLD.threshold, axis=1)
              for name, far in distance.items()}

    return {
        "agents": WORLD.agents,
        "grains": WORLD.grains,
        "ranks": options.ranks,
        "decisions": WORLD.decisions,
        "seeds": options.seeds,
        "threshold": WORLD.threshold,
        "success": {name: spread(share) for name, share in shares.items()},
    }


def table(summary: dict) -> str:
    """The result, as a table in Markdown."""
    lines = ["| who is at the controls | agents that arrive |", "| --- | --- |"]
    for name, result in summary["success"].items():
        spread = f" ± {100 * result['std']:.1f}" if summary["seeds"] > 1 else ""
        lines.append(f"| {CURVES[name][1]} | {100 * result['mean']:.1f} %{spread} |")
    return "\n".join(lines)


def compete(options: argparse.Namespace) -> tuple[dict[str, np.ndarray], dict[str, Episode]]:
    """All contestants in all beds: distances to go, and the episodes of the first bed."""
    distances: dict[str, list[np.ndarray]] = {name: [] for name in CONTESTANTS}
    scenes: dict[str, Episode] = {}
    for seed in range(1, options.seeds + 1):
        write_data(make_bed(seed), options.output / f"bed-{seed}.data")
        for name in CONTESTANTS:
            episode = simulate_episode(options, name, seed)
            scenes.setdefault(name, episode)
            distances[name].append(episode.distance())
    return {name: np.array(all_beds) for name, all_beds in distances.items()}, scenes


def main() -> int:
    """Runs the demo; returns the exit status."""
    options = parse()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"{WORLD.agents} agents, {WORLD.grains} grains, {WORLD.decisions} decisions an episode; "
          f"the goals can be seen at the first {WORLD.flash}.\nArrived means: at the end within "
          f"{WORLD.threshold:g} radii of one's own goal.", flush=True)
    begin = time.monotonic()
    try:
        distance, scenes = compete(options)
    except EngineError as error:
        print(f"\nrun.py: {error}", file=sys.stderr)
        return 1
    summary = summarise(options, distance)
    write_results(options.output, summary, table(summary))
    print(f"{options.seeds} bed(s), {options.ranks} MPI ranks, {time.monotonic() - begin:.0f} s",
          flush=True)
    picture = options.output / "picture.png"
    draw(picture, scenes, distance, WORLD.threshold, WORLD.flash)
    print(f"picture: {picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
