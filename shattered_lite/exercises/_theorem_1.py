"""Answers of the chapter *Theorem 1: plain networks*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise


def _uncentred(depth: int, turn_first: bool = False) -> float:
    angle, correlation = np.pi / 2, 1.0
    for _ in range(depth):
        turned = float(np.arccos(min(1.0, (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi)))
        correlation *= 1 - (turned if turn_first else angle) / np.pi
        angle = turned
    return correlation


EXERCISES = {
    "plain-coactive-paths": Exercise(
        answer=8,
        mistakes=(
            (512, "Those are all paths; which of them are open at both inputs?"),
            (64, "Those are the paths that are active at one input."),
            (6, "A path picks one unit in each layer: choices multiply."),
            (2, "That is one layer; the path passes three."),
        ),
        tolerance=1e-9,
    ),
    "plain-variance-one-over-n": Exercise(
        answer=2.0**-10,
        mistakes=(
            (1, "That is He's weight variance, 2/N."),
            (4.0**-10, "1/4 is the share of co-active units; the variance asks for one input."),
            (2.0**-9, "Count the gates: ten layers, ten factors."),
            (2.0**-5, "That is the standard deviation."),
        ),
    ),
    "plain-leaky-factor": Exercise(
        answer=lambda a: (1 + a) ** 2 / (2 * (1 + a**2)),
        mistakes=(
            (
                lambda a: (1 + a) ** 2 / 4,
                "That is the factor of the covariance, with Nσ² = 1; divide by that of the variance.",
            ),
            (
                lambda a: (1 + a) ** 2 / 2,
                "That is the factor of the covariance; the variance is no longer kept by 2/N.",
            ),
            (lambda a: (1 + a**2) / 2, "That is the mean square of the gain, which one input sees."),
            (
                lambda a: (1 + a) / 2,
                "That is the mean gain. Two inputs see its square, one input sees the mean square.",
            ),
        ),
        points=((0.0,), (0.1,), (0.5,), (1.0,)),
    ),
    "plain-uncentred": Exercise(
        answer=_uncentred,
        mistakes=(
            (
                lambda depth: _uncentred(depth, turn_first=True),
                "The first factor belongs to the first angle, a right one.",
            ),
            (lambda depth: 0.5**depth, "That is Theorem 1: here the angle does not stay right."),
            (lambda depth: _uncentred(depth) / 2**depth, "The factor is 1 - θ/π, twice the co-activation."),
        ),
        points=((1,), (2,), (5,), (20,)),
    ),
    "plain-lopsided": Exercise(
        answer=4 / 3,
        mistakes=(
            (1, "That is a symmetric law. Which of the two values of the weight opens the second gate?"),
            (8 / 3, "The first gate is open at half of the draws only."),
            (2 / 3, "The last weight has variance 2/N = 2."),
            (
                2,
                "That is the mean square of the middle weight: only its positive value passes the second gate.",
            ),
        ),
    ),
}
