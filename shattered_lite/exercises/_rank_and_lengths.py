"""Answers of the chapter *What the effective rank counts*."""

from __future__ import annotations

from ._exercise import Exercise

EXERCISES = {
    "rank-white": Exercise(
        answer=lambda M, P: (M**-0.5 + P**-0.5) ** -2,
        mistakes=(
            (lambda M, P: min(M, P) + 0.0 * M, "So algebra counts. What is the largest singular value?"),
            (lambda M, P: M * P / (M + P), "The largest singular value is a sum of two roots, not the root of a sum."),
            (lambda M, P: M**-0.5 + P**-0.5, "That is its root, turned over."),
            (lambda M, P: M**0.5 + P**0.5, "That is the largest singular value; what is divided by its square?"),
        ),
        points=((64, 64), (64, 256), (128, 3072)),
    ),
    "rank-fading": Exercise(
        answer=lambda q: 1 / (1 - q),
        mistakes=(
            (lambda q: 1 / (1 - q**2), "The squared lengths are powers of q already."),
            (lambda q: 1 / (1 - q**0.5), "Lengths are squared before they are added up."),
            (lambda q: q / (1 - q), "The loudest image counts too."),
            (lambda q: 1 / (5 * (1 - q)), "A factor of five is the most that the bounds leave open; here they meet."),
        ),
        points=((0.0,), (0.5,), (0.9,)),
    ),
}
