"""Which networks, inputs and outputs can be measured; everything else is refused by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def check_network(network: object) -> None:
    """A module whose forward is open to the eye, with parameters that have a size."""
    if not isinstance(network, nn.Module):
        raise ValueError(f"network={network!r}: an nn.Module is needed; call a function in the forward of one")
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(
                f"network: {name or 'it'} is compiled by torch.jit, which hides batch norm; use the original"
            )
    for name, parameter in network.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"network: {name} has no size yet; call the network once on its inputs")


def check_inputs(network: nn.Module, inputs: object) -> None:
    """Finite real numbers, where the network's parameters are and like them."""
    if not isinstance(inputs, Tensor):
        raise ValueError(f"inputs: a {type(inputs).__name__}, but a tensor is needed")
    if inputs.ndim == 0 or inputs.numel() == 0:
        raise ValueError(f"inputs: shape {tuple(inputs.shape)}, but (inputs, ...) with no empty axis is needed")
    check_numbers(inputs)
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


def check_outputs(outputs: object, count: int) -> None:
    """One tensor, with a row for each input."""
    if not isinstance(outputs, Tensor):
        raise ValueError(
            f"network: returns a {type(outputs).__name__}, but one tensor is needed; wrap it in a module whose forward "
            "picks one"
        )
    if outputs.ndim == 0 or len(outputs) != count or not outputs.is_floating_point():
        raise ValueError(
            f"network: returns {outputs.dtype} of shape {tuple(outputs.shape)}, but floating-point numbers of shape "
            f"({count}, ...) are needed, a row for each of {count} inputs"
        )
