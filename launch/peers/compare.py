"""Times Baton and the peers on the same shapes, in turn, on the same core, and prints one table. Started by launch/bench-peers."""

import argparse
import json
import pathlib
import sys

import registry
import step
import table
from baton import Baton, commit
from failure import Failure
from measure import measure_row
from peer_process import SINGLE, Peer

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


def kernels(arguments, baton, report):
    names = registry.installed(arguments.environments, arguments.precision)
    lines = QUICK if arguments.quick and not arguments.shapes else baton.shape_lines(arguments.shapes)
    rounds = arguments.rounds or (2 if arguments.quick else 3)
    seconds = arguments.seconds if arguments.seconds is not None else (0.2 if arguments.quick else 0.4)
    peers = [Peer(name, arguments.environments, arguments.core) for name in names]
    try:
        text = table.KernelTable(lines, names, arguments.precision)
        for line in lines:
            row = measure_row(baton, peers, line, rounds, seconds)
            report["rows"].append(row)
            report["versions"] = {peer.name: peer.version for peer in peers}
            if not arguments.json:
                if len(report["rows"]) == 1:
                    print(text.header(report, row["peak_gflops"]), flush=True)
                print(text.line(row), flush=True)
    finally:
        for peer in peers:
            peer.close()
    report["summary"] = table.summary(report["rows"], names)
    if not arguments.json:
        is_disturbed = any(table.disturbed(row["figures"]) for row in report["rows"])
        print(table.summary_text(report["summary"], arguments.precision, is_disturbed))


def parse():
    """Launch/bench-peers has checked the values."""
    parser = argparse.ArgumentParser(prog="launch/bench-peers")
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--environments", type=pathlib.Path, required=True)
    parser.add_argument("--shapes")
    parser.add_argument("--precision", choices=registry.PRECISIONS, default="float32")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--part", choices=["kernels", "step", "all"], default="all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    arguments = parse()
    baton = Baton(arguments.root, arguments.core, arguments.precision)
    report = {"precision": arguments.precision, "rows": []}
    if name := commit(arguments.root):
        report["commit"] = name
    try:
        if arguments.part != "step":
            kernels(arguments, baton, report)
        if arguments.part != "kernels":
            report["step"] = step.measure(
                arguments.root, baton.path, arguments.environments, arguments.core, arguments.quick, SINGLE
            )
            if not arguments.json:
                print(table.step_text(report))
    except Failure as failure:
        sys.exit(f"launch/bench-peers: {failure}")
    if arguments.json:
        print(json.dumps(report, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
