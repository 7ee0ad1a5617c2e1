"""Makes the golden files beside this script: outputs, states and all gradients of small recurrent stacks.

    python make_goldens.py torch     in an environment with torch and numpy
    python make_goldens.py mxnet     in an environment with mxnet 1.9.1 and numpy < 1.24

One file per library, cell and dtype: two bidirectional layers, T=4, N=3, C=5, H=6, random states and output
gradients. Parameters bear PyTorch's names in every file; the libraries agree on gate order (LSTM i f g o,
GRU r z n) and on the two biases. The format is described in BatonTestSupport/GoldenFile.swift.

The files "-lengths" have rows of lengths 2, 4 and 3, those "-projected-lengths" an LSTM with h of width 4 besides:
packed sequences in PyTorch; in MXNet, whose layers have neither on the CPU, cells unrolled with valid_length.
"""
import pathlib
import sys

import numpy as np

T, N, C, H, L, D = 4, 3, 5, 6, 2, 2
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
P, LENGTHS = 4, [2, 4, 3]
# Variant, projection, whether rows have lengths, cells and dtypes.
VARIANTS = [
    ("", None, False, list(GATES), ["float32", "float64"]),
    ("-lengths", None, True, ["rnn_tanh", "rnn_relu", "gru"], ["float64"]),
    ("-projected-lengths", P, True, ["lstm"], ["float32", "float64"]),
]
DIRECTORY = pathlib.Path(__file__).parent


def parameter_names(projection):
    for layer in range(L):
        for suffix in ["", "_reverse"]:
            for kind in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + ["weight_hr"] * (projection is not None):
                yield kind, layer, suffix, f"{kind}_l{layer}{suffix}"


def make_inputs(cell, dtype, projection):
    rng = np.random.default_rng(sum(map(ord, cell)))
    uniform = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype)
    R = projection or H
    values = {"input": uniform(T, N, C), "state": uniform(L * D, N, R)}
    values |= {"grad_output": uniform(T, N, D * R), "grad_final_state": uniform(L * D, N, R)}
    if cell == "lstm":
        values |= {"cell_state": uniform(L * D, N, H), "grad_final_cell_state": uniform(L * D, N, H)}
    rows = GATES[cell] * H
    for kind, layer, _, name in parameter_names(projection):
        width = {"weight_ih": C if layer == 0 else D * R, "weight_hh": R}.get(kind)
        shape = (P, H) if kind == "weight_hr" else (rows,) if width is None else (rows, width)
        values[name] = (uniform(*shape) * H ** -0.5).astype(dtype)
    return values


def run_torch(cell, values, projection, lengths):
    import torch

    torch.set_num_threads(1)
    kind = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    options = {"nonlinearity": cell[4:]} if cell.startswith("rnn") else {}
    if projection:
        options["proj_size"] = projection
    layer = kind(C, H, L, bidirectional=True, dtype=torch.from_numpy(values["input"]).dtype, **options)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(torch.from_numpy(values[name]))
    leaf = lambda name: torch.from_numpy(values[name]).requires_grad_()
    x, h = leaf("input"), leaf("state")
    c = leaf("cell_state") if cell == "lstm" else None
    packing = torch.nn.utils.rnn
    data = packing.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False) if lengths else x
    y, states = layer(data, (h, c) if cell == "lstm" else h)
    if lengths:
        y, _ = packing.pad_packed_sequence(y, total_length=T)
    hn, cn = states if cell == "lstm" else (states, None)
    total = (y * torch.from_numpy(values["grad_output"])).sum()
    total = total + (hn * torch.from_numpy(values["grad_final_state"])).sum()
    if cell == "lstm":
        total = total + (cn * torch.from_numpy(values["grad_final_cell_state"])).sum()
    total.backward()
    out = {"output": y, "final_state": hn, "grad_input": x.grad, "grad_state": h.grad}
    if cell == "lstm":
        out |= {"final_cell_state": cn, "grad_cell_state": c.grad}
    out |= {f"grad_{name}": parameter.grad for name, parameter in layer.named_parameters()}
    return {name: tensor.detach().numpy() for name, tensor in out.items()}, f"torch {torch.__version__}"


