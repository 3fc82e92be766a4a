"""What a diagnosis says of sequences: by torch's layers, by torch's cells, and by loops of one's own."""

from __future__ import annotations

import pytest
import torch
from reading import diagnosed, seeded
from torch import Tensor, nn

import shattered_lite as sl

STEPS = torch.randn(16, 40, 8, generator=seeded(1))


class Last(nn.Module):
    """A class by the last state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0][:, -1])


class Loop(nn.Module):
    """What torch.nn.RNN does, step by step."""

    def __init__(self, layer: nn.RNN) -> None:
        super().__init__()
        self.enter, self.recur = nn.Linear(8, 32), nn.Linear(32, 32)
        for mine, which in ((self.enter, "ih"), (self.recur, "hh")):
            mine.weight, mine.bias = getattr(layer, f"weight_{which}_l0"), getattr(layer, f"bias_{which}_l0")

    def forward(self, x: Tensor) -> tuple[Tensor]:
        state = x.new_zeros(len(x), 32)
        states = []
        for step in x.unbind(1):
            state = torch.tanh(self.enter(step) + self.recur(state))
            states.append(state)
        return (torch.stack(states, 1),)


class Cell(nn.Module):
    """A cell of torch, called at each step."""

    def __init__(self, cell: nn.RNNCellBase) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> tuple[Tensor]:
        state, states = None, []
        for step in x.unbind(1):
            state = self.cell(step, state)
            states.append(state)
        return (torch.stack(states, 1),)


def cell_of(layer: nn.RNN) -> Cell:
    cell = nn.RNNCell(8, 32)
    for name, weights in layer.named_parameters():
        setattr(cell, name.removesuffix("_l0"), weights)
    return Cell(cell)


@pytest.mark.parametrize(("gain", "cause"), [(0.5, "vanishing"), (1.0, "healthy"), (8.0, "exploding")])
def test_a_loop_is_told_what_the_layer_is_told(gain: float, cause: str) -> None:
    layer = nn.RNN(8, 32, batch_first=True)
    nn.init.orthogonal_(layer.weight_hh_l0, gain, generator=seeded(2))
    nn.init.normal_(layer.weight_ih_l0, std=0.1, generator=seeded(3))
    found = [diagnosed(Last(each), STEPS) for each in (layer, Loop(layer), cell_of(layer))]
    if cause == "exploding":  # chaos shatters too: then both are found
        assert all(cause in [finding.cause for finding in each.findings] for each in found)
    else:
        assert [each.cause for each in found] == [cause] * 3


def test_a_loop_of_sigmoids_is_told_to_take_another_activation_first() -> None:
    class Sigmoids(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter, self.recur, self.head = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 4)

        def forward(self, x: Tensor) -> Tensor:
            state = x.new_zeros(len(x), 32)
            for step in x.unbind(1):
                state = torch.sigmoid(self.enter(step) + self.recur(state))
            return self.head(state)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        network = Sigmoids()
    found = sl.diagnose(network, STEPS, generator=seeded(5))
    assert (found.cause, found.findings[0].layer) == ("vanishing", "enter")
    assert found.findings[0].changes[0].code.startswith("nn.Tanh()")
