"""Symbol JSON both ways: graphs MXNet 1.9.1 exports run in baton, graphs baton exports run in MXNet."""

import os

import mxnet as mx
import numpy
import safetensors.numpy
from mxnet import gluon

import harness
import mxnet_trees
from harness import depth, error, tolerance
from mxnet_stack import fill_cells, fill_layer, make_cells, make_layer, weights


class Tagger(gluon.HybridBlock):
    """Embedding, dropout, recurrent layer, dense layer on every step: the overview's example."""

    def __init__(self, c, **keywords):
        super().__init__(**keywords)
        with self.name_scope():
            self.embedding = gluon.nn.Embedding(11, c["width"])
            self.dropout = gluon.nn.Dropout(0.3)
            self.layer = make_layer(c, prefix="layer_", dropout=0.2)
            self.dense = gluon.nn.Dense(3, flatten=False, activation="tanh")

    def hybrid_forward(self, F, x):
        return self.dense(self.layer(self.dropout(self.embedding(x))))


class Unrolled(gluon.HybridBlock):
    """Cells unrolled over a fixed number of steps."""

    def __init__(self, cell, steps, layout, **keywords):
        super().__init__(**keywords)
        self.cell, self.steps, self.layout = cell, steps, layout

    def hybrid_forward(self, F, x, lengths=None):
        return self.cell.unroll(self.steps, x, layout=self.layout, merge_outputs=True, valid_length=lengths)[0]


def export(net, folder, *arrays):
    """Runs a hybrid net and exports it."""
    net.hybridize()
    result = net(*arrays)
    net.export(os.path.join(folder, "graph"))
    return result, os.path.join(folder, "graph-symbol.json"), os.path.join(folder, "graph-0000.params")


def sizes(c):
    shape = (c["steps"], c["batch"]) if c["layout"] == "TNC" else (c["batch"], c["steps"])
    slots, out = c["layers"] * (1 + c["bidirectional"]), c["projection"] or c["hidden"]
    return shape, (slots, c["batch"], out), (slots, c["batch"], c["hidden"])


def near(c, extra=0):
    bound = depth(c["steps"], c["width"], c["hidden"], c["layers"], 1 + c["bidirectional"], c["projection"])
    return tolerance(c["dtype"], bound + extra)


def states_of(c, source):
    _, h, cell = sizes(c)
    arrays = [mx.nd.array(source.standard_normal(h), dtype=c["dtype"])]
    if c["kind"] == "lstm":
        arrays.append(mx.nd.array(source.standard_normal(cell), dtype=c["dtype"]))
    return arrays


def import_layer(c, folder):
    """A bare layer, which exports its states as inputs and results."""
    source = numpy.random.RandomState(c["seed"])
    layer = fill_layer(make_layer(c), weights(c, source))
    x = mx.nd.array(source.standard_normal((*sizes(c)[0], c["width"])), dtype=c["dtype"])
    states = states_of(c, source)
    (y, finals), symbol, params = export(layer, folder, x, states)
    flags = dict(zip(["input", "state", "cell-state"], [a.asnumpy() for a in [x, *states]]))
    outputs = ["output", "state-out", "cell-state-out"][: 1 + len(finals)]
    got = harness.run(folder, params, flags, outputs, symbol=symbol)
    expected = [y, *finals]
    return [(name, error(got[name], value.asnumpy()), near(c)) for name, value in zip(outputs, expected)]


def import_tagger(c, folder):
    source = numpy.random.RandomState(c["seed"])
    net = Tagger(c)
    net.initialize(mx.init.Uniform(0.4))
    net.layer.collect_params().initialize(mx.init.Uniform(0.4), force_reinit=True)
    ids = mx.nd.array(source.randint(0, 11, sizes(c)[0]), dtype="float32")
    y, symbol, params = export(net, folder, ids)
    got = harness.run(folder, params, {"input": ids.asnumpy()}, ["output"], symbol=symbol)
    return [("output", error(got["output"], y.asnumpy()), near(c, extra=2 * c["hidden"]))]


