"""One row of the comparison: a shape, whose outputs are checked and whose passes are timed in turns."""

import pathlib
import tempfile

import numpy

import reference
import table
from failure import Failure
from registry import KINDS, LIMITS
from shapes import Shape


class Row:
    """The best of all turns, everyone in every turn, so that a slow minute hits all."""

    def __init__(self, baton, peers, line):
        self.baton, self.peers, self.line = baton, peers, line
        self.shape = Shape.parse(line)
        self.passes, self.errors, self.best, self.notes = {}, {}, {}, []
        self.operations, self.peak, self.turns = 0, 0.0, 0

    def prepare(self):
        """Has everyone compute the output once, and notes whose is another."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            expected = reference.output(self.shape)
            numpy.save(folder / "reference.npy", expected)
            try:
                self.errors["baton"] = reference.relative_error(self.baton.output(self.shape, folder), expected)
            except ValueError as error:
                raise Failure(f"baton run on '{self.line}': {error}.") from error
            for peer in self.peers:
                reply = peer.prepare(self.line, self.baton.precision, folder / "reference.npy")
                if "failure" in reply:
                    self.notes.append(f"{KINDS[peer.name].title}: {reply['failure']}")
                    continue
                self.passes[peer.name] = reply["passes"]
                self.errors[peer.name] = reply["error"]
        limit = LIMITS[self.baton.precision]
        self.notes += [
            f"{table.title(name)} computes something else: its output is {error:.1e} off, more than {limit:.0e}"
            for name, error in self.errors.items()
            if error > limit
        ]

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
