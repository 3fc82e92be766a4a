"""Answers of the chapter *After the paper*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "after-read": Exercise(
        answer=0.5 / 1.4,
        mistakes=(
            (0.5, "That is the slope at 0. Divide by the slope at the end."),
            (0.5 / 0.8, "A cube counts three times in the slope at the end."),
            (0.2, "That is the height at 0."),
            (1.4, "That is the slope at the end."),
        ),
    ),
    "after-scaled": Exercise(
        answer=1 + np.pi**2 / 6,
        mistakes=(
            (np.pi**2 / 6, "The skip brings the input as well."),
            (2.0, "All blocks add, not the first alone."),
            (np.inf, "That is with the root of l, whose squares add up like a logarithm."),
        ),
    ),
    "after-most": Exercise(
        answer=float(np.cos(1)),
        mistakes=(
            (1 - float(np.sin(1)), "That is how bent it is; at which similarity?"),
            (0.5, "That is for a bend like a parabola, whose bent share is η(1 - η)."),
            (3**-0.5, "That is for critical hyperbolic tangents."),
            (1.0, "That is the angle at which the derivative vanishes; take its cosine."),
        ),
    ),
    "after-table": Exercise(
        answer=2,
        mistakes=(
            (1, "Of .64 at the end .256 are linear; .144 are bent, and .24 may be."),
            (3, "Its gradients grow: .28 are bent, and .44 may be."),
            (4, "Only .05 are bent, and .3 may be."),
        ),
    ),
    "after-tokens": Exercise(
        answer=lambda p: (1 + p) / 2,
        mistakes=(
            (lambda p: 1 + 0 * p, "An average is smaller than what it averages."),
            (lambda p: 0.5 + 0 * p, "That is for tokens at right angles."),
            (lambda p: 1 + p, "Weights of one half enter with their squares."),
        ),
        points=((0.0,), (0.3,), (0.9,)),
    ),
}