def import_cells(c, folder):
    """A stack of cells with what modifies them, with and without lengths."""
    source = numpy.random.RandomState(c["seed"])
    if c["bidirectional"] and c["lengths"]:
        c = dict(c, layout="TNC")  # MXNet mixes up the axes of NTC here
    stack, cells = make_cells(c)
    fill_cells(stack, cells, weights(c, source), c["dtype"])
    if not c["bidirectional"] and c["dtype"] == "float32":
        out = c["projection"] or c["hidden"]
        stack.add(gluon.rnn.ResidualCell(gluon.rnn.GRUCell(out, prefix="residual_")))
        stack.add(gluon.rnn.DropoutCell(0.3))
        if not c["lengths"]:
            stack.add(gluon.rnn.ZoneoutCell(gluon.rnn.RNNCell(3, prefix="zoneout_"), 0.2, 0.2))
        stack.initialize(mx.init.Uniform(0.3))
    net = Unrolled(stack, c["steps"], c["layout"])
    x = mx.nd.array(source.standard_normal((*sizes(c)[0], c["width"])), dtype=c["dtype"])
    flags, arrays = {"input": x.asnumpy()}, [x]
    if c["lengths"]:
        lengths = source.randint(1, c["steps"] + 1, c["batch"])
        flags["lengths"] = lengths
        arrays.append(mx.nd.array(lengths, dtype=c["dtype"]))
    y, symbol, params = export(net, folder, *arrays)
    got = harness.run(folder, params, flags, ["output"], symbol=symbol)
    return [("output", error(got["output"], y.asnumpy()), near(c, extra=c["steps"] * 4 * c["hidden"]))]


def export_layer(c, folder):
    """Weights as a graph of baton, run by MXNet, with the states as inputs or begun with zeros."""
    source = numpy.random.RandomState(c["seed"])
    values = weights(c, source)
    layer = fill_layer(make_layer(c), values)
    path = os.path.join(folder, "weights.params")
    layer.save_parameters(path)
    symbol = os.path.join(folder, "made-symbol.json")
    options = ["--states"] if c["states"] else []
    harness.baton("convert", path, symbol, "--kind", c["kind"], "--axes", c["layout"], *options)
    x = mx.nd.array(source.standard_normal((*sizes(c)[0], c["width"])), dtype=c["dtype"])
    states = states_of(c, source)
    arrays = [x, *states] if c["states"] else [x]
    names = ["data"] if len(arrays) == 1 else [f"data{i}" for i in range(len(arrays))]
    block = gluon.SymbolBlock.imports(symbol, names, os.path.join(folder, "made-0000.params"))
    got = block(*arrays)
    if not c["states"]:
        return [("output", error(got.asnumpy(), layer(x).asnumpy()), near(c))]
    y, finals = layer(x, states)
    pairs = zip(["output", "hn", "cn"], got, [y, *finals])
    return [(name, error(a.asnumpy(), b.asnumpy()), near(c)) for name, a, b in pairs]


def import_in_mxnet(path, folder):
    """A graph the test bundle exported, with inputs and results beside it."""
    arrays = mx.nd.load(path + "-arrays.params")
    inputs = [arrays[f"in{i}"] for i in range(len(arrays)) if f"in{i}" in arrays]
    expected = [arrays[f"out{i}"] for i in range(len(arrays)) if f"out{i}" in arrays]
    # MXNet takes the numbers of an embedding's rows in float32.
    inputs = [a.astype("float32") if a.dtype == numpy.int64 else a for a in inputs]
    names = ["data"] if len(inputs) == 1 else [f"data{i}" for i in range(len(inputs))]
    got = gluon.SymbolBlock.imports(path + "-symbol.json", names, path + "-0000.params")(*inputs)
    got = got if isinstance(got, (list, tuple)) else [got]
    dtype = expected[0].dtype
    # The stacks of the test: at most 12 layers of 3 steps with 20 products.
    return [(f"result {i}", error(a.asnumpy(), b.asnumpy()), tolerance(dtype, 12 * 3 * 20))
            for i, (a, b) in enumerate(zip(got, expected))]


def check(table, rng, count, draw):
    """Random graphs of every sort, and those the test bundle left in BATON_EXPORT_FOLDER."""
    exported = os.environ.get("BATON_EXPORT_FOLDER", "")
    for file in sorted(os.listdir(exported)) if exported else []:
        if file.endswith("-symbol.json"):
            path = os.path.join(exported, file[: -len("-symbol.json")])
            table.check("export of nets and unrolled cells", file, lambda folder: import_in_mxnet(path, folder))
    for _ in range(count):
        c = draw(rng)
        text = f"{c['kind']} L{c['layers']} D{1 + c['bidirectional']} H{c['hidden']} {c['layout']} {c['dtype']} P{c['projection']}"
        # Fused relu in float64 rounds through float32 in MXNet.
        relu = dict(c, dtype="float32") if c["kind"] == "rnn_relu" else c
        table.check("import of a layer's graph", text, lambda folder: import_layer(relu, folder))
        table.check("import of a net's graph", text, lambda folder: import_tagger(dict(c, dtype="float32"), folder))
        # float64 cells begin with float32 zeros in MXNet, which then refuses them.
        table.check("import of unrolled cells", text, lambda folder: import_cells(dict(c, dtype="float32"), folder))
        table.check("export of a layer's graph", text, lambda folder: export_layer(relu, folder))
    mxnet_trees.check(table, rng, count, export)
