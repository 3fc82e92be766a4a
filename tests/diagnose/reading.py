"""Networks and inputs of the tests of a diagnosis, and how one is read: each of its forms must tell the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
import torch
from torch import Tensor, nn

import shattered_lite as sl
from shattered_lite import structure
from shattered_lite.initializers import he_


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


ROWS = torch.randn(8, 7, generator=seeded(1))
IMAGES = torch.randn(6, 2, 8, 8, generator=seeded(2))
SERIES = torch.randn(6, 5, 4, generator=seeded(3))
TOKENS = torch.randint(11, (6, 5), generator=seeded(4))


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
    named = {each.layer for each in found.findings}
    accused = sum(layer.name in named for layer in found.layers)
    assert min(16, len(found.layers)) <= page.tags.count("tr") - 1 <= min(16 + accused, len(found.layers))
    assert set(page.tags) <= {
        "p",
        "strong",
        "div",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "ol",
        "li",
        "br",
        "code",
    }
    assert found.verdict in page.text
    assert all(note in page.text for note in found.notes)
    changes = found.findings[0].changes if found.findings else ()
    assert page.tags.count("code") == len(changes)
    assert all(each.sentence in page.text and each.code in page.text for each in changes)
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


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = self.last + 1
        return x


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


class Tied(nn.Module):
    """A language model whose head is its table."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.body = nn.Embedding(11, 6), nn.Sequential(nn.Linear(6, 6), nn.GELU())
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.body(self.table(tokens)))
