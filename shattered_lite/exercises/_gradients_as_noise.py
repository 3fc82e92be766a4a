"""Answers of the chapter *Gradients as noise*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise


def _clock(x: float) -> float:
    return float((np.arctan(x) + x / (1 + x**2)) / np.pi)


EXERCISES = {
    "noise-kinks": Exercise(
        answer=400 / np.pi * np.arctan(2),
        mistakes=(
            (200, "All of them? A kink is at -b/v, and v is often small."),
            (200 / np.pi * np.arctan(2), "That is the share between 0 and 2; kinks lie on both sides of zero."),
            (200 * 0.9545, "b/v is not normal: what is the law of a ratio of two independent standard normals?"),
            (400 * _clock(2), "The clock weighs each kink by the square of its jump; here each counts once."),
        ),
    ),
    "noise-clock": Exercise(
        answer=lambda x, y, s: 1 - abs(_clock(x / s) - _clock(y / s)),
        mistakes=(
            (lambda x, y, _: 1 - abs(_clock(x) - _clock(y)), "Where is s? Ask at which x a unit switches."),
            (
                lambda x, y, s: 1 - abs(_clock(x * s) - _clock(y * s)),
                "Larger biases push the kinks outwards, not inwards.",
            ),
            (
                lambda x, y, s: 1 - abs(np.arctan(x / s) - np.arctan(y / s)) / np.pi,
                "That counts kinks; the covariance weighs each by the square of its jump.",
            ),
        ),
        points=((0.5, 1.5, 0.5), (-1.0, 0.3, 2.0), (0.0, 1.0, 0.1)),
    ),
    "noise-halving": Exercise(
        answer=2 * np.log(2) / np.log(np.pi / (np.pi - 1)),
        mistakes=(
            (
                np.log(2) / np.log(np.pi / (np.pi - 1)),
                "π/(π - 1) multiplies 1 - c. How does 1 - c depend on a distance?",
            ),
            (1, "One layer does not halve the correlation length. By which factor does it shrink?"),
        ),
    ),
    "noise-half-depth": Exercise(
        answer=15,
        mistakes=(
            (14, "Close: look again at what is still above one half."),
            (16, "Close: does the depth before this one not do it already?"),
            (4, "Did you use 64 points, or lag 10? The grid has 256 points, and the lag is 1."),
        ),
    ),
    "noise-leaky": Exercise(
        answer=lambda a: (1 + a**2) / (1 + a**2 - (1 - a) ** 2 / np.pi),
        mistakes=(
            (lambda a: 1 + 0 * a, "Without centring, yes. What does centring take from the variance?"),
            (
                lambda a: np.pi / (np.pi - 1) + 0 * a,
                "That is the rectifier, a = 0. What are E[φ] and E[φ²] for other a?",
            ),
            (
                lambda a: (1 + a**2) / (1 + a**2 - (1 + a) ** 2 / np.pi),
                "At a = 1 the function is linear and its mean zero: check the sign of the part below zero in E[φ].",
            ),
            (
                lambda a: ((1 + a**2) / (1 + a**2 - (1 - a) ** 2 / np.pi)) ** 0.5,
                "That is the factor of the distance; 1 - c is its square.",
            ),
        ),
        points=((0.0,), (0.3,), (1.0,)),
    ),
}
