"""Answers of the page *Inputs that meet*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise


def _uncentred(depth: int, share: float, turn_first: bool = False) -> float:
    angle, correlation = np.pi / 2, 1.0
    for _ in range(depth):
        rectified = (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
        turned = float(np.arccos(min(1.0, (1 - share) * np.cos(angle) + share * rectified)))
        correlation *= 1 - share * (turned if turn_first else angle) / np.pi
        angle = turned
    return correlation


def _flow(budget: float, steps: int = 2_000, speed: float = 1.0) -> float:
    angle = np.pi / 2
    for _ in range(steps):
        angle -= speed * budget / steps * (1 - angle / np.tan(angle)) / np.pi
    return float(np.sin(angle) - angle * np.cos(angle))


EXERCISES = {
    "residual-uncentred": Exercise(
        answer=lambda depth, beta: _uncentred(depth, beta**2 / (1 + beta**2)),
        mistakes=(
            (
                lambda depth, beta: _uncentred(depth, beta**2 / (1 + beta**2), turn_first=True),
                "The first factor belongs to the first angle, a right one.",
            ),
            (lambda depth, _: _uncentred(depth, 1.0), "That is the plain network: who carries the other share?"),
            (
                lambda depth, beta: _uncentred(depth, beta / (1 + beta)),
                "Skip and branch are uncorrelated: variances add up, not lengths.",
            ),
            (
                lambda depth, beta: (1 - beta**2 / (1 + beta**2) / 2) ** depth,
                "That is Theorem 2: here the angle does not stay right.",
            ),
        ),
        points=((1, 0.5), (3, 1.0), (20, 0.5), (20, 2.0)),
    ),
    "hwy-flow": Exercise(
        answer=_flow,
        mistakes=(
            (lambda budget: np.exp(-budget / 2), "That is for coins: here the angle does not stay right."),
            (lambda budget: _flow(budget, speed=np.pi), "Nearly: the map of the cosine has a factor 1/π."),
            (lambda budget: _flow(budget, speed=0.5), "Time runs to the budget B; the half is in θ already."),
        ),
        points=((0.5,), (1.0,), (4.0,)),
        tolerance=1e-2,
    ),
    "meet-smooth": Exercise(
        answer=2,
        mistakes=(
            (3, "That is the rectifier, whose map has a power 3/2. Here 1/ε grows in proportion to depth."),
            (1, "That is the exponent of ε; the slope at 1 - ε loses 2aε."),
            (0.5, "What does a layer add to 1/ε?"),
        ),
        tolerance=1e-9,
    ),
}
