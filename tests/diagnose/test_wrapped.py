"""A diagnosis of networks that are compiled, wrapped, checkpointed, recurrent, or branch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from reading import ROWS, SERIES, agrees, diagnosed, perceptron, rms, seeded, signals
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import shattered_lite as sl

# Compiled, and wrapped


def test_compiled_networks_run_eagerly() -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS)
    for compiled in (
        torch.compile(network, backend="eager"),
        nn.DataParallel(torch.compile(network, backend="eager")),
    ):
        found = diagnosed(compiled, ROWS)
        assert found.to_dict() == wanted.to_dict()
    assert wanted.network == "Sequential"


def test_inner_parts_may_be_compiled() -> None:
    network = perceptron(7, 6, 6, 3)
    wanted = diagnosed(network, ROWS)
    inner = nn.Sequential(network[0], torch.compile(network[1:], backend="eager"))
    inner(ROWS)
    found = agrees(inner, ROWS)
    assert signals(found) == pytest.approx(signals(wanted), rel=1e-6)


def test_a_network_may_be_compiled_in_place() -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS)
    network.compile(backend="eager")
    network(ROWS)
    assert diagnosed(network, ROWS).to_dict() == wanted.to_dict()
    network.forward = torch.compile(network.forward, backend="eager")
    assert diagnosed(network, ROWS).to_dict() == wanted.to_dict()


@contextmanager
def one_process(folder: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=0, world_size=1)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def test_wrapped_for_several_devices(tmp_path: Path) -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS).to_dict()
    with one_process(tmp_path):
        for wrapped in (
            nn.DataParallel(network),
            nn.parallel.DistributedDataParallel(copy.deepcopy(network)),
            torch.compile(nn.parallel.DistributedDataParallel(copy.deepcopy(network)), backend="eager"),
        ):
            assert diagnosed(wrapped, ROWS).to_dict() == wanted


def test_pieces_on_several_devices_are_refused(tmp_path: Path) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import distribute_tensor

    class FullyShardedDataParallel(nn.Module):
        """The name is what tells it."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(7, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)

    with pytest.raises(ValueError, match=r"network: 1 lies on several devices in pieces; use the network it was made"):
        sl.diagnose(nn.Sequential(nn.Linear(7, 7), FullyShardedDataParallel()), ROWS)
    with one_process(tmp_path):
        network = perceptron(7, 6, 3)
        mesh = init_device_mesh("cpu", (1,))
        network[2].weight = nn.Parameter(distribute_tensor(network[2].weight.detach(), mesh))
        with pytest.raises(ValueError, match=r"network: 2\.weight lies on several devices in pieces"):
            sl.diagnose(network, ROWS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:.*jit.*:UserWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.jit.script(nn.Linear(7, 3)), "network: it is compiled by torch.jit, .*; use the original"),
        (lambda: torch.jit.trace(nn.Linear(7, 3), ROWS), "network: it is compiled by torch.jit, .*; use the original"),
        (
            lambda: nn.Sequential(nn.Linear(7, 7), torch.jit.script(nn.Linear(7, 3))),
            "network: 1 is compiled by torch.jit",
        ),
        (
            lambda: torch.export.export(nn.Linear(7, 3), (ROWS,)).module(),
            "network: it comes from torch.export, .*; use the original",
        ),
        (
            lambda: nn.Sequential(nn.Linear(7, 7), torch.export.export(nn.Linear(7, 3), (ROWS,)).module()),
            "network: 1 comes from torch.export",
        ),
        (
            lambda: nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3, device="meta")),
            r"network: 1\.weight is on the meta device .*; build it on a real one",
        ),
        (
            lambda: nn.Sequential(nn.Linear(7, 5), nn.LazyLinear(3)),
            r"network: 1\.weight has no size yet; call the network once",
        ),
        (
            lambda: nn.Sequential(nn.Linear(7, 5), nn.LazyBatchNorm1d(affine=False)),
            r"network: 1.* no size yet; call the network once",
        ),
        (lambda: torch.sin, "network=.*: an nn.Module is needed"),
        (lambda: nn.Linear, "network=.*: an nn.Module is needed"),
        (lambda: None, "network=None: an nn.Module is needed"),
    ],
    ids=[
        "scripted", "traced", "scripted inside", "exported", "exported inside", "meta", "lazy", "lazy buffers",
        "function", "class", "nothing",
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_measured_is_refused_by_name(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(make(), ROWS, generator=seeded(1))


def test_a_graph_of_fx_is_a_network_as_any_other() -> None:
    network = perceptron(7, 6, 3)
    agrees(torch.fx.symbolic_trace(network), ROWS, network)


# Checkpoints, recurrent layers, branches


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool, norm: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(7, 6), nn.BatchNorm1d(6) if norm else nn.Identity(), nn.Tanh())
        self.second = nn.Sequential(nn.Linear(6, 6), nn.Tanh())
        self.head, self.reentrant = nn.Linear(6, 3), reentrant

    def forward(self, x: Tensor) -> Tensor:
        for segment in (self.first, self.second):
            x = checkpoint(segment, x, use_reentrant=self.reentrant)
        return self.head(x)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("reentrant", [True, False])
def test_gradient_checkpointing(reentrant: bool, norm: bool) -> None:
    network = Checkpointed(reentrant, norm)
    found = agrees(network, ROWS, nn.Sequential(network.first, network.second, network.head))
    assert "head" in [layer.name for layer in found.layers]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_may_be_the_last_thing(reentrant: bool) -> None:
    class All(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = perceptron(7, 6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.inner, x, use_reentrant=reentrant)

    network = All()
    agrees(network, ROWS, network.inner)


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], batch_first: bool, takes: str, bidirectional: bool = False) -> None:
        super().__init__()
        self.recurrent = kind(4, 6, batch_first=batch_first, bidirectional=bidirectional)
        self.head, self.takes = nn.Linear(6 * (1 + bidirectional), 3), takes

    def forward(self, x: Tensor) -> Tensor:
        batch_first = self.recurrent.batch_first
        outputs, state = self.recurrent(x if batch_first else x.transpose(0, 1))
        if self.takes == "outputs":
            last = outputs[:, -1] if batch_first else outputs[-1]
        else:
            last = (state[0] if isinstance(state, tuple) else state)[-1]
        return self.head(last)


