"""What networks are made of: gates, skips, and the rules that their sizes and scales obey."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from .._arguments import one_of, positive_scale, refuse_scales_without_branch, scale, truth, whole

ModuleKind = Literal["plain", "residual", "highway", "crelu", "linear"]


class CReLU(nn.Module):
    r"""Concatenated rectifier, $z \mapsto (\rho(z), \rho(-z))$ along the channels.

    It keeps the norm, $\lVert\mathrm{CReLU}(z)\rVert = \lVert z\rVert$, and doubles axis 1:
    ``(batch, channels, ...)`` becomes ``(batch, 2 * channels, ...)``.

    References
    ----------
    Shang et al. (2016); Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> sl.CReLU()(torch.tensor([[1.0, -2.0]]))
    tensor([[1., 0., 0., 2.]])
    """

    def forward(self, preactivation: Tensor) -> Tensor:
        return torch.cat([preactivation.relu(), (-preactivation).relu()], dim=1)


class Residual(nn.Module):
    r"""A skip around a branch, $x \mapsto \alpha\,(x + \beta\,\mathrm{branch}(x))$.

    $\alpha$ is positive and $\beta$ 0 or more: with 0 the block starts as the identity, times $\alpha$.

    References
    ----------
    Balduzzi et al. (2017), Equation 2. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> sl.networks.Residual(nn.ReLU(), beta=0.5)(torch.tensor([-1.0, 1.0]))
    tensor([-1.0000,  1.5000])
    """

    def __init__(self, branch: nn.Module, alpha: float = 1.0, beta: float = 1.0) -> None:
        super().__init__()
        check_scales(alpha, beta)
        self.branch, self.alpha, self.beta = branch, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.branch(x)
        return self.alpha * (x + self.beta * branch)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}, beta={self.beta}"


GATES: dict[str, type[nn.Module]] = {
    "plain": nn.ReLU,
    "residual": nn.ReLU,
    "highway": nn.ReLU,
    "crelu": CReLU,
    "linear": nn.Identity,
}


def check_scales(alpha: float, beta: float) -> None:
    """Nothing would pass an alpha of 0; a block whose beta is 0 starts as the identity."""
    positive_scale("alpha", alpha)
    scale("beta", beta)


def skip_scales(kind: str, depth: int, alpha: float, beta: float) -> tuple[float, float] | None:
    """Alpha and beta of a layer; None where it has no skip."""
    if kind == "highway":
        return math.sqrt(1 - 1 / depth), 1 / math.sqrt(depth - 1)
    return (alpha, beta) if kind == "residual" else None


def check_kind(kind: str, depth: int, alpha: float, beta: float, batch_norm: bool) -> None:
    """Refuse a kind that does not exist, and what it does not have."""
    one_of("kind", kind, ModuleKind)
    if kind == "highway" and depth == 1:
        raise ValueError("depth=1: the one layer of a highway network would be all branch; 2 or more are needed")
    truth("batch_norm", batch_norm)
    check_scales(alpha, beta)
    refuse_scales_without_branch(kind, alpha, beta)


def check_sizes(**sizes: int) -> None:
    """Layers, units, classes or pixels."""
    for name, value in sizes.items():
        whole(name, value)
