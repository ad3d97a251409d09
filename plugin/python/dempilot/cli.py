"""The command line: convert, info, verify, recording."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dempilot import convert, tool
from dempilot.contract import Contract, read_contract
from dempilot.environments import ENVIRONMENTS, environment_contract, find_environment
from dempilot.errors import Error, fail

PROGRAM = "dempilot"

SOURCE_HELP = {
    "jaxdem": "a checkpoint folder of JaxDEM's CheckpointModelWriter, or one of its steps",
    "flax": "an orbax checkpoint of a flax model state, nnx or Linen",
    "torch": "a state dict saved by torch.save(model.state_dict(), FILE)",
    "sb3": "a zip saved by model.save() of PPO or RecurrentPPO",
    "cleanrl": "a state dict of a CleanRL agent (FILE.cleanrl_model)",
}
DESCRIPTION = {
    "jaxdem": "LSTMActorCritic (current and first), MinGRUActorCritic, SharedActorCritic and "
    "ActorCritic are known.",
    "flax": "Modules are found by conventional names (encoder, cell, actor, critic, log_std) or "
    "named by --model. Cells: OptimizedLSTMCell, LSTMCell, GRUCell.",
    "torch": "Modules are found by conventional names (encoder, lstm or gru, actor, critic, "
    "log_std) or named by --model. Layers: nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell.",
    "sb3": "PPO's MlpPolicy and RecurrentPPO's MlpLstmPolicy are known. What is pickled in the zip "
    "is read without running it.",
    "cleanrl": "The agents of ppo, ppo_continuous_action and ppo with an LSTM are known.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status, 1 after printing an error."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Error as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted, nothing was written", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Convert trained policies to policy files (*.policy.h5), and look at them "
        "and at recordings.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    converter = commands.add_parser(
        "convert",
        help="convert a checkpoint to a policy file",
        description="Converts a checkpoint to a policy file. The framework that trained it must be "
        "installed: it computes rows that every later load must reproduce.",
    )
    sources = converter.add_subparsers(required=True, metavar="FRAMEWORK")
    for source in convert.SOURCES:
        _add_source(sources, source)
    info = commands.add_parser("info", help="say what is in a policy file")
    info.add_argument("file", type=Path, metavar="FILE")
    info.set_defaults(run=lambda options: tool.info(options.file))
    verify = commands.add_parser(
        "verify",
        help="load policy files, which replays their golden rows",
        description="Loads each policy file, which replays the rows that the original model "
        "computed. Golden files of models go to the C++ tool 'dempilot verify'.",
    )
    verify.add_argument("files", type=Path, nargs="+", metavar="FILE")
    verify.set_defaults(run=lambda options: tool.verify(options.files))
    _add_recording(commands)
    return parser


def _add_recording(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    recording = commands.add_parser("recording", help="look at what a simulation recorded")
    actions = recording.add_subparsers(required=True, metavar="ACTION")
    info = actions.add_parser("info", help="say what is in a recording")
    info.add_argument("path", type=Path, metavar="FOLDER")
    info.add_argument("--json", action="store_true", help="for programs")
    info.set_defaults(run=lambda options: tool.recording_info(options.path, as_json=options.json))


def _add_source(sources: argparse._SubParsersAction[argparse.ArgumentParser], source: str) -> None:
    parser = sources.add_parser(
        source, help=SOURCE_HELP[source], description=f"{DESCRIPTION[source]}"
    )
    parser.add_argument("path", type=Path, metavar="SOURCE", help=SOURCE_HELP[source])
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the policy file to write"
    )
    parser.add_argument("--force", action="store_true", help="overwrite FILE if it exists")
    _add_contract(parser)
    if source in ("torch", "flax", "cleanrl"):
        parser.add_argument(
            "--model", type=Path, metavar="FILE", help="JSON that says which modules are which"
        )
        parser.add_argument(
            "--activation", metavar="NAME", help="activation between layers, such as tanh or relu"
        )
    if source in convert.WITHOUT_FORWARD:
        parser.add_argument(
            "--rows",
            type=Path,
            metavar="FILE",
            help="an npz of steps that your own model took: they are checked, and become the "
            "golden rows of the policy file (docs/convert/README.md says what it holds)",
        )
    if source in ("jaxdem", "flax"):
        parser.add_argument("--step", type=int, metavar="N", help="this step, not the latest")
    if source == "sb3":
        parser.add_argument(
            "--vecnormalize", type=Path, metavar="FILE", help="a pickle of VecNormalize.save()"
        )
        parser.add_argument(
            "--trust",
            action="store_true",
            help="unpickle everything. That runs whatever code the file brings along: use it only "
            "for files that you made, and only where the plain way refuses a class",
        )
    parser.set_defaults(run=_convert, source=source)


def _add_contract(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(environment.name for environment in ENVIRONMENTS)
    group = parser.add_argument_group(
        "what the policy observes and how it acts (an engine needs to know)"
    )
    group.add_argument(
        "--contract",
        type=Path,
        metavar="FILE",
        help="JSON with observation, action, timing, units, normalization, as docs/policy_file.md "
        "spells them",
    )
    group.add_argument("--environment", metavar="NAME", help=f"JaxDEM's: {names}")
    group.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=NUMBER",
        help="changes a default of the environment, such as lidar_range=4 or decision_interval=50",
    )


def _convert(options: argparse.Namespace) -> int:
    values = vars(options)
    contract, notes = _contract(options)
    report = convert.convert(
        convert.Request(
            source=options.source,
            path=options.path,
            output=options.output,
            contract=contract,
            description=values.get("model"),
            activation=values.get("activation"),
            vec_normalize=values.get("vecnormalize"),
            step=values.get("step"),
            rows=values.get("rows"),
            trust=values.get("trust", False),
            force=options.force,
        )
    )
    for note in (*report.notes, *notes):
        print(f"note: {note}")
    replayed = (
        f"C++ reproduced its {report.golden_rows} golden rows"
        if report.checked
        else "libdempilot.so was not found, so nothing checked its "
        f"{report.golden_rows} golden rows in C++ yet; the first load will"
    )
    print(f"{options.output}: {report.model.name}; {replayed}")
    return 0


def _contract(options: argparse.Namespace) -> tuple[Contract, list[str]]:
    if options.contract is not None and options.environment is not None:
        fail(
            "--contract and --environment are both given",
            "each says what the policy observes",
            "Leave one of them out.",
        )
    if options.environment is None:
        if options.option:
            fail("--option is given without --environment", "it changes one", "Name it.")
        return Contract() if options.contract is None else read_contract(options.contract), []
    environment = find_environment(options.environment)
    contract = environment_contract(options.environment, _numbers(options.option))
    return contract, [] if environment.note is None else [f"{environment.name}: {environment.note}"]


def _numbers(pairs: Sequence[str]) -> dict[str, float]:
    numbers = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            numbers[key] = float(value)
        except ValueError:
            fail(f"--option {pair}", "it is no KEY=NUMBER", "Write it as lidar_range=4.")
    return numbers
