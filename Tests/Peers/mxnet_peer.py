"""Compares `baton run` and `baton convert` with MXNet 1.9.1 on random recurrent stacks, its files and its graphs.

python mxnet_peer.py COUNT SEED, with BATON naming the executable. Started by launch/test-peers.
"""

import os
import random
import sys

import mxnet as mx
import numpy
import safetensors.numpy

import harness
import mxnet_graphs
from harness import depth, error, tolerance
from mxnet_stack import fill_cells, fill_layer, layer_name, make_cells, make_layer, weights


def draw(rng):
    """One random configuration."""
    kind = rng.choice(list(harness.GATES))
    hidden = rng.choice([1, 2, 3, 5, 8, 16, 17, 33])
    return {
        "kind": kind, "hidden": hidden, "steps": rng.choice([1, 2, 3, 7, 15]), "batch": rng.choice([1, 2, 3, 5, 9, 14]),
        "width": rng.choice([1, 2, 3, 7, 16, 31]), "layers": rng.choice([1, 1, 2, 3, 4]),
        "bidirectional": rng.random() < 0.4,
        "projection": rng.randrange(1, hidden + 3) if kind == "lstm" and rng.random() < 0.35 else None,
        "layout": rng.choice(["TNC", "NTC"]), "dtype": rng.choice(["float32", "float64"]),
        "states": rng.random() < 0.6, "lengths": rng.random() < 0.4,
        "grad_req": rng.choice(["write", "write", "add", "null for some"]),
        "weights": rng.choice(["saved block", "names", "export", "state dict"]), "seed": rng.randrange(2**31),
    }


def describe(c):
    parts = [
        c["kind"], f"L{c['layers']} D{1 + c['bidirectional']} H{c['hidden']} C{c['width']} T{c['steps']} N{c['batch']}",
        c["layout"], c["dtype"], c["weights"], "grad_req " + c["grad_req"],
    ]
    parts += [f"P{c['projection']}"] if c["projection"] else []
    return " ".join(parts + [name for name in ["states", "lengths"] if c[name]])


def weights_file(folder, c, values):
    """The weights in one of the forms, and the name of every key in it."""
    form = c["weights"]
    if form == "state dict":
        roles = {"i2h_weight": "weight_ih", "h2h_weight": "weight_hh", "i2h_bias": "bias_ih", "h2h_bias": "bias_hh",
                 "h2r_weight": "weight_hr"}
        names = {key: f"{roles[key[2]]}_l{key[0]}{'_reverse' * key[1]}" for key in values}
        path = os.path.join(folder, "weights.safetensors")
        safetensors.numpy.save_file({names[key]: value for key, value in values.items()}, path)
        return path, names
    layer = fill_layer(make_layer(c), values)
    path = os.path.join(folder, "weights.params")
    if form == "saved block":
        layer.save_parameters(path)
        cells = ["l_cell.", "r_cell."] if c["bidirectional"] else [""]
        return path, {key: f"_unfused.{key[0]}.{cells[key[1]]}{key[2]}" for key in values}
    if form == "names":
        layer.collect_params().save(path)
        return path, {key: "net_" + layer_name(key) for key in values}
    layer.hybridize()
    layer(mx.nd.zeros((1, 1, c["width"]), dtype=c["dtype"]))
    layer.export(os.path.join(folder, "weights"))
    return os.path.join(folder, "weights-0000.params"), {key: "arg:net_" + layer_name(key) for key in values}


