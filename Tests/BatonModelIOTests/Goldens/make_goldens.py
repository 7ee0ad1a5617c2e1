"""Writes the graphs of BatonModelIOTests beside itself: NAME-symbol.json, NAME-0000.params, and NAME-arrays.params with
the inputs in0, in1, … and the results out0, out1, … that MXNet computed.

Run with Python 3.8 to 3.11: pip install mxnet==1.9.1 "numpy<1.24"; python make_goldens.py
"""

import os

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn, rnn

os.chdir(os.path.dirname(os.path.abspath(__file__)))
assert mx.__version__ == "1.9.1"
mx.random.seed(5)


def export(name, net, *arrays):
    net.initialize(mx.init.Uniform(0.6))
    net.hybridize()
    result = net(*arrays)
    net.export(name)
    flat = []
    for item in result if isinstance(result, (list, tuple)) else [result]:
        flat += item if isinstance(item, (list, tuple)) else [item]
    inputs = []
    for item in arrays:
        inputs += item if isinstance(item, (list, tuple)) else [item]
    content = {f"in{i}": array for i, array in enumerate(inputs)}
    content.update({f"out{i}": array for i, array in enumerate(flat)})
    mx.nd.save(f"{name}-arrays.params", content)


def uniform(*shape, dtype="float32"):
    return mx.nd.random.uniform(-1, 1, shape, dtype=dtype)


class Tagger(gluon.HybridBlock):
    def __init__(self, layer, **keywords):
        super().__init__(**keywords)
        with self.name_scope():
            self.embedding = nn.Embedding(7, 4)
            self.dropout = nn.Dropout(0.3)
            self.layer = layer
            self.dense = nn.Dense(3, flatten=False, activation="softrelu")

    def hybrid_forward(self, F, x):
        return self.dense(self.dropout(self.layer(self.embedding(x))))


class Unrolled(gluon.HybridBlock):
    def __init__(self, cell, layout="TNC", **keywords):
        super().__init__(**keywords)
        self.cell, self.layout = cell, layout

    def hybrid_forward(self, F, x, lengths=None):
        return self.cell.unroll(3, x, layout=self.layout, merge_outputs=True, valid_length=lengths)[0]


class Last(gluon.HybridBlock):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        with self.name_scope():
            self.layer, self.dense = rnn.RNN(3, activation="tanh"), nn.Dense(2, activation="softsign")

    def hybrid_forward(self, F, x, lengths):
        return self.dense(F.SequenceLast(self.layer(x), lengths, use_sequence_length=True))


x, lengths = uniform(3, 2, 4), mx.nd.array([3, 2])
export("lstm", rnn.LSTM(5, 2, bidirectional=True), x, [uniform(4, 2, 5), uniform(4, 2, 5)])
export("gru64", rnn.GRU(5, 2, layout="NTC", dtype="float64"), uniform(2, 3, 4, dtype="float64"),
       uniform(2, 2, 5, dtype="float64"))
export("relu", rnn.RNN(5, 3), x, uniform(3, 2, 5))
export("projected", rnn.LSTM(5, 2, projection_size=3), x, [uniform(2, 2, 3), uniform(2, 2, 5)])
export("tagger", Tagger(rnn.GRU(5, 2, layout="NTC", dropout=0.1)), mx.nd.array([[1, 2, 3], [4, 9, -1]]))
flat = nn.HybridSequential()
flat.add(rnn.LSTM(5), nn.Dense(3))
export("flattened", flat, x)
export("last", Last(), x, lengths)
export("rnncell", Unrolled(rnn.RNNCell(3, activation="relu")), x)
export("lstmcell", Unrolled(rnn.LSTMCell(3)), x)
export("lstmpcell", Unrolled(gluon.contrib.rnn.LSTMPCell(3, 2)), x)
export("valid", Unrolled(rnn.LSTMCell(3), "NTC"), uniform(2, 3, 4), lengths)
export("bidirectional", Unrolled(rnn.BidirectionalCell(rnn.LSTMCell(3), rnn.GRUCell(2)), "NTC"), uniform(2, 3, 4), lengths)
stack = rnn.HybridSequentialRNNCell()
stack.add(rnn.LSTMCell(4))
stack.add(rnn.ResidualCell(rnn.GRUCell(4)))
stack.add(rnn.DropoutCell(0.2))
stack.add(rnn.BidirectionalCell(rnn.LSTMCell(3), rnn.GRUCell(2)))
stack.add(rnn.ZoneoutCell(rnn.RNNCell(3), 0.1, 0.2))
export("stack", Unrolled(stack), x)


class Head(gluon.HybridBlock):
    """A recurrent layer and what users put behind it."""

    def __init__(self, head, *blocks, **keywords):
        super().__init__(**keywords)
        self.head = head
        with self.name_scope():
            for index, block in enumerate(blocks):
                setattr(self, f"part{index}", block)

    def hybrid_forward(self, F, x):
        return self.head(F, self, x)


def classify(F, net, x):
    last = F.slice_axis(net.part0(x), axis=1, begin=-1, end=None)
    return F.softmax(net.part3(net.part2(net.part1(F.Flatten(last))))) * 0.5 + 0.25


def pool(F, net, x):
    steps = net.part0(F.transpose(2 - x, axes=(1, 0, 2))) / 0.5 - 0.125
    pooled = F.mean(F.expand_dims(steps, axis=1), axis=(0, 1)) + F.sum(steps, axis=0, keepdims=False)
    return F.log_softmax(net.part1(pooled))


def export_with_gradients(name, net, x):
    """Beside the result, the gradients of the sum of y * dy, dy uniform."""
    export(name, net, x)
    x.attach_grad()
    with mx.autograd.record(train_mode=False):
        y = net(x)
    dy = uniform(*y.shape)
    y.backward(dy, train_mode=False)
    content = mx.nd.load(f"{name}-arrays.params")
    content.update({"dy": dy, "gradient in0": x.grad})
    content.update({f"gradient {p.name}": p.grad() for p in net.collect_params().values()})
    mx.nd.save(f"{name}-arrays.params", content)


export_with_gradients(
    "classifier", Head(classify, rnn.LSTM(5, layout="NTC"), nn.LayerNorm(), nn.LeakyReLU(0.1), nn.Dense(3)), uniform(2, 3, 4))
export_with_gradients("pooled", Head(pool, rnn.GRU(5), nn.Dense(3)), uniform(2, 3, 4))
