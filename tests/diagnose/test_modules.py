"""A diagnosis of anything: what people hand over, what stays as it was, what is refused, and honest numbers."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.utils.checkpoint import checkpoint

import shattered_lite as sl
from shattered_lite import structure
from shattered_lite.initializers import he_


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


ROWS = torch.randn(8, 7, generator=seeded(1))
IMAGES = torch.randn(6, 2, 8, 8, generator=seeded(2))
SERIES = torch.randn(6, 5, 4, generator=seeded(3))
TOKENS = torch.randint(11, (6, 5), generator=seeded(4))


@pytest.fixture(autouse=True)
def reproducible() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    plt.close("all")


class Tags(HTMLParser):
    """The names of all tags, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def without_spaces(text: str) -> str:
    return "".join(text.split())


def no_number(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


def read(found: sl.diagnosis.Diagnosis, drawn: bool) -> sl.diagnosis.Diagnosis:
    """Each of its forms tells the same, whatever the numbers are; to draw a figure takes a while."""
    assert json.loads(found.to_json(), parse_constant=no_number) == found.to_dict()
    assert len(found.to_dict()["layers"]) == len(found.layers) > 0
    assert without_spaces(found.verdict) in without_spaces(str(found))
    assert all(len(line) <= 100 for line in str(found).splitlines())
    page = Tags()
    page.feed(found._repr_html_())
    assert page.tags.count("tr") == 1 + min(16, len(found.layers))
    assert set(page.tags) <= {"p", "strong", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert found.verdict in page.text
    assert all(note in page.text for note in found.notes)
    assert found.verdict in found.alternative_text
    figure = found.figure()
    assert [len(axes.lines[0].get_xdata()) for axes in figure.axes] == 3 * [len(found.layers)]
    if drawn:
        figure.set_dpi(10)
        figure.canvas.draw()
    plt.close(figure)
    return found


def diagnosed(
    network: nn.Module, inputs: object, targets: object = None, drawn: bool = False, **options: object
) -> sl.diagnosis.Diagnosis:
    return read(sl.diagnose(network, inputs, targets, **{"generator": seeded(9)} | options), drawn)


def agrees(network: nn.Module, inputs: Tensor, reference: nn.Module | None = None) -> sl.diagnosis.Diagnosis:
    """At the inputs, size and correlation of gradients are those of ``input_gradients``, which hears of no signal."""
    found = diagnosed(network, inputs, directions=1)
    wanted = sl.input_gradients(reference or network, inputs, generator=seeded(9)).double()
    first = found.layers[0]
    assert first.gradient == pytest.approx(wanted.square().sum(1).mean().sqrt().item(), rel=1e-4)
    assert first.gradient > 0
    assert first.correlation == pytest.approx(float(structure.correlation(wanted)), abs=1e-4)
    return found


def rms(x: Tensor) -> float:
    return x.detach().double().square().mean().sqrt().item()


def signals(found: sl.diagnosis.Diagnosis) -> list[float]:
    return [layer.signal for layer in found.layers]


def perceptron(*widths: int, activation: Callable[[], nn.Module] = nn.ReLU, bias: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, behind in pairwise(widths):
        layers += [nn.Linear(before, behind, bias=bias), activation()]
    return he_(nn.Sequential(*layers[:-1]), generator=seeded(5))


# --- Operations in place, and tensors that are written into ---


class SkipOfMutated(nn.Module):
    """The skip takes what the rectifier has already changed."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(7, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return self.head(z + self.second(self.relu(z)))


def test_a_skip_sees_what_was_changed_in_place() -> None:
    network = SkipOfMutated()
    found = agrees(network, ROWS)
    with torch.no_grad():
        z = network.first(ROWS)
        on = z.relu()
        added = on + network.second(on)
        wanted = [rms(each) for each in (ROWS, z, on, network.second(on), added, network.head(added))]
    assert signals(found) == pytest.approx(wanted, rel=1e-5)
    assert [layer.operation for layer in found.layers] == ["inputs", "linear", "relu", "linear", "add", "linear"]


def test_a_rectifier_in_place_may_come_first() -> None:
    network, inputs = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(7, 3), nn.ReLU(inplace=True)), ROWS.clone()
    found = agrees(network, inputs)
    assert torch.equal(inputs, ROWS)
    assert found.layers[0].signal == pytest.approx(rms(ROWS))
    assert found.layers[1].signal == pytest.approx(rms(ROWS.relu()))


def test_in_place_or_not_is_the_same() -> None:
    network = perceptron(7, 9, 9, 3)
    in_place = copy.deepcopy(network)
    for layer in in_place.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = True
    one, other = (diagnosed(each, ROWS).to_dict() for each in (network, in_place))
    assert one == other


class WritesIntoFresh(nn.Module):
    """Fills a tensor column by column."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.first, self.second, self.head = nn.Linear(7, 2), nn.Linear(7, 4), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        made = x.new_zeros(len(x), 6)
        if self.way == "index":
            made[:, :2] = self.first(x).relu()
            made[:, 2:] = self.second(x).relu()
        elif self.way == "copy":
            made.copy_(torch.cat([self.first(x), self.second(x)], 1).relu())
        else:
            made = made.index_copy(1, torch.arange(2), self.first(x).relu())
        return self.head(made)


@pytest.mark.parametrize("way", ["index", "copy", "index_copy"])
def test_writes_into_fresh_tensors(way: str) -> None:
    found = agrees(WritesIntoFresh(way), ROWS)
    assert found.layers[-1].name == "head"


def test_what_is_written_into_may_be_returned() -> None:
    class Written(WritesIntoFresh):
        def forward(self, x: Tensor) -> Tensor:
            made = x.new_zeros(len(x), 2)
            made[:] = self.first(x)
            return made

    agrees(Written("index"), ROWS)


# --- Outputs ---


@dataclass
class Answer:
    labels: Tensor
    scores: Tensor
    features: Tensor


class NamedAnswer(NamedTuple):
    labels: Tensor
    scores: Tensor
    features: Tensor


class Answering(nn.Module):
    def __init__(self, kind: Callable[[Answer], object]) -> None:
        super().__init__()
        self.kind, self.first, self.second = kind, nn.Linear(7, 3), nn.Linear(7, 2)

    def forward(self, x: Tensor) -> object:
        scores = self.first(x).relu()
        return self.kind(Answer(scores.argmax(1), scores, self.second(x).tanh()))


KINDS: dict[str, Callable[[Answer], object]] = {
    "dataclass": lambda answer: answer,
    "dictionary": lambda answer: dict(vars(answer)),
    "tuple": lambda answer: tuple(vars(answer).values()),
    "list": lambda answer: list(vars(answer).values()),
    "named tuple": lambda answer: NamedAnswer(**vars(answer)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_several_outputs(kind: str) -> None:
    network = Answering(KINDS[kind])
    one = nn.Sequential(network.first, nn.ReLU())
    other = nn.Sequential(network.second, nn.Tanh())
    by_name = kind in ("dataclass", "dictionary")
    for alone, output in (
        (one, None),
        (one, "scores" if by_name else 1),
        (other, "features" if by_name else 2),
        (other, lambda returned: _values(returned)[2]),
    ):
        wanted = sl.input_gradients(alone, ROWS, generator=seeded(9)).double()
        found = diagnosed(network, ROWS, output=output, directions=1).layers[0]
        assert found.gradient == pytest.approx(wanted.square().sum(1).mean().sqrt().item(), rel=1e-5)


def _values(returned: object) -> list[Tensor]:
    if isinstance(returned, tuple | list):
        return list(returned)
    return list((returned if isinstance(returned, dict) else vars(returned)).values())


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("dictionary", "logits", r"output='logits': .* a dict of 'labels': torch.int64 of shape \(8,\), 'scores'"),
        ("tuple", 3, "output=3: the network returns a tuple of 0: torch.int64"),
        ("tuple", 0, "returns torch.int64 of shape"),
        ("dataclass", lambda answer: answer.scores.sum(), "a row for each of 8 inputs"),
        ("dataclass", lambda answer: answer.scores.shape, "returns a Size, but a tensor is needed"),
        ("dataclass", lambda answer: answer.scores.detach(), "output|network"),
        ("dataclass", lambda answer: answer.scores.to(torch.complex64), "returns torch.complex64"),
    ],
)
def test_an_output_that_cannot_be_measured_is_refused(kind: str, output: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(Answering(KINDS[kind]), ROWS, output=output, generator=seeded(9))


def test_one_number_for_each_input() -> None:
    found = agrees(nn.Sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)), ROWS)
    assert found.inputs == 8


def test_outputs_of_four_axes() -> None:
    found = agrees(nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)), IMAGES)
    assert [layer.operation for layer in found.layers] == ["inputs", "conv2d", "relu", "conv2d"]


