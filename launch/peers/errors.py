"""How far results are from those in float64."""

import numpy


def relative_error(values, expected):
    """The greatest difference over the greatest magnitude, in as many steps as are expected."""
    difference = float(numpy.abs(values[: len(expected)] - expected).max())
    if not numpy.isfinite(difference):
        raise ValueError("a value is not finite")
    # What must be zero, as the hidden weights' gradient of a single step from states of zero, is right or it is not.
    return difference / float(numpy.abs(expected).max()) if expected.any() else float(difference > 0)


def gradient_error(gradients, expected):
    """The greatest of all arrays' errors."""
    return max(relative_error(*pair) for pair in zip(gradients, expected, strict=True))
