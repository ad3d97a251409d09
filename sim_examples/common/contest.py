"""Contestants in the same beds: what `run.py` of an experiment reports."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent


def parser(description: str, name: str, seeds: int, ranks: int = 2) -> argparse.ArgumentParser:
    """The options that all experiments have; outputs go to build/NAME."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--seeds", type=positive, default=seeds,
                        help=f"beds 1 to SEEDS (default {seeds})")
    result.add_argument("--ranks", type=positive, default=ranks,
                        help=f"MPI ranks of LAMMPS (default {ranks})")
    result.add_argument("--output", type=Path, default=ROOT / "build" / name,
                        help=f"folder for what comes out (default: build/{name})")
    result.add_argument("--policy", type=Path, help="policy file (default: beside this script)")
    return result


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is too small (there must be one): give 1 or more")
    return number


def spread(values: np.ndarray) -> dict[str, float]:
    """Mean and standard deviation over the beds; one bed has no deviation."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "std": deviation}


def table(columns: Mapping[str, str], rows: Mapping[str, Mapping[str, dict[str, float]]]) -> str:
    """A table in Markdown: of each contestant in `rows` its measures, in the order of `columns`.

    `columns` gives each measure a format for mean and deviation, such as `{mean:.1f} ± {std:.1f}`,
    under the title of its column.
    """
    lines = [f"| who is at the controls | {' | '.join(columns)} |",
             "| --- |" + " --- |" * len(columns)]
    for name, measures in rows.items():
        cells = [form.format(**values)
                 for form, values in zip(columns.values(), measures.values(), strict=True)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_results(output: Path, summary: Mapping[str, object], text: str) -> None:
    """Writes summary.json and results.md into `output`, and prints the table."""
    (output / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    (output / "results.md").write_text(text + "\n")
    print(f"\n{text}\n\nresults: {output / 'summary.json'}", flush=True)
