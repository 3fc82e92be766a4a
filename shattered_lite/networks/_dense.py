"""Fully connected networks."""

from __future__ import annotations

from torch import nn

from ._layers import GATES, ModuleKind, Residual, check_kind, check_sizes, skip_scales


def fully_connected(
    kind: ModuleKind,
    *,
    depth: int,
    width: int,
    in_features: int,
    out_features: int,
    batch_norm: bool = False,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> nn.Sequential:
    r"""A fully connected network with ``depth`` gated layers; weights as PyTorch draws them.

    Parameters
    ----------
    kind : {"plain", "residual", "highway", "crelu", "linear"}
        Rectifier layers without skips, with them, or with a branch that has a share of 1/depth of the variance;
        concatenated rectifiers; or no gate at all.
    depth : int
        Gated layers, 1 or more; 2 or more of a highway network.
    width, in_features, out_features : int
        Units of each hidden layer, of the input and of the output, 1 or more.
    batch_norm : bool
        Batch norm before each gate.
    alpha, beta : float
        Scales of a residual layer, $\alpha(x + \beta W \rho(x))$; alpha is positive, beta 0 or more. A highway layer
        has its own, those of $\gamma_1 x + \gamma_2 W \rho(x)$ with $\gamma_2^2 = 1 - \gamma_1^2 = 1/L$.

    Returns
    -------
    nn.Sequential
        Maps ``(batch, in_features)`` to ``(batch, out_features)``. Only the stem has a bias.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Sections 3 and 5. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> network = sl.networks.fully_connected("residual", depth=20, width=32, in_features=64, out_features=10, beta=0.1)
    >>> network(torch.zeros(5, 64)).shape
    torch.Size([5, 10])
    """
    check_sizes(depth=depth, width=width, in_features=in_features, out_features=out_features)
    check_kind(kind, depth, alpha, beta, batch_norm)

    def layer(units: int) -> nn.Sequential:
        normalise = [nn.BatchNorm1d(width)] if batch_norm else []
        fan_in = 2 * width if kind == "crelu" else width
        return nn.Sequential(*normalise, GATES[kind](), nn.Linear(fan_in, units, bias=False))

    stem = nn.Linear(in_features, width)
    if scales := skip_scales(kind, depth, alpha, beta):
        blocks = [Residual(layer(width), *scales) for _ in range(depth)]
        return nn.Sequential(stem, *blocks, nn.Linear(width, out_features, bias=False))
    return nn.Sequential(stem, *(layer(width) for _ in range(depth - 1)), layer(out_features))
