"""Answers of the chapter *Who is active with whom*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "active-angle": Exercise(
        answer=lambda theta: (np.pi - theta) / (2 * np.pi),
        mistakes=(
            (lambda theta: theta / (2 * np.pi), "That is the share on at the first input and off at the second."),
            (lambda theta: 1 - theta / np.pi, "You divided by one half: that is a conditional probability."),
            (
                lambda theta: (1 + np.cos(theta)) / 4,
                "Right at 0, 90 and 180 degrees, but a share of directions is linear in the angle.",
            ),
        ),
        points=((0.3,), (1.0,), (2.5,)),
    ),
    "active-depth": Exercise(
        answer=22,
        mistakes=(
            (21, "The first entry of `cosines` enters gated layer 1, not layer 0."),
            (23, "One layer too many: which gated layer does entry 0 of `cosines` enter?"),
            (30, "The asymptote 3π/l alone is not accurate yet: run the recursion."),
        ),
    ),
    "active-centred-three": Exercise(
        answer=1 / 6,
        mistakes=(
            (0.25, "Gates of centred inputs are not independent: with three inputs their sum is zero."),
            (1 / 3, "Mind the sign: what is centred is negatively correlated."),
            (0.25 - np.arcsin(1 / 3) / (2 * np.pi), "The correlation is -1/(M - 1), not -1/M."),
        ),
    ),
    "active-runs": Exercise(
        answer=lambda inputs: 2 * inputs / (inputs + 1),
        mistakes=(
            (lambda inputs: (inputs + 1) / 2, "That is the number of runs. How long are they on average?"),
            (lambda _: 2.0, "True of an endless row; the last run is cut off by the end of the row."),
            (
                lambda inputs: 2 * inputs / (inputs - 1),
                "You divided by the number of switches: how many runs do k switches make?",
            ),
        ),
        points=((2,), (10,), (256,)),
    ),
    "active-three": Exercise(
        answer=lambda a, b, c: 0.5 - (a + b + c) / (4 * np.pi),
        mistakes=(
            (
                lambda a, b, c: (np.pi - a) * (np.pi - b) * (np.pi - c) / (2 * np.pi) ** 3 * 8,
                "A pair's bits are not independent of the third's: use inclusion and exclusion.",
            ),
            (lambda a, b, c: 1 - (a + b + c) / (2 * np.pi), "All three equal is twice as likely as all three on."),
        ),
        points=((1.0, 1.2, 0.7), (np.pi / 2, np.pi / 2, np.pi / 2), (1.5, 1.5, 2.0)),
    ),
}
