"""What a diagnosis advises can be done, and helps; what a reader must know beside it is said."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from reading import seeded
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional as F

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
    network = plain(2)
    network[2].requires_grad_(False).weight[0, 0] = torch.nan
    notes = " ".join(sl.diagnose(network, ROWS[:1]).notes)
    for said in ("Not finite: 2.weight.", "Frozen: 2 of 6 parameters.", "One input"):
        assert said in notes


def test_averages_of_other_inputs_are_noted_where_they_would_be_used() -> None:
    network = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    for _ in range(100):
        network(100 * ROWS)
    said = "In eval() averages are used that are far from these inputs': 1."
    assert said not in sl.diagnose(network, ROWS).notes
    network.eval()
    assert said in sl.diagnose(network, ROWS).notes
    assert said not in sl.diagnose(network, 100 * ROWS).notes


def first_cure(network: nn.Module, inputs: torch.Tensor, targets: torch.Tensor | None = None) -> sl.diagnosis.Change:
    return sl.diagnose(network, inputs, targets).findings[0].changes[0]


def test_both_losses_are_told_and_one_that_is_far_off_is_a_fault() -> None:
    assert "of the best constant answer" in str(sl.diagnose(plain(2), ROWS, torch.arange(16) % 10))
    network, targets = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 1)), 1e6 + torch.randn(16, 1)
    assert sl.diagnose(network, ROWS, targets).cause == "exploding"
    assert first_cure(network, ROWS, targets).sentence == "Standardise the targets."
    assert sl.diagnose(network, ROWS, (targets - targets.mean()) / targets.std()).cause == "healthy"
    assert sl.diagnose(network, ROWS, torch.ones(16, 1)).cause == "healthy"  # guessing has no loss to compare with


def test_outputs_far_too_large_are_a_fault() -> None:
    network, targets = plain(2), torch.arange(16) % 10
    network[4].weight.data *= 1e5
    assert sl.diagnose(network, ROWS, targets).cause == "exploding"
    exec(first_cure(network, ROWS, targets).code, {"nn": nn, "network": network})
    assert sl.diagnose(network, ROWS, targets).cause == "healthy"
    assert first_cure(plain(2), 900 * ROWS.abs() + 1e5, targets).sentence == "Standardise the inputs."


def test_units_that_are_all_the_same_are_one() -> None:
    network = plain(2)
    nn.init.constant_(network[2].weight, 0.02)
    nn.init.zeros_(network[2].bias)
    found = sl.diagnose(network, ROWS)
    assert (found.cause, found.findings[0].layer) == ("collapsed", "2")
    sl.he_(network)
    assert sl.diagnose(network, ROWS).cause == "healthy"


def test_a_network_that_is_frozen_whole_cannot_learn() -> None:
    network = plain(2).requires_grad_(False)
    assert sl.diagnose(network, ROWS).cause == "dead"
    exec(first_cure(network, ROWS).code, {"network": network})
    assert sl.diagnose(network, ROWS).cause == "healthy"
    assert sl.diagnose(nn.Tanh(), ROWS).cause == "healthy"  # it has none


class Between(nn.Module):
    """Two layers with something between them."""

    def __init__(self, between: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.body, self.head, self.between = nn.Linear(64, 64), nn.Linear(64, 10), between

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.between(self.body(x).tanh()))


@pytest.mark.parametrize(
    "between",
    [
        Tensor.detach,
        torch.round,
        torch.sign,
        lambda x: torch.tensor(x.tolist()),
        lambda x: F.one_hot(x.argmax(1), 64).float(),
    ],
    ids=["detach", "round", "sign", "numbers", "argmax"],
)
def test_a_gradient_that_is_cut_off_is_dead_where_it_is_cut(between: Callable[[Tensor], Tensor]) -> None:
    found = sl.diagnose(Between(between), ROWS)
    assert found.cause == "dead"
    assert "in place of layer(x).detach()" in found.findings[0].changes[0].code
    assert sl.diagnose(Between(lambda x: x), ROWS).cause == "healthy"


def test_a_body_that_is_frozen_on_purpose_may_be_cut_off() -> None:
    network = Between(Tensor.detach)
    network.body.requires_grad_(False)
    with pytest.raises(ValueError, match="by steps that can be differentiated"):
        sl.diagnose(network, ROWS)


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("dropout", [lambda p: nn.Dropout(p), lambda p: lambda x: F.dropout(x, p, training=False)])
def test_dropout_of_nearly_all_is_dead(share: float, dropout: Callable[[float], Callable[[Tensor], Tensor]]) -> None:
    found = sl.diagnose(Between(dropout(share)), ROWS)
    assert found.cause == ("dead" if share > 0.5 else "healthy")
    assert not found.findings or "Leave out a smaller share" in found.findings[0].changes[0].sentence


@pytest.mark.parametrize(
    ("end", "targets", "so"),
    [
        (nn.Sigmoid(), torch.randn(16, 10, generator=seeded(2)), "dead"),
        (nn.Sigmoid(), torch.rand(16, 10, generator=seeded(2)), "healthy"),
        (nn.Softmax(-1), torch.randn(16, 10, generator=seeded(2)), "dead"),
        (nn.Tanh(), torch.randn(16, 10, generator=seeded(2)), "healthy"),
        (nn.Tanh(), 10 * torch.randn(16, 10, generator=seeded(2)), "dead"),
        (nn.ReLU(), -torch.rand(16, 10, generator=seeded(2)), "dead"),
        (nn.ReLU(), torch.rand(16, 10, generator=seeded(2)), "healthy"),
        (nn.Identity(), 10 * torch.randn(16, 10, generator=seeded(2)), "healthy"),
    ],
)
def test_targets_must_lie_where_outputs_can_be(end: nn.Module, targets: Tensor, so: str) -> None:
    found = sl.diagnose(nn.Sequential(plain(2), end), ROWS, targets)
    assert found.cause == so
    assert sl.diagnose(nn.Sequential(plain(2), end), ROWS).cause == "healthy"
    assert not found.findings or "nn.Identity()" in found.findings[0].changes[0].code


@pytest.mark.parametrize(("end", "size"), [(nn.Sigmoid(), 10), (nn.Tanh(), 5)])
def test_a_saturated_end_is_dead_unless_it_is_right(end: nn.Module, size: float) -> None:
    network, inputs = (
        nn.Sequential(nn.Linear(64, 64), end),
        9 * ROWS.sign(),
    )  # where sigmoid and tanh are flat, not still
    nn.init.eye_(network[0].weight)
    right = network(inputs).detach()
    assert sl.diagnose(network, inputs, right).cause == "healthy"
    assert sl.diagnose(network, inputs, right.roll(1, 0)).cause == "dead"


class Listed(nn.Module):
    """Layers in a list."""

    def __init__(self, kept: Callable[[list[nn.Module]], Any]) -> None:
        super().__init__()
        self.layers, self.head = kept([nn.Linear(64, 64), nn.Linear(64, 64)]), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).tanh()
        return self.head(x)


def test_layers_in_a_list_are_not_trained() -> None:
    found = sl.diagnose(Listed(list), ROWS)
    assert found.cause == "dead"
    assert "4 tensors of weights not in network.parameters()" in found.verdict
    assert sl.diagnose(Listed(nn.ModuleList), ROWS).cause == "healthy"


def test_inputs_that_are_not_standard_are_noted() -> None:
    targets, raw = torch.arange(16) % 10, "The inputs have a size of 1e+02: standardise them."
    for network, inputs, wanted, note in (
        (plain(2), 100 * ROWS, True, raw),
        (plain(2), 3 * ROWS, False, "standardise them"),
        (nn.Sequential(nn.LayerNorm(64), plain(2)), 100 * ROWS, False, raw),
        (plain(2), ROWS / 100, False, raw),
    ):
        assert any(note in each for each in sl.diagnose(network, inputs, targets).notes) == wanted


@pytest.mark.parametrize("norm", [nn.InstanceNorm2d(4), nn.BatchNorm2d(4)])
def test_a_mean_of_what_a_norm_has_centred_says_nothing(norm: nn.Module) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), norm, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    found = sl.diagnose(network, ROWS.view(16, 1, 8, 8))
    if isinstance(norm, nn.BatchNorm2d):
        assert found.cause == "healthy"
    else:
        assert (found.cause, found.findings[0].layer) == ("collapsed", "3")


class Sides(nn.Module):
    """Two layers of weights, beside each other or one behind the other, and nothing that bends."""

    def __init__(self, behind: bool) -> None:
        super().__init__()
        self.one, self.two, self.behind = nn.Linear(64, 64), nn.Linear(64, 64), behind

    def forward(self, x: Tensor) -> Tensor:
        return self.two(self.one(x)) if self.behind else self.two(x) + self.one(x.flip(1))


def test_layers_beside_each_other_are_not_all_one() -> None:
    """A linear model of several parts is what somebody wanted."""
    assert sl.diagnose(Sides(behind=True), ROWS).cause == "linear"
    assert sl.diagnose(Sides(behind=False), ROWS).cause == "healthy"
    assert sl.diagnose(nn.Sequential(nn.Linear(64, 64), Sides(behind=False)), ROWS).cause == "linear"


class OwnNorm(nn.Module):
    """A layer norm as people write it."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6)


