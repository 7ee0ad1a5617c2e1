"""Gradients in float64 by PyTorch, which those of everybody's training pass are held against."""

import torch

from torch_layer import make_layer

torch.set_num_threads(1)
# Multiply-adds of a pass; more would take longer than ten seconds, and are not checked.
LIMIT = 2e11


def operations(shape):
    units = shape.directions * shape.gates * shape.hidden
    return 3 * shape.steps * shape.batch * sum(units * (width + shape.hidden) for width in shape.inputs())


def gradients(shape):
    """Of the input, then of all parameters in the order of the shape; None where that would take too long."""
    if operations(shape) > LIMIT:
        return None
    layer = make_layer(shape).double()
    data, gradient = (torch.from_numpy(values).double() for values in shape.data())
    data.requires_grad_()
    layer(data)[0].backward(gradient)
    return [value.grad.numpy() for value in (data, *layer.parameters())]
