"""What the experiments report."""

import json

import numpy as np
import pytest

from common.contest import parser, spread, table, write_results


def test_a_spread_is_that_of_a_sample():
    assert spread(np.array([1.0, 2.0, 6.0])) == {"mean": 3.0, "std": pytest.approx(7**0.5)}
    assert spread(np.array([2.5])) == {"mean": 2.5, "std": 0.0}


def test_a_table_has_a_row_for_each_contestant(tmp_path, capsys):
    columns = {"grains": "{mean:.0f} ± {std:.0f}", "effort": "{mean:.1%}"}
    rows = {"somebody": {"a": {"mean": 10.4, "std": 2.0}, "b": {"mean": 0.25, "std": 0.0}}}
    text = table(columns, rows)
    assert text == (
        "| who is at the controls | grains | effort |\n"
        "| --- | --- | --- |\n"
        "| somebody | 10 ± 2 | 25.0% |"
    )
    write_results(tmp_path, {"seeds": 3}, text)
    assert json.loads((tmp_path / "summary.json").read_text()) == {"seeds": 3}
    assert (tmp_path / "results.md").read_text() == text + "\n"
    assert text in capsys.readouterr().out


def test_numbers_below_one_are_refused(capsys):
    options = parser("an experiment", "some", seeds=4).parse_args(["--ranks", "3"])
    assert (options.seeds, options.ranks, options.output.name) == (4, 3, "some")
    with pytest.raises(SystemExit):
        parser("an experiment", "some", seeds=4).parse_args(["--seeds", "0"])
    assert "0 is too small (there must be one): give 1 or more" in capsys.readouterr().err
