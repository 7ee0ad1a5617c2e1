"""PyTorch: torch.nn layers, inference in inference mode, training with a gradient of the output handed in."""

import torch

import worker

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


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


def prepare(shape):
    layer = make_layer(shape)
    data, gradient = (torch.from_numpy(values) for values in shape.data())
    recorded = data.clone().requires_grad_()

    def inference():
        with torch.inference_mode():
            return layer(data)[0]

    def training():
        layer.zero_grad(set_to_none=True)
        recorded.grad = None
        layer(recorded)[0].backward(gradient)

    return inference().numpy(), {"inference": inference, "training": training}


worker.serve(torch.__version__.split("+")[0], prepare)
