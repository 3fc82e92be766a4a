"""Answers of the chapter *Gradients explode*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "gsc-gelu": Exercise(
        answer=1011.2,
        mistakes=(
            (1_022_557, "That is the square of the coefficient."),
            (1.3188, "That is one layer, and its square."),
            (14_528, "That is the rectifier."),
            (5.69, "Batch norm takes the mean away: the variance of the activation counts, not its mean square."),
        ),
    ),
    "gsc-dilute": Exercise(
        answer=1 / (np.pi - 1) / 10,
        mistakes=(
            (1 / (np.pi - 1) / 9, "The block is skip and branch together: what is the sum of their mean squares?"),
            (1 / (np.pi - 1) / 4, "Mean squares add up, so k enters with its square."),
            (1 + 1 / (np.pi - 1) / 10, "That is the squared coefficient. By how much does it exceed 1?"),
            (np.pi / (np.pi - 1) / 10, "It is the excess over 1 that is diluted."),
        ),
    ),
    "gsc-copies": Exercise(
        answer=lambda k: k**-0.5,
        mistakes=(
            (lambda k: 1.0 + 0 * k, "The network is the same. But random changes of the copies are not."),
            (
                lambda k: k**0.5,
                "The signals become longer. What happens to the Jacobian, and to its number of columns?",
            ),
            (lambda k: 1 / k, "That is its square, or the quadratic mean norm alone."),
        ),
        points=((2,), (3,), (10,)),
    ),
    "gsc-span": Exercise(
        answer=lambda lam, k: 1 + (lam**2 - 1) / (k**2 + 1),
        mistakes=(
            (lambda lam, k: (1 + (lam - 1) / (k**2 + 1)) ** 2, "That is two blocks of one layer each."),
            (lambda lam, k: 1 + 2 * (lam - 1) / (k**2 + 1), "Coefficients of layers are multiplied, not added."),
            (lambda lam, k: 1 + (lam - 1) / (k**2 + 1), "The branch has two layers."),
        ),
        points=((1.5, 1.0), (2.0, 0.5), (3.0, 2.0)),
    ),
}