# --- Modules used twice, and weights that are tied ---


def test_each_call_of_a_module_has_a_line_of_its_own() -> None:
    layer = nn.Linear(7, 7)
    network = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), layer)
    found = agrees(network, ROWS)
    z = [layer(ROWS)]
    for _ in range(2):
        z.append(layer(z[-1].relu()))
    linear = [each for each in found.layers if each.operation == "linear"]
    assert [each.name for each in linear] == ["0", "0 (call 2)", "0 (call 3)"]
    assert [each.signal for each in linear] == pytest.approx([rms(each) for each in z], rel=1e-5)


def test_calls_under_two_names_are_of_one_module() -> None:
    network = nn.Module()
    network.one = network.two = nn.Linear(7, 7)
    network.forward = lambda x: network.two(network.one(x).relu())
    found = agrees(network, ROWS)
    assert [each.name for each in found.layers if each.operation == "linear"] == ["one", "one (call 2)"]


class Tied(nn.Module):
    """A language model whose head is its table."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.body = nn.Embedding(11, 6), nn.Sequential(nn.Linear(6, 6), nn.GELU())
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.body(self.table(tokens)))


def test_tied_weights() -> None:
    network = Tied()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    agrees(network, TOKENS)
    assert network.head.weight is network.table.weight
    assert network.head.weight.requires_grad
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


# --- What stays as it was ---


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = self.last + 1
        return x


GLOBAL = (
    "_global_forward_hooks", "_global_forward_pre_hooks", "_global_backward_hooks", "_global_backward_pre_hooks",
    "_global_forward_hooks_always_called", "_global_forward_hooks_with_kwargs", "_global_module_registration_hooks",
    "_global_parameter_registration_hooks", "_global_buffer_registration_hooks",
)  # fmt: skip
OWN = (
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_forward_hooks_always_called",
    "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_state_dict_hooks",
)  # fmt: skip


def state_of(network: nn.Module) -> dict[str, object]:
    """All that a diagnosis could leave behind; tensors as lists, so that == compares them."""
    parameters = dict(network.named_parameters(remove_duplicate=False))
    return {
        "values": {name: tensor.tolist() for name, tensor in network.state_dict().items()},
        "places": {name: id(tensor) for name, tensor in network.named_buffers()}
        | {k: id(v) for k, v in parameters.items()},
        "requires_grad": {name: parameter.requires_grad for name, parameter in parameters.items()},
        "grad": {
            name: None if each.grad is None else (id(each.grad), each.grad.tolist())
            for name, each in parameters.items()
        },
        "tensor hooks": {name: dict(each._backward_hooks or {}) for name, each in parameters.items()},
        "modes": [module.training for module in network.modules()],
        "attributes": [sorted(vars(module)) for module in network.modules()],
        "hooks": [[dict(getattr(module, name)) for name in OWN] for module in network.modules()],
        "global hooks": [dict(getattr(torch_module, name)) for name in GLOBAL],
        "random": torch.get_rng_state().tolist(),
        "default type": torch.get_default_dtype(),
        "grad enabled": torch.is_grad_enabled(),
        "modes of torch": len(torch.overrides._get_current_function_mode_stack()),
        "saved tensors": torch._C._autograd._saved_tensors_hooks_is_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": torch.backends.cudnn.enabled,
        "threads": torch.get_num_threads(),
    }


def busy_network() -> nn.Sequential:
    """With all that could be changed, and gradients of an earlier step."""
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.InstanceNorm2d(4, track_running_stats=True),
        Counting(), nn.Dropout(), nn.Flatten(), nn.utils.parametrizations.spectral_norm(nn.Linear(144, 5)),
        nn.BatchNorm1d(5), nn.Linear(5, 3),
    )  # fmt: skip
    network(IMAGES.clone()).square().sum().backward()
    network[0].weight.requires_grad_(False)
    network[3].eval()
    network[2].register_forward_hook(lambda module, arguments, output: None)
    return network


@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(training: bool) -> None:
    network, inputs, generator = busy_network(), IMAGES.clone().requires_grad_(), seeded(1)
    if not training:
        network.eval()
    inputs.grad = torch.ones_like(inputs)
    handle = torch_module.register_module_forward_hook(lambda *_: None)
    before = state_of(network)
    sl.diagnose(network, inputs, torch.tensor([0, 1, 2, 0, 1, 2]), generator=generator)
    after = state_of(network)
    handle.remove()
    assert before["grad"]["1.weight"] is not None
    for name, was in before.items():
        assert after[name] == was, name
    assert torch.equal(inputs, IMAGES)
    assert inputs.requires_grad
    assert inputs.grad_fn is None
    assert torch.equal(inputs.grad, torch.ones_like(inputs))
    assert not inputs._backward_hooks


class Failing(nn.Module):
    """Breaks at one of its calls: at the first, none of it has been seen yet; at a later one all is under way."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.calls = at, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.at:
            raise RuntimeError("broken")
        return x


@pytest.mark.parametrize("at", [1, 2, 3])
def test_nothing_is_changed_by_a_network_that_fails(at: int) -> None:
    network = busy_network().append(nn.Sequential(Failing(at)))
    before = state_of(network)
    with pytest.raises(RuntimeError, match="broken"):
        sl.diagnose(network, IMAGES, generator=seeded(1))
    after = state_of(network)
    for name, was in before.items():
        assert after[name] == was, name


def test_nothing_is_changed_by_a_refusal() -> None:
    network = busy_network()
    before = state_of(network)
    with pytest.raises(ValueError, match="targets"):
        sl.diagnose(network, IMAGES, torch.tensor([0, 1, 2, 0, 1, 7]), generator=seeded(1))
    with pytest.raises(ValueError, match="output"):
        sl.diagnose(network, IMAGES, output="scores", generator=seeded(1))
    after = state_of(network)
    for name, was in before.items():
        assert after[name] == was, name


def test_gradients_of_a_loose_tensor_stay() -> None:
    """Some networks hold tensors that are no parameters and yet learn, such as prompts in a list."""

    class Prompted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.prompts = nn.Linear(7, 3), [torch.ones(7, requires_grad=True)]

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x + self.prompts[0])

    network = Prompted()
    agrees(network, ROWS)
    assert network.prompts[0].grad is None
    assert network.prompts[0].requires_grad


def test_a_backward_pass_that_is_still_to_come_is_not_broken() -> None:
    network = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    loss = network(ROWS).square().mean()
    sl.diagnose(network, ROWS, generator=seeded(1))
    loss.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_without_a_generator_torchs_own_decides_and_stays() -> None:
    network = perceptron(7, 6, 3)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, again = (sl.diagnose(network, ROWS).to_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert one == again
    torch.manual_seed(4)
    assert sl.diagnose(network, ROWS).to_dict() != one


def test_only_the_generator_decides() -> None:
    network = perceptron(7, 6, 3)
    same = [diagnosed(network, ROWS, generator=seeded(7)).to_dict() for _ in range(2)]
    torch.manual_seed(5)
    same.append(diagnosed(network, ROWS, generator=seeded(7)).to_dict())
    assert same[0] == same[1] == same[2]
    assert diagnosed(network, ROWS, generator=seeded(8)).to_dict() != same[0]


@pytest.mark.parametrize("surroundings", [torch.no_grad, torch.inference_mode])
def test_surroundings_do_not_matter(surroundings: Callable[[], object]) -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS).to_dict()
    with surroundings():
        assert sl.diagnose(network, ROWS.clone(), generator=seeded(9)).to_dict() == wanted


