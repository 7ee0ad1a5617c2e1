"""A recurrent stack as an ONNX graph of fixed sizes."""

import numpy
from onnx import TensorProto, helper, numpy_helper

OPERATORS = {"lstm": "LSTM", "gru": "GRU", "rnn_tanh": "RNN", "rnn_relu": "RNN"}
# ONNX has the gates in another order (i o f g; z r n).
GATE_ORDER = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2], "rnn_tanh": [0], "rnn_relu": [0]}


def reordered(shape, values):
    gates = values.reshape(shape.gates, shape.hidden, *values.shape[1:])
    return gates[GATE_ORDER[shape.cell]].reshape(values.shape)


def make_graph(shape):
    """The serialised model: input `x` (T, N, I), output `y` (T, N, D·H)."""
    nodes, constants = [], []
    parameters = iter(shape.parameters())
    attributes = {
        "hidden_size": shape.hidden,
        "direction": "bidirectional" if shape.bidirectional else "forward",
    }
    if shape.cell == "gru":
        attributes["linear_before_reset"] = 1
    if shape.cell.startswith("rnn"):
        attributes["activations"] = [shape.cell.removeprefix("rnn_").capitalize()] * shape.directions

    def constant(name, values):
        constants.append(numpy_helper.from_array(values, name))
        return name

    value = "x"
    for layer in range(shape.layers):
        parts = [[reordered(shape, v) for v in next(parameters)] for _ in range(shape.directions)]
        inputs = [
            constant(f"W{layer}", numpy.stack([part[0] for part in parts])),
            constant(f"R{layer}", numpy.stack([part[1] for part in parts])),
            constant(f"B{layer}", numpy.stack([numpy.concatenate(part[2:]) for part in parts])),
        ]
        nodes.append(
            helper.make_node(OPERATORS[shape.cell], [value, *inputs], [f"all{layer}"], **attributes)
        )
        output = "y" if layer == shape.layers - 1 else f"y{layer}"
        if shape.bidirectional:
            nodes.append(
                helper.make_node("Transpose", [f"all{layer}"], [f"swapped{layer}"], perm=[0, 2, 1, 3])
            )
            sizes = constant(f"sizes{layer}", numpy.array([0, 0, 2 * shape.hidden]))
            nodes.append(helper.make_node("Reshape", [f"swapped{layer}", sizes], [output]))
        else:
            axis = constant(f"axis{layer}", numpy.array([1]))
            nodes.append(helper.make_node("Squeeze", [f"all{layer}", axis], [output]))
        value = output
    rows = [shape.steps, shape.batch]
    graph = helper.make_graph(
        nodes,
        "stack",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [*rows, shape.input])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [*rows, shape.directions * shape.hidden])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()
