"""Random recurrent stacks on `baton run` and on PyTorch: outputs, states and every gradient must agree.

    python random_torch.py [--count N] [--seed S] [--baton PATH]

in an environment with torch, numpy and safetensors. Configurations are random in kind, depth, directions, sizes, axes,
element type, biases, projection, sequence lengths (none, unequal, zeros among them), initial states, incoming gradients
and kernel backend. PyTorch runs rows of unequal lengths through pack_padded_sequence(enforce_sorted=False), which has no
rows of length zero: there the rule of Baton's documentation is checked (zero outputs, states passed through). Prints one
line per difference and exits with 1 if there is any.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.numpy import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

KINDS = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def random_case(rng):
    pick = lambda *options: options[rng.integers(len(options))]
    case = {
        "kind": pick("rnn_tanh", "rnn_relu", "lstm", "lstm", "gru"),
        "layers": int(pick(1, 1, 2, 3, 12)), "bidirectional": bool(pick(0, 1)),
        "T": int(rng.integers(1, 14)), "N": int(pick(1, 2, 3, 7, 13, 20, 33)),
        "C": int(rng.integers(1, 40)), "H": int(rng.integers(1, 50)), "P": 0,
        "axes": pick("TNC", "NTC"), "dtype": pick("float32", "float64"), "bias": bool(pick(0, 1, 1)),
        "states": bool(pick(0, 1)), "state_gradients": bool(pick(0, 1)), "lengths": pick("none", "some", "zeros"),
        "kernels": pick("packed", "blas"),
    }
    if case["kind"] == "lstm" and case["H"] > 1 and pick(0, 1):
        case["P"] = int(rng.integers(1, case["H"]))
    return case


def run_torch(case, module, arrays):
    lengths = arrays["lengths"]
    rows = np.flatnonzero(lengths > 0)
    tensor = lambda name: torch.from_numpy(arrays[name])
    x = tensor("input")[:, rows].clone().requires_grad_()
    h = tensor("state")[:, rows].clone().requires_grad_()
    c = tensor("cell_state")[:, rows].clone().requires_grad_() if case["kind"] == "lstm" else None
    results = {"output": np.zeros_like(arrays["grad_output"]), "final_state": arrays["state"].copy(),
               "grad/input": np.zeros_like(arrays["input"]), "grad/state": arrays["grad_final_state"].copy()}
    if c is not None:
        results |= {"final_cell_state": arrays["cell_state"].copy(),
                    "grad/cell_state": arrays["grad_final_cell_state"].copy()}
    names = [name for name, _ in module.named_parameters()]
    if len(rows) == 0:
        return results | {f"grad/{name}": np.zeros(p.shape, case["dtype"]) for name, p in module.named_parameters()}
    packed = pack_padded_sequence(x, torch.from_numpy(lengths[rows]).long(), enforce_sorted=False)
    y, states = module(packed, (h, c) if c is not None else h)
    y, _ = pad_packed_sequence(y, total_length=case["T"])
    hn, cn = states if c is not None else (states, None)
    total = (y * tensor("grad_output")[:, rows]).sum() + (hn * tensor("grad_final_state")[:, rows]).sum()
    if c is not None:
        total = total + (cn * tensor("grad_final_cell_state")[:, rows]).sum()
    total.backward()
    found = {"output": y, "final_state": hn, "grad/input": x.grad, "grad/state": h.grad}
    if c is not None:
        found |= {"final_cell_state": cn, "grad/cell_state": c.grad}
    for name, value in found.items():
        results[name][:, rows] = value.detach().numpy()
    return results | {f"grad/{name}": dict(module.named_parameters())[name].grad.numpy() for name in names}


def run_baton(case, arrays, weights, folder, baton):
    swap = lambda a: np.ascontiguousarray(a.swapaxes(0, 1)) if case["axes"] == "NTC" else a
    save = lambda name, a: np.save(folder / name, a) or str(folder / name)
    save_file(weights, folder / "w.safetensors")
    command = [baton, "run", "--json", "--kind", case["kind"], "--weights", str(folder / "w.safetensors"),
               "--axes", case["axes"], "--input", save("x.npy", swap(arrays["input"])),
               "--output", str(folder / "output.npy"), "--state-out", str(folder / "final_state.npy"),
               "--grad-output", save("dy.npy", swap(arrays["grad_output"])), "--grad-dir", str(folder / "grad")]
    lstm = case["kind"] == "lstm"
    if lstm:
        command += ["--cell-state-out", str(folder / "final_cell_state.npy")]
    if case["states"]:
        command += ["--state", save("h0.npy", arrays["state"])]
        command += ["--cell-state", save("c0.npy", arrays["cell_state"])] if lstm else []
    if case["state_gradients"]:
        command += ["--grad-state-out", save("dhn.npy", arrays["grad_final_state"])]
        command += ["--grad-cell-state-out", save("dcn.npy", arrays["grad_final_cell_state"])] if lstm else []
    if case["lengths"] != "none":
        command += ["--lengths", save("n.npy", arrays["lengths"])]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"BATON_KERNELS": case["kernels"]})
    if run.returncode:
        return None, run.stderr
    expected = case["kernels"] if case["dtype"] == "float32" else "blas"
    if json.loads(run.stdout)["kernel"] != expected:
        return None, f"kernel {json.loads(run.stdout)['kernel']}, expected {expected}"
    results = {path.relative_to(folder).with_suffix("").as_posix(): np.load(path)
               for path in list(folder.glob("*.npy")) + list((folder / "grad").glob("*.npy"))}
    for name in ["output", "grad/input"]:
        results[name] = swap(results[name])
    return results, None


def check(case, rng, baton):
    dtype, directions = case["dtype"], 2 if case["bidirectional"] else 1
    R = case["P"] or case["H"]
    options = {"nonlinearity": case["kind"][4:]} if case["kind"].startswith("rnn") else {}
    if case["kind"] == "lstm":
        options["proj_size"] = case["P"]
    torch.manual_seed(int(rng.integers(1 << 30)))
    module = KINDS[case["kind"]](case["C"], case["H"], case["layers"], bias=case["bias"],
                                 bidirectional=case["bidirectional"], dtype=getattr(torch, dtype), **options)
    uniform = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype)
    slots = (case["layers"] * directions, case["N"])
    arrays = {"input": uniform(case["T"], case["N"], case["C"]),
              "grad_output": uniform(case["T"], case["N"], directions * R)}
    for name, width in [("state", R), ("cell_state", case["H"])]:
        arrays[name] = uniform(*slots, width) if case["states"] else np.zeros((*slots, width), dtype)
        given = case["state_gradients"]
        arrays[f"grad_final_{name}"] = uniform(*slots, width) if given else np.zeros((*slots, width), dtype)
    low = {"none": case["T"], "some": 1, "zeros": 0}[case["lengths"]]
    arrays["lengths"] = rng.integers(low, case["T"] + 1, case["N"]).astype(rng.choice(["int32", "int64"]))
    expected = run_torch(case, module, arrays)
    weights = {name: np.ascontiguousarray(p.detach().numpy()) for name, p in module.named_parameters()}
    with tempfile.TemporaryDirectory() as folder:
        found, error = run_baton(case, arrays, weights, pathlib.Path(folder), baton)
    if error:
        return [error.strip()]
    # The depth rule of the repository's own tests, for both libraries' rounding.
    depth = case["T"] * case["layers"] * max(case["N"], case["C"] + directions * R + case["H"])
    epsilon = float(np.finfo(dtype).eps)
    problems = []
    for name, want in expected.items():
        if name not in found:
            problems.append(f"{name} is missing")
            continue
        # A small tensor may cancel: its layer's largest gradient stands for what was added up.
        place = name[name.find("_l"):] if name.startswith("grad/") and "_l" in name else None
        siblings = [want] + [expected[n] for n in expected if place and n.endswith(place)]
        scale = max(float(np.finfo(dtype).tiny), *(float(np.abs(a).max(initial=0)) for a in siblings))
        error = float(np.abs(found[name] - want).max(initial=0)) / scale
        limit = 2 * max(1e-12, 4 * epsilon * np.ceil(np.log2(max(2, depth))) * (2 if "grad" in name else 1))
        if found[name].shape != want.shape or not error <= limit:
            problems.append(f"{name} differs by {error:.2e}, limit {limit:.2e}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--baton", default=str(pathlib.Path(__file__).parents[2] / ".build/release/baton"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(options.seed)
    failures = 0
    for number in range(options.count):
        case = random_case(rng)
        for problem in check(case, rng, options.baton):
            failures += 1
            print(f"{number} {case}: {problem}", flush=True)
    print(f"{options.count} configurations against PyTorch {torch.__version__}, {failures} differences")
    sys.exit(1 if failures else 0)


main()