def test_autocast_is_off_and_a_note_says_so() -> None:
    network = perceptron(7, 6, 3)
    wanted = diagnosed(network, ROWS)
    assert not wanted.notes
    with torch.autocast("cpu", torch.bfloat16):
        found = diagnosed(network, ROWS)
        assert torch.is_autocast_enabled("cpu")
    assert found.layers == wanted.layers or found.to_dict()["layers"] == wanted.to_dict()["layers"]
    assert [note for note in found.notes if "utocast" in note]


def test_hooks_of_others_go_on() -> None:
    network, seen = perceptron(7, 6, 3), []
    network[1].register_forward_hook(lambda module, arguments, output: seen.append(type(output)))
    agrees(network, ROWS)
    assert set(seen) == {Tensor}


@pytest.mark.parametrize("place", [0, 1, None])
def test_a_full_backward_hook_of_others_is_no_obstacle(place: int | None) -> None:
    network, seen = perceptron(7, 6, 3), []
    wanted = diagnosed(network, ROWS).layers[0].gradient
    module = network if place is None else network[place]
    module.register_full_backward_hook(lambda *_: seen.append(1))
    assert diagnosed(network, ROWS).layers[0].gradient == pytest.approx(wanted)


# --- Norms ---


@pytest.mark.parametrize(
    "norm",
    [
        nn.SyncBatchNorm(6), nn.BatchNorm1d(6, track_running_stats=False), nn.BatchNorm1d(6, momentum=None),
        nn.BatchNorm1d(6, affine=False), nn.LayerNorm(6), nn.GroupNorm(2, 6), nn.RMSNorm(6),
    ],
    ids=["synchronised", "without averages", "cumulative", "without scales", "layer", "group", "root mean square"],
)  # fmt: skip
def test_every_norm_of_rows(norm: nn.Module) -> None:
    network = he_(nn.Sequential(nn.Linear(7, 6), norm, nn.ReLU(), nn.Linear(6, 3)), generator=seeded(5))
    agrees(network, ROWS)


@pytest.mark.parametrize("tracks", [True, False])
def test_instance_norm_sees_each_input_alone(tracks: bool) -> None:
    norm = nn.InstanceNorm2d(4, affine=True, track_running_stats=tracks)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    found = agrees(network, IMAGES)
    [layer] = [each for each in found.layers if each.operation == "instance_norm"]
    assert layer.signal == pytest.approx(1, abs=1e-3)


def test_batch_norm_uses_the_biased_variance_of_these_inputs() -> None:
    norm = nn.BatchNorm1d(7)
    norm.running_var.fill_(100.0)
    found = diagnosed(nn.Sequential(norm, nn.Linear(7, 3)), 5 + 3 * ROWS)
    assert found.layers[1].signal == pytest.approx(1, abs=1e-5)
    assert found.layers[1].spread == pytest.approx(1, abs=1e-5)


def test_batch_norm_of_one_input_is_refused() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.BatchNorm1d(6))
    with pytest.raises(ValueError, match=r"inputs: .*more than 1 value per channel"):
        sl.diagnose(network, ROWS[:1], generator=seeded(1))


def test_batch_norm_used_twice_has_statistics_of_each_use() -> None:
    first, second, norm = nn.Linear(7, 6), nn.Linear(6, 6), nn.BatchNorm1d(6)
    twice = nn.Sequential(first, norm, nn.ReLU(), second, norm)
    found = agrees(twice, ROWS, nn.Sequential(first, norm, nn.ReLU(), second, copy.deepcopy(norm)))
    assert [each.name for each in found.layers if each.operation == "batch_norm"] == ["1", "1 (call 2)"]


def test_the_theory_reads_the_epsilon_of_a_norm() -> None:
    """Faint signals behind a norm with a large epsilon: the norm's slope is 1 / (variance + epsilon)."""
    for norm in (nn.BatchNorm1d(300, eps=1.0), nn.LayerNorm(300, eps=1.0)):
        network = he_(nn.Sequential(nn.Linear(300, 300), norm, nn.Linear(300, 300)), generator=seeded(6))
        found = diagnosed(network, 0.01 * torch.randn(24, 300, generator=seeded(7)))
        assert found.layers[0].gradient == pytest.approx(found.layers[0].expected_gradient, rel=0.2)


# --- Compiled, and wrapped ---


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


# --- Checkpoints, recurrent layers, branches ---


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


# --- Reparametrised weights ---


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize(
    "reparametrise",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        lambda layer: torch.nn.utils.prune.random_unstructured(layer, "weight", 0.3),
    ],
    ids=["old weight norm", "old spectral norm", "weight norm", "spectral norm", "orthogonal", "pruned"],
)
def test_reparametrised_weights(reparametrise: Callable[[nn.Module], nn.Module]) -> None:
    import torch.nn.utils.prune

    network = nn.Sequential(reparametrise(nn.Linear(7, 6)), nn.ReLU(), reparametrise(nn.Linear(6, 3)))
    network(ROWS).sum().backward()  # as in training: an old weight norm keeps a weight that has a history
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    grads = {name: each.grad.clone() for name, each in network.named_parameters()}
    found = agrees(network, ROWS)
    assert not math.isnan(found.layers[1].expected_signal)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(torch.equal(each.grad, grads[name]) for name, each in network.named_parameters())
    network(ROWS).sum().backward()


# --- Zeros by design ---


def test_a_zero_head_is_named_and_the_features_are_measured() -> None:
    network = perceptron(7, 6, 6, 3)
    wanted = diagnosed(network[:-1], ROWS, directions=100)
    nn.init.zeros_(network[-1].weight)
    nn.init.zeros_(network[-1].bias)
    found = diagnosed(network, ROWS, directions=100, drawn=True)
    assert found.cause != "vanishing"
    assert any("Zero at the start, by design: 4" in note for note in found.notes)
    assert any("No gradient of the outputs comes back" in note for note in found.notes)
    assert found.layers[0].gradient == pytest.approx(wanted.layers[0].gradient, rel=0.25)  # 100 directions: 7 %
    assert found.layers[0].correlation == pytest.approx(wanted.layers[0].correlation, abs=0.1)


def test_a_zero_head_with_a_bias_is_named_too() -> None:
    network = perceptron(7, 6, 6, 3)
    nn.init.zeros_(network[-1].weight)
    nn.init.constant_(network[-1].bias, -2.0)  # a prior for rare classes, as detectors have it
    assert diagnosed(perceptron(7, 6, 6, 3), ROWS).cause == "healthy"
    found = diagnosed(network, ROWS)
    assert found.cause != "vanishing"
    assert any("Zero at the start" in note for note in found.notes)


class ReZero(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch, self.factor = perceptron(width, width, width), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.factor * self.branch(x)


def test_rezero_is_zero_by_design() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.ReLU(), *[ReZero(6) for _ in range(3)], nn.Linear(6, 3))
    found = agrees(network, ROWS)
    assert any("Zero at the start, by design" in note and "2" in note for note in found.notes)
    assert found.cause not in ("vanishing", "dead")


def test_a_branch_whose_last_layer_is_zero() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.ReLU(), *[ReZero(6) for _ in range(2)], nn.Linear(6, 3))
    for block in network[2:4]:
        nn.init.ones_(block.factor)
        nn.init.zeros_(block.branch[-1].weight)
        nn.init.zeros_(block.branch[-1].bias)
    found = agrees(network, ROWS)
    assert any("2.branch.2" in note for note in found.notes)


