"""The time to an accuracy, read off a record."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from ..._arguments import one_of, real
from ..training import Record, steps_tested

STATISTICS = Literal["running", "batch"]


class Steps(NamedTuple):
    """Between which two numbers of steps something was reached; what was not reached in time is censored, not dropped.

    Attributes
    ----------
    missed : float
        Steps after which it was not reached yet: the last test before ``reached``, or of all; 0 without one.
    reached : float
        Steps of the first test at which it was; infinite where it never was.

    Examples
    --------
    >>> sl.lab.records.Steps(missed=30, reached=31)
    Steps(missed=30, reached=31)
    """

    missed: float
    reached: float


def steps_to(
    record: Record, accuracy: float | None = None, *, statistics: Literal["running", "batch"] = "running"
) -> Steps:
    """Steps until a test first found an accuracy, as an interval that is open to the right where none did.

    Parameters
    ----------
    record : Record
        Of a run with a target, which is tested along the way.
    accuracy : float, optional
        Not above the target, at which the run ended; the target by default.
    statistics : {"running", "batch"}
        Of batch norm in the test: ``accuracies`` or ``batch_accuracies`` of the record.

    Returns
    -------
    Steps
        Medians and quantiles of ``reached`` are right as long as they are finite: infinity is larger than all.

    Raises
    ------
    ValueError
        If the run has no target or one below the accuracy, or batch statistics are asked for and were not measured.

    References
    ----------
    Used in the chapter *The price is time*.

    Examples
    --------
    >>> run = sl.lab.training.Run("plain", 2, batch_norm=True, epochs=9, target=0.9)
    >>> sl.lab.records.steps_to(sl.lab.training.train(run))
    Steps(missed=68, reached=72)
    """
    one_of("statistics", statistics, STATISTICS)
    target = record.run.target
    if target is None:
        raise ValueError("record: run.target=None, so the network was tested after epochs only; a target is needed")
    wanted = target if accuracy is None else accuracy
    real("accuracy", wanted, lambda share: 0 < share <= target, f"a share up to run.target={target} is needed")
    found = record.accuracies if statistics == "running" else record.batch_accuracies
    if len(found) != len(record.losses):
        raise ValueError(f"statistics={statistics!r}: this record has none of these")
    missed = 0
    for steps, share in zip(steps_tested(len(found)), found, strict=True):
        if share >= wanted:
            return Steps(missed, steps)
        missed = steps
    return Steps(missed, math.inf)
