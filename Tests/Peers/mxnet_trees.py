"""Random trees of cells, and heads behind recurrent layers, that MXNet 1.9.1 exports and baton runs."""

import mxnet as mx
import numpy
from mxnet import gluon
from mxnet.gluon import nn, rnn

import harness

ACTIVATIONS = ["tanh", "relu", "sigmoid", "softsign", "softrelu"]
PLAIN = ["rnn", "lstm", "gru", "lstmp"]


def plain(rng, hidden):
    """A cell of a given width of its output."""
    kind = rng.choice(PLAIN)
    if kind == "rnn":
        return rnn.RNNCell(hidden, activation=rng.choice(ACTIVATIONS))
    if kind == "lstm":
        return rnn.LSTMCell(hidden, activation=rng.choice(ACTIVATIONS), recurrent_activation=rng.choice(ACTIVATIONS))
    if kind == "gru":
        return rnn.GRUCell(hidden)
    return gluon.contrib.rnn.LSTMPCell(rng.choice([1, 4, 9]), hidden)


def tree(rng, depth, width, both_directions=True):
    """A cell and the width of its output for inputs of some width."""
    kinds = ["plain"] + (["stack", "residual", "zoneout", "variational", "dropout"] if depth > 0 else [])
    kind = rng.choice(kinds + (["both"] * 2 if depth > 0 and both_directions else []))
    if kind == "stack":
        stack = rnn.HybridSequentialRNNCell()
        with stack.name_scope():
            for _ in range(rng.choice([1, 2, 3])):
                member, width = tree(rng, depth - 1, width, both_directions)
                stack.add(member)
        return stack, width
    if kind == "both":
        left, first = tree(rng, depth - 1, width)
        right, second = tree(rng, depth - 1, width)
        return rnn.BidirectionalCell(left, right), first + second
    if kind == "residual":
        return rnn.ResidualCell(plain(rng, width)), width
    if kind == "dropout":
        return rnn.DropoutCell(rng.choice([0.2, 0.5]), rng.choice([(), (0,), (1,)])), width
    hidden = rng.choice([1, 2, 3, 5, 8, 17])
    if kind == "plain":
        return plain(rng, hidden), hidden
    if kind == "zoneout":
        return rnn.ZoneoutCell(plain(rng, hidden), 0.2, 0.3), hidden
    states = 0.3 if both_directions is False or rng.random() < 0.5 else 0.0
    return gluon.contrib.rnn.VariationalDropoutCell(plain(rng, hidden), 0.2, states, 0.1), hidden


HEADS = {
    "last step": lambda F, x: F.slice_axis(x, axis=0, begin=-1, end=None),
    "some steps": lambda F, x: F.slice_axis(x, axis=0, begin=0, end=2),
    "mean": lambda F, x: F.mean(x, axis=0),
    "sum of two axes": lambda F, x: F.sum(x, axis=(0, -1), keepdims=True),
    "softmax": lambda F, x: F.softmax(x),
    "logarithm": lambda F, x: F.log_softmax(x, axis=2),
    "transposed": lambda F, x: F.Flatten(F.transpose(x, axes=(1, 0, 2))),
    "scalars": lambda F, x: (1 - x * 3) / 0.7 + 2,
    "new axis": lambda F, x: F.expand_dims(x, axis=1),
}


class Unrolled(gluon.HybridBlock):
    """A cell over a fixed number of steps."""

    def __init__(self, cell, steps, layout):
        super().__init__()
        self.cell, self.steps, self.layout = cell, steps, layout

    def hybrid_forward(self, F, x, lengths=None):
        return self.cell.unroll(self.steps, x, layout=self.layout, merge_outputs=True, valid_length=lengths)[0]


class Headed(gluon.HybridBlock):
    """A recurrent layer, normalised and bent, and a head."""

    def __init__(self, layer, head):
        super().__init__()
        self.head = head
        with self.name_scope():
            self.layer, self.norm, self.bend = layer, nn.LayerNorm(), nn.LeakyReLU(0.2)

    def hybrid_forward(self, F, x):
        return self.head(F, self.bend(self.norm(self.layer(x))))


def run(net, folder, arrays, export, limit):
    """What MXNet and baton make of an exported net; export is that of mxnet_graphs."""
    y, symbol, params = export(net, folder, *arrays)
    flags = {"input": arrays[0].asnumpy()}
    # A graph that is all dropout has no lengths.
    if len(arrays) > 1 and '"data1"' in open(symbol).read():
        flags["lengths"] = arrays[1].asnumpy().astype("int32")
    got = harness.run(folder, params, flags, ["output"], symbol=symbol)
    return [("output", harness.error(got["output"], y.asnumpy()), limit)]


def import_tree(rng, folder, export):
    """Draws again where MXNet itself cannot export, as for a residual over the steps of a dropped sequence."""
    for _ in range(20):
        try:
            return draw_and_run(rng, folder, export)
        except mx.base.MXNetError as problem:
            if "single value is required" not in str(problem):
                raise
    raise RuntimeError("MXNet exports none of twenty trees")


def draw_and_run(rng, folder, export):
    steps, batch, width = rng.choice([1, 2, 3, 7]), rng.choice([1, 2, 5]), rng.choice([1, 3, 8])
    cell, _ = tree(rng, rng.choice([1, 2, 3]), width)
    cell.initialize(mx.init.Uniform(0.5))
    source = numpy.random.RandomState(rng.randrange(2**31))
    # MXNet mixes up the axes of NTC with lengths in a BidirectionalCell.
    lengths = rng.random() < 0.4
    layout = "TNC" if lengths else rng.choice(["TNC", "NTC"])
    shape = (steps, batch, width) if layout == "TNC" else (batch, steps, width)
    arrays = [mx.nd.array(source.standard_normal(shape))]
    if lengths:
        arrays.append(mx.nd.array(source.randint(1, steps + 1, batch)))
    # At most eight cells on top of each other, of 17 units.
    limit = harness.tolerance("float32", harness.depth(steps, 34, 17, 8, 2))
    return run(Unrolled(cell, steps, layout), folder, arrays, export, limit)


def import_head(rng, name, folder, export):
    steps, batch, width = rng.choice([2, 5]), rng.choice([1, 2, 5]), rng.choice([1, 3, 8])
    kind = rng.choice([rnn.RNN, rnn.LSTM, rnn.GRU])
    net = Headed(kind(rng.choice([2, 5, 16]), rng.choice([1, 2])), HEADS[name])
    net.initialize(mx.init.Uniform(0.5))
    source = numpy.random.RandomState(rng.randrange(2**31))
    x = mx.nd.array(source.standard_normal((steps, batch, width)))
    # A norm divides by a deviation that may be a hundredth of the values.
    limit = 100 * harness.tolerance("float32", harness.depth(steps, 16, 16, 2, 1))
    return run(net, folder, [x], export, limit)


def check(table, rng, count, export):
    """Random trees, and every head once."""
    for number in range(count):
        table.check("import of random trees of cells", f"tree {number}", lambda folder: import_tree(rng, folder, export))
    for name in HEADS:
        table.check("import of heads", name, lambda folder: import_head(rng, name, folder, export))