class Teaching(nn.Module):
    """A student, and a teacher that no gradient reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher = plain(2), [plain(2)]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            wanted = self.teacher[0](x)
        return self.student(x), wanted


class Centred(nn.Module):
    """A network less itself as it was at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.network = plain(2)
        self.start = deepcopy(self.network).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) - self.start(x)


class Chosen(nn.Module):
    """A head for each task."""

    def __init__(self, zero: bool) -> None:
        super().__init__()
        self.body, self.heads = (
            nn.Sequential(nn.Linear(64, 64), nn.ReLU()),
            nn.ModuleList(nn.Linear(64, 3) for _ in range(9)),
        )
        for head in self.heads[2:] if zero else ():
            nn.init.zeros_(head.weight)

    def forward(self, x: Tensor) -> Tensor:
        tasks = torch.arange(len(x)) % 2
        return torch.stack([head(self.body(x)) for head in self.heads], 1)[torch.arange(len(x)), tasks]


class Routed(nn.Module):
    """An expert that no input chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.expert, self.head = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.enter(x).relu()
        chosen = (x[:, 0] > 99).nonzero()[:, 0]
        return self.head(hidden.index_add(0, chosen, self.expert(hidden[chosen])))


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Linear(64, 64), OwnNorm(), OwnNorm(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 3)),
        nn.Sequential(nn.Linear(64, 2048), nn.ReLU(), nn.Dropout(0.9), nn.Linear(2048, 3)),
        Teaching(), Centred(), Chosen(zero=False), Chosen(zero=True), Routed(),
    ],
    ids=["own norm of a norm", "much dropout of many", "teacher", "centred", "heads", "heads at zero", "experts"],
)  # fmt: skip
def test_what_others_do_on_purpose_is_no_fault(network: nn.Module) -> None:
    assert sl.diagnose(network, ROWS).cause == "healthy"


def test_parameters_that_no_input_chose_are_noted() -> None:
    assert any(
        "Not used at these inputs: 14 parameters, heads.2.bias" in note
        for note in sl.diagnose(Chosen(zero=False), ROWS).notes
    )


def test_a_mean_of_many_numbers_is_no_rounding_in_half_precision() -> None:
    network = nn.Sequential(
        nn.Conv1d(1, 8, 1),
        nn.GroupNorm(1, 8),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(8, 8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )
    noise = torch.randn(16, 1, 512, generator=seeded(3))
    assert sl.diagnose(network.bfloat16(), noise.bfloat16()).cause == "healthy"


class Times(nn.Module):
    """What a mask leaves of a network's outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.network = plain(1)

    def forward(self, mask: Tensor, x: Tensor) -> Tensor:
        return self.network(x) * mask


