"""Argument checks that several rooms share."""

from __future__ import annotations

import torch


def check_generator(generator: object) -> None:
    """Refuse what is not a torch.Generator, and say how to make one."""
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator={generator!r}: a torch.Generator is needed, such as torch.Generator().manual_seed(0)"
        )
