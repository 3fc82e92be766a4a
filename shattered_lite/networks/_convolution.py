"""Convolutional networks."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

from torch import nn

from ._layers import GATES, ModuleKind, Residual, check_kind, check_sizes, skip_scales

STAGES = 3


def convolutional(
    kind: ModuleKind,
    *,
    depth: int,
    width: int,
    input_shape: tuple[int, int, int],
    out_features: int,
    patch: int = 1,
    batch_norm: bool = False,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> nn.Sequential:
    r"""A convolutional network with ``depth`` gated layers in three stages; weights as PyTorch draws them.

    Kernels are 3 x 3 and keep the image's size. Between stages, each 2 x 2 square of pixels becomes channels, and the
    next convolution leaves half of these: images are half as wide, channels twice as many, and a layer costs the same
    in every stage. That reordering loses nothing; the convolution behind it narrows, so where its weights are
    orthonormal it keeps half of the squared norm. The two layers between stages have no skip in any network.

    Parameters
    ----------
    kind : {"plain", "residual", "highway", "crelu", "linear"}
        As in :func:`fully_connected`.
    depth : int
        Gated layers, 2 or more, the two between stages among them.
    width : int
        Channels of the first stage, 1 or more.
    input_shape : tuple of int
        Channels, height and width of an image; height and width are multiples of ``4 * patch``.
    out_features : int
        Classes, 1 or more.
    patch : int
        Side of the squares of pixels that the stem takes as channels: 1 takes pixels as they are.
    batch_norm : bool
        Batch norm before each gate.
    alpha, beta : float
        Scales of a residual layer, $\alpha(x + \beta W * \rho(x))$; alpha is positive, beta 0 or more.

    Returns
    -------
    nn.Sequential
        Maps ``(batch, *input_shape)`` to ``(batch, out_features)``: stem, layers, mean over pixels, linear head. Only
        the stem has a bias.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    Balduzzi et al. (2017), Sections 4 and 5. Used in the chapters *Convolutional networks and real images* and
    *Training very deep networks*.

    Examples
    --------
    >>> network = sl.networks.convolutional("crelu", depth=6, width=8, input_shape=(3, 32, 32), out_features=10)
    >>> network(torch.zeros(5, 3, 32, 32)).shape
    torch.Size([5, 10])
    """
    if not isinstance(input_shape, Sequence) or len(input_shape) != 3:
        raise ValueError(f"input_shape={input_shape!r}: channels, height and width of an image are needed")
    channels, *sides = input_shape
    check_sizes(depth=depth, width=width, channels=channels, out_features=out_features, patch=patch)
    check_kind(kind, depth, alpha, beta, batch_norm)
    if depth < STAGES - 1:
        raise ValueError(f"depth={depth}: {STAGES} stages need {STAGES - 1} layers between them")
    unit = patch * 2 ** (STAGES - 1)
    if any(not isinstance(side, Integral) or side < 1 or side % unit for side in sides):
        raise ValueError(f"input_shape={input_shape}: with patch={patch}, height and width must be multiples of {unit}")
    copies, scales = 2 if kind == "crelu" else 1, skip_scales(kind, depth, alpha, beta)

    def layer(fan_in: int, fan_out: int, *, shrink: int = 1) -> nn.Sequential:
        normalise = [nn.BatchNorm2d(fan_in)] if batch_norm else []
        return nn.Sequential(*normalise, GATES[kind](), *_convolve(copies * fan_in, fan_out, shrink))

    layers: list[nn.Module] = [nn.Sequential(*_convolve(channels, width, patch, bias=True))]
    between = {depth * stage // STAGES for stage in range(1, STAGES)}
    for index in range(depth):
        if index in between:
            layers.append(layer(width, 2 * width, shrink=2))
            width *= 2
        elif scales:
            layers.append(Residual(layer(width, width), *scales))
        else:
            layers.append(layer(width, width))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, out_features, bias=False))


def _convolve(fan_in: int, fan_out: int, shrink: int, bias: bool = False) -> list[nn.Module]:
    """A convolution that keeps the image's size, behind what makes channels of squares of pixels."""
    convolution = nn.Conv2d(fan_in * shrink**2, fan_out, 3, padding=1, bias=bias)
    return [nn.PixelUnshuffle(shrink), convolution] if shrink > 1 else [convolution]