def test_of_several_inputs_those_that_weights_see_count() -> None:
    ones = torch.ones(16, 1)
    assert sl.diagnose(Times(), [ones, ROWS]).cause == "healthy"
    assert sl.diagnose(Times(), [ones, ROWS + 1e4]).cause == "collapsed"
    assert not any("standardise" in note for note in sl.diagnose(Times(), [999 * ones, ROWS]).notes)


def test_a_rare_class_may_start_at_its_share() -> None:
    network, rare = nn.Sequential(plain(1), nn.Sigmoid()), torch.zeros(16, 10)
    nn.init.normal_(network[0][2].weight, std=0.01)
    nn.init.constant_(network[0][2].bias, -9.2)
    for targets in (rare, rare.index_fill(0, torch.tensor([0]), 1.0)):
        assert sl.diagnose(network, ROWS, targets).cause == "healthy"


def test_gradients_of_layers_in_a_list_stay_as_they_were() -> None:
    class Remembering(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers, self.head = [nn.GRU(8, 16, batch_first=True)], nn.Linear(16, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.layers[0](x)[0][:, -1])

    network = Remembering()
    for each in network.layers[0].parameters():
        each.grad = torch.ones_like(each)
    sl.diagnose(network, ROWS.view(16, 8, 8))
    assert all((each.grad == 1).all() for each in network.layers[0].parameters())


def test_weights_too_small_come_first_where_that_is_enough() -> None:
    """Trained on the digits, networks of 20 layers learn with He's weights alone; those of 50 need skips."""
    assert first_cure(plain(15), ROWS).code == "sl.he_(network)"
    assert first_cure(plain(50), ROWS).code == "x = x + 0.1 * layer(F.relu(norm(x)))"


def test_what_is_there_is_not_advised() -> None:
    def sentences(network: nn.Module, inputs: torch.Tensor) -> str:
        return " ".join(each.sentence for found in sl.diagnose(network, inputs).findings for each in found.changes)

    def sigmoids(norm: bool) -> nn.Module:
        between = [nn.LayerNorm(64, elementwise_affine=False)] if norm else []
        layers = [layer for _ in range(20) for layer in (nn.Linear(64, 64), *between, nn.Sigmoid())]
        return nn.Sequential(*layers, nn.Linear(64, 10))

    assert "Normalise" in sentences(sigmoids(norm=False), ROWS)
    assert "Normalise" not in sentences(sigmoids(norm=True), ROWS)
    assert "Standardise" not in sentences(plain(15), ROWS)
    assert "Standardise" in sentences(plain(15), 100 + ROWS)


def test_a_norm_for_images_is_one() -> None:
    layers = [layer for _ in range(30) for layer in (nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())]
    images = torch.randn(16, 3, 8, 8, generator=seeded(3))
    [code] = [
        each.code for each in sl.diagnose(nn.Sequential(*layers), images).findings[0].changes if "Norm" in each.code
    ]
    namespace = {"activation": torch.relu, "nn": nn, "layer": layers[0], "channels": 3, "x": images}
    exec(code, namespace)
    assert namespace["x"].shape == images.shape


def test_code_names_the_layer_that_is_accused() -> None:
    network = plain(4)
    nn.init.constant_(network[2].bias, -10)
    code = first_cure(network, ROWS).code
    assert "network.get_submodule('2').bias" in code
    exec(code.split(";")[0], {"nn": nn, "network": network})
    assert sl.diagnose(network, ROWS).cause == "healthy"


class Loop(nn.Module):
    """A cell, called step by step, whose last state is read."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = x.new_zeros(len(x), 32)
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state


@pytest.mark.parametrize("kind", [nn.GRUCell, nn.RNNCell])
def test_code_fits_a_cell(kind: type[nn.Module]) -> None:
    network, sequences = Loop(kind(4, 32)), torch.randn(16, 300, 4, generator=seeded(2))
    assert sl.diagnose(network, sequences).cause == "vanishing"
    for _ in range(2):  # the state of a cell without gates is kept by an orthogonal matrix
        if sl.diagnose(network, sequences).findings:
            exec(first_cure(network, sequences).code, {"nn": nn, "network": network, "hidden": 32})
    if kind is nn.GRUCell:
        assert sl.diagnose(network, sequences).cause == "healthy"
    else:
        weight = network.cell.weight_hh
        assert torch.allclose(weight @ weight.mT, torch.eye(32), atol=1e-5)


def test_a_terminal_of_80_columns_shows_every_column() -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(sl.diagnose(plain(40), ROWS))
    [head] = [line for line in capture.get().splitlines() if line.startswith("layer")]
    assert head.split() == ["layer", "operation", "signal", "told", "apart", "dead", "gradient", "R", "R,", "near"]
    assert "operations." in capture.get()


def test_at_a_prompt_it_is_one_line() -> None:
    assert len(repr(sl.diagnose(plain(40), ROWS))) < 200


class Adapter(nn.Module):
    """A frozen layer beside two thin ones that learn, multiplied by hand."""

    def __init__(self, first: float, second: float) -> None:
        super().__init__()
        self.base, self.head = nn.Linear(64, 64).requires_grad_(False), nn.Linear(64, 10).requires_grad_(False)
        self.down = nn.Parameter(first * torch.randn(64, 4))
        self.up = nn.Parameter(second * torch.randn(4, 64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((self.base(x) + x @ self.down @ self.up).relu())


@pytest.mark.parametrize(("first", "second", "cause"), [(1, 0, "healthy"), (0, 1, "healthy"), (0, 0, "zero by design")])
def test_two_zeros_lock_each_other_and_one_does_not(first: float, second: float, cause: str) -> None:
    network = Adapter(first, second)
    assert sl.diagnose(network, ROWS).cause == cause
    if cause != "healthy":
        assert "at down. down is zero" in sl.diagnose(network, ROWS).verdict
        exec(first_cure(network, ROWS).code, {"nn": nn, "network": network})
        assert sl.diagnose(network, ROWS).cause == "healthy"


def test_zeros_that_open_one_after_the_other_are_no_fault() -> None:
    """A head of zero hides a branch whose last layer is zero for one step only."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(64, 64), nn.Linear(64, 64)
            nn.init.zeros_(self.two.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.two(self.one(x).relu())

    network = nn.Sequential(Block(), Block(), nn.Linear(64, 10))
    nn.init.zeros_(network[2].weight)
    assert sl.diagnose(network, ROWS).cause == "healthy"
    nn.init.zeros_(network[1].one.weight)
    nn.init.zeros_(network[1].one.bias)
    nn.init.zeros_(network[1].two.bias)
    assert sl.diagnose(network, ROWS).cause == "zero by design"


class Gated(nn.Module):
    """Two branches, one of which may be multiplied by an exact zero."""

    def __init__(self, gate: float) -> None:
        super().__init__()
        self.gate, self.head = gate, nn.Linear(64, 10)
        self.deep = nn.Sequential(*[layer for _ in range(3) for layer in (nn.Linear(64, 64), nn.ReLU())])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.relu() + self.gate * self.deep(x))


def test_parameters_that_no_gradient_reaches_are_dead() -> None:
    assert sl.diagnose(Gated(1.0), ROWS).cause == "healthy"
    found = sl.diagnose(Gated(0.0), ROWS)
    assert found.cause == "dead"
    assert "6 of 8 parameters never get a gradient, deep.0.weight among them" in found.findings[0].sentence


def test_what_decays_from_step_to_step_forgets() -> None:
    class Decaying(nn.Module):
        def __init__(self, decay: float) -> None:
            super().__init__()
            self.decay, self.head = decay, nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = torch.zeros_like(x[:, 0])
            for step in x.unbind(1):
                state = self.decay * state + step.tanh()
            return self.head(state)

    sequences = torch.randn(16, 40, 4, generator=seeded(2))
    assert sl.diagnose(Decaying(0.95), sequences).cause == "healthy"
    assert sl.diagnose(Decaying(0.3), sequences).cause == "vanishing"
    assert "decay" in first_cure(Decaying(0.3), sequences).code


def test_factors_that_are_multiplied_vanish_at_the_outputs() -> None:
    class Product(nn.Module):
        def __init__(self, factors: int) -> None:
            super().__init__()
            self.layer, self.factors = nn.Linear(64, 10), factors

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x).softmax(1) ** self.factors

    assert sl.diagnose(Product(1), ROWS).cause == "healthy"
    assert sl.diagnose(Product(24), ROWS).cause == "vanishing"


