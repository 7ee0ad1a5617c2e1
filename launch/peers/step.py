"""Runs the language model's training step of Baton and PyTorch in turn, on one core and on two."""

import json
import os
import pathlib
import subprocess

# The model of step_torch.py.
BATON = "bench train --model lstm --layers 2 --hidden 512 --embed 128 --vocab 65 --dropout 0 --batch 32".split()
BATON += ["--steps-per-window", "64", "--json"]


class Failure(Exception):
    """A program of the comparison failed: one sentence."""


def run(command, environment):
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, env=os.environ | environment
    )
    if result.returncode:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise Failure(f"'{' '.join(map(str, command))}' failed: {last}")
    return json.loads(result.stdout[result.stdout.index("{") :])


def measure(root, baton, environments, core, quick, single):
    """Tokens per second of every way to train; the batch is 32 lanes per core."""
    seconds, rounds = (3, 2) if quick else (6, 3)
    torch = [environments / "main/bin/python", pathlib.Path(__file__).parent / "step_torch.py"]
    torch += ["--seconds", seconds]
    pinned = ["taskset", "-c", core]
    ways = [
        ("baton, 1 rank", 1, [*pinned, baton, *BATON, "--seconds", seconds], single),
        ("torch, 1 thread", 1, [*pinned, *torch, "--threads", 1], single),
    ]
    # Two cores that this shell may use; both programs bind their processes themselves.
    if len(os.sched_getaffinity(0)) >= 2:
        both = {**single, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
        launch = [root / "launch/run", "-n", 2, "--", *BATON, "--seconds", seconds]
        ways += [
            ("baton, 2 ranks", 2, launch, single),
            ("torch, 2 threads", 2, [*torch, "--threads", 2], both),
            ("torch DDP, 2 processes", 2, [*torch, "--processes", 2], single),
        ]
    best = {}
    for _ in range(rounds):
        for name, cores, command, environment in ways:
            figures = run(command, environment)
            if "figures" in figures:  # baton's
                figures = figures["figures"][0]
            tokens = figures["tokens_per_second_by_median"]
            known = best.setdefault(name, {"cores": cores, "tokens_per_second": 0.0})
            known["tokens_per_second"] = max(known["tokens_per_second"], tokens)
    for figures in best.values():
        rival = "baton, 1 rank" if figures["cores"] == 1 else "baton, 2 ranks"
        figures["baton_ratio"] = best[rival]["tokens_per_second"] / figures["tokens_per_second"]
    return best
