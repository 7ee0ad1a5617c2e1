"""The recurrent stack of a shape as a layer of torch.nn."""

import torch


def make_layer(shape):
    options = {"num_layers": shape.layers, "bidirectional": shape.bidirectional}
    if shape.cell == "lstm":
        layer = torch.nn.LSTM(shape.input, shape.hidden, **options)
    elif shape.cell == "gru":
        layer = torch.nn.GRU(shape.input, shape.hidden, **options)
    else:
        layer = torch.nn.RNN(
            shape.input, shape.hidden, nonlinearity=shape.cell.removeprefix("rnn_"), **options
        )
    with torch.no_grad():
        for target, values in zip(layer.parameters(), (v for part in shape.parameters() for v in part)):
            target.copy_(torch.from_numpy(values))
    return layer
