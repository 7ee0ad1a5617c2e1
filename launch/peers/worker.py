"""What all peers have in common: a process that prepares shapes and times passes when it is told to.

It reads one JSON object per line and answers each with one: {"prepare": "lstm 50 32 512 512"} with the version, the passes
it can run and the mean magnitude of its output, {"time": "inference", "seconds": 0.3} with the best time and the share of
it in which the process really ran. Between two requests it waits without using the core.
"""

import json
import os
import sys
import time

import numpy

from shapes import Shape


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
    """Answers requests until the end of the input. `prepare(shape)` returns the output and the passes by name."""
    # Libraries that print on standard output would be taken for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    passes = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                passes = {}
                output, passes = prepare(Shape.parse(request["prepare"]))
                reply = {"version": version, "passes": list(passes), "magnitude": float(numpy.abs(output).mean())}
            else:
                seconds, share = best_time(passes[request["time"]], request["seconds"])
                reply = {"seconds": seconds, "share_on_core": share}
        except Exception as error:  # A peer that cannot run a shape must not end the comparison.
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
