"""What every room asks of its arguments: a check for each kind, and one sentence for each refusal."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from numbers import Integral, Real
from typing import Any, get_args

import torch

HIGHWAY = "highway coefficients need 0 <= gamma1 <= 1, since gamma1^2 + gamma2^2 = 1 keeps the variance"


def whole(name: str, value: object, least: int = 1, most: int = 10**6, allowed: str = "") -> int:
    """A whole number from ``least`` to ``most``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        raise ValueError(f"{name}={value!r}: {allowed or f'a whole number from {least} to {most:,} is needed'}")
    return int(value)


def real(name: str, value: object, accepts: Callable[[float], bool], allowed: str) -> float:
    """A real number that is accepted; no truth value, and no integer beyond the numbers of float64."""
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
            if accepts(number):
                return number
    raise ValueError(f"{name}={value!r}: {allowed}")


def part(name: str, value: object) -> float:
    """A share, a probability or a level: more than nothing, and less than all."""
    return real(name, value, lambda share: 0 < share < 1, "a number between 0 and 1, both excluded, is needed")


def lags(value: object, inputs: int) -> int:
    """The largest shift of a curve against itself."""
    allowed = f"with {inputs} inputs, choose a whole number between 0 and {inputs - 1}"
    return whole("lags", value, 0, inputs - 1, allowed)


def positive_scale(name: str, value: object) -> float:
    """A factor that lets something pass."""
    return real(name, value, lambda scale: 0 < scale < math.inf, "a scale is positive and finite")


def scale(name: str, value: object) -> float:
    """A factor that may let nothing pass."""
    return real(name, value, lambda scale: 0 <= scale < math.inf, "a scale is 0 or more, and finite")


def pairs(name: str, inputs: int) -> int:
    """How many ordered pairs some inputs make."""
    if inputs < 2:
        raise ValueError(f"{name}: {inputs} input, but a pair needs 2")
    return inputs * (inputs - 1)


def refuse_scales_without_branch(kind: str, alpha: object, beta: object) -> None:
    """Of all kinds, a residual network alone has a branch beside its skip."""
    if kind != "residual" and (alpha, beta) != (1.0, 1.0):
        raise ValueError(f"alpha={alpha}, beta={beta}: only a residual network has these scales")


def truth(name: str, value: object) -> bool:
    """True or False, and nothing that only counts as such."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}={value!r}: True or False is needed")
    return value


def one_of(name: str, value: object, literal: Any) -> None:
    """Refuse a word that a ``Literal`` type does not list."""
    choices = get_args(literal)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, choices))}")


def drawn_by(generator: torch.Generator | None) -> torch.Generator:
    """The generator to draw from: as in torch, the global one where the caller gives none."""
    if generator is None:
        return torch.default_generator
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator={generator!r}: a torch.Generator is needed, such as torch.Generator().manual_seed(0), or None "
            "for torch's own"
        )
    return generator
