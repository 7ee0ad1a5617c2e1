"""Recurrent stacks in float64 by PyTorch's equations, which everybody's output is held against."""

import time

import numpy

# A row waits so long for the steps that it is checked by; two directions are computed whole, without a limit.
SECONDS = 10


def sigmoid(values):
    return 0.5 + 0.5 * numpy.tanh(0.5 * values)


def lstm(from_input, from_state, _, memory):
    i, f, g, o = numpy.split(from_input + from_state, 4, axis=-1)
    memory = sigmoid(f) * memory + sigmoid(i) * numpy.tanh(g)
    return sigmoid(o) * numpy.tanh(memory), memory


def gru(from_input, from_state, state, memory):
    gates = zip(numpy.split(from_input, 3, axis=-1), numpy.split(from_state, 3, axis=-1))
    (reset_x, reset_h), (update_x, update_h), (new_x, new_h) = gates
    update = sigmoid(update_x + update_h)
    new = numpy.tanh(new_x + sigmoid(reset_x + reset_h) * new_h)
    return new + update * (state - new), memory


def rnn_tanh(from_input, from_state, _, memory):
    return numpy.tanh(from_input + from_state), memory


def rnn_relu(from_input, from_state, _, memory):
    return numpy.maximum(from_input + from_state, 0), memory


CELLS = {"lstm": lstm, "gru": gru, "rnn_tanh": rnn_tanh, "rnn_relu": rnn_relu}


def states(shape, inputs, parameters):
    """The states of one layer in one direction, each computed when it is asked for."""
    input_weights, state_weights, input_bias, state_bias = (values.astype(numpy.float64) for values in parameters)
    state = memory = numpy.zeros((shape.batch, shape.hidden))
    for values in inputs:
        from_input, from_state = values @ input_weights.T + input_bias, state @ state_weights.T + state_bias
        state, memory = CELLS[shape.cell](from_input, from_state, state, memory)
        yield state


def output(shape):
    """(T, N, D·H), or the first steps of it where all would take too long: they do not depend on later ones.

    Of two directions they do, so those are computed whole before the clock starts.
    """
    values = iter(shape.data()[0].astype(numpy.float64))
    parameters = iter(shape.parameters())
    for _ in range(shape.layers):
        if shape.bidirectional:
            values = list(values)
            forward = states(shape, values, next(parameters))
            backward = list(states(shape, reversed(values), next(parameters)))
            values = [numpy.concatenate(pair, axis=-1) for pair in zip(forward, reversed(backward))]
        else:
            values = states(shape, values, next(parameters))
    begin, result = time.perf_counter(), []
    for step in values:
        result.append(step)
        if time.perf_counter() - begin > SECONDS:
            break
    return numpy.stack(result)
