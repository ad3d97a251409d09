#!/usr/bin/env python3
"""Writes the files from which fuzz.policy_bytes sets out: make_seeds.py FOLDER

The smallest policy of each kind, in each of the ways in which HDF5 lays out groups,
attributes and datasets on disk.
"""

import json
import pathlib
import sys

import h5py
import numpy as np

COMPONENTS = json.dumps([{"name": "angular_velocity", "dimensions": 1}])
WIDTHS = {"observation_space_size": 1, "action_space_size": 2}
MODELS = {
    "LSTMActorCritic": (
        {"hidden_features": 1, "lstm_features": 1},
        {"encoder.layers.0.kernel": (1, 1), "encoder.layers.0.bias": (1,),
         "cell.dense_i.kernel": (1, 4), "cell.dense_h.kernel": (1, 4), "cell.dense_h.bias": (4,),
         "fused_head.kernel": (1, 3), "fused_head.bias": (3,), "_log_std": (1, 2)}),
    "MinGRUActorCritic": (
        {"hidden_features": 1, "gru_features": 1},
        {"encoder.layers.0.kernel": (1, 1), "encoder.layers.0.bias": (1,),
         "mingru_kernel": (1, 1, 3), "fused_head.kernel": (1, 3), "fused_head.bias": (3,),
         "_log_std": (1, 2)}),
    "SharedActorCritic": (
        {"architecture": [1]},
        {"network.layers.0.kernel": (1, 1), "network.layers.0.bias": (1,),
         "actor_mu.kernel": (1, 2), "actor_mu.bias": (2,), "critic.kernel": (1, 1),
         "critic.bias": (1,), "_log_std": (1, 2)}),
}


def write(path, model, libver="earliest", text=str, everything=True, **storage):
    arguments, shapes = MODELS[model]
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs["format"] = text("dempilot-policy")
        file.attrs["version"] = 1
        file.attrs["model"] = text(model)
        file.attrs["metadata"] = text(json.dumps(WIDTHS | arguments, separators=(",", ":")))
        file.create_group("observation").attrs["components"] = text(COMPONENTS)
        file.create_group("action").attrs["target"] = text("force")
        parameters = file.create_group("params")
        for name, shape in shapes.items():
            parameters.create_dataset(name, data=np.full(shape, 0.5, np.float32), **storage)
        if everything:
            file["action"].attrs["scale"] = 2.0
            file.create_group("timing").attrs["decision_interval"] = 10


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    fixed = np.bytes_
    for model in MODELS:
        write(folder / f"{model}.h5", model)
        write(folder / f"{model}.fixed.h5", model, text=fixed, everything=False)
        write(folder / f"{model}.latest.h5", model, libver="latest")
        write(folder / f"{model}.latest.fixed.h5", model, libver="latest", text=fixed)
    small = "SharedActorCritic"
    write(folder / "chunked.latest.h5", small, libver="latest", everything=False, text=fixed,
          chunks=True)
    write(folder / "filters.latest.h5", small, libver="latest", everything=False, text=fixed,
          compression="gzip", shuffle=True, fletcher32=True)
    write(folder / "extensible.latest.h5", small, libver="latest", everything=False, text=fixed,
          chunks=True, maxshape=None)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
