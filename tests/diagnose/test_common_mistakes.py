"""Mistakes that people make every day, each beside the same network without it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from reading import seeded
from torch import Tensor, nn
from torch.nn import functional as F

import shattered_lite as sl

ROWS = torch.randn(16, 32, generator=seeded(1))
SEQUENCES = torch.randn(16, 12, 8, generator=seeded(2))
CLASSES = torch.arange(16) % 4


class Does(nn.Module):
    """Layers, and what somebody does with them."""

    def __init__(self, how: Callable[[nn.ModuleList, Tensor], Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.how = nn.ModuleList(layers), how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(self.layers, x)


def perceptron(*ends: nn.Module, outputs: int = 4, activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        body = nn.Linear(32, 64), activation(), nn.Linear(64, 64), activation(), nn.Linear(64, outputs)
    return nn.Sequential(*body, *ends)


def said(network: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> str:
    return sl.diagnose(network, inputs, targets, generator=seeded(1)).cause


@pytest.mark.parametrize(("activation", "large"), [(nn.Tanh, 300.0), (nn.Sigmoid, 900.0), (nn.Softsign, 900.0)])
def test_units_that_are_saturated_are_dead(activation: Callable[[], nn.Module], large: float) -> None:
    assert said(perceptron(activation=activation), large * ROWS) == "dead"
    assert said(perceptron(activation=activation), ROWS) == "healthy"


@pytest.mark.parametrize(("temperature", "cause"), [(1e-4, "dead"), (1.0, "healthy")])
def test_a_softmax_that_chooses_one_is_dead(temperature: float, cause: str) -> None:
    network = Does(lambda to, x: to[1]((to[0](x) / temperature).softmax(-1)), perceptron(outputs=10), nn.Linear(10, 4))
    assert said(network, ROWS) == cause


def test_a_softmax_over_thousands_is_not_saturated() -> None:
    tokens = torch.randn(16, 3000, 4, generator=seeded(4))
    network = Does(lambda to, x: to[1]((to[0](x).softmax(1) * x).sum(1)), nn.Linear(4, 1), nn.Linear(4, 4))
    assert "flat" not in sl.diagnose(network, tokens).verdict


def test_steps_that_most_inputs_lie_beside_are_dead() -> None:
    """Its slope is large at three of the inputs, and zero at all others."""
    body = perceptron(outputs=1)
    third = body(ROWS).abs().flatten().sort().values[2].item()
    network = Does(lambda to, x: to[1]((to[0](x) / third).clamp(-1, 1)), body, nn.Linear(1, 4))
    assert "At more than half of the inputs almost no gradient" in sl.diagnose(network, ROWS).verdict
    assert said(Does(lambda to, x: to[1]((to[0](x)).clamp(-1, 1)), body, nn.Linear(1, 4)), ROWS) == "healthy"


def test_tokens_that_become_alike_are_a_fault_where_each_has_an_output() -> None:
    def mixing(to: nn.ModuleList, x: Tensor) -> Tensor:
        for layer in list(to)[:-1]:
            x = F.layer_norm(layer(x + 20 * x.mean(1, keepdim=True)), (8,))
        return to[-1](x)

    layers = [nn.Linear(8, 8) for _ in range(4)]
    found = sl.diagnose(Does(mixing, *layers, nn.Linear(8, 3)), SEQUENCES)
    assert found.cause == "collapsed"
    assert "tells its positions apart" in found.verdict
    pooled = Does(lambda to, x: mixing(to, x).mean(1), *layers, nn.Linear(8, 3))
    assert said(pooled, SEQUENCES) == "healthy"


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (nn.Softmax(-1), "dead"),
        (nn.Sigmoid(), "dead"),
        (nn.Tanh(), "dead"),
        (nn.LogSoftmax(-1), "healthy"),
        (nn.Identity(), "healthy"),
    ],
)
def test_cross_entropy_wants_scores(end: nn.Module, cause: str) -> None:
    found = sl.diagnose(perceptron(end, outputs=10), ROWS, torch.arange(16) % 10)
    assert found.cause == cause
    if cause == "dead":
        high, low = (1.0, -1.0) if isinstance(end, nn.Tanh) else (1.0, 0.0)
        best = torch.full((1, 10), low).index_fill(1, torch.tensor(0), high)
        least = F.cross_entropy(best, torch.tensor([0])).item()
        assert f"a loss of {least:.2g} is left at best" in found.verdict


@pytest.mark.parametrize(("scale", "cause"), [(1.0, "dead"), (16.0, "healthy")])
def test_cosines_are_scores_that_end_at_one(scale: float, cause: str) -> None:
    prototypes, classes = nn.Linear(64, 10, bias=False), torch.arange(16) % 10

    def compare(to: nn.ModuleList, x: Tensor) -> Tensor:
        sides = F.normalize(to[0](x), dim=1), F.normalize(to[1].weight, dim=1)
        scores = sides[0] @ sides[1].T
        return scale * scores if scale > 1 else scores

    assert said(Does(compare, perceptron(outputs=64), prototypes), ROWS, classes) == cause
    unbounded = Does(lambda to, x: to[1](F.normalize(to[0](x), dim=1)), perceptron(outputs=64), prototypes)
    assert said(unbounded, ROWS, classes) == "healthy"


def test_products_of_sparse_and_of_complex_matrices_are_looked_at_as_they_are() -> None:
    sparse, turn = torch.eye(32).to_sparse(), torch.eye(4, dtype=torch.complex64)

    def multiply(to: nn.ModuleList, x: Tensor) -> Tensor:
        return ((to[0]((sparse @ x.T).T) + 0j) @ turn).real

    assert said(Does(multiply, perceptron()), ROWS) == "healthy"


def test_a_softmax_written_by_hand_is_one() -> None:
    by_hand = Does(lambda to, x: to[0](x).exp() / to[0](x).exp().sum(1, keepdim=True), perceptron())
    assert said(by_hand, ROWS, CLASSES) == "dead"
    assert said(by_hand, ROWS) == "healthy"


@pytest.mark.parametrize(("times", "cause"), [(1.0, "healthy"), (1e4, "dead")])
def test_outputs_that_are_cut_off_at_nearly_all_inputs_are_dead(times: float, cause: str) -> None:
    network = Does(lambda to, x: (times * to[0](x)).clamp(0, 1), perceptron())
    assert said(network, ROWS, torch.rand(16, 4, generator=seeded(5))) == cause


def test_a_number_divided_by_its_own_size_says_nothing() -> None:
    targets = torch.randn(16, 1, generator=seeded(6))
    assert said(Does(lambda to, x: F.normalize(to[0](x)), perceptron(outputs=1)), ROWS, targets) == "dead"
    assert said(Does(lambda to, x: F.normalize(to[0](x)), perceptron()), ROWS) == "healthy"


@pytest.mark.parametrize("bias", [0.0, 300.0])
def test_a_large_bias_does_not_make_an_end_flat(bias: float) -> None:
    network = perceptron()
    nn.init.constant_(network[-1].bias, bias)
    assert said(network, ROWS) == "healthy"


def test_a_norm_of_one_number_leaves_nothing() -> None:
    one, many = (nn.Sequential(nn.Linear(32, n), nn.LayerNorm(n), nn.ReLU(), nn.Linear(n, 4)) for n in (1, 16))
    assert said(one, ROWS) == "collapsed"
    assert said(many, ROWS) == "healthy"


def test_a_layer_made_on_the_way_is_not_trained() -> None:
    made = Does(lambda to, x: to[0](F.relu(nn.Linear(32, 64)(x))), nn.Linear(64, 4))
    kept = Does(lambda to, x: to[0](F.relu(to[1](x))), nn.Linear(64, 4), nn.Linear(32, 64))
    assert said(made, ROWS) == "dead"
    assert said(kept, ROWS) == "healthy"


class Factors(nn.Module):
    """Rows times a matrix, and a bias."""

    def __init__(self, keep: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.matrices = keep(torch.randn(32, 32, generator=seeded(7)) / 6), keep(torch.randn(32, 4) / 6)
        for place, matrix in enumerate(self.matrices):
            if isinstance(matrix, nn.Parameter):
                self.register_parameter(f"matrix_{place}", matrix)
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x @ self.matrices[0]) @ self.matrices[1] + self.bias


def test_weights_that_are_no_parameters_are_not_trained() -> None:
    found = sl.diagnose(Factors(lambda x: x), ROWS)
    assert (found.cause, found.findings[0].changes[0].code.count("nn.Parameter")) == ("dead", 1)
    assert said(Factors(nn.Parameter), ROWS) == "healthy"


@pytest.mark.parametrize("used", [lambda w: w.data, lambda w: w.detach(), lambda w: torch.tensor(w.tolist())])
def test_parameters_of_which_only_values_are_used_learn_nothing(used: Callable[[Tensor], Tensor]) -> None:
    def forward(to: nn.ModuleList, x: Tensor) -> Tensor:
        for layer in list(to)[:-1]:
            x = F.relu(x @ used(layer.weight))
        return to[-1](x)

    assert said(Does(forward, *(nn.Linear(32, 32, bias=False) for _ in range(3)), nn.Linear(32, 4)), ROWS) == "dead"


def test_a_body_under_no_grad_learns_nothing_though_another_way_leads_around_it() -> None:
    def beside(to: nn.ModuleList, x: Tensor, grad: bool) -> Tensor:
        with torch.set_grad_enabled(grad):
            body = to[0](x)
        return to[2](torch.cat([body, F.relu(to[1](x))], 1))

    layers = perceptron(), nn.Linear(32, 16), nn.Linear(20, 4)
    found = sl.diagnose(Does(lambda to, x: beside(to, x, False), *layers), ROWS)
    assert (found.cause, found.findings[0].layer) == ("dead", "layers.0.0")
    assert said(Does(lambda to, x: beside(to, x, True), *layers), ROWS) == "healthy"


class Heads(nn.Module):
    """A small output, and a large one beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.small, self.large = nn.Linear(32, 4), perceptron()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.small(F.relu(x)), self.large(x)


