"""Makes the golden files beside this script: outputs, states and all gradients of small recurrent stacks.

    python make_goldens.py torch     in an environment with torch and numpy
    python make_goldens.py mxnet     in an environment with mxnet 1.9.1 and numpy < 1.24

One file per library, cell and dtype: two bidirectional layers, T=4, N=3, C=5, H=6, random states and output
gradients. Parameters bear PyTorch's names in every file; the libraries agree on gate order (LSTM i f g o,
GRU r z n) and on the two biases. The format is described in BatonTestSupport/GoldenFile.swift.
"""
import pathlib
import sys

import numpy as np

T, N, C, H, L, D = 4, 3, 5, 6, 2, 2
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
DIRECTORY = pathlib.Path(__file__).parent


def parameter_names():
    for layer in range(L):
        for suffix in ["", "_reverse"]:
            for kind in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]:
                yield kind, layer, suffix, f"{kind}_l{layer}{suffix}"


def make_inputs(cell, dtype):
    rng = np.random.default_rng(sum(map(ord, cell)))
    uniform = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype)
    values = {"input": uniform(T, N, C), "state": uniform(L * D, N, H)}
    values |= {"grad_output": uniform(T, N, D * H), "grad_final_state": uniform(L * D, N, H)}
    if cell == "lstm":
        values |= {"cell_state": uniform(L * D, N, H), "grad_final_cell_state": uniform(L * D, N, H)}
    rows = GATES[cell] * H
    for kind, layer, _, name in parameter_names():
        width = {"weight_ih": C if layer == 0 else D * H, "weight_hh": H}.get(kind)
        shape = (rows,) if width is None else (rows, width)
        values[name] = (uniform(*shape) * H ** -0.5).astype(dtype)
    return values


def run_torch(cell, values):
    import torch

    torch.set_num_threads(1)
    kind = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    options = {"nonlinearity": cell[4:]} if cell.startswith("rnn") else {}
    layer = kind(C, H, L, bidirectional=True, dtype=torch.from_numpy(values["input"]).dtype, **options)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(torch.from_numpy(values[name]))
    leaf = lambda name: torch.from_numpy(values[name]).requires_grad_()
    x, h = leaf("input"), leaf("state")
    c = leaf("cell_state") if cell == "lstm" else None
    y, states = layer(x, (h, c) if cell == "lstm" else h)
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


def run_mxnet(cell, values):
    import mxnet as mx
    from mxnet import autograd, gluon

    dtype = values["input"].dtype
    options = dict(num_layers=L, bidirectional=True, input_size=C, dtype=dtype)
    if cell.startswith("rnn"):
        layer = gluon.rnn.RNN(H, activation=cell[4:], **options)
    else:
        layer = {"lstm": gluon.rnn.LSTM, "gru": gluon.rnn.GRU}[cell](H, **options)
    layer.initialize()
    array = lambda name: mx.nd.array(values[name], dtype=dtype)
    parameters = {}
    for kind, index, suffix, name in parameter_names():
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


def write(path, notes, tensors):
    lines = ["golden 1"] + [f"note {key} {value}" for key, value in notes.items()]
    for name, tensor in tensors.items():
        kind = {np.dtype("float32"): "f32", np.dtype("float64"): "f64"}[tensor.dtype]
        lines.append(" ".join(["tensor", name, kind, *map(str, tensor.shape)]))
    body = b"".join(np.ascontiguousarray(t).astype(t.dtype.newbyteorder("<")).tobytes() for t in tensors.values())
    path.write_bytes(("\n".join(lines) + "\nend\n").encode() + body)


def main(library):
    for cell in GATES:
        for dtype in ["float32", "float64"]:
            # MXNet's fused relu kernel rounds f64 through f32: no reference.
            if library == "mxnet" and cell == "rnn_relu" and dtype == "float64":
                continue
            values = make_inputs(cell, dtype)
            results, version = (run_torch if library == "torch" else run_mxnet)(cell, values)
            notes = {"library": version, "cell": cell, "layers": L, "directions": D}
            path = DIRECTORY / f"{library}-{cell}-{'f32' if dtype == 'float32' else 'f64'}.golden"
            write(path, notes, values | results)


main(sys.argv[1])