class Categories(nn.Module):
    """One table of numbers: what is measured, and which category it is, given as a number too."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(5, 8), nn.Linear(11, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([x[:, :3], self.table(x[:, 3].long())], 1).relu())


def test_categories_among_numbers_are_left_what_they_are() -> None:
    rows = torch.cat([ROWS[:, :3], torch.arange(16.0)[:, None] % 5], 1)
    assert sl.diagnose(Categories(), rows).cause == "healthy"
    assert sl.input_gradients(Categories(), rows).shape == (16, 4)


def test_a_mask_may_be_multiplied_with() -> None:
    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(64, 64)
            self.register_buffer("mask", torch.arange(64) % 2 == 0)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x).relu() * self.mask

    assert sl.diagnose(Masked(), ROWS).cause == "healthy"


def test_columns_of_numbers_are_looked_up_each_in_its_own_table() -> None:
    class Factors(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.person, self.film = nn.Embedding(20, 8), nn.Embedding(20, 8)

        def forward(self, numbers: torch.Tensor) -> torch.Tensor:
            person, film = numbers.unbind(1)
            return (self.person(person) * self.film(film)).sum(1, keepdim=True)

    numbers = torch.randint(20, (16, 2), generator=seeded(5))
    assert sl.diagnose(Factors(), numbers).cause == "healthy"
    assert sl.input_gradients(Factors(), numbers).shape == (16, 8)
