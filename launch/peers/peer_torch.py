"""PyTorch: torch.nn layers, inference in inference mode, training with a gradient of the output handed in."""

import torch

import worker
from torch_layer import make_layer

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def quantised(layer):
    """The layer with weights of 8 bits, in a module that calls it: only what lies in another module is replaced."""
    module = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(layer), {type(layer)}, dtype=torch.qint8)
    if isinstance(module[0], torch.nn.RNNBase):
        raise worker.Refusal(f"its quantize_dynamic leaves nn.{type(layer).__name__} in float32")
    return module


def in_precision(layer, data, precision):
    """The layer for inference, and its input."""
    if precision == "int8":
        return quantised(layer.eval()), data
    kind = getattr(torch, precision)
    return layer.to(kind), data.to(kind)


def prepare(shape, precision):
    layer = make_layer(shape)
    data, gradient = (torch.from_numpy(values) for values in shape.data())
    recorded = data.clone().requires_grad_()
    module, own_data = in_precision(layer, data, precision)

    def inference():
        with torch.inference_mode():
            return module(own_data)[0]

    def training():
        layer.zero_grad(set_to_none=True)
        recorded.grad = None
        layer(recorded)[0].backward(gradient)

    def gradients():
        return [value.grad.numpy() for value in (recorded, *layer.parameters())]

    output = inference().float().numpy()
    if precision != "float32":
        return worker.Prepared(output, {"inference": inference})
    return worker.Prepared(output, {"inference": inference, "training": training}, gradients)


worker.serve(torch.__version__.split("+")[0], prepare)
