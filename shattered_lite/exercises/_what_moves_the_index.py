"""Answers of the page *What moves the index*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "act-batch": Exercise(
        answer=62,
        mistakes=(
            (61, "One more: there it is just outside."),
            (63, "The smallest such batch is asked for."),
            (33, "That is within a tenth."),
            (4, "Mind the factor in front: a unit whose deviation is small has a large gradient."),
        ),
        tolerance=1e-9,
    ),
    "act-line-growth": Exercise(
        answer=lambda M: (M - 1) / (M - 3),
        mistakes=(
            (lambda M: M / (M - 3), "Values that add up to zero spread more than single values: look at B - B'."),
            (lambda M: M / (M - 1), "The deviation of a unit is random; what is the mean of its inverse square?"),
            (lambda M: 1.0 + 0 * M, "That is right for a batch without end."),
            (lambda M: M / (M - 2), "How many directions are left once the mean is fixed?"),
        ),
        points=((4,), (8,), (20,), (100,)),
    ),
    "act-border": Exercise(
        answer=np.pi / (np.pi - 2),
        mistakes=(
            (1.0, "That is the absolute value with its mean; what is left of the variance without it?"),
            ((np.pi - 2) / np.pi, "The other way up: the slope over the value."),
            (np.pi / (np.pi - 1), "That is a centred rectifier."),
            (2.0, "That is a parabola; the absolute value has degrees beyond two."),
        ),
    ),
}
