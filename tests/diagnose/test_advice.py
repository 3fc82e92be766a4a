"""What a diagnosis advises can be done, and helps; what a reader must know beside it is said."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from reading import seeded
from rich.console import Console
from torch import nn

import shattered_lite as sl

ROWS = torch.randn(16, 64, generator=seeded(1))


def plain(depth: int, dtype: torch.dtype = torch.float32) -> nn.Sequential:
    layers = [layer for _ in range(depth) for layer in (nn.Linear(64, 64), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(64, 10)).to(dtype)


@pytest.mark.parametrize(("depth", "dtype"), [(40, torch.float32), (120, torch.float32), (40, torch.float16)])
def test_a_gradient_that_underflows_has_vanished(depth: int, dtype: torch.dtype) -> None:
    found = sl.diagnose(plain(depth, dtype), ROWS.to(dtype))
    assert found.cause == "vanishing"
    assert "skip" in found.findings[0].changes[0].sentence


def test_units_that_are_off_are_dead_however_deep() -> None:
    network = plain(4)
    nn.init.constant_(network[2].bias, -10)
    assert sl.diagnose(network, ROWS).cause == "dead"


def test_gates_that_keep_the_state_cure_a_gru() -> None:
    network, sequences = nn.GRU(4, 32, batch_first=True), torch.randn(16, 200, 4, generator=seeded(2))
    last = {"output": lambda returned: returned[0][:, -1]}
    [first, *_] = sl.diagnose(network, sequences, **last).findings
    assert first.cause == "vanishing"
    exec(first.changes[0].code, {"layer": network, "hidden": 32})
    assert sl.diagnose(network, sequences, **last).cause == "healthy"


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [(nn.Linear(64, 64), ROWS), (nn.Conv1d(4, 4, 3, padding=1), ROWS.view(16, 4, 16))],
    ids=["linear", "conv1d"],
)
def test_what_he_would_refuse_is_not_advised(layer: nn.Module, inputs: torch.Tensor) -> None:
    layers = [deepcopy(layer) for _ in range(8)]
    network = nn.Sequential(*[each for layer in layers for each in (layer, nn.ReLU())], nn.Flatten())
    for each in network.parameters():
        nn.init.normal_(each, std=1e-3)
    [first, *_] = sl.diagnose(network, inputs).findings
    [code] = [each.code for each in first.changes if "Draw weights anew" in each.sentence]
    assert (code == "sl.he_(network)") == isinstance(layer, nn.Linear)
    for each in layers:
        exec(code, {"sl": sl, "nn": nn, "network": network, "layer": each})
    assert "Draw weights anew" not in str(sl.diagnose(network, inputs))


def test_notes_say_what_no_measure_shows() -> None:
    network = plain(2).requires_grad_(False)
    network[2].weight[0, 0] = torch.nan
    notes = " ".join(sl.diagnose(network, ROWS[:1]).notes)
    for said in ("Not finite: 2.weight.", "no parameter that learns", "One input"):
        assert said in notes


def test_both_losses_are_told_and_one_that_is_far_off_is_explained() -> None:
    network = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 1))
    assert "of the best constant answer" in str(sl.diagnose(plain(2), ROWS, torch.arange(16) % 10))
    assert "Standardise targets" in str(sl.diagnose(network, ROWS, 1e6 + torch.randn(16, 1)))


def test_a_terminal_of_80_columns_shows_every_column() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(sl.diagnose(plain(40), ROWS))
    [head] = [line for line in capture.get().splitlines() if line.startswith("layer")]
    assert head.split() == ["layer", "operation", "signal", "told", "apart", "dead", "gradient", "R", "R,", "near"]
    assert "operations." in capture.get()


def test_at_a_prompt_it_is_one_line() -> None:
    assert len(repr(sl.diagnose(plain(40), ROWS))) < 200
