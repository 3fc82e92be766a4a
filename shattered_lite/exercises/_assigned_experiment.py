"""Answers of the experiment assignment: gradients that the reader simulates, and estimates with their error."""

from __future__ import annotations

import torch
from torch import Tensor

from ._exercise import Exercise


def _moments(gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Covariance over all pairs, and variance, of each network."""
    products = gradients @ gradients.mT / gradients.shape[-1]
    same = torch.eye(gradients.shape[1], dtype=torch.bool)
    return products[:, ~same].mean(1), products[:, same].mean(1)


def _correlation(gradients: Tensor) -> float:
    covariance, variance = _moments(gradients)
    return float(covariance.mean() / variance.mean())


def _mean_of_ratios(gradients: Tensor) -> float:
    covariance, variance = _moments(gradients)
    return float((covariance / variance).mean())


def _with_itself(gradients: Tensor) -> float:
    return float((gradients.sum(1) / gradients.shape[1]).square().mean() / gradients.square().mean())


def _less_their_mean(gradients: Tensor) -> float:
    return _correlation(gradients - gradients.mean(1, keepdim=True))


def _made_up(networks: int, inputs: int, outputs: int) -> Tensor:
    """Numbers without a pattern, the same everywhere; networks differ in size, inputs have something in common."""
    count = torch.arange(1, networks * inputs * outputs + 1, dtype=torch.float64).reshape(networks, inputs, outputs)
    common = torch.arange(1, networks * outputs + 1, dtype=torch.float64).reshape(networks, 1, outputs)
    size = torch.arange(1, networks + 1, dtype=torch.float64)[:, None, None]
    return size * (torch.sin(count**2) + 0.7 * torch.cos(3 * common**2))


EXERCISES = {
    "measure-correlation": Exercise(
        answer=_correlation,
        mistakes=(
            (
                _mean_of_ratios,
                "That is a mean of ratios, ruled by networks with small gradients; R is a ratio of means.",
            ),
            (_with_itself, "The pairs of an input with itself are among yours."),
            (_less_their_mean, "Nothing is to be subtracted: what gradients have in common is what is asked for."),
        ),
        points=((_made_up(5, 4, 3),), (_made_up(8, 2, 6),)),
    ),
    "measure-plain": Exercise(
        answer=2.0**-4,
        mistakes=(
            (1.0, "At both inputs the same gates are open. Toss for each input anew."),
            (2.0**-5, "One gate too many: four layers have four gates."),
            (2.0**-3, "One gate too few: four layers have four gates."),
            (4.0**-4, "That is the product of two probabilities. Are the weights of variance 2/N, and did you divide?"),
            (0.75**4, "That is with a skip."),
        ),
        measured=True,
    ),
    "measure-residual": Exercise(
        answer=0.75**8,
        mistakes=(
            (2.0**-8, "That is without a skip. Does the slope go past the layer as the value does?"),
            (0.75**7, "One layer too few."),
            (0.75**9, "One layer too many."),
            (1.0, "At both inputs the same gates are open. Toss for each input anew."),
            (1.5**8, "That is the covariance; the second column must be the variance."),
        ),
        measured=True,
    ),
    "measure-networks": Exercise(
        answer=(4 * 0.25 / (0.1 * 2.0**-4)) ** 2,
        mistakes=(
            ((0.25 / (0.1 * 2.0**-4)) ** 2, "Then a tenth is one standard error; it must be four."),
            (4 * 0.25 / (0.1 * 2.0**-4), "A standard error falls with the root of the number."),
            ((4 * 0.25 / 2.0**-4) ** 2, "An error of a tenth must show, not one of the whole."),
            ((4 * 0.25 / 0.1) ** 2, "A tenth of what is estimated, which is 1/16."),
        ),
        tolerance=1e-3,
    ),
}
