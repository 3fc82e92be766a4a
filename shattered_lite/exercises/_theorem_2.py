"""Answers of the chapter *Theorem 2: residual networks*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise


def _scale(share: float) -> float:
    return float(np.sqrt(share / (1 - share)))


EXERCISES = {
    "residual-paths": Exercise(
        answer=160,
        mistakes=(
            (10, "Those are the routes. How many choices of units does each of them have?"),
            (640, "A path that crosses two gates picks two units; its end is given."),
            (1024, "Those are the paths of a plain network. Which of the five layers does this path pass?"),
            (16, "Those are the paths of one route."),
            (3125, "Those are all paths, of every length."),
        ),
        tolerance=1e-9,
    ),
    "residual-lengths": Exercise(
        answer=20,
        mistakes=(
            (30, "That is where the variance comes from. A long path is seldom open at both inputs."),
            (15, "Shares must add up to one: a layer's skip and branch have 1 and 1/2, out of 3/2."),
            (60, "That is the longest path."),
        ),
        tolerance=1e-9,
    ),
    "residual-beta": Exercise(
        answer=lambda depth, kept: _scale(2 * (1 - kept ** (1 / depth))),
        mistakes=(
            (
                lambda depth, kept: np.sqrt(-2 * np.log(kept) / depth),
                "Right for a small β; the question asks for every β.",
            ),
            (
                lambda depth, kept: _scale(2 * (1 - kept ** (1 / depth))) ** 2,
                "That is the square of β.",
            ),
            (
                lambda depth, kept: np.sqrt(2 * (1 - kept ** (1 / depth))),
                "You have the share of the branch, w. How does it depend on β?",
            ),
            (
                lambda depth, kept: _scale(1 - kept ** (1 / depth)),
                "A layer multiplies R by 1 - w/2, not by 1 - w.",
            ),
        ),
        points=((4, 0.5), (10, 0.5), (5, 0.8)),
    ),
    "residual-frozen": Exercise(
        answer=lambda width: 4 + 1 / width,
        mistakes=(
            (lambda width: 4 + 0 / width, "That is Theorem 2, whose gates are tossed anew in every layer."),
            (lambda width: 4 * (1 + 1 / width), "What is the variance of the share of N fair coins?"),
            (lambda width: 4.5 + 0 / width, "A path that crosses two gates seldom meets the same unit twice."),
            (lambda width: 4 + 2 / width, "Which of the four routes crosses two gates?"),
        ),
        points=((1,), (2,), (5,)),
    ),
    "residual-concentrated": Exercise(
        answer=5 / 8,
        mistakes=(
            (9 / 16, "That is two layers with β = 1. One layer alone needs 1/(1 - w) = 4."),
            (1 / 4, "R is 1 - w/2, and w is 3/4."),
            (3 / 4, "That is one layer with β = 1, whose variance is 2."),
            (3 / 8, "That is w/2, what is lost."),
        ),
    ),
}
