"""How the benchmarks turn seconds into figures, with made-up turns."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from figures import (
    Limits,
    Turn,
    best_peer,
    duration,
    judge,
    largest_difference,
    paired,
    table,
    weights_line,
)
from frameworks import SIZES, Size, parse_size
from lammps import EXAMPLE, Run, check_motion, lammps_records, lammps_table, parse_log
from model import (
    BenchError,
    Cost,
    expected,
    fresh_weights,
    read_weights,
    step,
    write_policy,
)
from ranks import ranks_table, scaling_record
from replay import scripts, write_pushes
from run_bench import parse, take_cores, warn_of_others

#: The clock falls by half from round to round, and everybody with it.
LIMITS = [Limits(4e9, 8e9, 5e9), Limits(2e9, 4e9, 2.5e9), Limits(1e9, 2e9, 1.25e9)]
TURNS = {
    "dempilot": [Turn(400, 1.0, 1.0), Turn(400, 2.0, 2.0), Turn(400, 4.0, 4.0)],
    "jax": [Turn(200, 1.0, 0.5), Turn(100, 1.0, 0.5), Turn(50, 1.0, 0.5)],
    "torch": [Turn(100, 1.0, 1.0), Turn(50, 1.0, 1.0), Turn(25, 1.0, 1.0)],
}


def judged(clock="wall", turns=TURNS, threads=1):
    return {record.contestant: record for record in judge(
        turns, LIMITS[: len(next(iter(turns.values())))], forms={"jax": "scan"}, mode="step",
        steps=1, agents=10, threads=threads, clock=clock, flop=1_000_000, moved=2_000_000)}


def test_rates_are_medians_and_shares_are_of_the_same_round():
    ours = judged()["dempilot"]
    assert (ours.agent_steps_per_s, ours.slowest, ours.fastest) == (200, 100, 400)
    assert ours.seconds_per_call == pytest.approx(10 / 200)
    # 400/s x 1 MFLOP of 4 GFLOP/s, 200 of 2, 100 of 1: a tenth in every round
    assert ours.peak_share == pytest.approx(0.1)
    assert ours.rested_peak_share == pytest.approx(0.08)
    assert ours.bandwidth_share == pytest.approx(0.1)


def test_ratios_are_to_the_best_of_the_others():
    records = judged()
    assert records["dempilot"].ratio_to_best_peer == pytest.approx(2)
    assert records["jax"].ratio_to_best_peer == pytest.approx(1)
    assert records["torch"].ratio_to_best_peer == pytest.approx(0.5)
    assert records["jax"].form == "scan"


def test_nobody_is_compared_with_itself_alone():
    assert best_peer({"dempilot": [1.0]}) is None
    assert judged(turns={"dempilot": TURNS["dempilot"]})["dempilot"].ratio_to_best_peer is None


def test_processor_time_counts_where_it_is_asked_for():
    assert judged()["jax"].cpu_share == pytest.approx(0.5)
    assert judged("cpu")["jax"].agent_steps_per_s == pytest.approx(200)
    # two threads that ran half a second altogether ran a quarter of a second each
    assert judged("cpu", threads=2)["jax"].agent_steps_per_s == pytest.approx(400)
    assert judged(threads=2)["jax"].cpu_share == pytest.approx(0.25)


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    assert paired([1.0, 10.0, 100.0], [1.0, 5.0, 10.0]) == 2.0
    with pytest.raises(ValueError, match="shorter"):
        paired([1.0, 2.0], [1.0])


def test_a_difference_is_relative_to_what_is_larger_than_one():
    assert largest_difference(np.array([0.5, 30.0]), np.array([0.25, 20.0])) == 0.5
    assert largest_difference([math.nan], [1.0]) == math.inf
    assert largest_difference([1.0, 1.0], [1.0]) == math.inf


@pytest.mark.parametrize(("seconds", "text"), [
    (2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.56e-6, "4.56 µs"), (7e-10, "0.7 ns")])
def test_durations_have_three_digits_and_a_unit(seconds, text):
    assert duration(seconds) == text


def test_the_table_has_the_fastest_first_and_every_figure():
    lines = table(list(judged().values())).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["dempilot", "jax", "torch"]
    assert lines[1].split() == ["dempilot", "200", "100", "to", "400", "50", "ms", "10.0", "%",
                                "8.0", "%", "10.0", "%", "2.00"]
    assert "410 KiB" in weights_line(419_856, 1e11)
    assert weights_line(419_856, 1e11).endswith("4.2 µs")


def test_a_record_is_a_line_of_json():
    record = json.loads(json.dumps(judged()["torch"].as_dict()))
    assert {"contestant", "mode", "agents", "threads", "agent_steps_per_s", "peak_share",
            "ratio_to_best_peer"} <= set(record)


def test_the_cost_is_counted_from_the_layers():
    cost = Cost.of(fresh_weights())
    assert cost.flop == 2 * (22 * 64 + 64 * 64 + (64 + 128) * 512 + 128 * 4) == 208_640
    assert cost.bytes == 4 * (22 + 256 + 256 + 3 + 1) == 2_152
    assert cost.weight_bytes == 4 * (208_640 // 2 + 64 + 64 + 512 + 4)


def test_a_policy_file_gives_its_weights_back(tmp_path):
    weights = fresh_weights(7)
    write_policy(tmp_path / "a.policy.h5", weights)
    read = read_weights(tmp_path / "a.policy.h5")
    assert Cost.of(read) == Cost.of(weights)
    for mine, theirs in zip(read.encoder, weights.encoder, strict=True):
        np.testing.assert_array_equal(mine[0], theirs[0])
    np.testing.assert_array_equal(read.head_kernel, weights.head_kernel)
    np.testing.assert_array_equal(read.hidden_kernel, weights.hidden_kernel)


def test_a_policy_that_contestants_do_not_know_is_refused(tmp_path):
    import h5py

    path = tmp_path / "a.policy.h5"
    write_policy(path, fresh_weights())
    with h5py.File(path, "a") as file:
        file.attrs["metadata"] = file.attrs["metadata"].replace('"gelu"', '"tanh"')
    with pytest.raises(BenchError, match="cannot be compared"):
        read_weights(path)


def test_a_check_goes_on_from_step_to_step():
    weights = fresh_weights()
    rows = np.random.default_rng(0).standard_normal((2, 22))
    mean, value, carry = step(weights, rows, np.zeros((2, 256)))
    again = step(weights, rows, carry)
    parts = [mean, value, again[0], again[1], again[2]]
    np.testing.assert_array_equal(expected(weights, [rows, rows]),
                                  np.concatenate([part.ravel() for part in parts]))


def test_sizes_are_agents_or_steps_by_agents():
    assert parse_size("1024") == Size("step", 1, 1024)
    assert parse_size("64x1024") == Size("sequence", 64, 1024) == SIZES[-1]
    for wrong in ("many", "0", "1x2x3", "64x"):
        with pytest.raises(BenchError, match=f"'{wrong}' is no size"):
            parse_size(wrong)


def test_every_thread_has_a_core():
    assert take_cores([3, 5, 7], 2) == [3, 5]
    with pytest.raises(BenchError, match=r"2 threads or ranks have 1 core\(s\)"):
        take_cores([1], 2)


def test_quick_options_give_way_to_those_that_are_named():
    options = parse(["--quick", "--rounds", "9"])
    assert (options.part, options.rounds, options.sizes) == ("frameworks", 9, ["1", "64", "1024"])
    assert parse(["ranks"]).sizes is None


def test_a_core_that_others_use_is_told_of():
    said = []
    records = [replace(record, cpu_share=share) for record, share in
               zip(judged().values(), (1.0, 0.9, 0.96), strict=True)]
    warn_of_others(records, said.append)
    assert said == [
        "warning: others ran on the same core as jax (the figures are too low). Choose an idle "
        "core by --cores and repeat, or count by --clock cpu"]


SCRIPT = EXAMPLE / "lighthouse.in"

LOG = """Loop time of 0.5 on 2 procs for 100 steps with 7 atoms