def run_mxnet(cell, values, projection, lengths):
    import mxnet as mx
    from mxnet import autograd, gluon

    dtype = values["input"].dtype
    if lengths:
        return run_mxnet_cells(cell, values, projection, lengths), f"mxnet {mx.__version__}"
    options = dict(num_layers=L, bidirectional=True, input_size=C, dtype=dtype)
    if cell.startswith("rnn"):
        layer = gluon.rnn.RNN(H, activation=cell[4:], **options)
    else:
        layer = {"lstm": gluon.rnn.LSTM, "gru": gluon.rnn.GRU}[cell](H, **options)
    layer.initialize()
    array = lambda name: mx.nd.array(values[name], dtype=dtype)
    parameters = {}
    for kind, index, suffix, name in parameter_names(projection):
        side = "i2h" if kind.endswith("ih") else "h2h"
        gluon_name = f"{'r' if suffix else 'l'}{index}_{side}_{kind.split('_')[0]}"
        parameters[name] = getattr(layer, gluon_name)
        parameters[name].set_data(array(name))
    x, states = array("input"), [array("state")]
    if cell == "lstm":
        states.append(array("cell_state"))
    for leaf in [x] + states:
        leaf.attach_grad()
    with autograd.record():
        y, finals = layer(x, states)
        total = (y * array("grad_output")).sum() + (finals[0] * array("grad_final_state")).sum()
        if cell == "lstm":
            total = total + (finals[1] * array("grad_final_cell_state")).sum()
    total.backward()
    out = {"output": y, "final_state": finals[0], "grad_input": x.grad, "grad_state": states[0].grad}
    if cell == "lstm":
        out |= {"final_cell_state": finals[1], "grad_cell_state": states[1].grad}
    out |= {f"grad_{name}": parameter.grad() for name, parameter in parameters.items()}
    return {name: tensor.asnumpy() for name, tensor in out.items()}, f"mxnet {mx.__version__}"


def run_mxnet_cells(cell, values, projection, lengths):
    import mxnet as mx
    from mxnet import autograd, gluon

    dtype, is_lstm = values["input"].dtype, cell == "lstm"
    array = lambda name: mx.nd.array(values[name], dtype=dtype)

    def make():
        if projection:
            return gluon.contrib.rnn.LSTMPCell(H, projection)
        if cell.startswith("rnn"):
            return gluon.rnn.RNNCell(H, activation=cell[4:])
        return {"lstm": gluon.rnn.LSTMCell, "gru": gluon.rnn.GRUCell}[cell](H)

    cells = {(layer, suffix): make() for layer in range(L) for suffix in ["", "_reverse"]}
    stack = gluon.rnn.HybridSequentialRNNCell()
    for layer in range(L):
        stack.add(gluon.rnn.BidirectionalCell(cells[layer, ""], cells[layer, "_reverse"]))
    stack.cast(dtype)
    roles = {"weight_ih": "i2h_weight", "weight_hh": "h2h_weight", "bias_ih": "i2h_bias", "bias_hh": "h2h_bias",
             "weight_hr": "h2r_weight"}
    parameters = {}
    for kind, layer, suffix, name in parameter_names(projection):
        parameter = parameters[name] = getattr(cells[layer, suffix], roles[kind])
        parameter.shape = values[name].shape
        parameter.initialize()
        parameter.set_data(array(name))
    x, h = array("input"), array("state")
    c = array("cell_state") if is_lstm else None
    for leaf in [x, h] + [c] * is_lstm:
        leaf.attach_grad()
    with autograd.record():
        begin = [state for i in range(L * D) for state in ([h[i], c[i]] if is_lstm else [h[i]])]
        y, states = stack.unroll(
            T, x, begin, layout="TNC", merge_outputs=True, valid_length=mx.nd.array(lengths, dtype=dtype))
        hn = mx.nd.stack(*(states[0::2] if is_lstm else states), axis=0)
        total = (y * array("grad_output")).sum() + (hn * array("grad_final_state")).sum()
        if is_lstm:
            cn = mx.nd.stack(*states[1::2], axis=0)
            total = total + (cn * array("grad_final_cell_state")).sum()
    total.backward()
    out = {"output": y, "final_state": hn, "grad_input": x.grad, "grad_state": h.grad}
    if is_lstm:
        out |= {"final_cell_state": cn, "grad_cell_state": c.grad}
    out |= {f"grad_{name}": parameter.grad() for name, parameter in parameters.items()}
    return {name: tensor.asnumpy() for name, tensor in out.items()}


def write(path, notes, tensors):
    lines = ["golden 1"] + [f"note {key} {value}" for key, value in notes.items()]
    for name, tensor in tensors.items():
        kind = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}[tensor.dtype]
        lines.append(" ".join(["tensor", name, kind, *map(str, tensor.shape)]))
    body = b"".join(np.ascontiguousarray(t).astype(t.dtype.newbyteorder("<")).tobytes() for t in tensors.values())
    path.write_bytes(("\n".join(lines) + "\nend\n").encode() + body)


def main(library):
    for variant, projection, has_lengths, cells, dtypes in VARIANTS:
        lengths = LENGTHS if has_lengths else None
        for cell in cells:
            for dtype in dtypes:
                # MXNet's fused relu kernel rounds f64 through f32: no reference. Its cells do not.
                if library == "mxnet" and not lengths and cell == "rnn_relu" and dtype == "float64":
                    continue
                values = make_inputs(cell, dtype, projection)
                run = run_torch if library == "torch" else run_mxnet
                results, version = run(cell, values, projection, lengths)
                notes = {"library": version, "cell": cell, "layers": L, "directions": D}
                if lengths:
                    notes["lengths"] = " ".join(map(str, lengths))
                kind = "f32" if dtype == "float32" else "f64"
                write(DIRECTORY / f"{library}-{cell}{variant}-{kind}.golden", notes, values | results)


main(sys.argv[1])
