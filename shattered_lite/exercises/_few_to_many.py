"""Answers of the page *From few photographs to many*."""

from __future__ import annotations

import numpy as np
from scipy import stats

from ._exercise import Exercise

QUANTILE = stats.norm.ppf(0.975)

EXERCISES = {
    "deep-binomial": Exercise(
        answer=QUANTILE * np.sqrt(0.3 * 0.7 / 10_000),
        mistakes=(
            (QUANTILE * 0.3 * 0.7 / 10_000, "That is the variance. The interval follows its root."),
            (np.sqrt(0.3 * 0.7 / 10_000), "That is one standard error."),
            (QUANTILE * np.sqrt(0.3 * 0.7), "That is for a single image."),
            (0.003, "Ten times as many images make the interval narrower by the root of ten."),
        ),
    ),
}
