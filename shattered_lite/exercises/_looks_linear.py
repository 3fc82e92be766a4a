"""Answers of the chapter *Looks linear*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "linear-mirror": Exercise(
        answer=lambda weight: np.concatenate([weight, -weight], axis=1),
        mistakes=(
            (lambda weight: np.concatenate([weight, weight], axis=1), "Keeps every norm, but what is f(x) + f(-x)?"),
            (
                lambda weight: np.concatenate([-weight, weight], axis=1),
                "Linear, but it computes -Wz: which half holds the positive part?",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=0),
                "The gate doubles the inputs of the layer, not its outputs.",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=1) / np.sqrt(2),
                "Linear, but too short: the gate has kept the norm already.",
            ),
            (
                lambda weight: np.concatenate([weight, -weight], axis=1) * np.sqrt(2),
                "Linear, but too long: only a gate that drops half of the square needs that factor.",
            ),
        ),
        points=((np.array([[1.0, 2.0, -3.0], [0.5, -1.0, 4.0]]),),),
    ),
    "linear-variance": Exercise(
        answer=lambda width: 1 / width,
        mistakes=(
            (lambda width: 2 / width, "A factor 2 makes up for a gate that drops half of the square. Does this one?"),
            (lambda width: 1 / (2 * width), "There are 2N inputs, but what is the second half of the weights?"),
            (lambda width: 1 / np.sqrt(width), "That is the standard deviation."),
        ),
        points=((10,), (64,), (1000,)),
    ),
    "linear-logits": Exercise(
        answer=np.sqrt(10 / 64),
        mistakes=(
            (10 / 64, "That is the mean square: take the root."),
            (1.0, "True up to the last layer. What does a projection from 64 to 10 dimensions keep?"),
            (np.sqrt(64 / 10), "A projection does not lengthen."),
            (np.sqrt(10 / 128), "The last layer has 128 inputs, but it acts as W on 64 numbers."),
        ),
    ),
    "linear-mirrors": Exercise(
        answer=lambda width: 2.0**width,
        mistakes=(
            (lambda width: 2.0 + 0 * width, "Each unit has a sign of its own."),
            (lambda width: 2.0 * width, "The signs of the units are chosen independently."),
            (lambda width: 2.0**width - 1, "That is the number of the wrong ones."),
            (lambda width: 1.0 + 0 * width, "That is the number of the right ones."),
        ),
        points=((3,), (8,), (64,)),
    ),
    "linear-slope": Exercise(
        answer=lambda a: (1 + a) ** 2 / (2 * (1 + a**2)),
        mistakes=(
            (lambda a: (1 + a) ** 2 / 4, "That multiplies the covariance. By how much does the variance change?"),
            (lambda a: (1 + a) / 2, "That is the mean slope; the covariance has the slopes of two inputs in it."),
            (lambda a: (1 + a**2) / 2, "That multiplies the variance."),
        ),
        points=((0.0,), (0.3,), (1.0,), (-0.5,)),
    ),
}
