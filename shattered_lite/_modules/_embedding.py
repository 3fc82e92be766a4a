"""Where tokens become numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class Embedding(TorchFunctionMode):
    """The first look-up in a table of one of these tensors, which are tokens, as the point to differentiate at."""

    def __init__(self, *tokens: Tensor) -> None:
        super().__init__()
        self.tokens = [each for each in tokens if not each.is_floating_point()]
        self.values: Tensor | None = None

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        looks_up = function in (functional.embedding, functional.embedding_bag)
        if looks_up and self.values is None and torch.is_grad_enabled():
            indices = args[0] if args else (kwargs or {})["input"]
            if any(_hold(indices, tokens) for tokens in self.tokens):
                point = self.values = result.detach().requires_grad_()
                return point.clone()
        return result


def _hold(indices: Tensor, tokens: Tensor) -> bool:
    """Whether these are the tokens; or a piece of each input's; or they among others, such as one for the class."""
    if len(indices) != len(tokens):
        return indices.numel() == tokens.numel() and bool((indices.flatten() == tokens.flatten()).all())
    short, long = sorted((x.reshape(len(tokens), -1) for x in (indices, tokens)), key=lambda each: each.shape[1])
    windows = long.unfold(1, short.shape[1], 1)  # (inputs, places, columns)
    return bool((windows == short.unsqueeze(1)).all(2).all(0).any())
