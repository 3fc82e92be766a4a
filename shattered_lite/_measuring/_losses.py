"""Outputs and targets: the loss as it is, that of saying the same of every input, and what no step can reach."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100  # a target that torch leaves out
RANGES = {
    "sigmoid": (0, 1), "hardsigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "hardtanh": (-1, 1),
    "cosine_similarity": (-1, 1), "relu6": (0, 6), "relu": (0, None), "softplus": (0, None), "exp": (0, None),
    "abs": (0, None), "logsigmoid": (None, 0),
}  # fmt: skip
SMOOTH, CUT = ("sigmoid", "tanh"), ("relu", "relu6", "hardtanh", "hardsigmoid", "clamp")  # they end where they are flat
FLAT = 1e-3  # of the greatest slope


def check_targets(targets: object) -> None:
    """Class numbers, or other real numbers."""
    if targets is None:
        return
    if not isinstance(targets, Tensor) or targets.is_complex() or not targets.numel():
        raise ValueError(f"targets={targets!r}: a tensor of class numbers, or of real numbers, is needed")
    if not targets.isfinite().all():
        raise ValueError("targets: every entry must be finite")


class Compared(NamedTuple):
    """Outputs with targets."""

    loss: float = math.nan  # cross-entropy of class numbers, or mean squared error
    guessing: float = math.nan  # that of the best answer that is always the same
    numbers: bool = False  # whether targets are, and not classes
    least: float = 0.0  # loss that the last activation leaves, whatever goes into it
    stuck: float = 0.0  # share of outputs that are wrong, and where the slope of what made them is nearly 0


def compare(outputs: Tensor, operation: str, targets: Tensor | None) -> Compared:
    """What a network's last operation made with what it should have made."""
    if targets is None:
        return Compared()
    if not targets.is_floating_point():
        loss, guessing, least = _cross_entropy(outputs, operation, targets)
        return Compared(loss, guessing, least=least)
    outputs, targets = outputs.double(), targets.double()
    losses = _squared(outputs, targets)
    low, high = RANGES.get(operation, (None, None))
    least = (targets - targets.clamp(low, high)).square().mean().item() if operation in RANGES else 0.0
    return Compared(*losses, True, least, _stuck(outputs, operation, targets))


def _least(scores: Tensor, operation: str) -> float:
    """Cross-entropy of scores of which the right one is as high, and all others are as low, as they can be."""
    low, high = RANGES.get(operation, (None, None))
    if (scores >= 0).all() and torch.allclose(scores.sum(1), torch.ones_like(scores[:, 0]), atol=1e-3):
        low, high = 0, 1  # a softmax, whoever wrote it
    return 0.0 if low is None or high is None else math.log1p((scores.shape[1] - 1) * math.exp(low - high))


def _stuck(outputs: Tensor, operation: str, targets: Tensor) -> float:
    if operation in SMOOTH:
        made, wanted = (x if operation == "tanh" else 2 * x - 1 for x in (outputs, targets))
        flat = (1 - made.square() < FLAT) & ((made - wanted).abs() > 1)
    else:  # of a clamp, the ends are where outputs tie
        low, high = RANGES.get(operation, outputs.aminmax() if outputs.amin() < outputs.amax() else (None, None))
        flat = ((outputs == low) | (outputs == high)) & (outputs != targets)
    return flat.double().mean().item() if operation in (*SMOOTH, *CUT) else 0.0


def _squared(outputs: Tensor, targets: Tensor) -> tuple[float, float]:
    shape = tuple(outputs.shape)
    if targets.shape != outputs.shape:
        hint = ""
        if targets.shape == outputs.shape[:1] and bool((targets == targets.round()).all()):
            hint = "; if they are class numbers, give targets.long()"
        elif targets.numel() == outputs.numel():
            hint = f"; give targets.view{shape}"
        raise ValueError(f"targets: shape {tuple(targets.shape)}, but the outputs have {shape}{hint}")
    error = (outputs - targets).square().mean()
    return error.item(), (targets - targets.mean(0)).square().mean().item()


def _cross_entropy(outputs: Tensor, operation: str, targets: Tensor) -> tuple[float, float, float]:
    scores = outputs if targets.shape == outputs.shape[:-1] else outputs.movedim(1, -1) if outputs.ndim > 1 else outputs
    if outputs.ndim < 2 or targets.shape != scores.shape[:-1]:
        hint = ""
        if targets.shape == outputs.shape:
            hint = "; of one-hot rows give targets.argmax(-1), of other whole numbers targets.float()"
        raise ValueError(
            f"targets: shape {tuple(targets.shape)}, but outputs of shape {tuple(outputs.shape)} need a class number "
            f"for each row, or floating-point numbers of the same shape{hint}"
        )
    classes = targets.flatten().long()
    counted = classes != IGNORED
    classes, scores = classes[counted], scores.flatten(0, -2)[counted].double()
    if not len(classes) or int(classes.min()) < 0 or int(classes.max()) >= scores.shape[1]:
        least, most = (int(each(classes)) for each in (torch.min, torch.max)) if len(classes) else (IGNORED, IGNORED)
        hint = "; to one output give targets.float()[:, None]" if scores.shape[1] == 1 else ""
        raise ValueError(f"targets: from {least} to {most}, but the outputs score {scores.shape[1]} classes{hint}")
    shares = torch.bincount(classes, minlength=scores.shape[1]).double() / len(classes)
    loss, guessing = functional.cross_entropy(scores, classes), torch.special.entr(shares).sum()
    return loss.item(), guessing.item(), _least(scores, operation)
