"""Recordings of simulations that are killed, stopped, or run out of disk."""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import dempilot

LMP = os.environ["DEMPILOT_TEST_LAMMPS"]
PLUGIN = os.environ["DEMPILOT_TEST_PLUGIN"]
MPIEXEC = [os.environ["DEMPILOT_TEST_MPIEXEC"], os.environ["DEMPILOT_TEST_MPIEXEC_FLAG"]]
POLICY = os.environ["DEMPILOT_TEST_POLICY"]

# What Open MPI needs to start more ranks than there are cores, as root too.
SETTINGS = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "PMIX_MCA_gds": "hash",  # no file in /tmp, which a test forbids to grow
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMP_PROC_BIND": "false",
    "OMP_NUM_THREADS": "1",
}

# Agents seek a goal amid grains that rest, without touching, in a box without periodic faces: every
# number is the same on any number of ranks, and after any restart.
WORLD = """\
units lj
dimension 2
atom_style sphere
boundary f f p
region box block 0 60 0 60 -0.5 0.5
create_box 2 box
create_atoms 2 random 6 77 box
create_atoms 1 random 30 78 box
set type * diameter 1.0 density 1.0
group agents type 2
pair_style zero 1.0
pair_coeff * *
"""
AGENTS = 6
EVERY = 5  # decisions from one recorded to the next
FLUSH = 50


def setting(record: str) -> str:
    """What follows on the world and on a restart file alike; thermo tells the decisions made."""
    return f"""\
neighbor 0.6 bin
timestep 0.005
fix plane all enforce2d
fix move agents nve/sphere disc
variable reward atom -sqrt((x-30)^2+(y-30)^2)
fix pilot agents pilot {POLICY} every 2 mode sample 5 bind goal 30 30 record run.recording &
    every {EVERY} carry yes reward v_reward {record}
thermo_style custom step f_pilot[2]
thermo 100
thermo_modify flush yes
"""


class Simulation:
    """One launch of LAMMPS in a folder."""

    def __init__(self, folder: Path, script: str, ranks: int = 1, file_size: int | None = None):
        (folder / "in.script").write_text(f"plugin load {PLUGIN}\n{script}")
        self.output = folder / "output"
        launcher = [] if ranks == 1 else [*MPIEXEC, str(ranks)]

        def prepare() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job may ignore it
            if file_size is not None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*launcher, LMP, "-in", "in.script", "-log", "none"],
                cwd=folder,
                env=os.environ | SETTINGS,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=prepare,
            )

    def decisions(self) -> int:
        """How many decisions had been made when LAMMPS last said so; 0 before."""
        seen = re.findall(r"^ +\d+ +(\d+) *\n", self.output.read_text(errors="replace"), re.M)
        return int(seen[-1]) if seen else 0

    def send(self, number: int, *, program: str | None = None) -> None:
        """Signals every process of the launch, or those of one program."""
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, fields = status.read_text().split("(", 1)[1].rsplit(")", 1)
                if int(fields.split()[3]) == self.process.pid and program in (None, name):
                    os.kill(int(status.parent.name), number)
            except (OSError, IndexError):
                continue  # it has gone

    def finish(self) -> str:
        """Waits for its end, which must be a good one."""
        self.process.wait(timeout=100)
        output = self.output.read_text()
        assert self.process.returncode == 0, output
        return output

    def wait_for(self, decisions: int) -> None:
        deadline = time.monotonic() + 100
        while self.decisions() < decisions:
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.02)


def last_restart(folder: Path) -> Path | None:
    """The last complete one: what agents remember is written after the rest, and renamed."""
    sides = folder.glob("run.*.restart.pilot.h5")
    steps = sorted(int(side.name.split(".")[1]) for side in sides)
    return folder / f"run.{steps[-1]}.restart" if steps else None


def start(folder: Path, end: str, ranks: int = 1) -> Simulation:
    """Goes on from the last restart file, or begins."""
    restart = last_restart(folder)
    world = WORLD if restart is None else f"read_restart {restart.name}\n"
    script = f"{world}{setting(f'flush {FLUSH}')}restart 1000 run.*.restart\n{end}\n"
    return Simulation(folder, script, ranks)


