"""Answers of the chapter *Highway networks*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "hwy-gamma-for-nine-tenths": Exercise(
        answer=(2 * (1 - 0.9 ** (1 / 100))) ** 0.5,
        mistakes=(
            (2 * (1 - 0.9 ** (1 / 100)), "That is the share of a layer, the square of what is asked for."),
            ((1 - 0.9 ** (1 / 100)) ** 0.5, "The branch loses half of its covariance, not all of it."),
            ((1 - 2 * (1 - 0.9 ** (1 / 100))) ** 0.5, "That is the coefficient of the skip."),
            (0.2**0.5, "That is one layer; there are a hundred."),
        ),
    ),
    "hwy-inverse-squares": Exercise(
        answer=float(np.sin(np.pi * 0.5**0.5) / (np.pi * 0.5**0.5)),
        mistakes=(
            (0, "Add up the shares: is their sum infinite? And the first factor is not 0."),
            (float(np.exp(-(np.pi**2) / 12)), "That is the upper bound, which only very thin layers reach."),
            (float(2 ** -(np.pi**2 / 6)), "That is the lower bound, which only plain layers reach."),
            (float(2 / np.pi), "That is the product with y = 1/2; what is the square of y here?"),
        ),
    ),
    "hwy-gates-with-batch-norm": Exercise(
        answer=float(np.sum(1 / np.arange(2, 1002))),
        mistakes=(
            (float(np.log(1000)), "Right in its growth; but O(1) is not 0. Add up the shares."),
            (
                float(np.sum(1 / np.arange(1, 1001))),
                "The share of the first layer is not 1: skip and branch are alike.",
            ),
            (500, "That is Theorem 2, without batch norm."),
            (float(0.5 * np.sum(1 / np.arange(2, 1002))), "That is log(1/R), nearly. A gate that is crossed counts 1."),
            (1, "That is the highway network with shares 1/L."),
        ),
    ),
    "hwy-original-gates": Exercise(
        answer=lambda T: ((1 - T) ** 2 + T**2 / 2) / ((1 - T) ** 2 + T**2),
        mistakes=(
            (lambda T: (1 - T) ** 2 + T**2 / 2, "That is the factor of the covariance; the variance changes too."),
            (lambda T: 1 - T**2 / 2, "That is right if squares add up to one; here the skip is 1 - T."),
            (lambda T: 1 - T / 2, "Variances go with squares of coefficients."),
            (lambda T: (1 - T) ** 2 + T**2, "That is the factor of the variance."),
        ),
        points=((0.05,), (0.3,), (0.5,), (0.9,)),
    ),
    "hwy-leaky-limit": Exercise(
        answer=lambda a: np.exp(-((1 - a) ** 2) / (2 * (1 + a**2))),
        mistakes=(
            (lambda a: (1 + a) ** 2 / (2 * (1 + a**2)), "That is one crossed gate; the number of them is random."),
            (
                lambda a: np.exp(-((1 + a) ** 2) / (2 * (1 + a**2))),
                "What the gate keeps stands where what it takes should.",
            ),
            (lambda a: np.exp(-((1 - a) ** 2) / 4), "That forgets to divide by the mean square of the gain."),
            (lambda a: np.exp(-1 / 2 + 0 * a), "That is the rectifier, a = 0."),
        ),
        points=((0.1,), (0.5,), (0.9,)),
    ),
    "hwy-equal-shares": Exercise(
        answer=9 / 16,
        mistakes=(
            (0.5, "That is one layer with all of the budget."),
            (0.25, "Each layer has half of the budget, w = 1/2."),
            (float(np.exp(-0.5)), "That is the limit of many layers; here there are two."),
            (3 / 4, "That is one of the two layers."),
        ),
    ),
}
