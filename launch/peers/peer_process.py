"""The worker process of a peer, seen from the comparison."""

import json
import os
import pathlib
import select
import subprocess

from failure import Failure
from registry import KINDS

# One thread for every library that would like more, and MXNet's own pool.
SINGLE = {name: "1" for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MXNET_CPU_WORKER_NTHREADS"]}
# A prepared shape may be quantised or compiled; a pass is repeated at least three times, however long it takes.
PREPARE_SECONDS, TIME_SECONDS = 120, 30


class Peer:
    """A worker process on the core, idle between requests."""

    def __init__(self, name, environments, core):
        self.name = name
        self.version = ""
        script = pathlib.Path(__file__).parent / f"peer_{name}.py"
        python = environments / KINDS[name].environment / "bin/python"
        self.command = ["taskset", "-c", str(core), str(python), str(script)]
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

    def prepare(self, line, precision, expected):
        """`expected`: the files of the results in float64 by name, "output" and perhaps "gradients"."""
        return self.ask({"prepare": line, "precision": precision, **expected}, PREPARE_SECONDS)

    def time(self, which, seconds):
        return self.ask({"time": which, "seconds": seconds}, TIME_SECONDS + 20 * seconds)

    def ask(self, request, limit):
        """The answer; of a peer that crashes or hangs, which is started anew, {"failure": reason, "restarted": True}.

        A peer that crashes before its first answer was never installed properly, and ends the comparison.
        """
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # The end of its output, which comes at once, says so too.
        if not select.select([self.process.stdout], [], [], limit)[0]:
            self.process.kill()
            self.process.wait()
            return self.restarted(f"no answer within {limit:.0f} s, started anew")
        if reply := self.process.stdout.readline():
            answer = json.loads(reply)
            self.version = answer["version"]
            return answer
        status = self.process.wait()
        if not self.version:
            raise Failure(f"{self.name} ended with status {status}; run '{' '.join(self.command[3:])}' to see why.")
        return self.restarted(f"ended with status {status}, started anew")

    def restarted(self, reason):
        self.start()
        return {"failure": reason, "restarted": True}

    def close(self):
        self.process.stdin.close()
        self.process.wait()