def check_unbroken(recording: dempilot.Recording, made: int) -> None:
    """From the first decision on, all agents at each, and not more missing than one flush."""
    decisions = recording.decisions
    np.testing.assert_array_equal(decisions, EVERY * np.arange(len(decisions)))
    assert len(recording) == AGENTS * len(decisions)
    assert recording.dense().mask.all()
    assert len(decisions) > -(-made // EVERY) - FLUSH
    np.testing.assert_array_equal(recording.steps, 2 * decisions)


def test_nothing_that_was_flushed_is_lost_when_it_is_killed(tmp_path):
    moments = random.Random(4711)
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    interrupted.mkdir()
    whole.mkdir()
    folder = interrupted / "run.recording"
    for leg in range(10):
        simulation = start(interrupted, "run 1000000000", ranks=2 if leg % 3 == 2 else 1)
        time.sleep(moments.uniform(0.1, 1.5))
        simulation.send(signal.SIGKILL)
        simulation.process.wait(timeout=100)
        made = simulation.decisions()
        if made == 0 and not (folder / "index.json").exists():
            continue  # it had not got that far
        check_unbroken(dempilot.Recording(folder), made)
    start(interrupted, "run 0").finish()
    end = 2 * int(dempilot.Recording(folder).decisions[-1]) + 1000
    start(interrupted, f"run {end} upto").finish()
    start(whole, f"run {end}").finish()
    recording, reference = dempilot.Recording(folder), dempilot.Recording(whole / "run.recording")
    check_unbroken(recording, end // 2 + 1)
    assert recording.decisions[-1] == reference.decisions[-1]
    for column in reference.columns:
        np.testing.assert_array_equal(recording[column], reference[column], column)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_signal_ends_it_after_a_last_flush(tmp_path, number, ranks):
    simulation = Simulation(tmp_path, f"{WORLD}{setting('')}run 1000000000\n", ranks)
    simulation.wait_for(500)
    assert not list(tmp_path.glob("run.recording/segment*"))
    made = simulation.decisions()
    simulation.send(number, program=Path(LMP).name)
    simulation.process.wait(timeout=100)
    if ranks == 1:
        assert simulation.process.returncode == -number
    assert simulation.process.returncode != 0
    recording = dempilot.Recording(tmp_path / "run.recording")
    assert len(recording.segments) == ranks
    assert recording.ignored == ()
    np.testing.assert_array_equal(recording.decisions, EVERY * np.arange(len(recording.decisions)))
    assert recording.dense().mask.all()
    assert EVERY * len(recording.decisions) >= made


def test_a_signal_ends_all_recordings_well(tmp_path):
    other = (
        f"group grains type 1\nfix other grains pilot {POLICY} every 2 bind goal 30 30 record "
        "other.recording every 1\n"
    )
    simulation = Simulation(tmp_path, f"{WORLD}{setting('')}{other}run 1000000000\n")
    simulation.wait_for(300)
    made = simulation.decisions()
    simulation.send(signal.SIGTERM)
    assert simulation.process.wait(timeout=100) == -signal.SIGTERM
    for name, every, agents in (("run", EVERY, AGENTS), ("other", 1, 30)):
        recording = dempilot.Recording(tmp_path / f"{name}.recording")
        count = len(recording.decisions)
        np.testing.assert_array_equal(recording.decisions, every * np.arange(count))
        assert every * count >= made
        assert len(recording) == agents * count
        assert recording.ignored == ()


def test_an_error_of_another_command_loses_nothing(tmp_path):
    stop = "variable now equal step\nfix stop all halt 1 v_now >= 333 error hard\n"
    simulation = Simulation(tmp_path, f"{WORLD}{setting('')}{stop}run 1000\n")
    assert simulation.process.wait(timeout=100) == 1
    assert "Fix halt condition for fix-id stop met on step 333" in simulation.output.read_text()
    recording = dempilot.Recording(tmp_path / "run.recording")
    assert len(recording) == AGENTS * len(recording.decisions)
    np.testing.assert_array_equal(recording.decisions, EVERY * np.arange(34))


def test_an_error_of_one_rank_loses_nothing_that_was_flushed(tmp_path):
    """One rank stops while the other waits for it in a reduction, and nobody can agree."""
    broken = "variable broken atom 1/(step<333||id!=1)\n"
    reduced = "compute all all reduce sum v_broken\nfix stop all ave/time 1 1 1 c_all\n"
    script = f"{WORLD}{setting('flush 10')}{broken}{reduced}run 1000\n"
    simulation = Simulation(tmp_path, script, ranks=2)
    assert simulation.process.wait(timeout=100) != 0
    assert "Divide by 0 in variable formula" in simulation.output.read_text()
    recording = dempilot.Recording(tmp_path / "run.recording")
    count = len(recording.decisions)
    assert 30 <= count <= 34
    np.testing.assert_array_equal(recording.decisions, EVERY * np.arange(count))
    assert len(recording) == AGENTS * count


def test_a_full_disk_is_an_error_that_spoils_nothing(tmp_path):
    script = f"{WORLD}{setting('')}run 20\nrun 20000\n"
    simulation = Simulation(tmp_path, script, file_size=100_000)
    assert simulation.process.wait(timeout=100) == 1
    folder = tmp_path / "run.recording"
    output = simulation.output.read_text()
    message = (
        f"Fix pilot pilot: {folder}/segment-0001-00000-000001.h5 could not be written (File too "
        "large). Make room or choose another folder"
    )
    assert " ".join(output.split()).count(message) == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.json",
        "segment-0001-00000-000000.h5",
    ]
    assert dempilot.Recording(folder).decisions.tolist() == [0, 5, 10]


def test_a_segment_that_is_gone_is_missed(tmp_path):
    Simulation(tmp_path, f"{WORLD}{setting('flush 2')}run 100\n").finish()
    folder = tmp_path / "run.recording"
    lost = folder / "segment-0001-00000-000001.h5"
    with h5py.File(lost) as file:
        rows = len(file["agent"])
    shutil.move(lost, tmp_path)
    with pytest.raises(dempilot.Error) as caught:
        dempilot.Recording(folder)
    assert str(caught.value) == (
        f"{lost} is missing (index.json says that it holds {rows} rows) Copy the recording again."
    )
