"""What networks are made of: gates, skips, and the rules that their sizes and scales obey."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["plain", "residual", "crelu", "linear"]
MOST = 10**6  # layers, units, classes or pixels


class CReLU(nn.Module):
    r"""Concatenated rectifier, $z \mapsto (\rho(z), \rho(-z))$ along the channels.

    It keeps the norm, $\lVert\mathrm{CReLU}(z)\rVert = \lVert z\rVert$, and doubles axis 1:
    ``(batch, channels, ...)`` becomes ``(batch, 2 * channels, ...)``.

    References
    ----------
    Shang et al. (2016); Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.
    """

    def forward(self, preactivation: Tensor) -> Tensor:
        return torch.cat([preactivation.relu(), (-preactivation).relu()], dim=1)


class Residual(nn.Module):
    r"""A skip around a branch, $x \mapsto \alpha\,(x + \beta\,\mathrm{branch}(x))$.

    $\alpha$ is positive and $\beta$ 0 or more: with 0 the block starts as the identity, times $\alpha$.

    References
    ----------
    Balduzzi et al. (2017), Equation 2. Used in the chapter *Looks linear*.
    """

    def __init__(self, branch: nn.Module, alpha: float = 1.0, beta: float = 1.0) -> None:
        super().__init__()
        check_scales(alpha, beta)
        self.branch, self.alpha, self.beta = branch, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        return self.alpha * (x + self.beta * self.branch(x))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}, beta={self.beta}"


GATES: dict[str, type[nn.Module]] = {
    "plain": nn.ReLU,
    "residual": nn.ReLU,
    "crelu": CReLU,
    "linear": nn.Identity,
}


def check_scales(alpha: float, beta: float) -> None:
    """Refuse scales that are no numbers, negative or infinite; a block whose beta is 0 starts as the identity."""
    for name, scale in {"alpha": alpha, "beta": beta}.items():
        positive = name == "alpha"  # nothing would pass 0
        number = isinstance(scale, Real) and not isinstance(scale, bool)
        if not number or not 0 <= scale < math.inf or (positive and scale == 0):
            raise ValueError(f"{name}={scale!r}: this scale is {'positive' if positive else '0 or more'}, and finite")


def check_kind(kind: str, alpha: float, beta: float, batch_norm: bool) -> None:
    """Refuse a kind that does not exist, and what it does not have."""
    if not isinstance(kind, str) or kind not in GATES:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(map(repr, GATES))}")
    if not isinstance(batch_norm, bool):
        raise ValueError(f"batch_norm={batch_norm!r}: True or False is needed")
    check_scales(alpha, beta)
    if kind != "residual" and (alpha, beta) != (1.0, 1.0):
        raise ValueError(f"alpha={alpha}, beta={beta}: only a residual network has these scales")


def check_sizes(**sizes: int) -> None:
    """Refuse what is not a whole number of 1 or more, or more than any network that ends."""
    for name, value in sizes.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}={value!r}: a whole number, 1 or more, is needed")
        if value > MOST:
            raise ValueError(f"{name}={value}: {MOST:,} is the most")
