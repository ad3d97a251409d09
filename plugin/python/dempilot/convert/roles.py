"""Which modules of a checkpoint are encoder, recurrent layers, actor and critic.

A checkpoint holds tensors, not what they are for. Modules are found by conventional names, or named
by a description, a JSON object:

    {"encoder": ["embed"], "recurrent": ["memory"], "actor": ["hidden", "mu"], "critic": ["v"],
     "critic_recurrent": [], "critic_encoder": null, "log_std": "log_std",
     "activation": "tanh", "discrete": false,
     "action_space": {"type": "Clipped", "kw": {"x_min": -1, "x_max": 1}},
     "ignore": ["target_critic"]}

As soon as it names one part, it names them all; what it does not name is absent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dempilot.convert.tensors import Tensors
from dempilot.errors import fail
from dempilot.network import ACTIVATIONS, Network

CONVENTIONS: dict[str, tuple[str, ...]] = {
    "encoder": ("encoder", "network", "torso", "trunk", "shared", "embed", "base", "features"),
    "recurrent": ("lstm", "gru", "cell", "cells", "rnn", "core", "memory", "recurrent"),
    "actor": (
        "actor", "actor_mean", "actor_mu", "policy", "pi", "policy_net", "policy_head", "mean",
        "mu", "logits",
    ),
    "critic": ("critic", "value", "v", "value_net", "value_head"),
    "critic_recurrent": ("critic_lstm", "critic_gru", "critic_cell", "critic_cells"),
    "critic_encoder": ("critic_encoder",),
    "log_std": ("log_std", "logstd", "actor_logstd", "actor_log_std", "_log_std"),
}  # fmt: skip
PARTS = tuple(CONVENTIONS)
LARGEST = 2**127  # of what float32 holds
REMEDY = "Name the modules in a description: --model FILE."


@dataclass(frozen=True)
class Roles:
    """The modules of each part by name, and what tensors cannot tell."""

    encoder: tuple[str, ...] = ()
    recurrent: tuple[str, ...] = ()
    actor: tuple[str, ...] = ()
    critic: tuple[str, ...] = ()
    critic_recurrent: tuple[str, ...] = ()
    critic_encoder: tuple[str, ...] = ()
    log_std: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    activation: str | None = None
    discrete: bool | None = None
    action_space: dict[str, Any] | None = None

    @property
    def named(self) -> bool:
        """Whether the parts are named rather than to be found."""
        return any(getattr(self, part) for part in PARTS)


def read_roles(path: Path | None, activation: str | None) -> Roles:
    """Reads a description, if there is one; `activation` overrides what it says."""
    roles = Roles() if path is None else _parse(_read(path))
    return roles if activation is None else replace(roles, activation=_activation(activation))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        fail(f"the model description {path} cannot be read", str(error), "Give a JSON file.")


def _parse(data: Any) -> Roles:
    if not isinstance(data, dict):
        fail("the model description is no JSON object", f"it is a {type(data).__name__}", REMEDY)
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key in (*PARTS, "ignore"):
            values[key] = _names(key, value)
        elif key == "activation":
            values[key] = _activation(value)
        elif key == "discrete" and isinstance(value, bool):
            values[key] = value
        elif key == "action_space" and isinstance(value, dict):
            values[key] = _action_space(value)
        else:
            fail(
                f"the model description has '{key}' {json.dumps(value)}",
                f"known: {', '.join((*PARTS, 'ignore', 'activation', 'discrete', 'action_space'))}",
                "See docs/convert/torch.md.",
            )
    return Roles(**values)


def _names(key: str, value: Any) -> tuple[str, ...]:
    names = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        fail(f"'{key}' is {json.dumps(value)}", "it takes a list of module names", REMEDY)
    if key in ("critic_encoder", "log_std") and len(names) > 1:
        fail(f"'{key}' names {len(names)} modules", "it takes one", REMEDY)
    return tuple(names)


def _activation(value: Any) -> str:
    if not isinstance(value, str) or value not in ACTIVATIONS:
        fail(
            f"unknown activation {json.dumps(value)}",
            f"known: {', '.join(ACTIVATIONS)}",
            "Train with one of these.",
        )
    return str(value)


def _action_space(value: dict[str, Any]) -> dict[str, Any]:
    known = {"Free": set(), "Clipped": {"x_min", "x_max"}}
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in known or set(value) - {"type", "kw"}:
        fail(
            f"'action_space' is {json.dumps(value)}",
            'it takes {"type": "Free"} or {"type": "Clipped", "kw": {"x_min": …, "x_max": …}}',
            "See docs/convert/torch.md.",
        )
    bounds = value.get("kw", {})
    if not isinstance(bounds, dict) or set(bounds) - known[value["type"]]:
        fail(
            f"'action_space' has {json.dumps(value['kw'])}",
            "Clipped takes x_min and x_max, Free takes nothing",
            "See docs/convert/torch.md.",
        )
    for key, bound in bounds.items():
        if not _is_bound(bound) and not (isinstance(bound, list) and all(map(_is_bound, bound))):
            fail(
                f"'{key}' of 'action_space' is {json.dumps(bound)}",
                "it takes a finite number, null, or a list of them",
                "See docs/convert/torch.md.",
            )
    return {"type": value["type"], "kw": {k: bounds.get(k) for k in sorted(known[value["type"]])}}


def _is_bound(value: Any) -> bool:
    """A number that a float can hold, or null for no bound."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < LARGEST
    return value is None or (isinstance(value, float) and math.isfinite(value))


