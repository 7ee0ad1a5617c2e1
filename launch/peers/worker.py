"""What all peers have in common: a process that prepares shapes and times passes when it is told to.

It reads one JSON object per line and answers each with one, which always names the version:
{"prepare": "lstm 50 32 512 512", "precision": "int8", "output": "y.npy", "gradients": "gradients.npz"} with the passes it can
run and the errors of its output and its gradients against those in the files, {"time": "inference", "seconds": 0.3} with the best time and the share of it in which the
process really ran; either with a "failure" instead. Between two requests it waits without using the core.
"""

import collections.abc
import dataclasses
import json
import os
import sys
import time

import numpy

from errors import gradient_error, relative_error
from shapes import Shape


class Refusal(Exception):
    """What a peer says of a shape that it does not run in the precision asked for."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A shape that is ready: its output, its passes by name, and what returns the gradients of the last training pass, of the
    input and then of all parameters in the order of the shape."""

    output: numpy.ndarray
    passes: dict
    gradients: collections.abc.Callable | None = None


def best_time(work, seconds):
    """The fastest of many repetitions and the share of its time in which the process had a core.

    Warmed up once. Work shorter than 0.2 ms is timed in groups, so that reading the clocks does not count.
    """
    work()
    begin = time.perf_counter()
    work()
    group = max(1, round(2e-4 / max(time.perf_counter() - begin, 1e-7)))
    best, share, repetitions = float("inf"), 0.0, 0
    while repetitions < 3 or time.perf_counter() - begin < seconds:
        core, start = time.process_time(), time.perf_counter()
        for _ in range(group):
            work()
        wall = time.perf_counter() - start
        core = time.process_time() - core
        if wall / group < best:
            best, share = wall / group, min(1.0, core / wall)
        repetitions += 1
    return best, share


def serve(version, prepare):
    """Answers requests until the end of the input. `prepare(shape, precision)` returns what is `Prepared`."""
    # Libraries that print on standard output would be taken for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    passes = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                passes = {}
                prepared = prepare(Shape.parse(request["prepare"]), request["precision"])
                passes = prepared.passes
                reply = {"passes": list(passes), "error": relative_error(prepared.output, numpy.load(request["output"]))}
                if prepared.gradients and "gradients" in request:
                    passes["training"]()
                    expected = numpy.load(request["gradients"])
                    reply["gradient_error"] = gradient_error(prepared.gradients(), list(expected.values()))
            else:
                seconds, share = best_time(passes[request["time"]], request["seconds"])
                reply = {"seconds": seconds, "share_on_core": share}
        except Refusal as refusal:
            reply = {"failure": str(refusal)}
        except Exception as error:  # A peer that cannot run a shape must not end the comparison.
            reply = {"failure": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        answers.write(json.dumps({"version": version, **reply}) + "\n")
        answers.flush()
