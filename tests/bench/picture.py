"""Bars: how fast the contestants are at each size, beside the peak."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

COLOURS = {"dempilot": "#d1495b", "torch": "#edae49", "torch.compile": "#b5873a", "jax": "#00798c",
           "onnxruntime": "#30638e"}


def _title(record: dict[str, Any]) -> str:
    steps = f"{record['steps']} x " if record["mode"] == "sequence" else ""
    return f"{steps}{record['agents']:,}"


def draw(records: Sequence[dict[str, Any]], path: Path) -> Path:
    """Writes a picture of the share of the peak that each contestant reached; returns its path."""
    threads = sorted({record["threads"] for record in records})
    figure, axes = plt.subplots(len(threads), 1, figsize=(9, 3.4 * len(threads)), squeeze=False)
    for axis, count in zip(axes[:, 0], threads, strict=True):
        chosen = [record for record in records if record["threads"] == count]
        sizes = list(dict.fromkeys(_title(record) for record in chosen))
        names = list(dict.fromkeys(record["contestant"] for record in chosen))
        width = 0.8 / len(names)
        for n, name in enumerate(names):
            mine = {_title(r): r for r in chosen if r["contestant"] == name}
            places = [i for i, size in enumerate(sizes) if size in mine]
            heights = [100 * mine[sizes[i]]["peak_share"] for i in places]
            bars = axis.bar([i + (n - (len(names) - 1) / 2) * width for i in places], heights,
                            0.9 * width, label=name, color=COLOURS.get(name))
            rates = [f"{mine[sizes[i]]['agent_steps_per_s']:.2g}" for i in places]
            axis.bar_label(bars, rates, rotation=90, fontsize=6, padding=2)
        axis.set_xticks(range(len(sizes)), sizes)
        axis.set_ylim(0, 1.25 * axis.get_ylim()[1])
        axis.set_ylabel("% of the peak of multiply-adds")
        axis.set_title(f"{count} thread(s); on the bars: agent-steps/s", fontsize=9)
    axes[-1, 0].set_xlabel("agents")
    axes[0, 0].legend(fontsize=8, ncols=5, loc="upper center", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path