def test_the_parameters_of_other_outputs_are_not_lost() -> None:
    assert said(Heads(), ROWS) == "healthy"


@pytest.mark.parametrize("least", [-math.inf, -1e9])
def test_a_mask_of_minus_infinity_is_no_explosion(least: float) -> None:
    def attend(to: nn.ModuleList, x: Tensor) -> Tensor:
        later = torch.ones(12, 12, dtype=torch.bool).triu(1)
        scores = (to[0](x) @ to[1](x).mT / 4).masked_fill(later, least)
        return to[3](F.relu(scores.softmax(-1) @ to[2](x)))

    assert said(Does(attend, *(nn.Linear(8, 16) for _ in range(3)), nn.Linear(16, 3)), SEQUENCES) == "healthy"


@pytest.mark.parametrize(("value", "cause"), [(math.inf, "exploding"), (math.nan, "exploding")])
def test_infinity_and_what_is_no_number_are(value: float, cause: str) -> None:
    network = Does(lambda to, x: to[0](x).masked_fill(x[:, :4] > 1, value), perceptron())
    assert said(network, ROWS) == cause


@pytest.mark.parametrize(("grown", "cause"), [(1.0, "healthy"), (1.5, "exploding")])
def test_a_loss_a_hundred_times_that_of_guessing_is_a_fault(grown: float, cause: str) -> None:
    network, targets = perceptron(), torch.randn(16, 4, generator=seeded(8))
    with torch.no_grad():
        network[-1].bias.zero_()
        guessing = (targets - targets.mean(0)).square().mean()
        network[-1].weight.mul_(9.0 * grown * guessing.sqrt() / network(ROWS).square().mean().sqrt())
    assert said(network, ROWS, targets) == cause


