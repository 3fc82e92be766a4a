"""Sampling on a GPU: the same networks as on the CPU. Skipped where there is no GPU."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

import shattered_lite as sl

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU on this machine.")
LAW = {"depth": [1, 4], "width": 50, "networks": 20}
CASES = list(itertools.product(("none", "centred", "batch_norm", "layer_norm"), ("weights", "gram")))


def on(device: str, generator: torch.Generator, **law) -> tuple[Tensor, Tensor]:
    """In float64, so that no gate is decided by rounding."""
    inputs = torch.eye(4, dtype=torch.float64, device=device)
    gradients = sl.sample_gradients("residual", inputs=inputs, generator=generator, **LAW | law)
    assert gradients.device == inputs.device
    law = {name: value for name, value in law.items() if name != "gates"}
    return gradients, sl.sample_activations("residual", inputs=inputs, generator=generator, **LAW | law)


@pytest.mark.parametrize("gates", ["real", "independent"])
@pytest.mark.parametrize(("normalisation", "method"), CASES)
def test_a_generator_on_the_cpu_draws_the_same_networks(normalisation: str, method: str, gates: str) -> None:
    law = {"normalisation": normalisation, "method": method, "gates": gates}
    here, there = (on(device, torch.Generator().manual_seed(0), **law) for device in ("cpu", "cuda"))
    torch.testing.assert_close(there[0].cpu(), here[0], rtol=1e-6, atol=1e-8)
    assert torch.equal(there[1].cpu(), here[1])


@pytest.mark.parametrize("method", ["weights", "gram"])
def test_a_generator_on_the_gpu_draws_for_either(method: str) -> None:
    here, there = (on(device, torch.Generator("cuda").manual_seed(0), method=method) for device in ("cpu", "cuda"))
    torch.testing.assert_close(there[0].cpu(), here[0], rtol=1e-6, atol=1e-8)
    assert torch.equal(there[1].cpu(), here[1])


@pytest.mark.parametrize("method", ["weights", "gram"])
def test_the_gpu_draws_by_the_law(method: str) -> None:
    gradients = sl.sample_gradients(
        "plain", depth=3, width=200, inputs=torch.eye(2, device="cuda"), networks=2_000, gates="independent",
        method=method, generator=torch.Generator("cuda").manual_seed(0),
    )  # fmt: skip
    moments = sl.structure.pair_moments(gradients).cpu()
    sl.checks.agrees(moments[:, 1], sl.theory.plain(3).variance, "variance", false_alarm_rate=1e-4)
    sl.checks.agrees(moments, sl.theory.plain(3).correlation, "correlation", false_alarm_rate=1e-4)
