r"""Plain, residual, concatenated-rectifier and linear networks, as ordinary modules.

A network is a stem, ``depth`` gated layers and, where the skip leaves the state at full width, a head. ``depth``
counts the gates, as in :mod:`shattered_lite.theory`.
"""

from __future__ import annotations

import math
from numbers import Integral
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["plain", "residual", "crelu", "linear"]


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

    References
    ----------
    Balduzzi et al. (2017), Equation 2. Used in the chapter *Looks linear*.
    """

    def __init__(self, branch: nn.Module, alpha: float = 1.0, beta: float = 1.0) -> None:
        super().__init__()
        self.branch, self.alpha, self.beta = branch, alpha, beta

    def forward(self, x: Tensor) -> Tensor:
        return self.alpha * (x + self.beta * self.branch(x))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}, beta={self.beta}"


def fully_connected(
    kind: Kind,
    *,
    depth: int,
    width: int,
    inputs: int,
    outputs: int,
    batch_norm: bool = False,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> nn.Sequential:
    r"""A fully connected network with ``depth`` gated layers; weights as PyTorch draws them.

    Parameters
    ----------
    kind : {"plain", "residual", "crelu", "linear"}
        Rectifier layers without or with skips, concatenated rectifiers, or no gate at all.
    depth : int
        Gated layers, 1 or more.
    width, inputs, outputs : int
        Units of each hidden layer, of the input and of the output, 1 or more.
    batch_norm : bool
        Batch norm before each gate.
    alpha, beta : float
        Scales of a residual layer, $\alpha(x + \beta W \rho(x))$.

    Returns
    -------
    nn.Sequential
        Maps ``(batch, inputs)`` to ``(batch, outputs)``. Only the stem has a bias.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Sections 3 and 5. Used in the chapter *Looks linear*.
    """
    gates = {"plain": nn.ReLU, "residual": nn.ReLU, "crelu": CReLU, "linear": nn.Identity}
    if kind not in gates:
        raise ValueError(f"kind={kind!r}: choose one of {', '.join(map(repr, gates))}")
    for name, value in {"depth": depth, "width": width, "inputs": inputs, "outputs": outputs}.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}={value!r}: a whole number, 1 or more, is needed")
    for name, scale in {"alpha": alpha, "beta": beta}.items():
        if not 0 < scale < math.inf:
            raise ValueError(f"{name}={scale}: a scale is positive and finite")
    if kind != "residual" and (alpha, beta) != (1.0, 1.0):
        raise ValueError(f"alpha={alpha}, beta={beta}: only a residual network has these scales")

    def layer(units: int) -> nn.Sequential:
        normalise = [nn.BatchNorm1d(width)] if batch_norm else []
        fan_in = 2 * width if kind == "crelu" else width
        return nn.Sequential(*normalise, gates[kind](), nn.Linear(fan_in, units, bias=False))

    stem = nn.Linear(inputs, width)
    if kind == "residual":
        blocks = [Residual(layer(width), alpha, beta) for _ in range(depth)]
        return nn.Sequential(stem, *blocks, nn.Linear(width, outputs, bias=False))
    return nn.Sequential(stem, *(layer(width) for _ in range(depth - 1)), layer(outputs))
