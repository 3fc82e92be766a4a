"""Checks of arguments that several modules share."""

from __future__ import annotations

import torch


def check_generator(generator: object) -> None:
    """Refuse what is not a random number generator of PyTorch."""
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator={generator!r}: a torch.Generator is needed, such as torch.Generator().manual_seed(0)"
        )
