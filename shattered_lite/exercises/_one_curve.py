"""Answers of the chapter *One curve for every network*."""

from __future__ import annotations

import numpy as np

from ..theory import similarity
from ._exercise import Exercise

_FIRST = similarity(10)
_SECOND = similarity(5, cosine=_FIRST.cosine, activation="tanh")
_CHAIN = float(_FIRST.gradients.correlation * _SECOND.gradients.correlation)

EXERCISES = {
    "curve-square": Exercise(
        answer=1 / 2,
        mistakes=(
            (1 / 4, "That is the height of the curve; its slope is asked for."),
            (1, "That is the slope at 1/2. Divide by the slope at identical inputs."),
            (2, "That is the slope at identical inputs."),
            (0, "That is at similarity 0."),
        ),
    ),
    "curve-met": Exercise(
        answer=float(np.sqrt(3) / 2 - np.pi / 6),
        mistakes=(
            (1 / 4, "That is a bend without a kink, (1 - η)²."),
            (1 / 2, "That is the similarity itself."),
            (float(2 / 3), "That is the factor of the last layer's gate, 1 - θ/π; the flow has passed others."),
            (float((np.sqrt(3) / 2 - np.pi / 6) / np.pi), "Divide by the speed at the start, which is 1/π."),
        ),
    ),
    "curve-chain": Exercise(
        answer=_CHAIN,
        mistakes=(
            (
                float(_FIRST.gradients.correlation * similarity(5, activation="tanh").gradients.correlation),
                "The second part is entered at the similarity at which the first is left, not at 0.",
            ),
            (float(_FIRST.gradients.correlation), "That is the first part alone."),
            (float(_SECOND.gradients.correlation), "That is the second part alone."),
            (2.0**-15, "No part is centred: with rectifiers inputs meet."),
        ),
    ),
    "curve-border": Exercise(
        answer=float(np.exp(-1)),
        mistakes=(
            (float(np.exp(-2)), "That is its square."),
            (float(np.sqrt((1 + np.exp(-2)) / 2)), "Take the mean square of the sine from that of its slope."),
            (float(np.sqrt((1 - np.exp(-2)) / 2)), "That is the root of the mean square of the sine."),
        ),
    ),
    "curve-table": Exercise(
        answer=3,
        mistakes=(
            (1, "From .3 the curve climbs by .7 and is as steep as 1.5 at its end: possible."),
            (2, "Just possible: a line and a parabola, .6 + 2 · .4 = 1.4."),
            (4, "From .5 it climbs by .5, .4 of it as a line; then .4 + 2 · .1 = .6 is the least, and .9 is reported."),
        ),
    ),
}
