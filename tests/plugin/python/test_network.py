from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dempilot import Error
from dempilot.network import Assembly, Cell, Linear, Network, assemble


def linear(name: str, width: int, out: int) -> Linear:
    return Linear(name, np.zeros((width, out), np.float32), np.zeros(out, np.float32))


def cell(name: str, width: int, features: int, kind: str = "lstm") -> Cell:
    columns = {"lstm": 4, "gru": 3}[kind] * features
    kernels = (np.zeros((rows, columns), np.float32) for rows in (width, features))
    return Cell(name, kind, next(kernels), None, next(kernels), None)


BASE = Network(
    encoder=[linear("eye", 5, 8)],
    cells=[cell("first", 8, 6), cell("second", 6, 6)],
    actor=[linear("hand", 6, 4), linear("mu", 4, 2)],
    critic=[linear("v", 6, 1)],
    activation="tanh",
    log_std=np.zeros(2, np.float32),
)


def shapes(assembly: Assembly) -> dict[str, tuple[int, ...]]:
    return {name: tensor.shape for name, tensor in assembly.parameters.items()}


def test_recurrent_layers_get_the_names_of_the_file():
    assembly = assemble(BASE)
    assert assembly.name == "RecurrentActorCritic"
    assert assembly.carry_size == 24
    assert assembly.metadata == {
        "observation_space_size": 5,
        "action_space_size": 2,
        "activation": "tanh",
        "encoder": [8],
        "cell": "lstm",
        "features": 6,
        "num_layers": 2,
        "actor": [4],
        "critic": [],
        "critic_memory": "shared",
    }
    assert shapes(assembly) == {
        "encoder.layers.0.kernel": (5, 8),
        "encoder.layers.0.bias": (8,),
        "cells.0.dense_i.kernel": (8, 24),
        "cells.0.dense_h.kernel": (6, 24),
        "cells.0.dense_h.bias": (24,),
        "cells.1.dense_i.kernel": (6, 24),
        "cells.1.dense_h.kernel": (6, 24),
        "cells.1.dense_h.bias": (24,),
        "actor.layers.0.kernel": (6, 4),
        "actor.layers.0.bias": (4,),
        "actor_mu.kernel": (4, 2),
        "actor_mu.bias": (2,),
        "critic.layers.0.kernel": (6, 1),
        "critic.layers.0.bias": (1,),
        "_log_std": (1, 2),
    }


def test_an_lstm_s_two_biases_are_added():
    ones, twos = np.ones(24, np.float32), np.full(24, 2, np.float32)
    biased = replace(cell("first", 8, 6), input_bias=ones, hidden_bias=twos)
    assembly = assemble(replace(BASE, cells=[biased]))
    assert np.all(assembly.parameters["cells.0.dense_h.bias"] == 3)


def test_a_gru_keeps_both_biases():
    assembly = assemble(replace(BASE, cells=[cell("memory", 8, 6, "gru")]))
    assert assembly.parameters["cells.0.dense_i.bias"].shape == (18,)
    assert assembly.parameters["cells.0.dense_h.bias"].shape == (18,)
    assert assembly.carry_size == 6


def test_towers_repeat_the_layers_they_share():
    network = replace(
        BASE, cells=[], actor=[linear("hand", 8, 4), linear("mu", 4, 2)], critic=[linear("v", 8, 1)]
    )
    assembly = assemble(network)
    assert assembly.name == "ActorCritic"
    assert assembly.metadata["actor_architecture"] == [8, 4]
    assert assembly.metadata["critic_architecture"] == [8]
    assert assembly.parameters["critic.layers.2.kernel"].shape == (8, 1)


REFUSED = {
    "cells of two kinds": (
        {"cells": [cell("first", 8, 6), cell("second", 6, 6, "gru")]},
        "'second' is a GRU of width 6 ('first' is a LSTM of width 6, and stacked layers must be "
        "alike) Train with recurrent layers of one kind and width.",
    ),
    "cells of two widths": (
        {"cells": [cell("first", 8, 6), cell("second", 6, 7)]},
        "'second' is a LSTM of width 7 ('first' is a LSTM of width 6, and stacked layers must be "
        "alike) Train with recurrent layers of one kind and width.",
    ),
    "a shallower critic": (
        {"critic_cells": [cell("worth", 8, 6)]},
        "the critic has 1 recurrent layers (the actor has 2) Train with equal numbers.",
    ),
    "too many layers": (
        {"encoder": [linear(f"eye.{k}", 5, 5) for k in range(8)]},
        "the encoder has 8 layers (at most 7 are known) Train fewer.",
    ),
    "two values": (
        {"critic": [linear("v", 6, 2)]},
        "'v' gives 2 values (a critic's last layer gives one) Name the state-value head as the "
        "critic.",
    ),
    "no deviation": (
        {"log_std": None},
        "there is no log_std (continuous actions have a standard deviation of their own) Name its "
        "tensor as log_std in the model description.",
    ),
    "a deviation too many": (
        {"log_std": np.zeros(3, np.float32)},
        "log_std has shape [3] ('mu' gives 2 actions) Only a standard deviation for each action "
        "can be converted.",
    ),
    "a deviation of categories": (
        {"discrete": True},
        "the actions are discrete and have a standard deviation (logits have none) Leave log_std "
        "out, or make the actions continuous.",
    ),
    "integers": (
        {"log_std": np.zeros(2, np.int64)},
        "'log_std' holds int64 (weights are floating-point numbers) Train in float32.",
    ),
    "beyond float32": (
        {"log_std": np.asarray([0.0, 1e300])},
        "'log_std' holds 1e+300 at entry 1 (a weight must be a finite float32) Convert a "
        "checkpoint from before training diverged.",
    ),
    "an activation": (
        {"activation": "swoosh"},
        "unknown activation 'swoosh' (known: gelu, gelu_erf, tanh, relu, leaky_relu, silu, elu, "
        "sigmoid, softplus, identity) Train with one of these.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name):
    change, expected = REFUSED[name]
    with pytest.raises(Error) as caught:
        assemble(replace(BASE, **change))
    assert str(caught.value) == expected