def test_a_network_that_is_one_layer_of_zeros() -> None:
    network = nn.Linear(7, 3)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    found = diagnosed(network, ROWS, drawn=True)
    assert any("Zero at the start" in note for note in found.notes)


# --- Inputs of every kind ---


class Reader(nn.Module):
    """Looks up tokens and places."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(11, 8), nn.Embedding(5, 8)
        self.behind = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1]).expand(len(tokens), -1)
        return self.head(self.behind(self.table(tokens) + self.places(places)).mean(1))


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_integers_are_tokens(dtype: torch.dtype) -> None:
    network = Reader()
    found = agrees(network, TOKENS.to(dtype))
    assert (found.layers[0].name, found.layers[0].operation) == ("table", "embedding")
    assert found.layers[0].signal == pytest.approx(rms(network.table(TOKENS)), rel=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        nn.EmbeddingBag(11, 3),
        nn.Sequential(nn.Embedding(11, 3), nn.Flatten(), nn.Softmax(1)),
    ],
    ids=["bag", "rows"],
)
def test_tokens_looked_up_in_another_way(network: nn.Module) -> None:
    found = diagnosed(network, TOKENS)
    assert found.layers[0].gradient > 0
    assert found.layers[0].signal > 0


def test_tokens_that_no_table_takes_are_refused() -> None:
    class OneHot(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(11, 3)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.linear(functional.one_hot(tokens, 11).float().mean(1))

    with pytest.raises(ValueError, match="token"):
        sl.diagnose(OneHot(), TOKENS, generator=seeded(1))


class Several(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows, self.images, self.head = nn.Linear(7, 5), nn.Conv2d(2, 5, 3), nn.Linear(10, 3)

    def forward(self, rows: Tensor, images: Tensor) -> Tensor:
        return self.head(torch.cat([self.rows(rows).relu(), self.images(images).relu().mean((2, 3))], 1))


class Joined(nn.Module):
    """The same of one tensor."""

    def __init__(self, network: Several) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x[:, :7], x[:, 7:].unflatten(1, (2, 8, 8)))


@pytest.mark.parametrize("kind", ["tuple", "list", "dictionary"])
def test_several_inputs(kind: str) -> None:
    network, rows = Several(), ROWS[:6]
    inputs = {"tuple": (rows, IMAGES), "list": [rows, IMAGES], "dictionary": {"images": IMAGES, "rows": rows}}[kind]
    found = diagnosed(network, inputs, directions=1)
    wanted = sl.input_gradients(Joined(network), torch.cat([rows, IMAGES.flatten(1)], 1), generator=seeded(9)).double()
    of_rows, of_images = wanted[:, :7], wanted[:, 7:]
    if kind == "dictionary":
        of_rows, of_images = of_images, of_rows
    for layer, gradients in zip(found.layers[:2], (of_rows, of_images), strict=True):
        assert layer.operation == "inputs"
        assert layer.gradient == pytest.approx(gradients.square().sum(1).mean().sqrt().item(), rel=1e-4)
        assert layer.correlation == pytest.approx(float(structure.correlation(gradients)), abs=1e-4)


class Conditioned(nn.Module):
    """Numbers, and the class that they should be of."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.first, self.head = nn.Embedding(11, 7), nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.head(self.first(x + self.table(label)).relu())


