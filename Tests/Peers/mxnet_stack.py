"""Random recurrent stacks in MXNet 1.9.1: as a fused layer where it can, as cells where the layer is silent or wrong.

Cells are the reference for lengths and projection training, which the fused layer lacks on the CPU, and for float64, whose
fused gradients and relu are wrong (parity 2, 7.20).
"""

import numpy
import mxnet as mx
from mxnet import gluon

from harness import GATES

CELLS = {"rnn_tanh": gluon.rnn.RNNCell, "rnn_relu": gluon.rnn.RNNCell, "lstm": gluon.rnn.LSTMCell,
         "gru": gluon.rnn.GRUCell}
LAYERS = {"rnn_tanh": gluon.rnn.RNN, "rnn_relu": gluon.rnn.RNN, "lstm": gluon.rnn.LSTM, "gru": gluon.rnn.GRU}


def weights(c, random):
    """Values by (layer, direction, role)."""
    gates, hidden, projection = GATES[c["kind"]], c["hidden"], c["projection"]
    out, directions = projection or hidden, 1 + c["bidirectional"]
    scale = 1 / numpy.sqrt(hidden)
    values = {}
    for layer in range(c["layers"]):
        width = c["width"] if layer == 0 else directions * out
        for direction in range(directions):
            shapes = {"i2h_weight": (gates * hidden, width), "h2h_weight": (gates * hidden, out),
                      "i2h_bias": (gates * hidden,), "h2h_bias": (gates * hidden,)}
            if projection:
                shapes["h2r_weight"] = (projection, hidden)
            for role, shape in shapes.items():
                values[layer, direction, role] = random.uniform(-scale, scale, shape).astype(c["dtype"])
    return values


def make_layer(c, prefix="net_", dropout=0.0):
    """The fused layer, without values."""
    extra = {"activation": c["kind"][4:]} if c["kind"].startswith("rnn") else {}
    if c["projection"]:
        extra["projection_size"] = c["projection"]
    layer = LAYERS[c["kind"]](
        c["hidden"], c["layers"], layout=c["layout"], bidirectional=c["bidirectional"], input_size=c["width"],
        dtype=c["dtype"], prefix=prefix, dropout=dropout, **extra)
    return layer


def layer_name(key):
    layer, direction, role = key
    return f"{'lr'[direction]}{layer}_{role}"


def fill_layer(layer, values):
    layer.initialize()
    parameters = layer.collect_params()
    for key, value in values.items():
        parameters[layer.prefix + layer_name(key)].set_data(mx.nd.array(value, dtype=value.dtype))
    return layer


def make_cells(c):
    """A stack of cells of the same parameters, and the cell of every (layer, direction)."""
    def cell(layer, direction):
        prefix = f"net_{'lr'[direction]}{layer}_"
        if c["projection"]:
            return gluon.contrib.rnn.LSTMPCell(c["hidden"], c["projection"], prefix=prefix)
        if c["kind"].startswith("rnn"):
            return CELLS[c["kind"]](c["hidden"], activation=c["kind"][4:], prefix=prefix)
        return CELLS[c["kind"]](c["hidden"], prefix=prefix)

    stack, cells = gluon.rnn.HybridSequentialRNNCell(prefix=""), {}
    for layer in range(c["layers"]):
        members = [cell(layer, d) for d in range(1 + c["bidirectional"])]
        cells.update({(layer, d): member for d, member in enumerate(members)})
        stack.add(gluon.rnn.BidirectionalCell(*members) if c["bidirectional"] else members[0])
    return stack, cells


def fill_cells(stack, cells, values, dtype):
    """Values into the cells, shapes completed by them; returns the parameter of every key."""
    stack.cast(dtype)
    parameters = {}
    for (layer, direction, role), value in values.items():
        parameter = getattr(cells[layer, direction], role)
        parameter.shape = value.shape
        parameter.initialize()
        parameter.set_data(mx.nd.array(value, dtype=dtype))
        parameters[layer, direction, role] = parameter
    return parameters
