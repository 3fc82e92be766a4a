"""What the functions of torch are to the theory: which of them it can follow, and by what they multiply."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from scipy import special
from torch import Tensor
from torch.nn import functional

from .. import theory
from ..theory import Step

EPSILON = 1e-5  # of torch, in norms
SHOWN = (
    "inputs", "embedding", "linear", "convolution", "recurrent", "attention", "norm", "activation", "sum", "scale",
)  # fmt: skip
MATRICES = ("linear", "convolution")
WEIGHTS = (*MATRICES, "embedding", "recurrent", "attention")
CELLS = ("gru_cell", "lstm_cell", "rnn_tanh_cell", "rnn_relu_cell")
RECTIFIERS = ("relu", "relu6", "threshold", "softshrink", "hardshrink")
KINDS = {
    "convolution": ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    "linear": ("linear", "bilinear"),
    "embedding": ("embedding", "embedding_bag"),
    "recurrent": ("lstm", "gru", "rnn_tanh", "rnn_relu", *CELLS),
    "attention": ("multi_head_attention_forward", "scaled_dot_product_attention"),
    "norm": ("batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm", "normalize"),
    "activation": (
        "relu", "relu_", "leaky_relu", "leaky_relu_", "elu", "elu_", "selu", "selu_", "gelu", "silu", "softplus",
        "mish", "tanh", "tanh_", "sigmoid", "sigmoid_", "relu6", "hardtanh", "hardswish", "hardsigmoid", "prelu",
        "celu", "logsigmoid", "softsign", "softshrink", "hardshrink", "tanhshrink", "rrelu", "threshold", "threshold_",
        "clamp", "clamp_min", "clamp_", "glu",
    ),
    "sum": ("add", "__add__", "__radd__", "__iadd__", "add_"),
    "scale": ("mul", "__mul__", "__rmul__", "__imul__", "mul_"),
    "mean": ("mean", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d"),
    "same": (
        "view", "reshape", "flatten", "contiguous", "clone", "dropout", "dropout1d", "dropout2d", "dropout3d",
        "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "permute", "transpose", "unsqueeze", "squeeze",
        "movedim", "swapaxes", "unflatten", "to", "float", "type", "type_as", "__get__", "ravel",
    ),
}  # fmt: skip
KIND = {name: kind for kind, names in KINDS.items() for name in names}
ACTIVATIONS = {  # with torch's defaults; a sigmoid is no activation of the book, but people have them
    **{name: theory.ACTIVATIONS[name] for name in ("relu", "elu", "selu", "gelu", "silu", "softplus", "mish", "tanh")},
    "sigmoid": theory.Activation(special.expit, lambda z: special.expit(z) * special.expit(-z)),
}
FLAT = 1e-3  # of the greatest slope
UNIT = 1e-3  # by which a length may differ from 1
SLOPES: dict[str, Callable[[Tensor], Tensor]] = {  # relative to the greatest, by what an activation has made
    "tanh": lambda y: 1 - y.square(),
    "sigmoid": lambda y: 4 * y * (1 - y),
    "softsign": lambda y: (1 - y.abs()).square(),
    "softmax": lambda y: 1 - y.amax(-1),  # where one takes all
}


def kind_of(function: Callable[..., Any], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None) -> str:
    """The kind of an operation, by the name of the function; "other" where it has none of its own here."""
    name = getattr(function, "__name__", "")
    draws = "dropout" in name and ((kwargs or {}).get("training") or any(each is True for each in args))
    return "other" if draws else KIND.get(name, "other")


def dropped_by(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> float:
    """The share that a dropout leaves out, when it is on."""
    if "dropout" not in getattr(function, "__name__", ""):
        return 0.0
    share = _argument(args, kwargs, 1, "p")
    return 0.5 if share is None else float(share)


def flat_share(operation: str, made: Tensor) -> float:
    """Share of what an activation made where its slope is less than a thousandth of its greatest one."""
    slope = SLOPES.get(operation)
    alone = operation == "softmax" and made.shape[-1] == 1
    return math.nan if slope is None or alone else (slope(made) < FLAT).double().mean().item()


def weights_of(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Tensor | None:
    """The matrix or kernel of an operation, of a recurrent cell the one of its inputs; None where it has none."""
    weights: Tensor | None = None
    if getattr(function, "__name__", "") in CELLS:
        weights = _argument(args, kwargs, 2, "w_ih")
    elif kind_of(function) in MATRICES:
        weights = _argument(args, kwargs, 2 if function is functional.bilinear else 1, "weight")
    return weights


def makes_cosines(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether it multiplies vectors that all have unit length."""
    name = getattr(function, "__name__", "")
    if name not in ("linear", "matmul", "__matmul__", "mm") or len(args) != 2 or kwargs:
        return False
    one, other = args
    return all(_of_unit_length(x) for x in (one, other if name == "linear" or other.ndim < 2 else other.mT))


