from __future__ import annotations

import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from models import affine

from dempilot import Error
from dempilot.contract import Contract, parse_contract
from dempilot.golden import record
from dempilot.model import Normalization
from dempilot.policy_file import write_policy_file


def write(path: Path, **options) -> None:
    model = affine()
    write_policy_file(path, model, Contract(), record(model), **options)


def test_the_file_holds_the_model_the_contract_and_golden_rows(tmp_path):
    normalization = Normalization(np.arange(4.0), np.full(4, 2.0), 1e-6, 3.0)
    model = affine(normalization=normalization)
    contract = parse_contract(
        {
            "observation": {"components": [{"name": "lidar", "range": 2, "n_azimuth": 4}]},
            "action": {"target": "force", "scale": 3},
            "timing": {"time_step": 0.1, "decision_interval": 4},
            "units": {"length": 1, "time": 2, "mass": 3},
        }
    )
    path = tmp_path / "a.policy.h5"
    write_policy_file(path, model, contract, record(model))
    with h5py.File(path) as file:
        assert file.attrs["format"] == "dempilot-policy"
        assert file.attrs["version"] == 1
        assert file.attrs["model"] == "SharedActorCritic"
        assert json.loads(file.attrs["metadata"]) == model.metadata
        assert set(file["params"]) == set(model.parameters)
        assert all(file["params"][name].dtype == np.float32 for name in model.parameters)
        assert json.loads(file["observation"].attrs["components"]) == contract.components
        assert dict(file["action"].attrs) == {"target": "force", "scale": 3.0}
        assert dict(file["timing"].attrs) == {"time_step": 0.1, "decision_interval": 4}
        assert dict(file["units"].attrs) == {"length": 1.0, "time": 2.0, "mass": 3.0}
        assert dict(file["normalization"].attrs) == {"epsilon": 1e-6, "clip": 3.0}
        assert file["normalization/variance"].dtype == np.float64
        assert {name: rows.shape for name, rows in file["golden"].items()} == {
            "observation": (32, 4),
            "mean": (32, 2),
            "std": (32, 2),
            "action": (32, 2),
            "value": (32,),
        }


def test_absent_groups_stay_absent(tmp_path):
    write(tmp_path / "a.policy.h5")
    with h5py.File(tmp_path / "a.policy.h5") as file:
        assert set(file) == {"params", "golden"}


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.policy.h5")
    finally:
        os.umask(before)
    assert (tmp_path / "a.policy.h5").stat().st_mode & 0o777 == 0o640


def test_an_existing_file_stays_unless_forced(tmp_path):
    path = tmp_path / "a.policy.h5"
    path.write_text("mine")
    with pytest.raises(Error) as caught:
        write(path)
    assert str(caught.value) == (
        f"{path} exists (it would be overwritten) Give another -o FILE, or --force."
    )
    assert path.read_text() == "mine"
    write(path, force=True)
    assert h5py.is_hdf5(path)
    assert [found.name for found in tmp_path.iterdir()] == ["a.policy.h5"]


def test_a_file_that_fails_its_check_leaves_nothing(tmp_path):
    path = tmp_path / "a.policy.h5"
    path.write_text("mine")

    def refuse(written: Path) -> None:
        assert h5py.is_hdf5(written) and written != path
        raise Error("no")

    with pytest.raises(Error, match=r"^no$"):
        write(path, force=True, check=refuse)
    assert path.read_text() == "mine"
    assert [found.name for found in tmp_path.iterdir()] == ["a.policy.h5"]


def test_a_file_made_meanwhile_is_kept(tmp_path):
    path = tmp_path / "a.policy.h5"
    with pytest.raises(Error, match="exists"):
        write(path, check=lambda _: path.write_text("other"))
    assert path.read_text() == "other"
    assert [found.name for found in tmp_path.iterdir()] == ["a.policy.h5"]


def test_folders_are_refused(tmp_path):
    with pytest.raises(Error) as caught:
        write(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} cannot be written (it is a folder) Give a file name after -o."
    )
    missing = tmp_path / "missing" / "a.policy.h5"
    with pytest.raises(Error) as caught:
        write(missing)
    assert str(caught.value).startswith(f"{missing} cannot be written ([Errno 2] ")
    assert str(caught.value).endswith(") Give an existing folder that you may write.")
