"""Times Baton and the peers on the same shapes, in turn, on the same core, and prints one table. Started by launch/bench-peers."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import step
import table
from shapes import Shape

PEERS = {"torch": "main", "onnxruntime": "main", "openvino": "main", "mxnet": "mxnet"}
QUICK = [
    "lstm 50 1 512 512",
    "lstm 50 8 512 512",
    "lstm 50 32 512 512",
    "lstm 50 64 1024 1024",
    "lstm 50 32 256 256 layers=2 bidirectional",
    "gru 50 1 512 512",
    "gru 50 32 512 512",
    "rnn_tanh 50 32 512 512",
]
# One thread for every library that would like more, and MXNet's own pool.
SINGLE = {name: "1" for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MXNET_CPU_WORKER_NTHREADS"]}
# The difference that two sums in f32 may show, far below what another gate order would.
AGREEMENT = 1e-3


class Failure(Exception):
    """What ends the comparison: one sentence for the person who started it."""


class Peer:
    """A worker process on the core, idle between requests."""

    def __init__(self, name, environments, core):
        self.name = name
        self.version = ""
        script = pathlib.Path(__file__).parent / f"peer_{name}.py"
        self.command = ["taskset", "-c", str(core), str(environments / PEERS[name] / "bin/python"), str(script)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | SINGLE,
        )

    def ask(self, **request):
        """The answer, or {"error": reason}; a peer that crashes is started anew, unless it never worked."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            reply = self.process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        if reply:
            return json.loads(reply)
        status = self.process.wait()
        if not self.version:
            raise Failure(f"{self.name} ended with status {status}; run '{' '.join(self.command[3:])}' to see why.")
        self.start()
        return {"error": f"ended with status {status}"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def baton_row(baton, core, line, seconds):
    """One row of `baton bench kernels`, packed kernels, without states as every peer is called."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(line + "\n")
        file.flush()
        command = ["taskset", "-c", str(core), str(baton), "bench", "kernels", "--kernels", "packed", "--json"]
        command += ["--zero-states", "--seconds", str(seconds), "--shapes", file.name]
        run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise Failure(f"baton bench kernels failed on '{line}': {run.stderr.strip()}")
    return json.loads(run.stdout)["rows"][0]


def keep(best, name, which, measured):
    """Keeps the faster of two measurements."""
    known = best.setdefault(name, {}).get(which)
    if known is None or measured["seconds"] < known["seconds"]:
        best[name][which] = measured


def measure_row(baton, peers, core, line, rounds, seconds):
    """The best of all turns, everyone in every turn, so that a slow minute hits all."""
    shape = Shape.parse(line)
    best, notes, passes, magnitudes = {}, [], {}, {}
    for peer in peers:
        reply = peer.ask(prepare=line)
        if "error" in reply:
            notes.append(f"{peer.name}: {reply['error']}")
            continue
        peer.version = reply["version"]
        passes[peer.name] = reply["passes"]
        magnitudes[peer.name] = reply["magnitude"]
    reference = magnitudes.get("torch")
    for name, magnitude in magnitudes.items():
        if reference and abs(magnitude - reference) > AGREEMENT * reference:
            notes.append(f"{name} computes something else than torch: mean |y| {magnitude:.6f} for {reference:.6f}")
    peak, turns = 0.0, 0
    # A row in which other programs had the core even during a best repetition gets as many turns again.
    while turns < rounds or (turns < 2 * rounds and table.disturbed(best)):
        turns += 1
        row = baton_row(baton, core, line, seconds)
        peak = max(peak, row["peak_gflops"])
        for which in ["inference", "training"]:
            keep(best, "baton", which, {key: row["results"][0][which][key] for key in ["seconds", "share_on_core"]})
        for peer in peers:
            for which in passes.get(peer.name, []):
                reply = peer.ask(time=which, seconds=seconds)
                if "error" in reply:
                    notes.append(f"{peer.name} {which}: {reply['error']}")
                    passes[peer.name] = [name for name in passes[peer.name] if name != which]
                    continue
                keep(best, peer.name, which, reply)
    for figures in best.values():
        for which, measured in figures.items():
            measured["gflops"] = shape.operations * (3 if which == "training" else 1) / measured["seconds"] * 1e-9
    return {"shape": line, "operations": shape.operations, "peak_gflops": peak, "figures": best, "turns": turns, "notes": notes}


def shape_lines(arguments, baton):
    """The lines of the file, of the quick list or of baton's built-in one, checked by baton."""
    command = [str(baton), "bench", "kernels", "--list-shapes"]
    if arguments.quick and not arguments.shapes:
        return QUICK
    if arguments.shapes:
        command += ["--shapes", arguments.shapes]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise Failure(run.stderr.strip())
    return run.stdout.splitlines()


def kernels(arguments, baton, environments, report):
    names = [name for name, folder in PEERS.items() if (environments / folder / "installed.txt").exists()]
    lines = shape_lines(arguments, baton)
    rounds = arguments.rounds or (2 if arguments.quick else 3)
    seconds = arguments.seconds if arguments.seconds is not None else (0.2 if arguments.quick else 0.4)
    peers = [Peer(name, environments, arguments.core) for name in names]
    try:
        text = table.KernelTable(lines, names)
        for line in lines:
            row = measure_row(baton, peers, arguments.core, line, rounds, seconds)
            report["rows"].append(row)
            if not arguments.json:
                if len(report["rows"]) == 1:
                    print(text.header({peer.name: peer.version for peer in peers}, row["peak_gflops"]), flush=True)
                print(text.line(row), flush=True)
    finally:
        for peer in peers:
            peer.close()
    report["versions"] = {peer.name: peer.version for peer in peers}
    report["summary"] = table.summary(report["rows"], names)
    if not arguments.json:
        print(table.summary_text(report["summary"]))


def main():
    parser = argparse.ArgumentParser(prog="launch/bench-peers")
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--shapes")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--part", choices=["kernels", "step", "all"], default="all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.core not in os.sched_getaffinity(0):
        parser.error(f"--core is {arguments.core}, this shell may use {sorted(os.sched_getaffinity(0))}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}, expected at least 1")
    if arguments.seconds is not None and not 0 <= arguments.seconds <= 600:
        parser.error(f"--seconds is {arguments.seconds}, expected 0 to 600")
    if arguments.part == "step" and any(value is not None for value in [arguments.shapes, arguments.rounds, arguments.seconds]):
        parser.error("--shapes, --rounds and --seconds are of single layers; leave them out with --part step")
    baton = arguments.root / ".build/release/baton"
    report = {"rows": []}
    try:
        if arguments.part != "step":
            kernels(arguments, baton, arguments.environments, report)
        if arguments.part != "kernels":
            report["step"] = step.measure(
                arguments.root, baton, arguments.environments, arguments.core, arguments.quick, SINGLE
            )
            if not arguments.json:
                print(table.step_text(report["step"]))
    except (Failure, step.Failure) as failure:
        sys.exit(f"launch/bench-peers: {failure}")
    if arguments.json:
        print(json.dumps(report, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