@pytest.mark.parametrize("takes", ["outputs", "state"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers(kind: type[nn.RNNBase], batch_first: bool, takes: str) -> None:
    network = Recurrent(kind, batch_first, takes)
    found = agrees(network, SERIES)
    assert [layer.name for layer in found.layers] == ["inputs", "recurrent", "head"]
    hidden = network.recurrent(SERIES if batch_first else SERIES.transpose(0, 1))[0]
    assert found.layers[1].signal == pytest.approx(rms(hidden), rel=1e-5)


@pytest.mark.parametrize("batch_first", [True, False])
def test_forgetting_is_told_from_either_axis_of_time(batch_first: bool) -> None:
    """An LSTM that forgets at once, over 40 steps."""
    network = Recurrent(nn.LSTM, batch_first, "outputs")
    with torch.no_grad():
        for bias in (network.recurrent.bias_ih_l0, network.recurrent.bias_hh_l0):
            bias[6:12] = -10.0
    found = diagnosed(network, torch.randn(6, 40, 4, generator=seeded(2)))
    [finding] = [each for each in found.findings if each.layer == "recurrent"]
    assert finding.cause == "vanishing"
    assert "step" in finding.sentence


def test_a_stack_that_goes_both_ways() -> None:
    agrees(Recurrent(nn.LSTM, True, "outputs", bidirectional=True), SERIES)


def test_packed_sequences() -> None:
    class Packed(Recurrent):
        def forward(self, x: Tensor) -> Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.full((len(x),), x.shape[1]), batch_first=True)
            outputs, _ = nn.utils.rnn.pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)
            return self.head(outputs[:, -1])

    network = Packed(nn.GRU, True, "outputs")
    plain = Recurrent(nn.GRU, True, "outputs")
    plain.load_state_dict(network.state_dict())
    agrees(network, SERIES, plain)


class Cells(nn.Module):
    def __init__(self, cell: nn.Module, fresh: bool) -> None:
        super().__init__()
        self.cell, self.head, self.fresh = cell, nn.Linear(6, 3), fresh

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), 6)
        states = x.new_zeros(len(x), x.shape[1], 6)
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
            if isinstance(state, tuple):
                state = state[0]
            states[:, step] = state
        return self.head(states.mean(1) if self.fresh else state)


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("cell", [nn.GRUCell, nn.RNNCell])
def test_loops_over_cells(cell: type[nn.Module], fresh: bool) -> None:
    found = agrees(Cells(cell(4, 6), fresh), SERIES)
    assert found.layers[-1].name == "head"


def test_a_loop_over_cells_of_an_lstm() -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = nn.LSTMCell(4, 6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            state = None
            for step in x.unbind(1):
                state = self.cell(step, state)
            return self.head(state[0])

    found = agrees(Loop(), SERIES)
    assert found.layers[-1].name == "head"


class Branch(nn.Module):
    """Looks at a number before it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(7, 3), nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) if len(x) > 1 and x.abs().max().item() < 1e6 else self.other(x)


def test_branches_that_look_at_numbers() -> None:
    network = Branch()
    agrees(network, ROWS, network.one)
    agrees(network, 1e7 * ROWS, network.other)


def test_a_branch_may_be_another_on_the_line() -> None:
    class ByCount(Branch):
        def forward(self, x: Tensor) -> Tensor:
            return self.one(x) if len(x) == 8 else self.other(x)

    found = diagnosed(ByCount(), ROWS, drawn=True)
    assert len(found.layers) == 2
    assert math.isnan(found.layers[0].curvature)
