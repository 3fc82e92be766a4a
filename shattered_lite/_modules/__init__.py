"""Somebody else's network: what is accepted of it, and how to run it without leaving a trace."""

from ._accepted import (
    DEPENDENCE,
    NO_LOOK_UP,
    NO_SLOPE,
    Output,
    check_inputs,
    check_network,
    check_numbers,
    check_outputs,
    select,
    unwrapped,
)
from ._company import COMPANY, refuse_if_company_matters
from ._embedding import Embedding
from ._normalising import BatchStatistics, Held, Measured, Normalising, Watching, tensors_in
from ._undisturbed import evaluating, same_random_numbers, undisturbed

__all__ = [
    "COMPANY", "DEPENDENCE", "NO_LOOK_UP", "NO_SLOPE", "BatchStatistics", "Embedding", "Held", "Measured",
    "Normalising", "Output", "Watching", "check_inputs", "check_network", "check_numbers", "check_outputs",
    "evaluating", "refuse_if_company_matters", "same_random_numbers", "select", "tensors_in", "undisturbed",
    "unwrapped",
]  # fmt: skip


def __dir__() -> list[str]:
    return sorted(__all__)
