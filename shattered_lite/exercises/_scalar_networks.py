"""Answers of the page *The scalar network: kernels, limits and rounding*."""

from __future__ import annotations

from ._exercise import Exercise

EXERCISES = {
    "scalar-ends": Exercise(
        answer=-0.75,
        mistakes=(
            (0.75, "Mind the signs of the two inputs."),
            (-0.5, "That is x = 1."),
            (-3, "Divide by the root of (1 + x²)(1 + x'²)."),
            (0, "White noise would have none; this part of the slope never shatters."),
        ),
    ),
}
