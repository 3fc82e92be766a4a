"""Answers of the chapter *The price is time*."""

from __future__ import annotations

import numpy as np

from ._exercise import Exercise

EXERCISES = {
    "price-agreement": Exercise(
        answer=(6 / 7) ** 4,
        mistakes=(
            (1.2**4, "That is the product for the pair; divide by what each image has with itself."),
            (0.6**4, "Each layer multiplies by two, and agreement divides by what each image has with itself."),
            (0.7**4, "That is for gates that are drawn independently at the two images."),
            (6 / 7, "That is one layer."),
        ),
    ),
    "price-hills": Exercise(
        answer=np.sqrt(np.log(2)),
        mistakes=(
            (np.sqrt(-2 * np.log(0.75)), "That is where c is three quarters; the gates agree by an arcsine of it."),
            (np.sqrt(2 * np.log(2)), "That is where c is a half."),
            (np.sqrt(-2 * np.log(np.pi / 4)), "The arcsine of c is π/4, so c is the sine of that."),
        ),
    ),
    "price-doubling": Exercise(
        answer=8 * np.log(2) / np.log(3),
        mistakes=(
            (4, "Half of the layers would double it if three were four."),
            (8 / 3, "Steps are multiplied with each layer, not added."),
            (16 * (2 ** (np.log(1.5) / np.log(3)) - 1), "That is the power law between the two depths, at 16 layers."),
        ),
    ),
    "price-censored": Exercise(
        answer=510,
        mistakes=(
            (420, "That is the median of those that got there: the slowest are left out."),
            (410, "That is the mean of those that got there: the slowest are left out."),
            (486, "That takes 600 for what is longer than 600, and it is a mean."),
            (600, "Only if most had not got there."),
        ),
    ),
    "price-budget": Exercise(
        answer=lambda M: (M - 2) / (2 * (M - 1)),
        mistakes=(
            (lambda M: 0.5 + 0 * M, "That is the limit of many images."),
            (lambda M: (M - 2) / (4 * (M - 1)), "That is q; what is asked for is twice that."),
            (lambda M: (M - 1) / (2 * M), "Count pairs of different images, on either side of the fraction."),
        ),
        points=((4,), (10,), (300,)),
    ),
}
