"""How far results are from those in float64."""

import numpy


def relative_error(values, expected):
    """The greatest difference over the greatest magnitude, in as many steps as are expected."""
    error = float(numpy.abs(values[: len(expected)] - expected).max() / numpy.abs(expected).max())
    if not numpy.isfinite(error):
        raise ValueError("a value is not finite")
    return error


def gradient_error(gradients, expected):
    """The greatest of all arrays' errors."""
    return max(relative_error(*pair) for pair in zip(gradients, expected, strict=True))
