"""Which networks, inputs and outputs can be measured; everything else is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

DEPENDENCE = (
    "network: its output at one input depends on another input; the first axis must count inputs, and only the batch "
    "norm of torch can be held constant"
)
NO_SLOPE = "network: its outputs do not depend on its inputs by steps that can be differentiated"
NO_LOOK_UP = (
    "inputs: the network looks these tokens up in no nn.Embedding; hand over the layers behind the "
    "embedding, and what it makes of the tokens"
)

Output = int | str | Callable[[Any], Tensor] | None  # which part of what a network returns


def check_network(network: object) -> None:
    """A module whose forward is open to the eye, with parameters that have a size."""
    if not isinstance(network, nn.Module):
        raise ValueError(f"network={network!r}: an nn.Module is needed; call a function in the forward of one")
    for name, module in network.named_modules():
        _check_module(name or "it", module)
    for name, parameter in chain(network.named_parameters(), network.named_buffers()):
        _check_parameter(name, parameter)


def _check_module(name: str, module: nn.Module) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError(f"network: {name} is compiled by torch.jit, which hides batch norm; use the original")
    if type(module).__name__ == "FullyShardedDataParallel":
        raise ValueError(f"network: {name} lies on several devices in pieces; use the network it was made of")
    if isinstance(module, torch.fx.GraphModule) and any("aten" in str(node.target) for node in module.graph.nodes):
        raise ValueError(f"network: {name} comes from torch.export, which hides batch norm; use the original")


def _check_parameter(name: str, parameter: Tensor) -> None:
    if is_lazy(parameter):
        raise ValueError(f"network: {name} has no size yet; call the network once on its inputs")
    if parameter.is_meta:
        raise ValueError(f"network: {name} is on the meta device and has no values; build it on a real one")
    if type(parameter.data).__name__ == "DTensor":
        raise ValueError(f"network: {name} lies on several devices in pieces; use the network it was made of")


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, of one that is compiled, or spread over several devices."""
    inner = getattr(network, "_orig_mod", None)
    if isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
        inner = network.module
    return unwrapped(inner) if isinstance(inner, nn.Module) else network


def check_inputs(network: nn.Module, inputs: object, *, tokens: bool = False) -> None:
    """Finite real numbers, where the network's parameters are and like them; or, if allowed, indices of a table."""
    if not isinstance(inputs, Tensor):
        raise ValueError(f"inputs: a {type(inputs).__name__}, but a tensor is needed")
    if inputs.ndim == 0 or inputs.numel() == 0:
        raise ValueError(f"inputs: shape {tuple(inputs.shape)}, but (inputs, ...) with no empty axis is needed")
    check_numbers(inputs)
    if tokens and inputs.dtype in (torch.int32, torch.int64):
        return
    if not inputs.is_floating_point():
        raise ValueError(
            f"inputs: {inputs.dtype} has no gradient; for tokens, hand over the layers behind the embedding, and what "
            "it makes of the tokens"
        )
    like = [parameter for parameter in network.parameters() if parameter.is_floating_point()]
    if like and all((each.dtype, each.device) != (inputs.dtype, inputs.device) for each in like):
        raise ValueError(
            f"inputs: {inputs.dtype} on {inputs.device}, but the network is {like[0].dtype} on {like[0].device}; "
            "convert one of them with .to()"
        )


def check_numbers(inputs: Tensor) -> None:
    """Dense, real and finite."""
    if inputs.is_complex() or inputs.layout != torch.strided or inputs.is_meta:
        raise ValueError(f"inputs: {inputs.dtype}, {inputs.layout}, on {inputs.device}: dense real numbers are needed")
    if not inputs.isfinite().all():
        raise ValueError("inputs: every entry must be finite")


def select(returned: object, output: Output, count: int) -> object:
    """What is asked for, of all that a network returns; by default the first that can be measured."""
    if callable(output):
        return output(returned)
    parts = _parts(returned)
    if parts is None and output is None:
        return returned
    for name, part in (parts or {}).items():
        if name == output or (output is None and _can_be_measured(part, count)):
            return part
    kinds = ", ".join(f"{name!r}: {_kind(part)}" for name, part in (parts or {}).items())
    raise ValueError(
        f"output={output!r}: the network returns a {type(returned).__name__} of {kinds or 'no parts'}; choose a part "
        f"that is floating-point with a row for each of {count} inputs, or give a function that makes one"
    )


def _parts(returned: object) -> dict[Any, Any] | None:
    """Of a dictionary, a tuple or a dataclass; some classes are more than one of these."""
    if isinstance(returned, Mapping):
        return dict(returned)
    if isinstance(returned, Sequence):
        return dict(enumerate(returned))
    if is_dataclass(returned):
        return {field.name: getattr(returned, field.name) for field in fields(returned)}
    return None


def _can_be_measured(part: object, count: int) -> bool:
    return isinstance(part, Tensor) and part.is_floating_point() and part.ndim > 0 and len(part) == count


def _kind(part: object) -> str:
    return f"{part.dtype} of shape {tuple(part.shape)}" if isinstance(part, Tensor) else type(part).__name__


def check_outputs(outputs: object, count: int) -> None:
    """One tensor, with a row for each input."""
    if not isinstance(outputs, Tensor):
        raise ValueError(f"network: returns a {type(outputs).__name__}, but a tensor is needed; pick one with output=")
    if outputs.ndim == 0 or len(outputs) != count or not outputs.is_floating_point():
        raise ValueError(
            f"network: returns {outputs.dtype} of shape {tuple(outputs.shape)}, but floating-point numbers of shape "
            f"({count}, ...) are needed, a row for each of {count} inputs"
        )
