"""Makes mxnet-trainer.json beside this script: updates, schedules and losses of MXNet Gluon.

    python make_trainer_goldens.py     in an environment with mxnet
"""
import json
import pathlib
import warnings

warnings.filterwarnings("ignore")
import mxnet as mx
import numpy as np
from mxnet import autograd, gluon, lr_scheduler

RULES = {
    "sgd": ("sgd", {"learning_rate": 0.1}),
    "sgd-momentum": ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.05, "clip_gradient": 0.2}),
    "adam": ("adam", {"learning_rate": 0.05, "epsilon": 1e-2}),
    "adam-decay": ("adam", {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.95, "wd": 0.1, "clip_gradient": 0.15}),
    "rmsprop": ("rmsprop", {"learning_rate": 0.05, "gamma1": 0.8, "epsilon": 1e-2, "wd": 0.1, "clip_gradient": 0.2}),
    "rmsprop-centered": ("rmsprop", {"learning_rate": 0.05, "gamma1": 0.8, "gamma2": 0.7, "epsilon": 1e-2,
                                     "centered": True, "wd": 0.1, "clip_weights": 0.9, "clip_gradient": 0.2}),
}
SCHEDULES = {
    "factor": lr_scheduler.FactorScheduler(3, factor=0.5, stop_factor_lr=0.05, base_lr=0.3),
    "factor-warmup": lr_scheduler.FactorScheduler(4, factor=0.9, base_lr=0.3, warmup_steps=5, warmup_begin_lr=0.1),
    "multi": lr_scheduler.MultiFactorScheduler([2, 5, 9], factor=0.3, base_lr=0.3),
    "poly": lr_scheduler.PolyScheduler(10, base_lr=0.3, pwr=3, final_lr=0.02, warmup_steps=2),
    "cosine": lr_scheduler.CosineScheduler(10, base_lr=0.3, final_lr=0.02, warmup_steps=3, warmup_begin_lr=0.05,
                                           warmup_mode="constant"),
}
random = np.random.RandomState(5)
result = {"library": f"mxnet {mx.__version__}", "rules": {}, "schedules": {}, "losses": []}

# Two parameters; "b" has multipliers. The learning rate changes after the third of six steps.
start = {"a": random.uniform(-1, 1, 4).tolist(), "b": random.uniform(-1, 1, 3).tolist()}
gradients = [{name: random.uniform(-2, 2, len(value)).tolist() for name, value in start.items()} for _ in range(6)]
result["start"], result["gradients"] = start, gradients
for case, (name, options) in RULES.items():
    parameters = gluon.ParameterDict()
    for key, value in start.items():
        parameter = parameters.get(key, shape=len(value))
        parameter.initialize()
        parameter.set_data(mx.nd.array(value))
    parameters["b"].lr_mult, parameters["b"].wd_mult = 0.5, 2.0
    trainer = gluon.Trainer(parameters, name, dict(options), kvstore=None)
    trace = []
    for index, gradient in enumerate(gradients):
        if index == 3:
            trainer.set_learning_rate(options["learning_rate"] / 4)
        for key, value in gradient.items():
            parameters[key].grad()[:] = mx.nd.array(value)
        for parameter in parameters.values():
            parameter._data[0]._fresh_grad = True
        trainer.step(8)
        trace.append({key: parameter.data().asnumpy().tolist() for key, parameter in parameters.items()})
    result["rules"][case] = trace
for case, schedule in SCHEDULES.items():
    result["schedules"][case] = [schedule(update) for update in range(1, 15)]

LOSSES = {
    "softmax": (gluon.loss.SoftmaxCrossEntropyLoss(), "classes"),
    "softmax-dense": (gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False, weight=0.7), "dense"),
    "softmax-axis": (gluon.loss.SoftmaxCrossEntropyLoss(batch_axis=1), "classes"),
    "sigmoid": (gluon.loss.SigmoidBCELoss(), "dense"),
    "sigmoid-given": (gluon.loss.SigmoidBCELoss(from_sigmoid=True, weight=2.0), "dense"),
    "l1": (gluon.loss.L1Loss(), "dense"),
    "l2": (gluon.loss.L2Loss(weight=3.0), "dense"),
    "huber": (gluon.loss.HuberLoss(rho=0.4, batch_axis=1), "dense"),
}
shape = (3, 2, 4)
prediction = random.uniform(0.05, 0.95, shape)
dense = random.uniform(0, 1, shape)
classes = random.randint(0, 4, shape[:2])
weights = random.uniform(0, 2, (3, 2, 1))
result["loss_data"] = {"prediction": prediction.ravel().tolist(), "dense": dense.ravel().tolist(),
                       "classes": classes.ravel().tolist(), "weights": weights.ravel().tolist()}
for case, (loss, kind) in LOSSES.items():
    for weighted in [False, True]:
        x = mx.nd.array(prediction, dtype="float64")
        x.attach_grad()
        label = mx.nd.array(dense if kind == "dense" else classes, dtype="float64")
        with autograd.record():
            arguments = [x, label] + ([mx.nd.array(weights, dtype="float64")] if weighted else [])
            value = loss(*arguments)
        value.backward()
        result["losses"].append({"case": case, "weighted": weighted, "text": str(loss),
                                 "value": value.asnumpy().tolist(), "gradient": x.grad.asnumpy().ravel().tolist()})
path = pathlib.Path(__file__).with_name("mxnet-trainer.json")
path.write_text(json.dumps(result) + "\n")
print(path.stat().st_size, "bytes")
