"""Compares `baton run` and `baton convert` with PyTorch on random recurrent stacks, and on trained ones.

python torch_peer.py COUNT SEED, with BATON naming the executable. Started by launch/test-peers.
"""

import os
import random
import sys

import numpy
import safetensors.torch
import torch

import harness
from harness import depth, error, tolerance

torch.set_num_threads(1)
CLASSES = {"rnn_tanh": torch.nn.RNN, "rnn_relu": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def draw(rng):
    """One random configuration."""
    kind = rng.choice(list(CLASSES))
    hidden = rng.choice([1, 2, 3, 5, 8, 16, 17, 33, 48])
    steps = rng.choice([1, 2, 3, 7, 20])
    batch = rng.choice([1, 2, 3, 5, 9, 13, 33])
    projected = kind == "lstm" and hidden > 1 and rng.random() < 0.35
    return {
        "kind": kind, "hidden": hidden, "steps": steps, "batch": batch, "width": rng.choice([1, 2, 3, 7, 16, 31]),
        "layers": rng.choice([1, 1, 1, 2, 2, 3, 4, 12]), "bidirectional": rng.random() < 0.4, "bias": rng.random() < 0.8,
        "projection": rng.randrange(1, hidden) if projected else None,
        "layout": rng.choice(["TNC", "NTC"]), "dtype": rng.choice(["float32", "float64"]),
        "states": rng.random() < 0.6, "lengths": rng.choice([None, None, "lengths", "lengths from 0"]),
        "kernels": rng.choice(["packed", "blas"]),
        "weights": rng.choice(["state dict", "state dict", "params", "gluon params", "gluon safetensors"]),
        "seed": rng.randrange(2**31),
    }


def describe(c):
    parts = [
        c["kind"], f"L{c['layers']} D{1 + c['bidirectional']} H{c['hidden']} C{c['width']} T{c['steps']} N{c['batch']}",
        c["layout"], c["dtype"], c["weights"], c["kernels"],
    ]
    parts += [f"P{c['projection']}"] if c["projection"] else []
    parts += ["states"] if c["states"] else []
    parts += [c["lengths"]] if c["lengths"] else []
    return " ".join(parts + ([] if c["bias"] else ["no bias"]))


def weights_file(folder, module, form):
    """The module's weights as a file, through `baton convert` if not as PyTorch saves them."""
    path = os.path.join(folder, "weights.safetensors")
    safetensors.torch.save_file({k: v.contiguous() for k, v in module.state_dict().items()}, path)
    if form == "state dict":
        return path
    target, names = {
        "params": ("weights.params", "gluon-block"),
        "gluon params": ("weights2.params", "gluon"),
        "gluon safetensors": ("weights3.safetensors", "gluon"),
    }[form]
    target = os.path.join(folder, target)
    harness.baton("convert", path, target, "--names", names)
    return target


def gluon_name(name, form, bidirectional):
    """What a PyTorch parameter is called in the converted file."""
    if form == "state dict":
        return name
    role, layer = name.replace("_reverse", "").rsplit("_l", 1)
    role = {"weight_ih": "i2h_weight", "weight_hh": "h2h_weight", "bias_ih": "i2h_bias", "bias_hh": "h2h_bias",
            "weight_hr": "h2r_weight"}[role]
    reverse = name.endswith("_reverse")
    if form == "params":
        cell = ("r_cell." if reverse else "l_cell.") if bidirectional else ""
        return f"_unfused.{layer}.{cell}{role}"
    return f"{'r' if reverse else 'l'}{layer}_{role}"


def compare(c, folder):
    """Outputs, states and all gradients of one configuration."""
    torch.manual_seed(c["seed"])
    dtype = getattr(torch, c["dtype"])
    extra = {"nonlinearity": c["kind"][4:]} if c["kind"].startswith("rnn") else {}
    if c["projection"]:
        extra["proj_size"] = c["projection"]
    module = CLASSES[c["kind"]](
        c["width"], c["hidden"], c["layers"], bias=c["bias"], batch_first=c["layout"] == "NTC",
        bidirectional=c["bidirectional"], dtype=dtype, **extra)
    directions = 1 + c["bidirectional"]
    out = c["projection"] or c["hidden"]
    shape = (c["steps"], c["batch"]) if c["layout"] == "TNC" else (c["batch"], c["steps"])
    x = torch.randn(*shape, c["width"], dtype=dtype, requires_grad=True)
    slots = c["layers"] * directions
    h0 = torch.randn(slots, c["batch"], out, dtype=dtype) * 0.5
    c0 = torch.randn(slots, c["batch"], c["hidden"], dtype=dtype) * 0.5
    if not c["states"]:
        h0, c0 = torch.zeros_like(h0), torch.zeros_like(c0)
    h0.requires_grad_()
    c0.requires_grad_()
    is_lstm = c["kind"] == "lstm"
    lengths = None
    states = (h0, c0) if is_lstm else (h0,)
    run = lambda data, states: module(data, states if is_lstm else states[0])
    if c["lengths"]:
        # PyTorch has no rows of length 0: they get zeros and keep their states here.
        lengths = torch.randint(0 if "0" in c["lengths"] else 1, c["steps"] + 1, (c["batch"],))
        rows, axis = lengths.nonzero().flatten(), 1 if c["layout"] == "TNC" else 0
        y = torch.zeros(*shape, directions * out, dtype=dtype)
        if len(rows):
            data = torch.nn.utils.rnn.pack_padded_sequence(
                x.index_select(axis, rows), lengths[rows], axis == 0, enforce_sorted=False)
            part, finals = run(data, tuple(state.index_select(1, rows) for state in states))
            part, _ = torch.nn.utils.rnn.pad_packed_sequence(part, axis == 0, total_length=c["steps"])
            y = y.index_copy(axis, rows, part)
            finals = finals if is_lstm else (finals,)
            states = tuple(state.index_copy(1, rows, final) for state, final in zip(states, finals))
    else:
        y, states = run(x, states)
        states = states if is_lstm else (states,)
    hn, cn = (*states, None)[:2]
    dy, dhn = torch.randn_like(y), torch.randn_like(hn)
    total = (y * dy).sum() + (hn * dhn).sum()
    dcn = None
    if is_lstm:
        dcn = torch.randn_like(cn)
        total = total + (cn * dcn).sum()
    total.backward()

    array = lambda t: None if t is None else t.detach().numpy()
    gradient_of = lambda t: numpy.zeros(t.shape, c["dtype"]) if t.grad is None else array(t.grad)
    inputs = {"input": array(x), "grad-output": array(dy), "grad-state-out": array(dhn)}
    outputs = ["output", "state-out"]
    if c["states"]:
        inputs["state"] = array(h0)
    if lengths is not None:
        inputs["lengths"] = lengths.numpy()
    if is_lstm:
        inputs["grad-cell-state-out"] = array(dcn)
        outputs.append("cell-state-out")
        if c["states"]:
            inputs["cell-state"] = array(c0)
    path = weights_file(folder, module, c["weights"])
    os.environ["BATON_KERNELS"] = c["kernels"]
    got = harness.run(
        folder, path, inputs, outputs, kind=c["kind"], axes=c["layout"], grad_dir=os.path.join(folder, "g"))
    bound = depth(c["steps"], c["width"], c["hidden"], c["layers"], directions, c["projection"])
    near, far = tolerance(c["dtype"], bound), tolerance(c["dtype"], bound * c["batch"], backward=True)
    result = [("output", error(got["output"], array(y)), near), ("hn", error(got["state-out"], array(hn)), near)]
    if is_lstm:
        result.append(("cn", error(got["cell-state-out"], array(cn)), near))
    expected = {"input": gradient_of(x), "state": gradient_of(h0)}
    if is_lstm:
        expected["cell_state"] = gradient_of(c0)
    for name, parameter in module.named_parameters():
        expected[gluon_name(name, c["weights"], c["bidirectional"])] = gradient_of(parameter)
    return result + harness.gradient_errors(os.path.join(folder, "g"), expected, far)


def train(kind, folder):
    """A small sequence labeller, trained for 60 steps; baton gets its state dict as it is."""
    torch.manual_seed(11)

    class Labeller(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.Embedding(12, 10)
            self.rnn = CLASSES[kind](10, 24, 2, bidirectional=True)
            self.decoder = torch.nn.Linear(48, 12)

        def forward(self, ids):
            return self.decoder(self.rnn(self.encoder(ids))[0])

    net = Labeller()
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    losses = []
    for _ in range(60):
        ids = torch.randint(0, 12, (15, 16))
        labels = ids.roll(1, 0)
        loss = torch.nn.functional.cross_entropy(net(ids).flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] * 0.95, f"not trained: {losses[0]} to {losses[-1]}"
    path = os.path.join(folder, "trained.safetensors")
    safetensors.torch.save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path)
    x = net.encoder(torch.randint(0, 12, (15, 16))).detach()
    y, states = net.rnn(x)
    near = tolerance("float32", depth(15, 10, 24, 2, 2))
    result = []
    for form in ["safetensors", "params"]:
        weights = path
        if form == "params":
            weights = os.path.join(folder, "trained.params")
            harness.baton("convert", path, weights)
            back = os.path.join(folder, "back.safetensors")
            harness.baton("convert", weights, back)
            again = safetensors.torch.load_file(back)
            equal = all(torch.equal(again[k], v) for k, v in net.state_dict().items())
            result.append(("state dict after params and back", 0.0 if equal else numpy.inf, 1.0))
        got = harness.run(folder, weights, {"input": x.numpy()}, ["output", "state-out"], kind=kind)
        hn = states[0] if kind == "lstm" else states
        result.append((f"output from {form}", error(got["output"], y.detach().numpy()), near))
        result.append((f"hn from {form}", error(got["state-out"], hn.detach().numpy()), near))
    return result


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    table = harness.Table(f"PyTorch {torch.__version__}, {count} random configurations, seed {seed}")
    for kind in ["lstm", "gru"]:
        table.check("trained " + kind, "2 layers, both directions", lambda folder: train(kind, folder))
    rng = random.Random(seed)
    for _ in range(count):
        c = draw(rng)
        group = f"{c['kind']}{' projected' if c['projection'] else ''}{' lengths' if c['lengths'] else ''} {c['dtype']}"
        table.check(group, describe(c), lambda folder: compare(c, folder))
    table.finish()


main()
