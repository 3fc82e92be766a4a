r"""A prediction against independent estimates. A check that fails stops the notebook.

The tolerance is never a constant: it follows from the number of estimates and the false-alarm rate. Checks that agreed
are remembered, the one thing that this package remembers: the last cell of a notebook puts them beside the book's.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from ._arguments import part

__all__ = ["Agreement", "Disagreement", "agrees", "compare", "holds", "interval"]


class Disagreement(AssertionError):
    """A prediction and its estimates differ by more than chance explains.

    Examples
    --------
    >>> sl.checks.holds(0.5, bound=1e-6, name="symmetry")
    Traceback (most recent call last):
        ...
    shattered_lite.checks.Disagreement: symmetry: error 5.0e-01, allowed 1e-06: does not hold
    """


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The outcome of a check, printed as one line.

    Attributes
    ----------
    name, prediction, estimate, standard_error, z, replicates, false_alarm_rate
        What the line says, unrounded.

    Examples
    --------
    >>> tosses = np.random.default_rng(0).integers(2, size=1_000)
    >>> outcome = sl.checks.agrees(tosses, 0.5, "a fair coin")
    a fair coin: predicted 0.5, measured 0.537 ± 0.016 (n = 1000, z = 2.3, refuses errors above 10 %, ...): agrees
    >>> round(outcome.smallest_error, 3)
    0.052
    """

    name: str
    prediction: float
    estimate: float
    standard_error: float
    z: float
    replicates: int
    false_alarm_rate: float

    @property
    def smallest_error(self) -> float:
        """Distance from the prediction beyond which an estimate with this standard error is refused.

        In the unit of the estimate: the quantile of the test times the standard error.
        """
        return _quantile(self.false_alarm_rate, self.replicates) * self.standard_error

    def __str__(self) -> str:
        error, size = self.smallest_error, abs(self.prediction)
        # a percentage of the prediction, unless the check could take that for zero
        refused = f"{float(f'{100 * error / size:.2g}'):g} %" if error < size else f"{error:.2g}"
        return (
            f"{self.name}: predicted {self.prediction:.4g}, measured {self.estimate:.4g} ± {self.standard_error:.2g} "
            f"(n = {self.replicates}, z = {round(self.z, 1) + 0.0:.1f}, refuses errors above {refused}, "
            f"false-alarm rate {self.false_alarm_rate:g})"
        )

    def _ipython_display_(self) -> None:
        """Show nothing where a check ends a cell: its line is printed already."""


AGREED: dict[str, Agreement] = {}  # in this process, by name; of two with one name, the last


def agrees(estimates: ArrayLike, prediction: float, name: str, *, false_alarm_rate: float = 1e-3) -> Agreement:
    r"""Check a predicted mean, or ratio of means, against independent replicates; print the outcome.

    With one column the statistic is $z = (\bar a - p)/\mathrm{se}$. With two columns, numerator $a$ and denominator
    $b$, the prediction $p = E[a]/E[b]$ says that $a - p\,b$ has mean zero, which is what is tested (Fieller's
    method): no bias of the ratio, and no bootstrap. The check fails when $|z|$ exceeds the quantile of Student's
    distribution that ``false_alarm_rate`` sets.

    Parameters
    ----------
    estimates : array_like, shape (replicates,) or (replicates, 2)
        One estimate for each independent network.
    prediction : float
        What theory says, in the unit of the estimates; dimensionless for a ratio.
    name : str
        What is checked, for the printed line.
    false_alarm_rate : float
        Probability that a true prediction fails, in (0, 1).

    Returns
    -------
    Agreement
        Its text is the printed line.

    Raises
    ------
    Disagreement
        If the difference is larger than chance explains, or anything is not finite.
    ValueError
        If there are fewer than 10 replicates, they do not vary, or the shape or rate is not allowed.

    References
    ----------
    Fieller (1954). Explained in the chapter *Gradients as noise*.

    Examples
    --------
    >>> law = {"depth": 3, "width": 50, "gates": "independent", "networks": 4000}
    >>> found = sl.sample_gradients("plain", inputs=torch.eye(2), generator=generator, **law)
    >>> _ = sl.checks.agrees(sl.structure.pair_moments(found), sl.theory.plain(3).correlation, "correlation")
    correlation: predicted 0.125, measured 0.12... ± 0.0036 (n = 4000, z = 0.7, refuses errors above 9.5 %, ...): agrees
    """
    values = np.asarray(estimates, dtype=np.float64)
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] != 2):
        raise ValueError(f"estimates: shape {values.shape}, but (replicates,) or (replicates, 2) is needed")
    if len(values) < 10:
        raise ValueError(f"estimates: {len(values)} replicates, but a standard error needs 10 or more")
    rate = part("false_alarm_rate", false_alarm_rate)
    numerator, denominator = (values, np.ones(len(values))) if values.ndim == 1 else values.T
    difference = numerator - prediction * denominator
    scale = denominator.mean()
    error = difference.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        raise ValueError("estimates: they do not vary; for an identity use `holds`")
    z = difference.mean() / error
    outcome = Agreement(
        name=name,
        prediction=float(prediction),
        estimate=float(numerator.mean() / scale),
        standard_error=float(error / abs(scale)),
        z=float(z),
        replicates=len(values),
        false_alarm_rate=rate,
    )
    if not abs(z) <= _quantile(rate, len(values)):  # written so that a nan fails
        raise Disagreement(f"{outcome}: disagrees")
    print(f"{outcome}: agrees")
    AGREED[name] = outcome
    return outcome


