"""Runs the language model's training step of Baton and PyTorch in turn, on one core and on two."""

import json
import os
import pathlib
import statistics
import subprocess

from failure import Failure

# The model of step_torch.py.
BATON = "bench train --model lstm --layers 2 --hidden 512 --embed 128 --vocab 65 --dropout 0 --batch 32".split()
BATON += ["--steps-per-window", "64", "--json"]


def run(command, environment):
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=os.environ | environment
    )
    if result.returncode:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise Failure(f"'{' '.join(map(str, command))}' failed: {last}")
    return json.loads(result.stdout[result.stdout.index("{") :])


def measure(root, baton, environments, core, quick, single):
    """Tokens per second of every way to train; the batch is 32 lanes per core.

    Of several turns, each of a new process and by its median step, the median: one process may be 15 % faster than the next.
    """
    seconds, rounds = (3, 3) if quick else (4, 7)
    torch = [environments / "main/bin/python", pathlib.Path(__file__).parent / "step_torch.py"]
    torch += ["--seconds", seconds]
    pinned = ["taskset", "-c", core]
    ways = [
        ("baton, 1 rank", 1, [*pinned, baton, *BATON, "--seconds", seconds], single),
        ("torch, 1 thread", 1, [*pinned, *torch, "--threads", 1], single),
    ]
    # Two cores that this shell may use; ranks and processes bind themselves, threads are bound by OpenMP.
    if len(os.sched_getaffinity(0)) >= 2:
        both = {
            **single, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2", "OMP_PROC_BIND": "close", "OMP_PLACES": "cores",
        }
        launch = [root / "launch/run", "-n", 2, "--", *BATON, "--seconds", seconds]
        ways += [
            ("baton, 2 ranks", 2, launch, single),
            ("torch, 2 threads", 2, [*torch, "--threads", 2], both),
            ("torch DDP, 2 processes", 2, [*torch, "--processes", 2], single),
        ]
    turns = {name: [] for name, *_ in ways}
    for _ in range(rounds):
        for name, _, command, environment in ways:
            figures = run(command, environment)
            if "figures" in figures:  # baton's
                figures = figures["figures"][0]
            turns[name].append(figures["tokens_per_second_by_median"])
    result = {}
    for name, cores, *_ in ways:
        rival = turns["baton, 1 rank" if cores == 1 else "baton, 2 ranks"]
        middle = statistics.median(turns[name])
        result[name] = {
            "cores": cores,
            "tokens_per_second": middle,
            "slowest_turn": min(turns[name]),
            "fastest_turn": max(turns[name]),
            "baton_ratio": statistics.median(rival) / middle,
        }
    return result
