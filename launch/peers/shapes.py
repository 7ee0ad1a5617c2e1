"""Shapes of recurrent stacks, as `baton bench kernels` reads and prints them, and weights that all peers share."""

import dataclasses

import numpy

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}


@dataclasses.dataclass(frozen=True)
class Shape:
    """`cell T N I H [layers=L] [bidirectional]`."""

    cell: str
    steps: int
    batch: int
    input: int
    hidden: int
    layers: int = 1
    bidirectional: bool = False

    @staticmethod
    def parse(line):
        words = line.split()
        layers, bidirectional = 1, False
        for word in words[5:]:
            if word == "bidirectional":
                bidirectional = True
            elif word.startswith("layers="):
                layers = int(word.removeprefix("layers="))
            else:
                raise ValueError(f"'{line}': '{word}' is neither layers=L nor bidirectional")
        if len(words) < 5 or words[0] not in GATES:
            raise ValueError(f"'{line}': expected 'cell T N I H [layers=L] [bidirectional]'")
        return Shape(words[0], *(int(word) for word in words[1:5]), layers, bidirectional)

    @property
    def directions(self):
        return 2 if self.bidirectional else 1

    @property
    def gates(self):
        return GATES[self.cell]

    def inputs(self):
        """Input width of every layer."""
        return [self.input] + [self.directions * self.hidden] * (self.layers - 1)

    def parameters(self):
        """(W, U, b, q) of every layer and direction, gates in PyTorch's and Gluon's order (i f g o; r z n)."""
        random = numpy.random.RandomState(1)
        bound = self.hidden**-0.5

        def uniform(*shape):
            return random.uniform(-bound, bound, shape).astype(numpy.float32)

        rows = self.gates * self.hidden
        return [
            (uniform(rows, width), uniform(rows, self.hidden), uniform(rows), uniform(rows))
            for width in self.inputs()
            for _ in range(self.directions)
        ]

    def named_parameters(self):
        """The same under PyTorch's names, as in a state dict."""
        layers = [f"l{layer}{suffix}" for layer in range(self.layers) for suffix in ["", "_reverse"][: self.directions]]
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        return {
            f"{name}_{layer}": values
            for layer, part in zip(layers, self.parameters())
            for name, values in zip(names, part)
        }

    def data(self):
        """The input (T, N, I) and a gradient of the output (T, N, D·H)."""
        random = numpy.random.RandomState(2)
        return tuple(
            random.uniform(-1, 1, (self.steps, self.batch, width)).astype(numpy.float32)
            for width in (self.input, self.directions * self.hidden)
        )
