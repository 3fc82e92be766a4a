"""Answers of the chapter *Convolutional networks and real images*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "img-mean": Exercise(
        answer=((1 + 255 * 0.01) / 256) ** 0.5,
        mistakes=(
            (1 / 16, "That is white noise; these gradients have a little in common."),
            (0.1, "That is the limit of very large minibatches."),
            ((1 + 255 * 0.01) / 256, "That is the square of the length."),
            ((1 / 256) ** 0.5 + 0.1, "Squared lengths add up, lengths do not."),
        ),
    ),
    "img-loud": Exercise(
        answer=8,
        mistakes=(
            (64, "That would be right if all were equally long."),
            (22, "Lengths are squared."),
            (1, "The others count too: compare their total with the largest."),
            (63, "Take the total of all 64 squared lengths, and divide by the largest."),
        ),
        tolerance=1e-9,
    ),
    "img-small": Exercise(
        answer=lambda channels: 1 / (2 * channels),
        mistakes=(
            (lambda channels: 2 / (9 * channels), "At two pixels by two, how many of the nine taps meet a pixel?"),
            (lambda channels: 1 / (4 * channels), "Half of the gates are closed."),
            (lambda channels: 1 / (3 * channels), "The image is small in both directions."),
            (lambda channels: 8 / (81 * channels), "The weights must make up for the loss, not double it."),
        ),
        points=((1,), (8,), (64,)),
    ),
    "img-depth": Exercise(
        answer=187,
        mistakes=(
            (186, "At that depth the correlation is still just above one tenth, or did you forget two layers?"),
            (185, "That counts the residual layers; the depth counts all."),
            (464, "Two layers have no skip."),
            (95, "A branch halves only its own share."),
            (4, "That is a plain network."),
        ),
        tolerance=1e-9,
    ),
    "img-level": Exercise(
        answer=1 / np.pi,
        mistakes=(
            (1.0, "The gradients behind the layer are equal; what about the signals before it?"),
            (0.0, "The signals are at right angles before the gate, but a rectifier makes them positive."),
            (1 / (2 * np.pi), "Both halves count; divide by the squared length."),
            (2 / np.pi, "Both halves count in the squared length, too."),
        ),
    ),
    "img-classes": Exercise(
        answer=lambda n, K, a, b: ((1 + (n - 1) * a + n * (K - 1) * b) / (n * K)) ** 0.5,
        mistakes=(
            (
                lambda n, K, a, b: (1 + (n - 1) * a + n * (K - 1) * b) / (n * K),
                "That is the square of the length.",
            ),
            (
                lambda n, K, a, b: ((1 + n * a + n * (K - 1) * b) / (n * K)) ** 0.5,
                "An image is no partner of its own: how many others has its class?",
            ),
            (
                lambda n, K, a, b: ((1 + (n - 1) * a + (K - 1) * b) / (n * K)) ** 0.5,
                "Every other class has n images.",
            ),
            (
                lambda n, K, a, b: (1 + (n - 1) * a + n * (K - 1) * b) ** 0.5,
                "That is the length of the sum, relative to that of white noise.",
            ),
        ),
        points=((6, 10, 0.5, 0.0), (2, 3, 0.4, 0.1), (10, 10, 1.0, -0.1)),
    ),
}
