"""Makes mxnet-cells.golden beside this script: recurrent cells of MXNet Gluon in f64, unrolled forward and backward.

    python make_cell_goldens.py     in an environment with mxnet

Tensors are named CASE|KIND|NAME. Kinds: parameter (by Gluon's structural name), input (N, T, C), state, length, weight
(of the objective: the outputs', then the states'), output, final, and the gradients of the objective
sum(output * weight) + sum(final * weight): input-gradient, state-gradient, parameter-gradient.
"""
import pathlib
import warnings

warnings.filterwarnings("ignore")
import mxnet as mx
import numpy as np
from mxnet import autograd
from mxnet.gluon import contrib, rnn

N, T, C = 3, 4, 3


def stack(kind, *cells):
    block = kind()
    for cell in cells:
        block.add(cell)
    return block


CASES = {
    **{f"rnn-{name}": lambda name=name: rnn.RNNCell(2, activation=name) for name in
       ["tanh", "relu", "sigmoid", "softsign", "softrelu"]},
    "lstm": lambda: rnn.LSTMCell(2),
    "lstm-softsign": lambda: rnn.LSTMCell(2, activation="softsign", recurrent_activation="sigmoid"),
    "gru": lambda: rnn.GRUCell(2),
    "lstmp": lambda: contrib.rnn.LSTMPCell(3, 2),
    "sequential": lambda: stack(rnn.SequentialRNNCell, rnn.LSTMCell(2), rnn.GRUCell(3)),
    "residual": lambda: rnn.ResidualCell(rnn.GRUCell(3)),
    "bidirectional": lambda: rnn.BidirectionalCell(
        rnn.LSTMCell(2), stack(rnn.HybridSequentialRNNCell, rnn.RNNCell(2), rnn.GRUCell(1))),
    "deep": lambda: stack(
        rnn.SequentialRNNCell, rnn.BidirectionalCell(rnn.GRUCell(1), rnn.GRUCell(2)), rnn.DropoutCell(0.5),
        rnn.ResidualCell(rnn.BidirectionalCell(rnn.RNNCell(2), rnn.RNNCell(1)))),
}

random = np.random.RandomState(7)
entries = []


def add(case, kind, name, array):
    entries.append((f"{case}|{kind}|{name}", np.asarray(array, dtype=np.float64)))


for case, make in CASES.items():
    for lengths in [None, [4, 1, 2]]:
        if case == "deep" and lengths is not None:
            continue  # MXNet 1.9.1 fails: with lengths, the halves of a nested BidirectionalCell differ in layout
        label = case if lengths is None else case + "-lengths"
        mx.random.seed(3)
        cell = make()
        cell.initialize(mx.init.Uniform(0.8))
        cell.cast("float64")
        x = mx.nd.array(random.uniform(-1, 1, (N, T, C)), dtype="float64")
        states = [mx.nd.array(random.uniform(-1, 1, info["shape"]), dtype="float64") for info in cell.state_info(N)]
        valid = None if lengths is None else mx.nd.array(lengths, dtype="float64")
        cell.unroll(T, x, begin_state=states, layout="NTC", merge_outputs=True)
        for name, parameter in cell._collect_params_with_prefix().items():
            parameter.set_data(mx.nd.array(random.uniform(-0.8, 0.8, parameter.shape), dtype="float64"))
            add(label, "parameter", name, parameter.data().asnumpy())
        x.attach_grad()
        for state in states:
            state.attach_grad()
        with autograd.record(train_mode=False):
            output, finals = cell.unroll(
                T, x, begin_state=states, layout="NTC", merge_outputs=True, valid_length=valid)
            values = [output] + finals
            weights = [mx.nd.array(random.uniform(-1, 1, value.shape), dtype="float64") for value in values]
            objective = sum((value * weight).sum() for value, weight in zip(values, weights))
        objective.backward()
        add(label, "input", "x", x.asnumpy())
        if lengths is not None:
            add(label, "length", "n", lengths)
        for index, state in enumerate(states):
            add(label, "state", index, state.asnumpy())
            add(label, "state-gradient", index, state.grad.asnumpy())
        for index, weight in enumerate(weights):
            add(label, "weight", index, weight.asnumpy())
        add(label, "output", "y", output.asnumpy())
        for index, final in enumerate(finals):
            add(label, "final", index, final.asnumpy())
        add(label, "input-gradient", "x", x.grad.asnumpy())
        for name, parameter in cell._collect_params_with_prefix().items():
            add(label, "parameter-gradient", name, parameter.grad().asnumpy())

path = pathlib.Path(__file__).with_name("mxnet-cells.golden")
with path.open("wb") as file:
    file.write(f"golden 1\nnote library mxnet {mx.__version__}\n".encode())
    for name, array in entries:
        file.write(f"tensor {name} f64 {' '.join(map(str, array.shape))}\n".encode())
    file.write(b"end\n")
    for _, array in entries:
        file.write(np.ascontiguousarray(array, dtype="<f8").tobytes())
print(f"{len(entries)} tensors, {path.stat().st_size} bytes")