def compare(c, folder):
    """Outputs, states and all gradients of one configuration."""
    source = numpy.random.RandomState(c["seed"])
    values = weights(c, source)
    dtype, is_lstm, slots = c["dtype"], c["kind"] == "lstm", c["layers"] * (1 + c["bidirectional"])
    out = c["projection"] or c["hidden"]
    shape = (c["steps"], c["batch"]) if c["layout"] == "TNC" else (c["batch"], c["steps"])

    def draw_array(*size):
        return mx.nd.array(source.standard_normal(size), dtype=dtype)

    x = draw_array(*shape, c["width"])
    h0, c0 = draw_array(slots, c["batch"], out), draw_array(slots, c["batch"], c["hidden"])
    if not c["states"]:
        h0, c0 = h0 * 0, c0 * 0
    lengths = source.randint(1, c["steps"] + 1, c["batch"]) if c["lengths"] else None

    stack, cells = make_cells(c)
    parameters = fill_cells(stack, cells, values, dtype)
    nulls = set()
    # Whole cells: with single parameters of a cell at null, relu cells in MXNet give another gradient of the rest than
    # with all at write.
    still = {cell for cell in cells if c["grad_req"] == "null for some" and source.rand() < 0.5}
    for key, parameter in parameters.items():
        if key[:2] in still:
            parameter.grad_req = "null"
            nulls.add(key)
        elif c["grad_req"] == "add":
            parameter.grad_req = "add"
    for array in [x, h0, c0]:
        array.attach_grad("add" if c["grad_req"] == "add" else "write")
    width = out * (1 + c["bidirectional"])
    dy, dhn, dcn = draw_array(*shape, width), draw_array(*h0.shape), draw_array(*c0.shape)
    for _ in range(2 if c["grad_req"] == "add" else 1):
        with mx.autograd.record():
            begin = [s for i in range(slots) for s in ([h0[i], c0[i]] if is_lstm else [h0[i]])]
            valid = None if lengths is None else mx.nd.array(lengths, dtype=dtype)
            # Always TNC in MXNet, which mixes up the axes of stacked bidirectional cells with lengths in NTC.
            batch_first = c["layout"] == "NTC"
            y, states = stack.unroll(
                c["steps"], x.swapaxes(0, 1) if batch_first else x, begin, layout="TNC", merge_outputs=True,
                valid_length=valid)
            y = y.swapaxes(0, 1) if batch_first else y
            hn = mx.nd.stack(*(states[0::2] if is_lstm else states), axis=0)
            total = (y * dy).sum() + (hn * dhn).sum()
            if is_lstm:
                cn = mx.nd.stack(*states[1::2], axis=0)
                total = total + (cn * dcn).sum()
        total.backward()

    inputs = {"input": x.asnumpy(), "grad-output": dy.asnumpy(), "grad-state-out": dhn.asnumpy(), "lengths": lengths}
    outputs = ["output", "state-out"] + (["cell-state-out"] if is_lstm else [])
    if c["states"]:
        inputs["state"] = h0.asnumpy()
    if is_lstm:
        inputs["grad-cell-state-out"] = dcn.asnumpy()
        if c["states"]:
            inputs["cell-state"] = c0.asnumpy()
    folder_of_gradients = os.path.join(folder, "g")
    path, names = weights_file(folder, c, values)
    got = harness.run(
        folder, path, inputs, outputs, kind=c["kind"], axes=c["layout"], grad_dir=folder_of_gradients)
    bound = depth(c["steps"], c["width"], c["hidden"], c["layers"], 1 + c["bidirectional"], c["projection"])
    near, far = tolerance(dtype, bound), tolerance(dtype, bound * c["batch"], backward=True)
    result = [("output", error(got["output"], y.asnumpy()), near), ("hn", error(got["state-out"], hn.asnumpy()), near)]
    if is_lstm:
        result.append(("cn", error(got["cell-state-out"], cn.asnumpy()), near))
    if lengths is None and not (dtype == "float64" and c["kind"] == "rnn_relu"):
        fused = fill_layer(make_layer(c), values)(x, [h0, c0] if is_lstm else [h0])
        result.append(("output of the fused layer", error(got["output"], fused[0].asnumpy()), near))
        result.append(("hn of the fused layer", error(got["state-out"], fused[1][0].asnumpy()), near))
    expected = {"input": x.grad, "state": h0.grad}
    if is_lstm:
        expected["cell_state"] = c0.grad
    expected.update({names[key]: p.grad() for key, p in parameters.items() if key not in nulls})
    times = 2 if c["grad_req"] == "add" else 1
    expected = {name: value.asnumpy() for name, value in expected.items()}
    return result + harness.gradient_errors(folder_of_gradients, expected, far, times)


def convert_back(c, folder):
    """PyTorch's names to .params, loaded by MXNet into a fused layer; and the file MXNet then saves, byte for byte."""
    values = weights(c, numpy.random.RandomState(c["seed"]))
    path, _ = weights_file(folder, dict(c, weights="state dict"), values)
    target = os.path.join(folder, "loaded.params")
    harness.baton("convert", path, target)
    layer = make_layer(c)
    layer.load_parameters(target)
    result = []
    for key, value in values.items():
        loaded = layer.collect_params()["net_" + layer_name(key)].data().asnumpy()
        result.append((layer_name(key), 0.0 if (loaded == value).all() else 1.0, 0.5))
    again = os.path.join(folder, "again.params")
    layer.save_parameters(again)
    equal = open(target, "rb").read() == open(again, "rb").read()
    return result + [("bytes of the file", 0.0 if equal else 1.0, 0.5)]


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    table = harness.Table(f"MXNet {mx.__version__}, {count} random configurations, seed {seed}")
    rng = random.Random(seed)
    for _ in range(count):
        c = draw(rng)
        group = f"{c['kind']}{' projected' if c['projection'] else ''}{' lengths' if c['lengths'] else ''} {c['dtype']}"
        table.check(group, describe(c), lambda folder: compare(c, folder))
    for _ in range(max(1, count // 10)):
        c = dict(draw(rng), grad_req="write")
        table.check("convert to .params, load and save in MXNet", describe(c), lambda folder: convert_back(c, folder))
    mxnet_graphs.check(table, rng, max(4, count // 4), draw)
    table.finish()


main()
