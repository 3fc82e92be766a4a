"""Answers of the page *A dial for the correlation*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "deep-angle": Exercise(
        answer=lambda depth: 2 * np.arccos(0.5 ** (1 / (2 * depth))),
        mistakes=(
            (lambda depth: np.arccos(0.5 ** (1 / (2 * depth))), "That is half of the angle."),
            (lambda depth: 2 * np.arccos(0.5 ** (1 / depth)), "Each layer multiplies by the square of a cosine."),
            (
                lambda depth: np.degrees(2 * np.arccos(0.5 ** (1 / (2 * depth)))),
                "In degrees; give it in radians.",
            ),
        ),
        points=((1,), (24,), (198,)),
    ),
    "deep-less": Exercise(
        answer=2 * np.arccos(0.5**0.25),
        mistakes=(
            (np.pi / 4, "Half of the angle is more than half of the agreement: the cosine is flat at zero."),
            (np.arccos(0.5**0.25), "That is half of the angle."),
            (2 * np.arccos(0.5**0.5), "That is 90°, which leaves a half in each layer."),
            (np.degrees(2 * np.arccos(0.5**0.25)), "In degrees; give it in radians."),
        ),
    ),
    "deep-held": Exercise(
        answer=lambda psi: np.pi / (np.pi - 1 + np.cos(psi)),
        mistakes=(
            (lambda psi: (1 - np.cos(psi)) / np.pi, "That is the share which centring takes away."),
            (lambda psi: (np.pi - 1 + np.cos(psi)) / np.pi, "What is left is scaled back to 1."),
            (
                lambda psi: np.sqrt(np.pi / (np.pi - 1 + np.cos(psi))),
                "The question is about the square.",
            ),
        ),
        points=((0.0,), (0.5 * np.pi,), (3.0,)),
    ),
}
