"""Running somebody's network without leaving a trace in it, or in torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from itertools import chain
from typing import Any

import torch
from torch import nn

OF_EVERY_MODULE = frozenset(vars(nn.Module()))  # parameters, buffers, hooks, mode: each is seen to by itself


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Every module as in evaluation, and afterwards as it was; by the flags alone, since ``.eval()`` may do more."""
    modes = {module: module.training for module in network.modules()}
    try:
        for module in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def same_random_numbers(device: torch.device) -> AbstractContextManager[None]:
    """Afterwards torch draws what it would have drawn before."""
    return torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type)


def _eager() -> AbstractContextManager[Any]:
    """Compiled parts run as they were written, so that it can be seen what they do."""
    stance = getattr(torch.compiler, "set_stance", None)  # since torch 2.6
    return nullcontext() if stance is None else stance("force_eager")


@contextmanager
def _same_attributes(network: nn.Module) -> Iterator[None]:
    """What a forward pass writes in plain attributes, such as a counter, a list or a cache, is afterwards as before."""

    def own(module: nn.Module) -> dict[str, Any]:
        return {name: value for name, value in vars(module).items() if name not in OF_EVERY_MODULE}

    kept = {module: own(module) for module in network.modules()}
    values = [value for attributes in kept.values() for value in attributes.values()]
    lists = [(value, copy(value)) for value in values if type(value) is list]
    others = [(value, copy(value)) for value in values if type(value) in (dict, set)]
    try:
        yield
    finally:
        for module, attributes in kept.items():
            for name in own(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)
        for value, content in lists:
            value[:] = content
        for value, content in others:
            value.clear()
            value.update(content)


@contextmanager
def undisturbed(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Evaluate, and differentiate with respect to inputs alone, in full precision; leave no trace."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    kept = [(tensor, tensor.detach().clone()) for tensor in chain(network.parameters(), network.buffers())]
    places = [
        (module, name, buffer)
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False, remove_duplicate=False)
    ]
    with_cudnn = torch.backends.cudnn.enabled
    if any(isinstance(module, nn.RNNBase) for module in network.modules()):
        torch.backends.cudnn.enabled = False  # it goes back through recurrent layers in training only
    try:
        with (
            same_random_numbers(device),
            torch.autocast(device.type, enabled=False),
            torch.inference_mode(False),
            torch.enable_grad(),
            _eager(),
            evaluating(network),
            _same_attributes(network),
        ):
            for parameter in trained:
                parameter.requires_grad_(False)
            yield
    finally:
        torch.backends.cudnn.enabled = with_cudnn
        for parameter in trained:
            parameter.requires_grad_()
        for module, name, buffer in places:
            if getattr(module, name) is not buffer:
                setattr(module, name, buffer)
        with torch.no_grad():
            for tensor, value in kept:
                if not torch.equal(tensor, value):  # a copy would break a backward pass that is still to come
                    tensor.copy_(value)
