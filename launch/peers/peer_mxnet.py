"""MXNet Gluon, whose layers run on oneDNN where MXNet knows how."""

import mxnet
from mxnet import autograd, gluon, nd

import worker


def parameters(layer, shape):
    """In the order of the shape."""
    return [
        getattr(layer, f"{direction}{index}_{name}")
        for index in range(shape.layers)
        for direction in "lr"[: shape.directions]
        for name in ["i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"]
    ]


def make_layer(shape):
    options = {"num_layers": shape.layers, "bidirectional": shape.bidirectional, "input_size": shape.input}
    if shape.cell == "lstm":
        layer = gluon.rnn.LSTM(shape.hidden, **options)
    elif shape.cell == "gru":
        layer = gluon.rnn.GRU(shape.hidden, **options)
    else:
        layer = gluon.rnn.RNN(shape.hidden, activation=shape.cell.removeprefix("rnn_"), **options)
    layer.initialize()
    for parameter, values in zip(parameters(layer, shape), (v for part in shape.parameters() for v in part)):
        parameter.set_data(nd.array(values))
    # A tenth to a third faster in training.
    layer.hybridize(static_alloc=True, static_shape=True)
    return layer


def prepare(shape, _):
    layer = make_layer(shape)
    data, gradient = (nd.array(values) for values in shape.data())
    recorded = data.copy()
    recorded.attach_grad()

    def inference():
        output = layer(data)
        output.wait_to_read()
        return output

    def training():
        with autograd.record():
            output = layer(recorded)
        output.backward(gradient)
        nd.waitall()

    def gradients():
        return [recorded.grad.asnumpy(), *(values.grad().asnumpy() for values in parameters(layer, shape))]

    return worker.Prepared(inference().asnumpy(), {"inference": inference, "training": training}, gradients)


worker.serve(mxnet.__version__, prepare)
