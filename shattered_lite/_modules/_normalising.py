"""Batch norm with statistics that are measured, or held; and what a network looks at.

Normalisation is met where it is called, whichever module calls it: nothing is copied, no hook is registered, and each
use of a layer that is used twice has statistics of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

READING = (
    Tensor.__bool__, Tensor.__contains__, Tensor.__float__, Tensor.__index__, Tensor.__int__, Tensor.item, Tensor.numpy,
    Tensor.tolist, torch.allclose, torch.equal, torch.is_nonzero,
)  # fmt: skip


class BatchStatistics(NamedTuple):
    """What one use of a batch norm subtracts and divides by; ``owner`` is a tensor of the layer, if it has any."""

    owner: Tensor | None
    mean: Tensor
    variance: Tensor


class Source(Protocol):
    """Where statistics come from."""

    def of_use(self, owner: Tensor | None, values: Tensor) -> BatchStatistics:
        """Statistics of the next use of a batch norm."""

    def finish(self) -> None:
        """The network has run."""


class Measured:
    """Statistics of what passes, kept in the order of the uses."""

    def __init__(self) -> None:
        self.statistics: list[BatchStatistics] = []

    def of_use(self, owner: Tensor | None, values: Tensor) -> BatchStatistics:
        """Mean and biased variance of each channel."""
        if values.numel() == values.shape[1]:
            raise ValueError(
                "inputs: batch norm needs statistics of more than 1 value per channel; give 2 inputs or more"
            )
        axes = [axis for axis in range(values.ndim) if axis != 1]
        precise = values.detach().to(torch.promote_types(values.dtype, torch.float32))
        variance, mean = torch.var_mean(precise, axes, correction=0)
        self.statistics.append(BatchStatistics(owner, mean, variance))
        return self.statistics[-1]

    def finish(self) -> None:
        """As many uses as there are."""


class Held:
    """Statistics that were measured before, in the order of their uses."""

    def __init__(self, statistics: Sequence[BatchStatistics], *, with_gradients: bool = False) -> None:
        self.statistics, self.used, self.finished = statistics, 0, False
        self.with_gradients = with_gradients  # so that a use without them is one that will come again, unseen

    def of_use(self, owner: Tensor | None, values: Tensor) -> BatchStatistics:
        """The next ones; where checkpointing computes a layer again, those of that layer."""
        if self.finished:
            again = [each for each in self.statistics if each.owner is owner]
            if len(again) != 1:
                raise ValueError(
                    "network: a batch norm under gradient checkpointing is used twice, or has no parameters; nothing "
                    "tells which use is computed again, so switch checkpointing off"
                )
            return again[0]
        if self.with_gradients and not torch.is_grad_enabled():
            raise ValueError("freeze: a batch norm lies under gradient checkpointing, or no_grad; switch it off")
        self.used += 1
        if self.used > len(self.statistics):
            self._refuse()
        use = self.statistics[self.used - 1]
        if owner is not use.owner and (owner is None or isinstance(owner, nn.Parameter)):
            self._refuse()
        return use

    def finish(self) -> None:
        """The network has run; what follows is computed again."""
        if self.used != len(self.statistics):
            self._refuse()
        self.finished = True

    def _refuse(self) -> None:
        raise ValueError(
            f"network: with all inputs together batch norm was used {len(self.statistics)} times, now {self.used} "
            "times or in another order; where a branch that depends on the input decides, there is nothing to hold"
        )


class Watching(TorchFunctionMode):
    """Normalisation as it is; notes whether the network looks at a number, since it may branch on it.

    And which leaves of the graph are nobody's parameters: their gradients are to be what they were.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reads_values = False
        self.leaves: Any = WeakIdKeyDictionary()
        self.constant: Any = WeakIdKeyDictionary()  # whether only their values were used, as under no_grad
        self.parameters = 0  # among them; one of a layer that is made on the way is gone afterwards

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        own: dict[Callable[..., Any], Callable[..., Any]] = {
            functional.batch_norm: self.batch_norm,
            torch.batch_norm: self._batch_norm,
            functional.instance_norm: self.instance_norm,
        }
        self.reads_values = self.reads_values or function in READING
        leaves = [each for each in tensors_in((args, kwargs or {})) if each.requires_grad and each.is_leaf]
        if torch.is_grad_enabled():
            for each in leaves:
                if each not in self.leaves:
                    self.leaves[each] = None if each.grad is None else each.grad.clone()
                    self.parameters += isinstance(each, nn.Parameter)
        result = own.get(function, function)(*args, **(kwargs or {}))
        made = list(tensors_in(result)) if leaves else []
        if made or function in READING:
            for each in leaves:
                self.constant[each] = self.constant.get(each, True) and not any(x.requires_grad for x in made)
        return result

    def _batch_norm(self, values: Tensor, weight: Any, bias: Any, mean: Any, variance: Any, *rest: Any) -> Tensor:
        """The order in which ``torch.batch_norm`` takes what ``functional.batch_norm`` takes."""
        return self.batch_norm(values, mean, variance, weight, bias, *rest[:3])

    def batch_norm(
        self,
        values: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """With running averages, which must be there."""
        if training:
            raise ValueError("statistics='running': a batch norm in the network keeps no averages; choose 'inputs'")
        return functional.batch_norm(values, running_mean, running_var, weight, bias, eps=eps)

    def instance_norm(self, values: Tensor, *args: Any, **options: Any) -> Tensor:
        """As its module asks."""
        return functional.instance_norm(values, *args, **options)

    def finish(self) -> None:
        """The network has run; whatever follows is computed again."""

    def restore(self) -> None:
        """Give leaves the gradients back that they had."""
        for leaf, gradient in self.leaves.items():
            leaf.grad = None if gradient is None else leaf.grad.copy_(gradient)


class Normalising(Watching):
    """Batch norm takes its statistics from a source, instance norm those of each input."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def batch_norm(
        self,
        values: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """With the statistics of this use; written out, so that a frozen network around this one does not see it."""
        _, mean, variance = self.source.of_use(running_mean if weight is None else weight, values)
        mean, scale = (_along_channels(each, values.ndim) for each in (mean, (variance + eps).rsqrt()))
        if weight is not None:
            scale = scale * _along_channels(weight, values.ndim)
        shift = 0 if bias is None else _along_channels(bias, values.ndim)
        return ((values - mean) * scale + shift).to(values.dtype)

    def finish(self) -> None:
        """No use of a batch norm is missing."""
        self.source.finish()

    def instance_norm(
        self,
        values: Tensor,
        running_mean: Tensor | None = None,
        running_var: Tensor | None = None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        use_input_stats: bool = True,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        """With each input's own statistics, as in training."""
        return functional.instance_norm(values, None, None, weight, bias, eps=eps)


def _along_channels(numbers: Tensor, axes: int) -> Tensor:
    return numbers.view(1, -1, *[1] * (axes - 2))


def tensors_in(thing: Any) -> Iterator[Tensor]:
    """All of them, in lists, tuples and dictionaries within each other."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, list | tuple):
        for each in thing:
            yield from tensors_in(each)
    elif isinstance(thing, dict):
        for each in thing.values():
            yield from tensors_in(each)
