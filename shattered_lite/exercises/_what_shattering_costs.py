"""Answers of the chapter *What shattering costs*."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from ..theory import arc_cosine
from ._exercise import Exercise

_CHI = np.pi / (np.pi - 1)
_HALF = float(arc_cosine(0.5).cosine)
_BREAK = float(optimize.brentq(lambda L: L * 2.0**-L - 10 / 4 * 2.0**-10, 11, 14))


def _sum(factor: float, depth: float) -> float:
    """1 + factor + ... + factor^(depth - 1)."""
    return float((factor**depth - 1) / (factor - 1))


EXERCISES = {
    "cost-batch": Exercise(
        answer=0.04 + 0.96 / 50,
        mistakes=(
            (0.04, "That is the limit of many examples."),
            (1 / 50, "That is what examples give that do not agree at all."),
            (0.06, "Nearly: of the part that is not shared, 1 - T, a fiftieth is left."),
            (0.96, "How much of the mean gradient is asked for, not how little."),
        ),
    ),
    "cost-linear": Exercise(
        answer=_HALF - 1 / np.pi,
        mistakes=(
            (_HALF, "That is the whole; take the constant part away."),
            (0.5, "Gradients by the weights see the values, which are not linear."),
            (1 / np.pi, "That is the constant part."),
            (_HALF - 0.5, "The constant part is J(0) = 1/π."),
        ),
    ),
    "cost-constant": Exercise(
        answer=lambda L: _sum(_CHI / 2, L) / _sum(_CHI, L) / np.pi,
        mistakes=(
            (lambda L: 2.0**-L, "That is R. What is asked for is a sum over layers, each with its own product."),
            (lambda L: _sum(_CHI / 2, L) / _sum(_CHI, L), "The values that enter a layer agree by 1/π."),
            (lambda L: _CHI**-L / np.pi, "That is how it falls; the sums give it a factor."),
            (lambda L: _sum(0.5, L) / L / np.pi, "With batch norm the gradient grows by χ in each layer."),
        ),
        points=((1,), (3,), (12,)),
    ),
    "cost-depth": Exercise(
        answer=_BREAK,
        mistakes=(
            (12, "Nearly: the factor L grows as well."),
            (14, "Noise goes like the root of the width."),
            (10.5, "That is half a layer for one doubling; sixteen is four doublings, and there is a factor L."),
            (20 - _BREAK, "The wider network has less noise, and breaks later."),
        ),
    ),
    "cost-table": Exercise(
        answer=2,
        mistakes=(
            (1, "Possible: .8 of the whole is structure, and .3 is less than half of it."),
            (3, "Possible: half of the way, nearly half of the structure, as in a nearly linear network."),
            (4, "Possible: a kernel without structure at a half, and much beyond."),
        ),
    ),
}
