"""Makes optimizers.json beside this script: parameters after each of six steps of PyTorch's optimisers in f64.

    python make_goldens.py     in an environment with torch

Two parameters ("b" of 3, "a" of 5 elements), gradients drawn once and clipped to norm 1.5 with
torch.nn.utils.clip_grad_norm_ before every step.
"""
import json
import pathlib

import torch

CASES = {
    "sgd": (torch.optim.SGD, {"lr": 0.1}),
    "sgd_momentum_decay": (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    "adam": (torch.optim.Adam, {"lr": 0.01}),
    "adam_decay": (torch.optim.Adam, {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    "adamw": (torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.2}),
}

torch.manual_seed(4)
start = {"b": torch.randn(3, dtype=torch.float64), "a": torch.randn(5, dtype=torch.float64)}
gradients = [{name: torch.randn_like(value) for name, value in start.items()} for _ in range(6)]
result = {
    "library": f"torch {torch.__version__}",
    "start": {name: value.tolist() for name, value in start.items()},
    "gradients": [{name: value.tolist() for name, value in step.items()} for step in gradients],
    "norms": [],
    "cases": {},
}
for case, (kind, options) in CASES.items():
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = kind(parameters.values(), **options)
    norms, trace = [], []
    for step in gradients:
        for name, parameter in parameters.items():
            parameter.grad = step[name].clone()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), 1.5).item())
        optimizer.step()
        trace.append({name: parameter.tolist() for name, parameter in parameters.items()})
    result["norms"] = norms
    result["cases"][case] = trace
path = pathlib.Path(__file__).with_name("optimizers.json")
path.write_text(json.dumps(result, indent=1) + "\n")