def _quantile(false_alarm_rate: float, replicates: int) -> float:
    """How large Student's statistic gets, on either side, with this probability."""
    return -float(stdtrit(replicates - 1, false_alarm_rate / 2))


def compare(book: Mapping[str, tuple[float, float]], *, made_with: str, seed: int) -> None:
    r"""Put the checks that agreed in this run beside the book's; print a line for each.

    Two estimates of the same thing differ by $z = (a - b)/\sqrt{s_a^2 + s_b^2}$ standard errors. The normal quantile
    that one such pair in a thousand exceeds is said to be more than chance explains; nothing is raised.

    Parameters
    ----------
    book : mapping of str to (float, float)
        The book's estimate and its standard error for the name of each check.
    made_with : str
        What the book's run was made with.
    seed : int
        That of this run.

    References
    ----------
    Used in the last cell of every notebook that has checks.

    Examples
    --------
    >>> tosses = np.random.default_rng(0).integers(2, size=1_000)
    >>> _ = sl.checks.agrees(tosses, 0.5, "a fair coin")
    a fair coin: predicted 0.5, measured 0.537 ± 0.016 ...
    >>> sl.checks.compare({"a fair coin": (0.493, 0.016), "a die": (3.5, 0.1)}, made_with="Python 3.11.7", seed=0)
    the book: Python 3.11.7
    yours: Python ..., NumPy ..., PyTorch ..., seed 0
    a fair coin: yours 0.537 ± 0.016, the book 0.493 ± 0.016: agrees
    a die: not run here
    1 of 1 agree
    """
    numpy, torch = (version(name).partition("+")[0] for name in ("numpy", "torch"))
    print(f"the book: {made_with}")
    print(f"yours: Python {platform.python_version()}, NumPy {numpy}, PyTorch {torch}, seed {seed}")
    near = []
    for name, (estimate, error) in book.items():
        if name not in AGREED:
            print(f"{name}: not run here")
            continue
        own, spread = AGREED[name], np.hypot(AGREED[name].standard_error, error)
        near.append(abs(own.estimate - estimate) <= -ndtri(1e-3 / 2) * spread)
        numbers = f"yours {own.estimate:.4g} ± {own.standard_error:.2g}, the book {estimate:.4g} ± {error:.2g}"
        print(f"{name}: {numbers}: {'agrees' if near[-1] else 'differs by more than chance explains'}")
    print(f"{sum(near)} of {len(near)} agree")


def holds(error: float, bound: float, name: str) -> None:
    r"""Check an identity or a bound that is exact but for the errors of computing it; print the outcome.

    Parameters
    ----------
    error : float
        Size of the violation, $\ge 0$, relative to the size of what is compared.
    bound : float
        What rounding, or a numerical method, can explain; the text accounts for it.
    name : str
        What is checked, for the printed line.

    Raises
    ------
    Disagreement
        If the error exceeds the bound, or is not finite.

    References
    ----------
    Used in every chapter with an identity, *Looks linear* above all.

    Examples
    --------
    >>> sl.checks.holds(abs(0.1 + 0.2 - 0.3), bound=1e-15, name="a sum")
    a sum: error 5.6e-17, allowed 1e-15: holds
    """
    line = f"{name}: error {float(error):.1e}, allowed {bound:.2g}"
    if not 0 <= float(error) <= bound:
        raise Disagreement(f"{line}: does not hold")
    print(f"{line}: holds")


def interval(estimates: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Mean of independent replicates and its confidence interval, $\bar a \pm t_{n-1}\, s/\sqrt n$.

    Parameters
    ----------
    estimates : array_like, shape (replicates, ...)
        At least 2 replicates.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    mean, low, high : ndarray, shape (...)
        In the unit of the estimates.

    Raises
    ------
    ValueError
        If there are fewer than 2 replicates or the level is not allowed.

    References
    ----------
    Student (1908). Used in every chapter.

    Examples
    --------
    >>> mean, low, high = sl.checks.interval([1.0, 2.0, 3.0, 4.0])
    >>> f"{mean:.2f} in [{low:.2f}, {high:.2f}]"
    '2.50 in [0.45, 4.55]'
    """
    values = np.asarray(estimates, dtype=np.float64)
    if values.ndim == 0 or len(values) < 2:
        raise ValueError(f"estimates: shape {values.shape}, but 2 replicates or more are needed")
    mean = values.mean(0)
    outside = 1 - part("level", level)
    half = _quantile(outside, len(values)) * values.std(0, ddof=1) / np.sqrt(len(values))
    return mean, mean - half, mean + half


def __dir__() -> list[str]:
    return sorted(__all__)
