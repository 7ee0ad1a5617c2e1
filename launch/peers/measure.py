"""One row of the comparison: a shape, whose results are checked and whose passes are timed in turns."""

import pathlib
import tempfile

import numpy

import reference
import table
from errors import gradient_error, relative_error
from failure import Failure
from reference_gradients import gradients
from registry import KINDS, LIMITS
from shapes import Shape


class Row:
    """The best of all turns, everyone in every turn, so that a slow minute hits all."""

    def __init__(self, baton, peers, line):
        self.baton, self.peers, self.line = baton, peers, line
        self.shape = Shape.parse(line)
        self.passes, self.errors, self.gradient_errors, self.best, self.notes = {}, {}, {}, {}, []
        self.operations, self.peak, self.turns = 0, 0.0, 0

    def prepare(self):
        """Has everyone compute output and gradients once, and notes whose are others."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            output = reference.output(self.shape)
            expected = {"output": str(folder / "output.npy")}
            numpy.save(expected["output"], output)
            differentiated = gradients(self.shape) if self.baton.precision == "float32" else None
            if differentiated:
                expected["gradients"] = str(folder / "gradients.npz")
                numpy.savez(expected["gradients"], *differentiated)
            elif self.baton.precision == "float32":
                self.notes.append("gradients are not checked: in float64 they would take too long")
            own_output, own_gradients = self.baton.results(self.shape, folder, differentiates=bool(differentiated))
            try:
                self.errors["baton"] = relative_error(own_output, output)
                if differentiated:
                    self.gradient_errors["baton"] = gradient_error(own_gradients, differentiated)
            except ValueError as error:
                raise Failure(f"baton run on '{self.line}': {error}.") from error
            for peer in self.peers:
                self.prepare_peer(peer, expected)
        self.note_errors("output", self.errors)
        self.note_errors("gradients", self.gradient_errors)

    def prepare_peer(self, peer, expected):
        reply = peer.prepare(self.line, self.baton.precision, expected)
        if "failure" in reply:
            self.notes.append(f"{KINDS[peer.name].title}: {reply['failure']}")
            return
        self.passes[peer.name] = reply["passes"]
        self.errors[peer.name] = reply["error"]
        if "gradient_error" in reply:
            self.gradient_errors[peer.name] = reply["gradient_error"]

    def note_errors(self, what, errors):
        limit = LIMITS[self.baton.precision]
        for name, error in errors.items():
            if error > limit:
                self.notes.append(f"{table.title(name)} computes other {what}: {error:.1e} off, more than {limit:.0e}")

    def take_turn(self, seconds):
        self.turns += 1
        row = self.baton.kernel_row(self.line, seconds)
        self.operations = row["operations"]
        self.peak = max(self.peak, row["peak_gflops"])
        for which in table.PASSES:
            if which in row["results"][0]:
                self.keep("baton", which, row["results"][0][which])
        for peer in self.peers:
            self.time(peer, seconds)

    def time(self, peer, seconds):
        for which in list(self.passes.get(peer.name, [])):
            reply = peer.time(which, seconds)
            if "failure" not in reply:
                self.keep(peer.name, which, reply)
                continue
            self.notes.append(f"{KINDS[peer.name].title} {which}: {reply['failure']}")
            self.passes[peer.name].remove(which)
            if "restarted" in reply:  # It does not know the shape any more.
                del self.passes[peer.name]
                return

    def keep(self, name, which, measured):
        """Keeps the faster of two measurements."""
        known = self.best.setdefault(name, {}).get(which)
        if known is None or measured["seconds"] < known["seconds"]:
            self.best[name][which] = {key: measured[key] for key in ["seconds", "share_on_core"]}

    def report(self):
        for figures in self.best.values():
            for which, measured in figures.items():
                measured["gflops"] = self.operations * (3 if which == "training" else 1) / measured["seconds"] * 1e-9
        return {
            "shape": self.line,
            "operations": self.operations,
            "peak_gflops": self.peak,
            "figures": self.best,
            "errors": self.errors,
            "gradient_errors": self.gradient_errors,
            "turns": self.turns,
            "notes": self.notes,
        }


def measure_row(baton, peers, line, rounds, seconds):
    row = Row(baton, peers, line)
    row.prepare()
    # A row in which other programs had the core even during a best repetition gets as many turns again.
    while row.turns < rounds or (row.turns < 2 * rounds and table.disturbed(row.best)):
        row.take_turn(seconds)
    return row.report()