def test_a_loop_about_the_same_inputs_forgets_nothing() -> None:
    """An equilibrium is found by going on and on; of a sequence each step has something new to say."""
    turn, read, head = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 4)
    nn.init.normal_(turn.weight, std=0.05)

    def settle(to: nn.ModuleList, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), 32)
        for _ in range(60):
            state = torch.tanh(to[0](state) + to[1](x))
        return to[2](state)

    def reads(to: nn.ModuleList, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), 32)
        for step in range(60):
            state = torch.tanh(to[0](state) + to[1](x[:, step]))
        return to[2](state)

    assert said(Does(settle, turn, read, head), ROWS) == "healthy"
    assert said(Does(reads, turn, read, head), torch.randn(16, 60, 32, generator=seeded(9))) == "vanishing"


@pytest.mark.parametrize(("steps", "so"), [(5, {"healthy"}), (200, {"shattered", "exploding"})])
def test_what_grows_behind_the_last_weights_is_seen(steps: int, so: set[str]) -> None:
    """A simulation that doubles each difference, as chaos does."""

    def simulate(to: nn.ModuleList, x: Tensor) -> Tensor:
        state = to[0](x).sigmoid()
        for _ in range(steps):
            state = 3.9 * state * (1 - state)
        return state

    assert said(Does(simulate, perceptron()), ROWS) in so


def test_zeros_that_open_do_not_count_as_a_collapse() -> None:
    """Of a transposed convolution too."""
    images = torch.randn(8, 3, 8, 8, generator=seeded(10))
    up, out = nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.Conv2d(8, 3, 1)
    nn.init.zeros_(up.weight)
    nn.init.zeros_(out.weight)
    found = sl.diagnose(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), up, nn.ReLU(), out), images)
    assert found.cause == "healthy"
    assert any("Zero at the start, by design: 2, 4" in note for note in found.notes)


@pytest.mark.parametrize("piece", [lambda x: x[:, :-1], lambda x: x[:, -1], lambda x: x[:, 1:3]])
def test_tokens_may_be_looked_up_by_pieces(piece: Callable[[Tensor], Tensor]) -> None:
    stories = torch.randint(9, (16, 5, 4), generator=seeded(11))
    network = Does(
        lambda to, x: to[1](F.relu(to[0](piece(x)).flatten(1, -2).mean(1))), nn.Embedding(9, 8), nn.Linear(8, 4)
    )
    assert said(network, stories) == "healthy"


def test_a_thousand_steps_fit_into_memory() -> None:
    """What reaches a signal is known only along known steps: of a loop it would be a thousand times a thousand."""
    from shattered_lite import _measuring as measuring

    network = Does(lambda to, x: loop(to[0](x)), nn.Linear(32, 4))

    def loop(x: Tensor) -> Tensor:
        for _ in range(300):
            x = x + 0.01 * x * x.roll(1, 1)
        return x

    signals = measuring.forward(network, ROWS, [], None, 1).signals
    assert len(signals) > 1000
    assert max(len(each.ancestors) for each in signals) < 20
