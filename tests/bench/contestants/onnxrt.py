"""ONNX Runtime, with inputs and outputs bound to arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from form import Floats, Work
from onnx import TensorProto, helper, numpy_helper

OPSET = 20  #: the first with Gelu

threads_in_use = 1


def version() -> str:
    """Of the framework."""
    return f"onnxruntime {onnxruntime.__version__}"


def configure(threads: int) -> None:
    """Before anything is computed."""
    global threads_in_use
    threads_in_use = threads


class Graph:
    """An ONNX graph that grows node by node."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: Floats) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(
        self, operation: str, *inputs: str, outputs: tuple[str, ...] = (), **how: object
    ) -> str:
        names = outputs or (f"{operation}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operation, inputs, names, **how))
        return names[0]

    def dense(self, x: str, kernel: Floats, bias: Floats, outputs: tuple[str, ...] = ()) -> str:
        return self.add("Gemm", x, self.constant(kernel), self.constant(bias), outputs=outputs)


def add_encoder(graph: Graph, work: Work) -> str:
    """From the observations (rows, inputs) to what the LSTM reads."""
    x = "observation"
    for kernel, bias in work.weights.encoder:
        x = graph.add("Gelu", graph.dense(x, kernel, bias), approximate="tanh")
    return x


def add_gates(graph: Graph, work: Work, *, stacked: bool) -> None:
    """One step, its gates written out, in one product or in two."""
    weights = work.weights
    x = add_encoder(graph, work)
    if stacked:
        kernel = np.concatenate([weights.input_kernel, weights.hidden_kernel])
        xh = graph.add("Concat", x, "h", axis=1)
        gates = graph.dense(xh, kernel, weights.gate_bias)
    else:
        ahead = graph.dense(x, weights.input_kernel, weights.gate_bias)
        gates = graph.add("Gemm", "h", graph.constant(weights.hidden_kernel), ahead)
    graph.add("Split", gates, outputs=("i", "f", "g", "o"), axis=1, num_outputs=4)
    i, f, o = (graph.add("Sigmoid", gate) for gate in "ifo")
    new = graph.add("Mul", i, graph.add("Tanh", "g"))
    graph.add("Add", graph.add("Mul", f, "c"), new, outputs=("c_after",))
    graph.add("Mul", o, graph.add("Tanh", "c_after"), outputs=("h_after",))
    graph.dense("h_after", weights.head_kernel, weights.head_bias, ("heads",))


def reorder(kernel: Floats) -> Floats:
    """Columns i, f, g, o as rows i, o, f, c, with an axis for the one direction."""
    i, f, g, o = np.split(kernel, 4, axis=-1)
    return np.concatenate([i, o, f, g], axis=-1).T[None]


def add_layer(graph: Graph, work: Work, tile: int) -> None:
    """The operator LSTM over all steps."""
    weights, count = work.weights, work.steps * tile
    shape = graph.constant(np.array([work.steps, tile, weights.encoded], np.int64))
    x = graph.add("Reshape", add_encoder(graph, work), shape)
    bias = np.concatenate([reorder(weights.gate_bias), np.zeros((1, 4 * weights.features))], 1)
    graph.add("LSTM", x, graph.constant(reorder(weights.input_kernel)),
              graph.constant(reorder(weights.hidden_kernel)),
              graph.constant(bias.astype(np.float32)), "", "h", "c",
              outputs=("all", "h_after", "c_after"), hidden_size=weights.features)
    flat = graph.constant(np.array([count, weights.features], np.int64))
    hidden = graph.add("Reshape", "all", flat)
    graph.dense(hidden, weights.head_kernel, weights.head_bias, ("heads",))


class OnnxForm:
    """A session whose states swap places at every call; it takes `tile` agents at a time."""

    def __init__(
        self, work: Work, build: Callable[[Graph, Work], None], tile: int, *, layer: bool
    ) -> None:
        self.work = work
        weights, count = work.weights, work.steps * work.agents
        self.arrays = {
            "observation": work.observation.reshape(count, weights.inputs),
            "heads": np.zeros((count, weights.actions + 1), np.float32),
        }
        self.states = [{name: np.zeros((work.agents, weights.features), np.float32)
                        for name in "hc"} for _ in range(2)]
        self.shapes = {
            "observation": (work.steps * tile, weights.inputs),
            "heads": (work.steps * tile, weights.actions + 1),
            "state": (1, tile, weights.features) if layer else (tile, weights.features),
        }
        graph = Graph()
        build(graph, work)
        self.session = self._session(graph)
        self.bindings = [[self._bind(first, before, after)
                          for first in range(0, work.agents, tile)]
                         for before, after in ((0, 1), (1, 0))]
        self.current = 0

    def _session(self, graph: Graph) -> onnxruntime.InferenceSession:
        def info(name: str, shape: str) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shapes[shape])

        inputs = [info("observation", "observation"), *(info(name, "state") for name in "hc")]
        outputs = [info("heads", "heads"), *(info(f"{name}_after", "state") for name in "hc")]
        made = helper.make_graph(graph.nodes, "policy", inputs, outputs, graph.constants)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)],
                                  ir_version=9)
        onnx.checker.check_model(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads_in_use
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                            providers=["CPUExecutionProvider"])

    def _bind(self, first: int, before: int, after: int) -> onnxruntime.IOBinding:
        """For the agents from `first` on."""
        binding = self.session.io_binding()

        def where(name: str, array: Floats) -> tuple[object, ...]:
            shape = self.shapes.get(name, self.shapes["state"])
            return name, "cpu", 0, np.float32, shape, array[first:].ctypes.data
        for name, array in (("observation", self.arrays["observation"]),
                            *self.states[before].items()):
            binding.bind_input(*where(name, array))
        for name, array in (("heads", self.arrays["heads"]),
                            *((f"{name}_after", a) for name, a in self.states[after].items())):
            binding.bind_output(*where(name, array))
        return binding

    def run(self) -> None:
        for binding in self.bindings[self.current]:
            self.session.run_with_iobinding(binding)
        self.current = 1 - self.current

    def reset(self) -> None:
        for array in self.states[self.current].values():
            array.fill(0)

    def outputs(self) -> tuple[Floats, Floats]:
        heads = self.arrays["heads"].reshape(self.work.steps, self.work.agents, -1)
        return heads[..., :-1], heads[..., -1]

    def carry(self) -> Floats:
        state = self.states[self.current]
        return np.concatenate([state[name] for name in "hc"], 1)


def forms(work: Work, mode: str) -> list[tuple[str, Callable[[], OnnxForm]]]:
    """Ways to do this work."""
    sizes = work.tile_sizes() if mode == "step" else [work.agents]

    def layer(tile: int) -> tuple[str, Callable[[], OnnxForm]]:
        return f"LSTM operator{work.tile_name(tile)}", lambda: OnnxForm(
            work, lambda graph, given: add_layer(graph, given, tile), tile, layer=True)

    def gates(tile: int, stacked: bool) -> tuple[str, Callable[[], OnnxForm]]:
        name = f"gates in {'one product' if stacked else 'two products'}{work.tile_name(tile)}"
        return name, lambda: OnnxForm(
            work, lambda graph, given: add_gates(graph, given, stacked=stacked), tile, layer=False)

    written = [gates(tile, stacked) for tile in sizes for stacked in (True, False)]
    return [layer(tile) for tile in sizes] + (written if mode == "step" else [])
