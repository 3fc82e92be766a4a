"""Each test of a diagnosis draws the same random numbers, and leaves no figure open."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
import torch

pytest.register_assert_rewrite("reading")


@pytest.fixture(autouse=True)
def reproducible() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    plt.close("all")