def find_roles(roles: Roles, tensors: Tensors) -> Roles:
    """Fills in the parts by the conventional names, unless they are named."""
    if roles.named:
        return roles
    found: dict[str, tuple[str, ...]] = {}
    ignored = set(roles.ignore)
    for part, names in CONVENTIONS.items():
        found[part] = tuple(
            module for module in tensors.modules() if module in names and module not in ignored
        )
    for part in ("actor", "critic"):
        if not found[part]:
            fail(
                f"no {part} was found",
                f"none of the modules {', '.join(tensors.modules()) or '(there are none)'} is "
                f"called {', '.join(CONVENTIONS[part])}",
                REMEDY,
            )
    return replace(roles, **found)  # type: ignore[arg-type]


def build_network(roles: Roles, tensors: Tensors) -> Network:
    """Reads the tensors of every part; raises `Error` where one is missing or left over."""
    for module in roles.ignore:
        tensors.ignore(module)
    encoder, actor, critic, critic_encoder = (
        [layer for module in modules for layer in tensors.linears(module)]
        for modules in (roles.encoder, roles.actor, roles.critic, roles.critic_encoder)
    )
    cells, critic_cells = (
        [cell for module in modules for cell in tensors.cells(module)]
        for modules in (roles.recurrent, roles.critic_recurrent)
    )
    if not cells and (critic_cells or critic_encoder):
        fail(
            "the critic has a memory or encoder of its own and the actor no recurrent layer",
            "the policy file knows no such model",
            "Name the actor's recurrent layers, or count the critic's encoder to the critic.",
        )
    if len(critic_encoder) > 1 or (critic_encoder and critic_cells):
        fail("the critic has several encoders", "it takes one layer or recurrent layers", REMEDY)
    log_std = tensors.take(roles.log_std[0]) if roles.log_std else None
    _refuse_unused(tensors)
    hidden = bool(encoder) or len(actor) > 1 or len(critic) > 1
    return Network(
        encoder=encoder,
        cells=cells,
        actor=actor,
        critic=critic,
        critic_cells=critic_cells,
        critic_encoder=critic_encoder[0] if critic_encoder else None,
        activation=_known_activation(roles, hidden),
        log_std=log_std,
        discrete=log_std is None if roles.discrete is None else roles.discrete,
        action_space=roles.action_space,
    )


def _refuse_unused(tensors: Tensors) -> None:
    unused = tensors.unused()
    if unused:
        names = ", ".join(f"'{name}'" for name in unused[:3])
        more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
        fail(
            f"nothing is known of {names}{more}",
            "what is left out would change what the policy does",
            "Name these modules in a description, under 'ignore' if they do not act: --model FILE.",
        )


def _known_activation(roles: Roles, hidden: bool) -> str:
    if not hidden:
        return "identity"
    if roles.activation is None:
        fail(
            "the activation is unknown",
            "tensors do not tell which one stands between the layers",
            "Name it: --activation tanh, or in a description.",
        )
    return roles.activation


def role_notes(roles: Roles, network: Network) -> Sequence[str]:
    """Says what was taken for what, so that a wrong guess shows."""
    parts = [f"{part}: {', '.join(getattr(roles, part))}" for part in PARTS if getattr(roles, part)]
    notes = [f"read as {'; '.join(parts)}; activation: {network.activation}"]
    notes.append(f"computes: {_order(roles, network)}")
    if network.discrete and roles.discrete is None:
        notes.append("there is no log_std: the actions are taken for categories")
    return notes


def _order(roles: Roles, network: Network) -> str:
    """What is applied after what, as the golden rows are computed: the actor's, the critic's."""
    after = f" -> {network.activation}"
    encoder = [f"{layer.name}{after}" for layer in network.encoder]
    own = [network.critic_encoder.name] if network.critic_encoder else []
    actor = [*encoder, *roles.recurrent]
    critic = [*encoder, *(roles.critic_recurrent or own or roles.recurrent)]
    for steps, layers in ((actor, network.actor), (critic, network.critic)):
        steps += [f"{layer.name}{after}" for layer in layers[:-1]] + [layers[-1].name]
    return f"{' -> '.join(actor)}; {' -> '.join(critic)}"
