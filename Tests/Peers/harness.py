"""What both peers' tests share: runs baton on arrays, compares with derived tolerances, counts, prints a table."""

import json
import math
import os
import re
import subprocess
import sys
import tempfile

import numpy

BATON = os.environ["BATON"]
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


class Refused(Exception):
    """baton ended with an error."""


def baton(*arguments):
    """Runs a command and returns what it printed."""
    done = subprocess.run([BATON, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"baton {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def run(folder, weights, inputs, outputs, **options):
    """`baton run`: writes the inputs (flag to array), runs, and reads the outputs (flag to file name)."""
    arguments = ["run", "--weights", weights]
    for flag, value in inputs.items():
        if value is not None:
            path = os.path.join(folder, flag + ".npy")
            numpy.save(path, numpy.ascontiguousarray(value))
            arguments += ["--" + flag, path]
    for flag, value in options.items():
        if value is not None:
            arguments += ["--" + flag.replace("_", "-"), value]
    paths = {flag: os.path.join(folder, "out-" + flag + ".npy") for flag in outputs}
    for flag, path in paths.items():
        arguments += ["--" + flag, path]
    baton(*arguments)
    return {flag: numpy.load(path) for flag, path in paths.items()}


def gradient_errors(folder, expected, limit, times=1):
    """(what, error, limit) of the gradients in `--grad-dir`, `times` over.

    A parameter's gradient adds up products over all rows and steps, and where the tensor has few elements the sum may be far
    smaller than what was added up; so the deviation is relative to the largest gradient of the layer.
    """
    def layer(name):
        match = re.search(r"(?:[lr]|_unfused\.)(\d+)", name)
        return match and match.group(1)

    largest = {}
    for name, value in expected.items():
        if layer(name) is not None:
            largest[layer(name)] = max(largest.get(layer(name), 0.0), float(numpy.abs(value).max()))
    return [
        ("gradient of " + name,
         error(times * numpy.load(os.path.join(folder, name + ".npy")), value, largest.get(layer(name), 0.0)), limit)
        for name, value in expected.items()
    ]


def tolerance(dtype, depth, backward=False):
    """4·ε·⌈log₂ depth⌉ of the largest value, where depth is the number of products one element accumulates, steps of the
    recurrence included; twice that for gradients, and twice again, for the peer rounds as well. f64: 1e-12 the same way."""
    factor = (2 if backward else 1) * 2
    if numpy.dtype(dtype) == numpy.float64:
        return 1e-12 * factor
    return 4 * float(numpy.finfo(numpy.float32).eps) * math.ceil(math.log2(max(2, depth))) * factor


def depth(steps, width, hidden, layers, directions, projection=None):
    """Products that one element of the last layer accumulates over the window."""
    return steps * (max(width, directions * hidden) + hidden + (projection or 0)) * layers


def error(actual, expected, scale=0.0):
    """The largest deviation, relative to the largest expected value, or to `scale` if that is larger."""
    actual, expected = numpy.asarray(actual, "f8"), numpy.asarray(expected, "f8")
    if actual.shape != expected.shape:
        return math.inf
    if actual.size == 0:
        return 0.0
    difference = numpy.abs(actual - expected).max()
    scale = max(scale, numpy.abs(expected).max())
    return float(difference / scale) if scale > 0 else float(difference)


class Table:
    """Configurations by group: how many agree, the largest error as a share of its tolerance, what did not agree."""

    def __init__(self, title):
        self.title = title
        self.rows = {}
        self.failures = []

    def record(self, group, description, deviations):
        """`deviations`: (what, error, tolerance) of everything compared in one configuration."""
        row = self.rows.setdefault(group, {"agree": 0, "fail": 0, "values": 0, "worst": 0.0})
        row["values"] += len(deviations)
        wrong = [d for d in deviations if not d[1] <= d[2]]
        row["worst"] = max([row["worst"]] + [d[1] / d[2] for d in deviations])
        row["fail" if wrong else "agree"] += 1
        for what, size, limit in wrong[:3]:
            self.failures.append(f"{group}: {description}: {what} is off by {size:.3g}, allowed {limit:.3g}")

    def check(self, group, description, body):
        """Records the configuration `body` compares, also when it raises."""
        with tempfile.TemporaryDirectory(prefix="baton-peers-") as folder:
            try:
                self.record(group, description, body(folder))
            except Exception as problem:  # a configuration that cannot run is one that does not agree
                self.record(group, description, [(f"{type(problem).__name__}: {problem}", math.inf, 1.0)])

    def finish(self):
        """Prints the table and ends the process: 0 when all agree."""
        print(f"\n{self.title}")
        print(f"{'':44} {'agree':>6} {'fail':>5} {'tensors':>8}   worst error / tolerance")
        for group, row in self.rows.items():
            print(f"{group:44} {row['agree']:6} {row['fail']:5} {row['values']:8}   {row['worst']:.3f}")
        for line in self.failures[:40]:
            print("  " + line)
        agree = sum(row["agree"] for row in self.rows.values())
        fail = sum(row["fail"] for row in self.rows.values())
        print(f"{agree} configurations agree, {fail} do not")
        if "BATON_PEERS_TOTALS" in os.environ:
            with open(os.environ["BATON_PEERS_TOTALS"], "a") as file:
                file.write(json.dumps({"agree": agree, "fail": fail}) + "\n")
        sys.exit(1 if fail or not agree else 0)
