from __future__ import annotations

from dataclasses import replace

import numpy as np
from models import affine

from dempilot.golden import record
from dempilot.model import Array, Outputs


class Nearly:
    """Two logits that differ by too little wherever the observation is negative."""

    def __call__(self, observation: Array, carry: Array) -> Outputs:
        high = np.where(observation[:, 0] < 0, 1e-6, 1.0)
        mean = np.stack([np.zeros_like(high), high], axis=1)
        action = mean.argmax(axis=1, keepdims=True)
        return Outputs(mean, None, action, observation[:, 0], carry)


def test_rows_whose_category_rounding_decides_are_drawn_again():
    model = affine()
    metadata = {**model.metadata, "discrete": True}
    rows = record(replace(model, metadata=metadata, oracle=Nearly()))
    assert len(rows["observation"]) == 32
    assert (rows["observation"][:, 0] >= 0).all()