def _of_unit_length(x: Tensor) -> bool:
    dense = x.layout == torch.strided and x.numel() > 0
    return dense and bool((torch.linalg.vector_norm(x.detach(), dim=-1) - 1).abs().max() < UNIT)


def step_of(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], given: Sequence[Tensor], made: Tensor
) -> Step:
    """What the theory knows of an operation: of chains of weights, norms, activations, skips and averages."""
    kind = kind_of(function)
    others = [
        each for each in (*args, *kwargs.values()) if isinstance(each, Tensor) and all(each is not g for g in given)
    ]
    numbers = [each for each in (*args, *kwargs.values()) if isinstance(each, int | float)]
    if kind == "sum" and all(each.shape == made.shape for each in given) and not any(numbers) and "alpha" not in kwargs:
        return Step(gain=1.0, offset=sum(_mean_square(each) for each in others), back=1.0)
    if len(given) != 1:
        return Step()
    if kind == "activation":
        return Step(activation=_activation(function.__name__.rstrip("_"), args, kwargs))
    if kind == "scale":
        factor = math.prod([float(each) ** 2 for each in numbers])
        factor *= math.prod(_mean_square(each) for each in others)
        return Step(gain=factor, back=factor)
    if kind == "mean":
        return Step(back=made.numel() / given[0].numel())
    if function is functional.linear or function in (torch.conv1d, torch.conv2d, torch.conv3d):
        return _weights(kind, args, kwargs, given[0])
    if kind == "norm":
        return _norm(function, args, kwargs, given[0])
    weights = weights_of(function, args, kwargs)
    return Step(gain=0.0, back=0.0) if kind in MATRICES and weights is not None and not weights.any() else Step()


def _weights(kind: str, args: Sequence[Any], kwargs: dict[str, Any], x: Tensor) -> Step:
    weight, bias = _argument(args, kwargs, 1, "weight"), _argument(args, kwargs, 2, "bias")
    gain = _mean_square(weight) * weight[0].numel()
    if kind == "convolution":  # at the border some weights meet padding
        axes = weight.ndim - 2
        image, kernel = torch.ones(1, 1, *x.shape[-axes:]), torch.ones(1, 1, *weight.shape[2:])
        names = enumerate(("stride", "padding", "dilation"), 3)
        options = {name: found for place, name in names if (found := _argument(args, kwargs, place, name)) is not None}
        convolve: Callable[..., Tensor] = getattr(torch, f"conv{axes}d")
        gain *= convolve(image, kernel, **options).mean().item() / kernel.numel()
    return Step(gain=gain, offset=0.0 if bias is None else _mean_square(bias), back=gain)


def _norm(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], x: Tensor) -> Step:
    """Statistics held fixed; those of the units at one input are nearly constant in a wide network."""
    if function is functional.batch_norm:
        axes, places = [0, *range(2, x.ndim)], (3, 4, 7)
    elif function is functional.layer_norm:
        shape = _argument(args, kwargs, 1, "normalized_shape")
        axes, places = list(range(x.ndim - len(shape), x.ndim)), (2, 3, 4)
    elif function is functional.group_norm:
        x = x.reshape(len(x), _argument(args, kwargs, 1, "num_groups"), -1)
        axes, places = [2], (2, 3, 4)
    else:
        return Step()
    names = zip(places, ("weight", "bias", "eps"), strict=True)
    gain, shift, eps = (_argument(args, kwargs, place, name) for place, name in names)
    square = 1.0 if gain is None else _mean_square(gain)
    variance = x.detach().double().var(axes, correction=0)
    inverse = 1 / (variance + (EPSILON if eps is None else eps))
    passed = (variance * inverse).mean().item()
    offset = square * passed + (0.0 if shift is None else _mean_square(shift))
    return Step(gain=0.0, offset=offset, back=square * inverse.mean().item())


def _activation(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> theory.Activation | None:
    """None if an option is not the default one."""
    if name == "leaky_relu":
        slope = _argument(args, kwargs, 1, "negative_slope")
        return theory.leaky_relu(0.01 if slope is None else slope)
    options = [each for each in (*args[1:], *kwargs.values()) if isinstance(each, int | float)]
    usual = all(isinstance(each, bool) or each in (1.0, 20) for each in options)  # alpha, beta; softplus's threshold
    return ACTIVATIONS.get(name) if usual else None


def _argument(args: Sequence[Any], kwargs: dict[str, Any], place: int, name: str) -> Any:
    return args[place] if len(args) > place else kwargs.get(name)


def _mean_square(x: Tensor) -> float:
    sizes = x.detach().abs() if x.is_complex() else x.detach()  # a mask has none
    return sizes.double().square().mean().item()
