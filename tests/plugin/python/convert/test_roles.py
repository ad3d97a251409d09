from __future__ import annotations

import json
from pathlib import Path

import pytest

from dempilot import Error
from dempilot.convert.roles import Roles, read_roles


def description(folder: Path, data: object) -> Path:
    path = folder / "model.json"
    path.write_text(json.dumps(data))
    return path


def test_a_description_is_read(tmp_path):
    path = description(
        tmp_path,
        {"encoder": "eye", "actor": ["a", "b"], "critic_encoder": None, "activation": "tanh"},
    )
    roles = read_roles(path, "relu")
    assert roles == Roles(encoder=("eye",), actor=("a", "b"), activation="relu")
    assert roles.named


def test_without_parts_the_modules_are_to_be_found(tmp_path):
    assert not read_roles(description(tmp_path, {"activation": "tanh"}), None).named
    assert read_roles(None, None) == Roles()


REFUSED = {
    "no object": ([], "the model description is no JSON object (it is a list) Name the modules in "
                  "a description: --model FILE."),
    "unknown key": (
        {"actors": []},
        "the model description has 'actors' [] (known: encoder, recurrent, actor, critic, "
        "critic_recurrent, critic_encoder, log_std, ignore, activation, discrete, action_space) "
        "See docs/convert/torch.md.",
    ),
    "no list": (
        {"actor": 3},
        "'actor' is 3 (it takes a list of module names) Name the modules in a description: --model "
        "FILE.",
    ),
    "two deviations": (
        {"log_std": ["a", "b"]},
        "'log_std' names 2 modules (it takes one) Name the modules in a description: --model FILE.",
    ),
    "activation": (
        {"activation": "swoosh"},
        'unknown activation "swoosh" (known: gelu, gelu_erf, tanh, relu, leaky_relu, silu, elu, '
        "sigmoid, softplus, identity) Train with one of these.",
    ),
    "bounds that are no numbers": (
        {"action_space": {"type": "Clipped", "kw": {"x_min": ["low"]}}},
        "'x_min' of 'action_space' is [\"low\"] (it takes a finite number, null, or a list of "
        "them) See docs/convert/torch.md.",
    ),
    "bounds that are no object": (
        {"action_space": {"type": "Clipped", "kw": 3}},
        "'action_space' has 3 (Clipped takes x_min and x_max, Free takes nothing) See "
        "docs/convert/torch.md.",
    ),
    "a type that is a list": (
        {"action_space": {"type": []}},
        "'action_space' is {\"type\": []} (it takes {\"type\": \"Free\"} or {\"type\": "
        "\"Clipped\", \"kw\": {\"x_min\": …, \"x_max\": …}}) See docs/convert/torch.md.",
    ),
    "action space": (
        {"action_space": {"type": "Clipped", "kw": {"low": 1}}},
        "'action_space' has {\"low\": 1} (Clipped takes x_min and x_max, Free takes nothing) See "
        "docs/convert/torch.md.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_description_that_says_something_else_is_refused(name, tmp_path):
    data, expected = REFUSED[name]
    with pytest.raises(Error) as caught:
        read_roles(description(tmp_path, data), None)
    assert str(caught.value) == expected


def test_an_absent_bound_is_none(tmp_path):
    data = {"action_space": {"type": "Clipped", "kw": {"x_min": [-1, None]}}}
    assert read_roles(description(tmp_path, data), None).action_space == {
        "type": "Clipped",
        "kw": {"x_max": None, "x_min": [-1, None]},
    }