@pytest.mark.parametrize("order", [("x", "label"), ("label", "x")])
def test_one_of_several_inputs_is_of_integers(order: tuple[str, str]) -> None:
    network, given = Conditioned(), {"x": ROWS, "label": torch.arange(8)}

    class Numbers(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return network.head(network.first(x).relu())

    found = diagnosed(network, {name: given[name] for name in order}, directions=1)
    wanted = sl.input_gradients(Numbers(), ROWS + network.table(given["label"]).detach(), generator=seeded(9)).double()
    assert found.layers[0].gradient == pytest.approx(wanted.square().sum(1).mean().sqrt().item(), rel=1e-4)


class Masked(nn.Module):
    """As language models take them."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(11, 6), nn.Linear(6, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        weight = attention_mask.float().unsqueeze(-1)
        return self.head((self.table(input_ids) * weight).sum(1) / weight.sum(1)).relu()


@pytest.mark.parametrize("order", [("input_ids", "attention_mask"), ("attention_mask", "input_ids")])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_tokens_and_their_mask_in_any_order(dtype: torch.dtype, order: tuple[str, str]) -> None:
    given = {"input_ids": TOKENS, "attention_mask": torch.ones(6, 5, dtype=dtype)}
    found = diagnosed(Masked(), {name: given[name] for name in order})
    assert found.layers[0].name == "table"
    assert found.layers[0].gradient > 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (ROWS.double(), r"inputs: torch.float64 on cpu, but the network is torch.float32 on cpu; convert .*\.to\("),
        (ROWS.half(), r"inputs: torch.float16 on cpu, but the network is torch.float32 on cpu; convert .*\.to\("),
        (ROWS.to(torch.complex64), "inputs: torch.complex64, .*: dense real numbers are needed"),
        (ROWS.to_sparse(), "inputs: .*sparse_coo.*: dense real numbers are needed"),
        (ROWS.to("meta"), "inputs: .*meta.*: dense real numbers are needed"),
        (ROWS / 0, "inputs: every entry must be finite"),
        (ROWS * math.nan, "inputs: every entry must be finite"),
        (ROWS[:0], r"inputs: shape \(0, 7\)"),
        (ROWS[:, :0], r"inputs: shape \(8, 0\)"),
        (ROWS[0, 0], r"inputs: shape \(\)"),
        (ROWS.to(torch.uint8), "inputs: torch.uint8 has no gradient"),
        (ROWS.tolist(), "inputs: list of something else, but a tensor is needed"),
        (ROWS.numpy(), "inputs: .*a tensor is needed"),
        ([], "inputs: "),
        ({}, "inputs: "),
        (None, "inputs: "),
        (3, "inputs: "),
        ([ROWS, None], "inputs: list of something else, but a tensor is needed"),
    ],
    ids=[
        "float64", "float16", "complex", "sparse", "meta", "infinite", "nan", "no input", "no features", "one number",
        "bytes", "list", "array", "no tensor", "no name", "nothing", "number", "none among them",
    ],
)  # fmt: skip
def test_inputs_that_cannot_be_measured_are_refused(inputs: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(nn.Linear(7, 3), inputs, generator=seeded(1))


def test_several_inputs_of_other_counts_are_refused() -> None:
    class Added(nn.Module):
        def forward(self, one: Tensor, other: Tensor) -> Tensor:
            return one + other.mean(0)

    with pytest.raises(ValueError, match=r"inputs|depends on another input"):
        sl.diagnose(Added(), (ROWS, ROWS[:5]), generator=seeded(1))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(dtype: torch.dtype, activation: type[nn.Module]) -> None:
    """The numbers of float32 to a few roundings, and the same verdict."""
    network = perceptron(32, 64, 64, 64, 10, activation=activation)
    inputs = torch.randn(24, 32, generator=seeded(6))
    precise = diagnosed(network, inputs, drawn=True)
    coarse = diagnosed(network.to(dtype), inputs.to(dtype))
    assert signals(coarse) == pytest.approx(signals(precise), rel=0.02)
    assert coarse.layers[0].gradient == pytest.approx(precise.layers[0].gradient, rel=0.05)
    assert coarse.layers[0].correlation == pytest.approx(precise.layers[0].correlation, abs=0.05)
    assert precise.cause == "healthy"
    assert coarse.cause == "healthy"


def test_functional_dropout_is_let_be() -> None:
    class Dropping(nn.Module):
        def __init__(self, share: float) -> None:
            super().__init__()
            self.linear, self.share = nn.Linear(7, 3), share

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(functional.dropout(x, self.share))

    agrees(Dropping(0.0), ROWS)
    network, state = Dropping(0.5), torch.get_rng_state()
    found = diagnosed(network, ROWS)
    assert torch.equal(torch.get_rng_state(), state)
    assert found.layers[0].gradient > 0


# --- Dependence ---


class Mixing(nn.Module):
    def __init__(self, mix: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear, self.mix = nn.Linear(7, 3), mix

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.linear(x))


@pytest.mark.parametrize(
    "mix",
    [
        lambda z: z - z.mean(0), lambda z: z.roll(1, 0), lambda z: z.softmax(0), lambda z: z.flip(0),
        lambda z: z.cumsum(0), lambda z: z - z[:1], lambda z: z - z[-1:], lambda z: z + 0.01 * (z @ z.T).relu() @ z,
        lambda z: torch.cat([z[:4], z[4:] - z[4:].mean(0)]),
        lambda z: z - z.mean(0).detach(),
    ],
    ids=[
        "mean", "next", "softmax", "flipped", "sum so far", "less the first", "less the last", "attention",
        "the last alone", "held constant",
    ],
)  # fmt: skip
def test_outputs_that_depend_on_other_inputs_are_refused(mix: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(Mixing(mix), ROWS, generator=seeded(1))


def test_time_where_inputs_should_be_is_refused() -> None:
    class TimeFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.GRU(4, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.recurrent(x)[0]

    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(TimeFirst(), SERIES, generator=seeded(1))


def test_tokens_that_mix_are_refused() -> None:
    network = nn.Sequential(nn.Embedding(11, 7), Mixing(lambda z: z - z.mean(0)))
    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(network, TOKENS, generator=seeded(1))


@pytest.mark.parametrize("kept", [{"weight": True}, {}], ids=["of parameters", "of nothing"])
def test_outputs_without_a_slope_are_refused(kept: dict) -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if kept:
                self.weight = nn.Parameter(torch.ones(7))

        def forward(self, x: Tensor) -> Tensor:
            counts = (x > 0).float()
            return counts * self.weight if kept else counts

    with pytest.raises(ValueError, match="network"):
        sl.diagnose(Counts(), ROWS, generator=seeded(1))


def test_outputs_that_hear_nothing_of_the_inputs() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = nn.Parameter(torch.ones(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.answer.expand(len(x), 3)

    with pytest.raises(ValueError, match="network"):
        sl.diagnose(Constant(), ROWS, generator=seeded(1))


def test_outputs_that_are_zero_times_the_inputs() -> None:
    found = diagnosed(nn.Sequential(nn.Linear(7, 5), nn.Threshold(1e9, 0.0), nn.Linear(5, 3)), ROWS, drawn=True)
    assert found.layers[0].gradient == 0
    assert found.cause != "healthy"


# --- Sizes at the edge ---


@pytest.mark.parametrize("size", [1e30, 1e-30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_and_tiny_inputs(dtype: torch.dtype, size: float) -> None:
    """All of a homogeneous network but its sizes is as at size 1."""
    network, inputs = perceptron(7, 9, 9, 3, bias=False).to(dtype), ROWS.to(dtype)
    one, other = diagnosed(network, inputs, drawn=True), diagnosed(network, size * inputs)
    for small, large in zip(one.layers, other.layers, strict=True):
        assert large.signal / size == pytest.approx(small.signal, rel=1e-4)
        assert large.expected_signal / size == pytest.approx(small.expected_signal, rel=1e-4)
        for name in ("gradient", "scale", "correlation", "expected_gradient", "expected_correlation"):
            assert getattr(large, name) == pytest.approx(getattr(small, name), rel=1e-3)
    assert other.cause == ("exploding" if size > 1 else "vanishing")


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e160, 1e-160])
@pytest.mark.parametrize("activation", [nn.GELU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SiLU, nn.Softplus, nn.Mish])
def test_huge_and_tiny_signals_through_every_activation(activation: type[nn.Module], size: float) -> None:
    network = perceptron(7, 9, 3, activation=activation).double()
    with torch.no_grad():
        network[0].weight *= size
    found = diagnosed(network, ROWS.double(), drawn=activation is nn.Tanh)
    assert found.layers[1].signal == pytest.approx(rms(network[0](ROWS.double())), rel=1e-4)


@pytest.mark.parametrize(("dtype", "factor"), [(torch.float32, 1e8), (torch.float64, 1e40), (torch.float16, 1e2)])
def test_signals_that_overflow(dtype: torch.dtype, factor: float) -> None:
    network = perceptron(*[7] * 12, bias=False).to(dtype)
    with torch.no_grad():
        for layer in network[::2]:
            layer.weight *= factor
    found = diagnosed(network, ROWS.to(dtype), torch.arange(8) % 7, drawn=True)
    assert found.cause == "exploding"
    assert "finite" in found.findings[0].sentence
    assert found.findings[0].layer == next(each.name for each in found.layers if not math.isfinite(each.largest))


def test_nan_that_the_network_makes_itself() -> None:
    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sqrt()

    found = diagnosed(nn.Sequential(nn.Linear(7, 6), Root(), nn.Linear(6, 3)), ROWS, drawn=True)
    assert found.cause == "exploding"
    assert found.loss is not None
    assert found.to_dict()["layers"][-1]["signal"] is None


def test_gradients_that_overflow() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.Tanh(), *[nn.Linear(6, 6) for _ in range(10)])
    with torch.no_grad():
        network[0].weight *= 1e30
        for layer in network[2:]:
            layer.weight *= 1e4
    found = diagnosed(network, ROWS, drawn=True)
    assert found.cause == "exploding"


# --- Small networks, few inputs ---


@pytest.mark.parametrize("network", [nn.Identity(), nn.Flatten(), nn.Sequential()], ids=["identity", "flat", "empty"])
def test_a_network_that_does_nothing(network: nn.Module) -> None:
    found = diagnosed(network, ROWS, drawn=True)
    [layer] = found.layers
    assert layer.correlation == pytest.approx(1)
    assert layer.scale == pytest.approx(1, rel=0.5)
    assert found.cause == "healthy"


def test_a_network_of_one_layer() -> None:
    network = nn.Linear(7, 3)
    found = agrees(network, ROWS)
    assert [layer.name for layer in found.layers] == ["inputs", "linear"]
    assert "Linear" in str(found)
    assert found.cause == "healthy"


def test_findings_of_a_network_without_names_read_well() -> None:
    class Unnamed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 1e4 * (x - 50).relu() + 1e4 * (1e4 * x)

    found = diagnosed(Unnamed(), ROWS)
    assert found.findings
    for text in (str(found), found._repr_html_(), found.verdict):
        assert "from  on" not in text
        assert "from on" not in text


@pytest.mark.parametrize("network", [nn.ReLU(), nn.Tanh(), nn.Softmax(1), nn.LayerNorm(7, elementwise_affine=False)])
def test_networks_without_parameters(network: nn.Module) -> None:
    agrees(network, ROWS)


def test_equal_inputs() -> None:
    """No line lies between them; R is 1, since the gradients are equal."""
    found = diagnosed(perceptron(7, 9, 3), ROWS[:1].expand(5, 7), drawn=True)
    assert found.layers[0].correlation == pytest.approx(1)
    assert found.layers[0].similarity == pytest.approx(1)
    assert math.isnan(found.layers[0].curvature)
    assert found.cause == "collapsed"


def test_one_input() -> None:
    network = perceptron(7, 9, 3)
    found = diagnosed(network, ROWS[:1], drawn=True)
    assert found.inputs == 1
    assert math.isnan(found.layers[0].correlation)
    assert found.layers[0].gradient > 0


def test_two_inputs() -> None:
    found = agrees(perceptron(7, 9, 3), ROWS[:2])
    assert found.layers[0].nearby > 0


def test_of_inputs_of_zero() -> None:
    found = diagnosed(perceptron(7, 9, 3), torch.zeros(5, 7), drawn=True)
    assert found.layers[0].signal == 0


# --- Targets ---


def test_targets_are_compared_with_guessing() -> None:
    network = perceptron(7, 6, 3)
    outputs = network(ROWS).detach().double()
    classes = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0])
    found = diagnosed(network, ROWS, classes, drawn=True)
    assert found.loss == pytest.approx(functional.cross_entropy(outputs, classes).item(), rel=1e-5)
    shares = torch.tensor([4, 2, 2]).double() / 8
    assert found.guessing == pytest.approx(-(shares * shares.log()).sum().item())
    numbers = torch.randn(8, 3, generator=seeded(3))
    found = diagnosed(network, ROWS, numbers)
    assert found.loss == pytest.approx((outputs - numbers).square().mean().item(), rel=1e-5)
    assert found.guessing == pytest.approx(numbers.var(0, correction=0).mean().item(), rel=1e-5)
    assert math.isnan(diagnosed(network, ROWS).loss)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.bool])
def test_class_numbers_of_any_integer_type(dtype: torch.dtype) -> None:
    network, classes = perceptron(7, 6, 2), torch.tensor([0, 1, 1, 0, 1, 0, 1, 1])
    wanted = functional.cross_entropy(network(ROWS).detach().double(), classes).item()
    assert diagnosed(network, ROWS, classes.to(dtype)).loss == pytest.approx(wanted, rel=1e-5)


def test_class_numbers_of_pixels_and_of_tokens() -> None:
    pixels = nn.Conv2d(2, 3, 1)
    classes = torch.randint(3, (6, 8, 8), generator=seeded(1))
    wanted = functional.cross_entropy(pixels(IMAGES).detach(), classes).item()
    assert diagnosed(pixels, IMAGES, classes).loss == pytest.approx(wanted, rel=1e-5)
    words, text = Tied(), torch.randint(11, (6, 5), generator=seeded(2))
    wanted = functional.cross_entropy(words(TOKENS).detach().movedim(-1, 1), text).item()
    assert diagnosed(words, TOKENS, text).loss == pytest.approx(wanted, rel=1e-5)
    ignored = text.clone()
    ignored[:, 0] = -100  # torch's own mark of what does not count
    wanted = functional.cross_entropy(words(TOKENS).detach().movedim(-1, 1), ignored).item()
    assert diagnosed(words, TOKENS, ignored).loss == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (torch.zeros(8, 2), r"targets: shape \(8, 2\), but the outputs have \(8, 3\)"),
        (torch.zeros(8), r"targets: shape \(8,\), but the outputs have \(8, 3\)"),
        (torch.zeros(7, dtype=torch.int64), r"targets: shape \(7,\), but outputs of shape \(8, 3\) need a class"),
        (torch.zeros(8, 3, dtype=torch.int64), r"targets: shape \(8, 3\), but outputs of shape \(8, 3\)"),
        (torch.tensor([0, 1, 2, 3, 0, 1, 2, 0]), "targets: from 0 to 3, but the outputs score 3 classes"),
        (torch.tensor([-1, 1, 2, 0, 0, 1, 2, 0]), "targets: from -1 to 2, but the outputs score 3 classes"),
        (torch.zeros(8, 3) / 0, "targets"),
        (torch.zeros(8, 3, dtype=torch.complex64), "targets"),
        ([0, 1, 2, 0, 1, 2, 0, 1], "targets"),
        ("classes", "targets"),
    ],
    ids=["width", "axis", "count", "one hot", "too large", "negative", "nan", "complex", "list", "word"],
)  # fmt: skip
def test_wrong_targets_are_refused(targets: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(perceptron(7, 6, 3), ROWS, targets, generator=seeded(1))


def test_class_numbers_for_one_number_an_input_are_refused() -> None:
    network = nn.Sequential(nn.Linear(7, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"targets: shape \(8,\), but outputs of shape \(8,\)"):
        sl.diagnose(network, ROWS, torch.tensor([0, 1] * 4), generator=seeded(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": 0}, "directions=0: a whole number from 1"),
        ({"directions": 2.0}, "directions=2.0: a whole number"),
        ({"directions": True}, "directions=True: a whole number"),
        ({"generator": 0}, "generator=0: a torch.Generator is needed"),
        ({"output": 1}, "output=1: the network returns a Tensor of no parts"),
        ({"output": "scores"}, "output='scores': the network returns a Tensor of no parts"),
    ],
)
def test_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(perceptron(7, 6, 3), ROWS, **options)


def test_one_direction() -> None:
    found = diagnosed(perceptron(7, 6, 3), ROWS, directions=1, drawn=True)
    assert math.isnan(found.layers[0].errors["nearby"])
    assert found.layers[0].errors["correlation"] > 0


def test_directions_are_averaged() -> None:
    """With many, the squared length of a gradient is that of the whole derivative."""
    network = perceptron(7, 6, 3)
    jacobians = torch.stack([torch.autograd.functional.jacobian(network, x) for x in ROWS]).double()
    found = diagnosed(network, ROWS, directions=500).layers[0]
    assert found.gradient == pytest.approx(jacobians.square().sum((1, 2)).mean().sqrt().item(), rel=0.15)  # 500: 4 %
    across = torch.einsum("aoi,boi->ab", jacobians, jacobians)
    own = across.trace()
    assert found.correlation == pytest.approx(((across.sum() - own) / 7 / own).item(), abs=0.05)


# --- Forms ---


@pytest.mark.parametrize("name", ["<b>&amp;", "[bold]", "[/red]", "a" * 300, ":smile:", "a b", "$R", "ζ"])
def test_any_name_can_be_shown(name: str) -> None:
    network = nn.ModuleDict({name: nn.Linear(7, 3)})
    network.forward = lambda x: network[name](x).relu()
    found = diagnosed(network, 1e5 * ROWS, drawn=True)
    assert found.layers[1].name == name
    assert without_spaces(name)[:20] in "".join(without_spaces(str(found)).split("│"))
    page = Tags()
    page.feed(found._repr_html_())
    assert name in page.text


def test_the_name_of_a_class_is_escaped() -> None:
    strange = type("<i>[/i]", (nn.Sequential,), {})(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    found = diagnosed(strange, ROWS, drawn=True)
    assert found.network == "<i>[/i]"


def test_many_layers_fit_into_a_table() -> None:
    found = diagnosed(perceptron(*[7] * 31), ROWS, drawn=True)
    assert len(found.layers) == 60
    assert found._repr_html_().count("<tr>") == 17


def test_two_diagnoses_can_be_compared_whatever_they_are() -> None:
    one, other = diagnosed(nn.Identity(), ROWS), diagnosed(nn.Conv2d(2, 3, 3), IMAGES)
    assert len(sl.diagnosis.compare(one, other).splitlines()) == 7


# --- Honest numbers ---


def test_a_linear_network_has_correlation_one_and_no_curvature() -> None:
    network = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 30), nn.Linear(30, 5)).double()
    found = diagnosed(network, torch.randn(12, 20, generator=seeded(3)).double())
    for layer in found.layers:
        assert layer.correlation == pytest.approx(1, abs=1e-6)
        assert layer.expected_correlation == pytest.approx(1, abs=1e-6)
        assert layer.nearby == pytest.approx(1, abs=1e-6)
        assert layer.curvature == pytest.approx(0, abs=1e-6)
        assert layer.errors["correlation"] == pytest.approx(0, abs=1e-6)
    bent = diagnosed(nn.Sequential(network[0], nn.ReLU(), network[1:]), torch.randn(12, 20).double())
    assert bent.layers[0].correlation < 0.9
    assert bent.layers[-1].curvature > 0.01


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_linear_network_is_seen_in_any_precision(dtype: torch.dtype) -> None:
    for seed in range(6):
        network = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 30), nn.Linear(30, 5))
        he_(network, generator=seeded(seed)).to(dtype)
        found = diagnosed(network, torch.randn(12, 20, generator=seeded(6)).to(dtype))
        assert "linear" in [finding.cause for finding in found.findings]


def plain(width: int, depth: int) -> nn.Module:
    return nn.Sequential(*[m for _ in range(depth) for m in (nn.Linear(width, width), nn.ReLU())])


def normed(width: int, depth: int) -> nn.Module:
    layers = [(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()) for _ in range(depth)]
    return nn.Sequential(*[m for each in layers for m in each])


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.5 * self.branch(x)


def residual(width: int, depth: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), *[Residual(width) for _ in range(depth)])


class Smooth(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.gelu(self.first(self.norm(x))))


WIDE: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: plain(300, 5),
    "batch norm": lambda: normed(300, 4),
    "residual": lambda: residual(300, 4),
    "layer norm and gelu": lambda: nn.Sequential(nn.Linear(300, 300), *[Smooth(300) for _ in range(3)]),
    "tanh": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.Tanh())]),
    "tanh with biases": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.Tanh())]),
    "sigmoid": lambda: nn.Sequential(*[m for _ in range(3) for m in (nn.Linear(300, 300), nn.Sigmoid())]),
    "selu": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.SELU())]),
}
NETWORKS = 8


def drawn(name: str, seed: int) -> nn.Module:
    """Gaussian weights, of the variance of He et al. (2015); the theory must read their size off the network."""
    network = he_(WIDE[name](), generator=seeded(seed))
    if name == "tanh with biases":
        for layer in network[::2]:
            nn.init.normal_(layer.bias, std=0.5, generator=seeded(100 + seed))
    return network


@pytest.mark.parametrize("name", WIDE)
def test_wide_networks_are_as_expected(name: str) -> None:
    """Mean over networks: within 4.5 standard errors, that are small, plus 2 % for a width of 300."""
    inputs = torch.randn(24, 300, generator=seeded(77))
    found = [sl.diagnose(drawn(name, seed), inputs, generator=seeded(seed), directions=8) for seed in range(NETWORKS)]
    for quantity in ("signal", "gradient", "correlation"):
        pairs = torch.tensor(
            [[[getattr(e, quantity), getattr(e, f"expected_{quantity}")] for e in each.layers] for each in found],
            dtype=torch.float64,
        )
        assert pairs.isfinite().all()
        measured, expected = pairs.unbind(-1)
        unit = expected if quantity != "correlation" else torch.ones_like(expected)
        off = (measured - expected) / unit
        error = off.std(0) / NETWORKS**0.5
        assert error.max() < 0.05
        assert (off.mean(0).abs() <= 4.5 * error + 0.02).all(), (quantity, off.mean(0), error)


def test_the_comparison_with_theory_bites() -> None:
    """Weights of a tenth more: the expected sizes follow, and so differ from those of the network before."""
    inputs = torch.randn(24, 300, generator=seeded(77))
    network = drawn("plain", 0)
    before = sl.diagnose(network, inputs, generator=seeded(0)).layers
    with torch.no_grad():
        network[0].weight *= 1.1
    after = sl.diagnose(network, inputs, generator=seeded(0)).layers
    assert after[1].expected_signal == pytest.approx(1.1 * before[1].expected_signal, rel=1e-6)
    assert after[0].expected_gradient == pytest.approx(1.1 * before[0].expected_gradient, rel=1e-6)
    assert after[0].expected_correlation == pytest.approx(before[0].expected_correlation, rel=1e-6)


@pytest.mark.parametrize(
    "activation",
    [nn.LeakyReLU(0.5), nn.ELU(0.2), nn.Softplus(5.0), nn.CELU(0.3), nn.GELU("tanh"), nn.PReLU(init=0.5), nn.ReLU6(),
     nn.Hardtanh(), nn.LeakyReLU(0.5, inplace=True), nn.ELU(0.2, inplace=True)],
    ids=["leaky", "elu", "softplus", "celu", "gelu by tanh", "prelu", "relu6", "hardtanh",
         "leaky in place", "elu in place"],
)  # fmt: skip
def test_options_of_an_activation_are_read_or_nothing_is_expected(activation: nn.Module) -> None:
    network = he_(nn.Sequential(nn.Linear(300, 300), activation, nn.Linear(300, 300)), generator=seeded(4))
    found = diagnosed(network, torch.randn(24, 300, generator=seeded(77)))
    for layer in found.layers:
        for name in ("signal", "gradient", "correlation"):
            expected = getattr(layer, f"expected_{name}")
            assert math.isnan(expected) or expected == pytest.approx(getattr(layer, name), rel=0.1, abs=0.03)


class Functional(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.function, self.head = nn.Linear(300, 300), function, nn.Linear(300, 300)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.function(self.first(x)))


@pytest.mark.parametrize(
    "function",
    [
        lambda z: functional.leaky_relu(z, negative_slope=0.8), lambda z: functional.elu(z, alpha=0.1),
        lambda z: functional.softplus(z, beta=10), lambda z: z + 3.0, lambda z: 2 + z, lambda z: z - 3.0,
        lambda z: z + z, lambda z: z.add(z), lambda z: torch.add(z, z.relu(), alpha=3),
        lambda z: 3 * z, lambda z: z / 3,
        lambda z: torch.mul(z, 3.0), lambda z: z.mul(other=3.0), lambda z: torch.mul(input=z, other=torch.tensor(3.0)),
        lambda z: z * z, lambda z: z * z.sigmoid(), lambda z: -z, lambda z: z.clamp(min=0), lambda z: z.clamp_min(0.5),
        lambda z: z + torch.ones(300), lambda z: z.add_(torch.ones(300)), lambda z: z * torch.linspace(0, 2, 300),
        lambda z: torch.where(z > 0, z, 0.1 * z), lambda z: z.relu() - (-z).relu(), lambda z: z.masked_fill(z < 0, 0),
        lambda z: torch.cat([z[:, :150], z[:, 150:].relu()], 1), lambda z: z.chunk(2, 1)[1].repeat(1, 2),
        lambda z: sum(z.chunk(2, 1)).repeat(1, 2), lambda z: torch.stack([z, z.relu()]).sum(0),
        lambda z: z.relu().add(z).add(z), lambda z: z.unsqueeze(1).expand(-1, 2, -1).mean(1),
    ],
    ids=[
        "leaky slope", "elu alpha", "softplus beta", "plus 3", "2 plus", "minus 3", "twice", "twice by add", "alpha",
        "3 times", "third", "mul", "mul by name", "mul all by name", "square", "swish", "negative", "clamp",
        "clamp min",
        "plus ones", "plus ones in place", "scales", "where", "difference", "masked", "cat", "chunk", "sum of chunks",
        "stack", "skips", "mean",
    ],
)  # fmt: skip
def test_what_is_expected_of_a_function_is_so_or_nothing_is(function: Callable[[Tensor], Tensor]) -> None:
    """Whatever a forward does: an expected value is there only where the theory knows it."""
    network = he_(Functional(function), generator=seeded(4))
    found = agrees(network, torch.randn(24, 300, generator=seeded(77)))
    assert found.layers[-1].name == "head"
    for layer in found.layers:
        for name in ("signal", "gradient", "correlation"):
            expected = getattr(layer, f"expected_{name}")
            assert math.isnan(expected) or expected == pytest.approx(getattr(layer, name), rel=0.1, abs=0.03), name


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, 8), ({"stride": 2}, 8), ({"padding": 1}, 8), ({"padding": "same"}, 8), ({"padding": 1}, 2)],
    ids=["none", "stride", "padding", "same", "small image"],
)
def test_options_of_a_convolution_are_read_from_keywords(options: dict, size: int) -> None:
    class Called(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(64, 64, 3, 3, generator=seeded(1)) / 24)

        def forward(self, x: Tensor) -> Tensor:
            return functional.conv2d(x, self.weight, **options)

    network, inputs = Called(), torch.randn(8, 64, size, size, generator=seeded(2))
    module = nn.Conv2d(64, 64, 3, bias=False, **options)
    module.weight = network.weight
    wanted, found = (diagnosed(each, inputs).layers for each in (module, network))
    assert found[1].expected_signal == pytest.approx(wanted[1].expected_signal, rel=1e-6)
    assert found[1].expected_signal == pytest.approx(found[1].signal, rel=0.1)


def test_an_activation_of_ones_own_does_not_break_the_trail() -> None:
    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, z: Tensor) -> Tensor:
            return z.relu()

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:
            return gradient

    found = agrees(Functional(Straight.apply), torch.randn(6, 300, generator=seeded(1)))
    assert found.layers[-1].name == "head"
    assert math.isnan(found.layers[0].expected_gradient)


def test_the_scale_does_not_depend_on_how_weights_share_it() -> None:
    network = perceptron(7, 9, 9, 9, 3, bias=False)
    before = diagnosed(network, ROWS)
    with torch.no_grad():
        network[2].weight *= 3
        network[4].weight /= 3
    after = diagnosed(network, ROWS)
    assert after.layers[3].signal == pytest.approx(3 * before.layers[3].signal, rel=1e-4)
    assert [each.scale for each in after.layers] == pytest.approx([each.scale for each in before.layers], rel=1e-4)
    for name in ("similarity", "spread", "correlation", "nearby", "curvature", "structure"):
        pairs = [(getattr(one, name), getattr(two, name)) for one, two in zip(before.layers, after.layers, strict=True)]
        assert [one for one, _ in pairs] == pytest.approx([two for _, two in pairs], rel=1e-3, abs=1e-5, nan_ok=True)


def test_errors_are_the_spread_over_fresh_inputs() -> None:
    """A network drawn once, and the same directions; inputs drawn 40 times: standard errors to a factor of two."""
    network = perceptron(20, 40, 40, 10)
    found = [
        sl.diagnose(network, torch.randn(16, 20, generator=seeded(1000 + draw)), generator=seeded(1)).layers
        for draw in range(40)
    ]
    for name in ("signal", "similarity", "spread", "gradient", "scale", "correlation"):
        for place in (0, 2, 3, 5):
            layers = [each[place] for each in found]
            spread = torch.tensor([getattr(each, name) for each in layers]).std().item()
            error = sum(each.errors[name] ** 2 for each in layers) ** 0.5 / 40**0.5
            if spread < 1e-6 or (name == "correlation" and place == 5):
                continue  # what is 1 whatever the inputs are
            assert 0.5 < error / spread < 2, (name, place, error, spread)


def test_errors_over_directions_are_their_spread() -> None:
    network = perceptron(20, 40, 40, 10)
    inputs = torch.randn(16, 20, generator=seeded(3))
    found = [sl.diagnose(network, inputs, generator=seeded(seed)).layers[0] for seed in range(40)]
    spread = torch.tensor([each.nearby for each in found]).std().item()
    error = sum(each.errors["nearby"] ** 2 for each in found) ** 0.5 / 40**0.5
    assert 0.5 < error / spread < 2


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("kind", ["linear", "convolution", "linear over positions", "series"])
def test_dead_and_always_on_are_exact(kind: str, in_place: bool) -> None:
    """Of ten units three are never on, two always are, and one is on at a single place only."""
    bias = torch.tensor([-1e3] * 3 + [1e3] * 2 + [0.0] * 4 + [-2.0])
    if kind == "convolution":
        layer, inputs = nn.Conv2d(2, 10, 1), IMAGES.clone()
        inputs[3, :, 2, 5] = 10.0
    elif kind == "series":
        layer, inputs = nn.Conv1d(2, 10, 1), IMAGES.flatten(2).clone()
        inputs[3, :, 9] = 10.0
    elif kind == "linear":
        layer, inputs = nn.Linear(7, 10), ROWS.clone()
        inputs[3] = 10.0
    else:
        layer, inputs = nn.Linear(4, 10), SERIES.clone()
        inputs[3, 2] = 10.0
    with torch.no_grad():
        layer.bias.copy_(bias)
        layer.weight[9] = 0.3 / layer.weight[9].numel()
    network = nn.Sequential(layer, nn.ReLU(inplace=in_place))
    with torch.no_grad():
        on = network(inputs)
    units = on.movedim(1 if kind in ("convolution", "series") else -1, 0).flatten(1) > 0
    assert (~units).all(1).sum() == 3
    assert units.all(1).sum() == 2
    assert units[9].sum() == 1
    found = diagnosed(network, inputs).layers[-1]
    assert found.dead == pytest.approx(0.3)
    assert found.always_on == pytest.approx(0.2)


@pytest.mark.parametrize(("bias", "dead", "always_on"), [(1e3, 0.0, 1.0), (-1e3, 1.0, 0.0)])
def test_a_layer_may_be_all_on_or_all_off(bias: float, dead: float, always_on: float) -> None:
    network = nn.Sequential(nn.Linear(7, 10), nn.ReLU(), nn.Linear(10, 3))
    nn.init.constant_(network[0].bias, bias)
    layer = diagnosed(network, ROWS).layers[2]
    assert (layer.dead, layer.always_on) == (dead, always_on)


def test_smooth_activations_are_never_dead() -> None:
    """Behind a rectifier many entries are exactly 0, and so is what tanh, GELU and the like make of them."""
    for activation in (nn.Tanh(), nn.GELU(), nn.SiLU(), nn.ELU(), nn.LeakyReLU()):
        network = nn.Sequential(nn.Linear(7, 10), nn.ReLU(), activation, nn.Linear(10, 3))
        nn.init.constant_(network[0].bias, -0.5)
        layer = diagnosed(network, ROWS).layers[3]
        assert layer.operation == activation.__class__.__name__.lower().replace("relu", "_relu").strip("_")
        assert math.isnan(layer.dead)


def test_measures_of_one_layer_by_hand() -> None:
    network = perceptron(7, 9, 3)
    found = diagnosed(network, ROWS)
    h, out = (each(ROWS).detach().double() for each in (network[:2], network))
    layer, products = found.layers[2], h @ h.T
    own, pairs = products.trace().item(), (products.sum() - products.trace()).item()
    assert layer.signal == pytest.approx(rms(h), rel=1e-5)
    assert layer.largest == pytest.approx(h.abs().max().item(), rel=1e-6)
    assert layer.similarity == pytest.approx(pairs / 7 / own, rel=1e-5)
    assert layer.spread == pytest.approx((h - h.mean(0)).square().sum().item() / own, rel=1e-5)
    far = int((ROWS - ROWS[:1]).norm(dim=1).argmax())
    a, b, c = network[:2](torch.stack([ROWS[0], (ROWS[0] + ROWS[far]) / 2, ROWS[far]])).detach().double()
    assert layer.curvature == pytest.approx(((b - (a + c) / 2).norm() / ((c - a) / 2).norm()).item(), rel=1e-4)
    gradient = torch.randn(4, 3, generator=seeded(9)).double() @ network[2].weight.detach().double()
    assert layer.gradient == pytest.approx(gradient.square().sum(1).mean().sqrt().item(), rel=1e-5)
    scale = layer.gradient * math.sqrt(own / h.shape[1] / out.square().sum().item())
    assert layer.scale == pytest.approx(scale, rel=1e-4)


@pytest.mark.parametrize("kind", ["rows", "images", "tokens", "compiled inside"])
def test_no_warning_is_given(kind: str) -> None:
    network, inputs = {
        "rows": lambda: (perceptron(7, 6, 3), ROWS),
        "images": lambda: (busy_network(), IMAGES),
        "tokens": lambda: (Reader(), TOKENS),
        "compiled inside": lambda: (nn.Sequential(torch.compile(nn.Linear(7, 3), backend="eager"), nn.ReLU()), ROWS),
    }[kind]()
    network(inputs.clone())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sl.diagnose(network, inputs, generator=seeded(1))
