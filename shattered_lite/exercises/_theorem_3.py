"""Answers of the chapter *Theorem 3: batch norm and beta*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

MU = 1 - 1 / np.pi  # what a block adds to the variance, in units of beta^2


def _real(depth: int, beta: float, added: float = MU, first: int = 0) -> float:
    u = beta**2 / (1 + added * beta**2 * np.arange(first, depth + first))
    return float(np.prod((1 + u / 2) / (1 + u)))


EXERCISES = {
    "bn-variance": Exercise(
        answer=1.5,
        mistakes=(
            (1.49, "Nearly: that counts one block fewer, as the paper does."),
            (1.01**50, "That is Theorem 2: without batch norm additions multiply."),
            (6, "The scale of a branch enters squared."),
            (51, "That is β = 1."),
            (1 + 0.25, "That adds half of each block: it is about the covariance."),
            (1.5**0.5, "That is the standard deviation."),
        ),
        tolerance=1e-3,
    ),
    "bn-half-depth": Exercise(
        answer=301,
        mistakes=(
            (400, "The asymptote says so; is β²L large enough for it?"),
            (300, "Very close: 1/√(1 + β²L) lies a little below R."),
            (302, "Very close: try one less."),
            (3, "That is β²L; the number of blocks is asked for."),
            (30, "The scale of a branch enters squared."),
        ),
        tolerance=1e-9,
    ),
    "bn-schedule": Exercise(
        answer=lambda block, beta: beta / np.sqrt(1 + beta**2 * (block - 1)),
        mistakes=(
            (
                lambda block, beta: beta / np.sqrt(1 + beta**2 * block),
                "The branch is divided by what enters its block.",
            ),
            (lambda block, beta: beta / np.sqrt(block), "That is so for β = 1 only."),
            (
                lambda block, beta: beta / (1 + beta**2 * (block - 1)),
                "That divides by the second moment; take its root.",
            ),
            (lambda block, beta: beta**2 / (1 + beta**2 * (block - 1)), "That is the square of what is asked for."),
            (
                lambda block, beta: beta / np.sqrt(1 + MU * beta**2 * (block - 1)),
                "That is real batch norm; the theorem named here does not centre.",
            ),
        ),
        points=((1, 0.5), (2, 0.5), (10, 1.0), (50, 0.3)),
    ),
    "bn-trap": Exercise(
        answer=0.75**10,
        mistakes=(
            (_real(10, 1.0, added=1.0), "That is the other wiring: does the skip carry the state or its hat?"),
            (0.5**10, "That is a plain network; this one has a skip."),
            (0.75**9, "Count the gates: all ten blocks have one."),
            (1.5**10, "That is a covariance before any division."),
        ),
    ),
    "bn-real": Exercise(
        answer=_real,
        mistakes=(
            (
                lambda depth, beta: _real(depth, beta, added=1.0),
                "That is the idealisation: what does centring leave of a block's variance?",
            ),
            (
                lambda depth, beta: _real(depth, beta, first=1),
                "The first block meets variance 1: what enters a block divides it.",
            ),
            (
                lambda depth, beta: (1 + MU * beta**2 * depth) ** (-0.5 / MU),
                "That is the limit of small β; it is close, but the product is asked for.",
            ),
            (
                lambda depth, beta: ((1 + beta**2 / 2) / (1 + beta**2)) ** depth,
                "That is Theorem 2: the share of a branch falls here from block to block.",
            ),
        ),
        points=((1, 1.0), (3, 1.0), (10, 0.5), (50, 1.0)),
    ),
    "bn-log-depth": Exercise(
        answer=1e12,
        mistakes=(
            (8e6, "That is for R in proportion to 1/L."),
            (2e6, "That is for R in proportion to 1/L³."),
            (1e48, "The exponent is 3: by how much must log L grow?"),
            (64e6, "That is for R in proportion to 1/√L."),
        ),
    ),
    "bn-stop": Exercise(
        answer=2 * np.sin(np.pi / 2**0.5) / (np.pi / 2**0.5),  # Euler's product for the sine, without its first factor
        mistakes=(
            (0.5, "A branch keeps half of the covariance: a block takes half of its share away, not all of it."),
            (np.sin(np.pi / 2**0.5) / (np.pi / 2**0.5), "The first share is 1/4, not 1."),
            (np.exp(0.5 - np.pi**2 / 12), "That is e to the minus half of the sum, good for small shares only."),
            (0, "The shares add up to something finite. Does the product then vanish?"),
        ),
    ),
}
