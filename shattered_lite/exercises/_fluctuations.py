"""Answers of the page *One network is not the ensemble*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "plain-kurtosis": Exercise(
        answer=1.02 * 1.05**50,
        mistakes=(
            (1.05**50, "Nearly: the weights after the last gate fluctuate too."),
            (1.02**51, "That is a network without gates; a gate adds to each factor."),
            (1.02 * 1.05, "That is one layer."),
            (1.02 + 50 * 0.05, "Factors multiply; they add up only while L/N is small."),
            (1.02 * 1.05**50 - 1, "That is the relative variance; the moment itself is asked for."),
        ),
    ),
    "residual-orthogonal": Exercise(
        answer=170,
        mistakes=(
            (500 / 3, "Nearly: on a sphere the fourth moment of a coordinate is not quite that of a Gaussian."),
            (250, "Orthogonal weights take the factor of the weights away, and leave that of the gates."),
            (60, "Which of the two networks is the wilder one at equal width?"),
            (40, "Which of the two networks is the wilder one at equal width, and which factor remains?"),
        ),
    ),
    "fluctuation-typical": Exercise(
        answer=0.5 * np.log(0.75),
        mistakes=(
            (0, "That is the logarithm of the mean; the mean of the logarithm is asked for."),
            (np.log(0.75), "The two factors have a chance of one half each."),
            (0.75**0.5, "That is the factor of a layer; its logarithm is asked for."),
            (-0.5 * np.log(0.75), "The product falls."),
        ),
    ),
}
