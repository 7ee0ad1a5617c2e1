"""Who takes part in the comparison, in which precisions, and how exact each precision has to be."""

import dataclasses

# The greatest difference from a float64 computation that is no mistake, as a part of its greatest value: sums in f32,
# weights and states of 8 significant bits, weights and states in whole numbers of 8 bits. Other equations differ by more.
LIMITS = {"float32": 1e-4, "bfloat16": 3e-2, "int8": 6e-2}
PRECISIONS = tuple(LIMITS)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A peer: peer_<name>.py, run by the Python of its environment."""

    title: str
    environment: str
    precisions: tuple
    trains: bool = False


KINDS = {
    "torch": Kind("PyTorch", "main", PRECISIONS, trains=True),
    "onnxruntime": Kind("ONNX RT", "main", ("float32", "int8")),
    # Its int8 comes from a package of its own, NNCF.
    "openvino": Kind("OpenVINO", "main", ("float32", "bfloat16")),
    "mxnet": Kind("MXNet", "mxnet", ("float32",), trains=True),
}


def installed(environments, precision):
    """The names of the peers that are there and run in this precision."""
    return [
        name
        for name, kind in KINDS.items()
        if precision in kind.precisions and (environments / kind.environment / "installed.txt").exists()
    ]
