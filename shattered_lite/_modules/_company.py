"""Whether what a network makes of one input depends on the others beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from ._accepted import DEPENDENCE
from ._undisturbed import same_random_numbers

COMPANY = 8  # inputs among which it is looked whether the output at one depends on another
ROUNDING = 1e-3  # of an output: more than any order of summation changes in equally large batches


@torch.no_grad()
def refuse_if_company_matters(
    run: Callable[[list[Tensor]], Tensor], inputs: Sequence[Tensor], mode: Callable[[], AbstractContextManager[Any]]
) -> None:
    """The output at the first input, and at the last, among others: of other signs, or tokens in another order."""

    def outputs(company: list[Tensor]) -> Tensor:
        with same_random_numbers(inputs[0].device), mode():
            return run([each.clone() for each in company])

    def among(others: list[Tensor], index: int) -> Tensor:
        for other, x in zip(others, inputs, strict=True):
            other[index] = x[index]
        return outputs(others)[index]

    usual = outputs(list(inputs))
    for index in {0, len(inputs[0]) - 1}:
        try:
            found = among([-2 * x if x.is_floating_point() else x.roll(1, 0) for x in inputs], index)
        except IndexError:  # numbers that it looks up, in columns of a table
            found = among([x.roll(1, 0) for x in inputs], index)
        difference = usual[index] - found
        if usual[index].isfinite().all() and difference.norm() > ROUNDING * usual[index].norm():
            raise ValueError(DEPENDENCE)
