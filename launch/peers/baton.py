"""Baton's part of the comparison: its kernels' figures, its output, and which state of the sources it is."""

import json
import os
import subprocess
import tempfile

import numpy
import safetensors.numpy

from failure import Failure


def commit(root):
    """The checkout's commit, with + for changes that are not committed; None of sources that are no checkout."""
    if not (root / ".git").exists():
        return None
    # Whoever commits meanwhile must not find the index locked.
    git = ["git", "-C", str(root), "--no-optional-locks"]
    commands = [[*git, "rev-parse", "--short", "HEAD"], [*git, "status", "--porcelain"]]
    try:
        name, changes = (subprocess.run(command, capture_output=True, text=True).stdout.strip() for command in commands)
    except FileNotFoundError:
        return None
    return name + ("+" if changes else "") if name else None


class Baton:
    """The executable, run on the core for every request."""

    def __init__(self, root, core, precision):
        self.path = root / ".build/release/baton"
        self.core = core
        self.precision = precision

    def run(self, *arguments):
        """What it prints."""
        command = ["taskset", "-c", str(self.core), str(self.path), *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"BATON_KERNELS": "packed"})
        if run.returncode:
            raise Failure(f"'baton {' '.join(map(str, arguments))}' failed: {run.stderr.strip()}")
        return run.stdout

    def shape_lines(self, file):
        """The lines of a shape file, or of the built-in list."""
        return self.run("bench", "kernels", "--list-shapes", *(["--shapes", file] if file else [])).splitlines()

    def kernel_row(self, line, seconds):
        """One row of `baton bench kernels`, packed kernels, without states as every peer is called."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(line + "\n")
            file.flush()
            options = ["--kernels", "packed", "--zero-states", "--json", "--precision", self.precision]
            report = self.run("bench", "kernels", *options, "--seconds", seconds, "--shapes", file.name)
        return json.loads(report)["rows"][0]

    def results(self, shape, folder, differentiates):
        """Output and, if wanted, gradients, by the same kernels as are timed, of the weights and input of the peers."""
        weights, data, result = (folder / name for name in ["weights.safetensors", "x.npy", "y.npy"])
        safetensors.numpy.save_file(shape.named_parameters(), weights)
        options = ["--kind", shape.cell, "--precision", self.precision]
        numpy.save(data, shape.data()[0])
        if differentiates:
            numpy.save(folder / "dy.npy", shape.data()[1])
            options += ["--grad-output", folder / "dy.npy", "--grad-dir", folder]
        self.run("run", *options, "--weights", weights, "--input", data, "--output", result)
        names = ["input", *shape.named_parameters()] if differentiates else []
        return numpy.load(result), [numpy.load(folder / f"{name}.npy") for name in names]
