"""From a checkpoint of some framework to a policy file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from dempilot import library
from dempilot.contract import Contract
from dempilot.convert.digests import digest
from dempilot.convert.roles import read_roles
from dempilot.convert.rows import read_rows
from dempilot.errors import Error, fail
from dempilot.golden import TOLERANCE, record
from dempilot.model import Array, Model, Normalization
from dempilot.policy import load
from dempilot.policy_file import require_free, write_policy_file

SOURCES = ("jaxdem", "flax", "torch", "sb3", "cleanrl")
# what these save says what the layers are, and nothing of the forward pass around them
WITHOUT_FORWARD = ("jaxdem", "flax", "torch", "cleanrl")


@dataclass(frozen=True)
class Request:
    """What to convert: `source` names one of SOURCES, the rest are options of the command line."""

    source: str
    path: Path
    output: Path
    contract: Contract = field(default_factory=Contract)
    description: Path | None = None
    activation: str | None = None
    vec_normalize: Path | None = None
    step: int | None = None
    rows: Path | None = None
    trust: bool = False
    force: bool = False


@dataclass(frozen=True)
class Report:
    """What was written, and what whoever converted should know."""

    model: Model
    golden_rows: int
    checked: bool
    notes: tuple[str, ...]


def convert(request: Request) -> Report:
    """Converts, has the C++ load the file if it is at hand, and gives the file its name.

    Raises `Error`, and then writes nothing.
    """
    try:
        return _convert(request)
    except Error:
        raise
    except Exception as error:  # a file can hold what nobody foresaw
        fail(
            f"{request.path} cannot be converted: {type(error).__name__}: {error}",
            "unexpected content",
            "Check that the file is what --help says.",
        )


def _convert(request: Request) -> Report:
    require_free(request.output, request.force)
    model = _normalized(request, request.contract.normalization)
    contract = request.contract
    contract.check(model.observation_size, model.action_size, discrete=model.discrete)
    model, golden = _with_golden_rows(request, model)
    checked = library.available()
    write_policy_file(
        request.output,
        model,
        contract,
        golden,
        force=request.force,
        check=lambda path: _load_once(path, request.output) if checked else None,
    )
    rows = len(golden["observation"])
    return Report(model, rows, checked, (*model.notes, *_missing(contract, model)))


def _with_golden_rows(request: Request, model: Model) -> tuple[Model, dict[str, Array]]:
    """Golden rows, recorded by the model's author if that was done, and a model that says so."""
    if request.rows is None:
        return model, record(model)
    golden = read_rows(request.rows, model)
    source = f"golden rows {request.rows.name}, sha256 {digest(request.rows)}"
    note = f"golden rows: those of {request.rows}, which the model gives within {TOLERANCE:g}"
    notes = (*model.notes, note)
    return replace(model, provenance=f"{model.provenance}; {source}", notes=notes), golden


def _load_once(path: Path, output: Path) -> None:
    """Replays the golden rows; messages name the file as it was to be called."""
    try:
        load(path)
    except Error as error:
        raise Error(str(error).replace(str(path), str(output))) from None


def _normalized(request: Request, given: Normalization | None) -> Model:
    """Reads the model, with the statistics from VecNormalize or from the contract."""
    if request.vec_normalize is not None:
        if given is not None:
            fail(
                "normalization is given twice",
                "by --vecnormalize and in the contract",
                "Leave one of them out.",
            )
        from dempilot.convert.sb3_archive import read_vec_normalize

        given = read_vec_normalize(request.vec_normalize, trust=request.trust)
    model = read_model(request, given)
    if given is not None:
        # again as a contract, which checks widths the same way for all sources
        replace(Contract(), normalization=given).check(
            model.observation_size, model.action_size, discrete=model.discrete
        )
    return model


def read_model(request: Request, normalization: Normalization | None) -> Model:
    """Reads a checkpoint; the source's framework is imported here and not before."""
    path = request.path
    if not path.exists():
        fail(f"{path} does not exist", "there is nothing to convert", "Check the path.")
    if request.source == "jaxdem":
        from dempilot.convert.jaxdem import read_jaxdem

        return read_jaxdem(path, normalization, step=request.step)
    if request.source == "sb3":
        from dempilot.convert.sb3 import read_sb3

        return read_sb3(path, normalization, trust=request.trust)
    roles = read_roles(request.description, request.activation)
    if request.source == "flax":
        from dempilot.convert.flax import read_flax

        return read_flax(path, roles, normalization, step=request.step)
    if request.source == "cleanrl":
        from dempilot.convert.cleanrl import read_cleanrl

        return read_cleanrl(path, roles, normalization)
    from dempilot.convert.torch import read_torch

    return read_torch(path, roles, normalization)


def _missing(contract: Contract, model: Model) -> list[str]:
    if contract.components is not None and contract.action is not None:
        return []
    lacking = [
        name
        for name, group in (("/observation", contract.components), ("/action", contract.action))
        if group is None
    ]
    return [
        f"the file has no {' and no '.join(lacking)}: it can be stepped from Python and C, and an "
        f"engine will refuse it; give --contract FILE or --environment NAME "
        f"({model.observation_size} values are observed, "
        f"{model.action_size} {'categories chosen from' if model.discrete else 'actions given'})"
    ]