100.0% CPU use with 2 MPI tasks x no OpenMP threads
Loop time of 2 on 2 procs for 900 steps with 5640 atoms
80.0% CPU use with 2 MPI tasks x no OpenMP threads
Neighbor list builds = 17
Fix pilot pilot: 101 decisions, 240 agents; \
seconds per rank: inputs 0.03, observe 0.25, infer 0.5, act 0.0125
"""


def test_a_log_tells_of_all_pieces_of_a_run():
    run = parse_log(LOG)
    assert run == Run(2.5, pytest.approx(0.84), 1000, 5640, 17, 101, 240, (0.03, 0.25, 0.5, 0.0125))
    assert (run.loop("wall"), run.loop("cpu")) == (2.5, pytest.approx(2.1))
    assert parse_log("\n".join(LOG.splitlines()[:-1])).decisions == 0
    with pytest.raises(BenchError, match="has no 'Loop time'"):
        parse_log("ERROR: lost atoms")


def test_a_run_with_the_fix_is_set_against_one_without_it():
    without = [Run(1.0, 1.0, 1000, 5640), Run(2.0, 1.0, 1000, 5640), Run(4.0, 1.0, 1000, 5640)]
    with_fix = [Run(2 * run.seconds, 1.0, 1000, 5640, 9, 100, 240,
                    (0.0, 0.1 * run.seconds, 0.8, 0.0))
                for run in without]
    runs = {"pushed": without, "fix pilot": with_fix, "at rest": without}
    plain, fix, rest = lammps_records(runs, ranks=2, every=10, clock="wall")
    assert rest["ratio_to_pushed"] == 1
    assert (plain["ms_per_step"], plain["ratio_to_pushed"]) == (2.0, 1.0)
    assert (fix["ms_per_step"], fix["ratio_to_pushed"]) == (4.0, 2.0)
    assert fix["observe_share"] == pytest.approx(0.05)
    assert fix["infer_share"] == pytest.approx(0.2)
    # of the second run 4 s are the loop, 0.2 s are observing and 0.8 s are inferring
    assert fix["ratio_to_rest"] == pytest.approx(4 / 3)
    assert plain["ratio_to_rest"] == 1
    assert fix["infer_ms_per_decision"] == pytest.approx(8)
    assert "20.00 %" in lammps_table([plain, fix, rest])


def test_another_motion_is_told_of():
    check_motion(Run(1.0, 1.0, 1000, 5640, 95), Run(1.0, 1.0, 1000, 5640, 100))
    with pytest.raises(BenchError, match="80 times, with the fix 100 times"):
        check_motion(Run(1.0, 1.0, 1000, 5640, 80), Run(1.0, 1.0, 1000, 5640, 100))


def test_scripts_are_the_lighthouses_but_for_who_pushes():
    made = scripts(SCRIPT)
    original = [line for line in SCRIPT.read_text().splitlines() if line]
    for name, text in made.items():
        lines = [line for line in text.splitlines() if line]
        assert lines.index("atom_modify     map array") == lines.index("atom_style      sphere") + 1
        lines.remove("atom_modify     map array")
        assert lines[: len(original) - 1] == original[:-1], name
    assert made["fix pilot"].endswith("run             ${steps}\n")


def test_a_changed_lighthouse_is_told_of(tmp_path):
    script = tmp_path / "lighthouse.in"
    script.write_text(SCRIPT.read_text().replace("run             ", "run "))
    with pytest.raises(BenchError, match=r"has not one line 'run             \$\{steps\}'"):
        scripts(script)


def test_pushes_are_sections_of_forces(tmp_path):
    header = ("ITEM: TIMESTEP\n{}\nITEM: NUMBER OF ATOMS\n2\nITEM: BOX BOUNDS\n0 1\n0 1\n0 1\n"
              "ITEM: ATOMS\n")
    (tmp_path / "pushes.dump").write_text(header.format(0) + "4 0.5 -1\n7 0 0.25\n"
                                          + header.format(10) + "4 1 0\n7 -0.1 0\n")
    write_pushes(tmp_path)
    assert (tmp_path / "pushes.x").read_text() == "2\n4 30\n7 0\n2\n4 60\n7 -6\n"
    assert (tmp_path / "pushes.y").read_text() == "2\n4 -60\n7 15\n2\n4 0\n7 0\n"


def test_ranks_are_set_against_one_rank_of_the_same_round():
    size = SimpleNamespace(agents=128)
    record = scaling_record("ranks", 2, 1, size, [180.0, 90.0, 40.0], [100.0, 50.0, 20.0], 1.9)
    assert record["scaling"] == pytest.approx(1.8)
    assert record["agent_steps_per_s"] == 90.0
    assert ranks_table([record]).splitlines()[1].split()[-2:] == ["1.80", "1.90"]
