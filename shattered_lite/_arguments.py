"""What rooms of every floor ask of an argument."""

from __future__ import annotations

import torch


def check_generator(generator: object) -> None:
    """Refuse what draws no random numbers."""
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator={generator!r}: a torch.Generator is needed, such as torch.Generator().manual_seed(0)"
        )
