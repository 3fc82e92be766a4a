"""Sick networks as people really make them, each with its cure, and healthy ones of further kinds; written by someone
who had not seen how the diagnosis works.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, images, made, rows, seeded, sequences, tokens
from sick import Sick
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm


def _generator(seed: int) -> torch.Generator:
    """A generator of random numbers of its own, from a seed."""
    return torch.Generator().manual_seed(seed)


def _with_parts(model: nn.Module, parts: list[Tensor] | dict[str, Tensor], targets: Tensor) -> Case:
    """A case whose inputs come in several parts: the model takes them one by one, or by name."""
    return Case(model, cast(Tensor, parts), targets)


# --- the sick -------------------------------------------------------------------------------------------------------


class GatedConvolution(nn.Module):
    """A gated convolution as inpainting networks have it: ELU of one half, times sigmoid of the other."""

    def __init__(self, before: int, after: int, dilation: int = 1, normed: bool = False) -> None:
        super().__init__()
        self.both = nn.Conv2d(before, 2 * after, 3, padding=dilation, dilation=dilation)
        self.norm = nn.BatchNorm2d(after) if normed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The features, each let through by its gate."""
        features, gate = self.both(x).chunk(2, 1)
        out: Tensor = self.norm(F.elu(features) * gate.sigmoid())
        return out


class Inpainter(nn.Module):
    """A coarse and a refining stage of gated convolutions, as DeepFill has them: fills the hole in an image."""

    def __init__(self, normed: bool, width: int = 16) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before in (4, width):
            stages += [GatedConvolution(before, width, normed=normed), nn.AvgPool2d(2)]
            stages += [GatedConvolution(width, width, normed=normed), nn.AvgPool2d(2)]
            stages += [GatedConvolution(width, width, d, normed) for d in (1, 1, 1, 2, 2, 4, 4, 1, 1, 1)]
            for _ in range(2):
                stages += [nn.Upsample(scale_factor=2.0), GatedConvolution(width, width, normed=normed)]
        self.stages = nn.Sequential(*stages)
        self.out = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The whole image, from the image with a hole and the mask of the hole."""
        out: Tensor = self.out(self.stages(x))
        return out


def _holes(seed: int) -> tuple[Tensor, Tensor]:
    """Images with a square hole, and the mask of the hole as fourth channel; the whole images are the targets."""
    whole, _ = images(seed, 16, 32, noise=0.1)
    mask = torch.zeros(16, 1, 32, 32)
    corners = torch.randint(4, 16, (16, 2), generator=_generator(seed))
    for index, (top, left) in enumerate(corners.tolist()):
        mask[index, :, top : top + 12, left : left + 12] = 1
    return torch.cat([whole * (1 - mask), mask], 1), whole


def inpainting_of_gated_convolutions(seed: int) -> Case:
    """Twenty-eight gated convolutions without norms: gates halve the signal, and default weights lessen it."""
    return made(seed, lambda: Inpainter(normed=False), _holes(seed))


def inpainting_of_gated_convolutions_cured(seed: int) -> Case:
    """A batch norm after every gated convolution."""
    return made(seed, lambda: Inpainter(normed=True), _holes(seed))


class AveragedCharacters(nn.Module):
    """A deep averaging network: the mean of the embedded characters, and some hidden layers."""

    def __init__(self, width: int = 48, hidden: int = 4) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        layers: list[nn.Module] = []
        for _ in range(hidden):
            layers += [nn.Linear(width, width), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Linear(width, CLASSES))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the classes, for each word."""
        out: Tensor = self.body(self.embed(text).mean(1))
        return out


def _names(seed: int, batch: int = 32, length: int = 10) -> tuple[Tensor, Tensor]:
    """Words of ten languages: each language has its own favourite characters."""
    favourites = 2.0 * torch.randn(CLASSES, VOCABULARY, generator=_generator(0))
    generator = _generator(seed)
    labels = torch.arange(batch) % CLASSES
    return torch.multinomial(favourites[labels].softmax(1), length, replacement=True, generator=generator), labels


def _after_weight_decay(seed: int, weight_decay: float) -> Case:
    """The network after some epochs of SGD on other words, with a given weight decay."""
    case = made(seed, AveragedCharacters, _names(seed))
    text, labels = _names(seed + 1000)
    optimizer = torch.optim.SGD(case.model.parameters(), lr=0.1, weight_decay=weight_decay)
    for _ in range(300):
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(case.model(text), labels))
        optimizer.step()
    case.model.zero_grad()
    return case


def shrunk_by_weight_decay(seed: int) -> Case:
    """Trained with a weight decay of 1 at a rate of 0.1: a tenth of every weight went at each step."""
    return _after_weight_decay(seed, 1.0)


def shrunk_by_weight_decay_cured(seed: int) -> Case:
    """Trained as long with a weight decay of 1e-4."""
    return _after_weight_decay(seed, 1e-4)


class NoiseNetwork(nn.Module):
    """A denoiser of vectors with their noise level: the clean vector is read off, or had from the noise predicted."""

    def __init__(self, from_noise: bool, features: int = 16, width: int = 192) -> None:
        super().__init__()
        self.from_noise = from_noise
        self.body = nn.Sequential(
            nn.Linear(features + 8, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, features)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The clean vector, from the noisy one and, in the last column, its time between 0 and 1."""
        noisy, time = x[:, :-1], x[:, -1:]
        turns = time * torch.arange(1, 5, device=x.device) * math.pi
        predicted: Tensor = self.body(torch.cat([noisy, turns.sin(), turns.cos()], 1))
        if not self.from_noise:
            return predicted
        kept = _signal_kept(time)
        return (noisy - (1 - kept).sqrt() * predicted) / kept.sqrt()


def _signal_kept(time: Tensor) -> Tensor:
    """The share of the signal's variance that is left at a time, by the cosine schedule."""
    return (torch.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2).clamp(min=2.4e-9)


def _noised(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Vectors in clusters, noised to all the times of a diffusion, and the clean vectors."""
    clean, _ = rows(seed, batch, 16)
    noise = torch.randn(batch, 16, generator=_generator(seed + 1))
    time = torch.linspace(1 / batch, 1, batch)[:, None]
    kept = _signal_kept(time)
    return torch.cat([kept.sqrt() * clean + (1 - kept).sqrt() * noise, time], 1), clean


def clean_vector_from_predicted_noise(seed: int) -> Case:
    """The loss is on the clean vector, had from the predicted noise by division by the signal that is left."""
    return made(seed, lambda: NoiseNetwork(from_noise=True), _noised(seed))


def clean_vector_from_predicted_noise_cured(seed: int) -> Case:
    """The network predicts the clean vector itself."""
    return made(seed, lambda: NoiseNetwork(from_noise=False), _noised(seed))


class CrossNetwork(nn.Module):
    """Layers that multiply the inputs with a linear map of what came before, beside a deep branch."""

    def __init__(self, features: int = 16, layers: int = 6, width: int = 64) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(nn.Linear(features, features) for _ in range(layers))
        self.deep = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(features + width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        crossed = x
        for cross in self.crosses:
            crossed = x * cross(crossed) + crossed
        out: Tensor = self.head(torch.cat([crossed, self.deep(x)], 1))
        return out


def _counts(seed: int) -> tuple[Tensor, Tensor]:
    """Counts of clicks and visits, from none to many thousands, by the class of the user."""
    levels, labels = rows(seed, 64, 16)
    return torch.exp(1.5 * levels + 4).floor(), labels


def crosses_of_raw_counts(seed: int) -> Case:
    """A cross network on counts as they are: every layer multiplies by thousands once more."""
    return made(seed, CrossNetwork, _counts(seed))


def crosses_of_raw_counts_cured(seed: int) -> Case:
    """The logarithms of the counts, standardised."""
    counts, labels = _counts(seed)
    logarithms = counts.log1p()
    return made(seed, CrossNetwork, ((logarithms - logarithms.mean(0)) / logarithms.std(0), labels))


class SlotAttention(nn.Module):
    """Slots that compete for the elements of a set in three turns; each slot tells where its object is."""

    def __init__(self, start: Tensor, features: int = 5) -> None:
        super().__init__()
        width = start.shape[1]
        self.start = nn.Parameter(start)
        self.embed = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.LayerNorm(width))
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.update = nn.GRUCell(width, width)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x: Tensor) -> Tensor:
        """Where the object of each slot is: (set, slot, coordinate)."""
        embedded = self.embed(x)
        keys, values = self.key(embedded), self.value(embedded)
        slots = self.start.expand(len(x), 3, -1)
        for _ in range(3):
            scores = self.query(self.norm(slots)) @ keys.transpose(1, 2) / math.sqrt(keys.shape[-1])
            shares = scores.softmax(1)
            seen = shares / (shares.sum(2, keepdim=True) + 1e-8) @ values
            slots = self.update(seen.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        out: Tensor = self.head(slots)
        return out


def _objects(seed: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Sets of points of three coloured objects, in random order, and the places of the red, green and blue one."""
    generator = _generator(seed)
    places = torch.randn(batch, 3, 2, generator=generator)
    points = places.repeat(1, 4, 1) + 0.1 * torch.randn(batch, 12, 2, generator=generator)
    colours = torch.eye(3).repeat(4, 1).expand(batch, 12, 3)
    order = torch.rand(batch, 12, generator=generator).argsort(1)
    elements = torch.cat([points, colours], 2)
    return elements.gather(1, order[:, :, None].expand(-1, -1, 5)), places


def slots_start_the_same(seed: int) -> Case:
    """All slots start from one learned vector, without the noise that would tell them apart."""
    return made(seed, lambda: SlotAttention(torch.randn(1, 48)), _objects(seed))


def slots_start_the_same_cured(seed: int) -> Case:
    """A learned start for each slot."""
    return made(seed, lambda: SlotAttention(torch.randn(3, 48)), _objects(seed))


class SensorNetwork(nn.Module):
    """Two strided convolutions over time, and a GRU on what they give."""

    def __init__(self, features: int = 8, width: int = 64) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv1d(features, width, 5, padding=2), nn.ReLU(), nn.Conv1d(width, width, 5, 2, 2), nn.ReLU()
        )
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        _, last = self.recurrent(self.convolutions(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = self.head(last[-1])
        return out


def _readings(seed: int, glitch: float) -> tuple[Tensor, Tensor]:
    """Readings of eight sensors, each scaled to between 0 and 1; a faulty reading of each is given the value named."""
    series, labels = sequences(seed)
    raw = 20 + 5 * series.double()
    raw[3, 7] = glitch
    lowest, highest = raw.amin((0, 1)), raw.amax((0, 1))
    return ((raw - lowest) / (highest - lowest)).float(), labels


def sensors_scaled_by_a_glitch(seed: int) -> Case:
    """Min-max scaling over data in which one reading was the error code 2147483647: all others are at nearly 0."""
    return made(seed, SensorNetwork, _readings(seed, 2.0**31 - 1))


def sensors_scaled_by_a_glitch_cured(seed: int) -> Case:
    """The faulty reading was replaced by a usual one before the scaling."""
    return made(seed, SensorNetwork, _readings(seed, 20.0))


class Factorisation(nn.Module):
    """Ratings as products of the vectors of a user and an item, which lie in a dictionary of any kind."""

    def __init__(self, tables: dict[str, nn.Embedding] | nn.ModuleDict) -> None:
        super().__init__()
        self.tables = tables
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, pairs: Tensor) -> Tensor:
        """The rating, for each pair of a user and an item."""
        out: Tensor = (self.tables["user"](pairs[:, 0]) * self.tables["item"](pairs[:, 1])).sum(1) + self.bias
        return out


def _tables() -> dict[str, nn.Embedding]:
    """The vectors of the users and the items."""
    tables = {"user": nn.Embedding(24, 12), "item": nn.Embedding(30, 12)}
    for table in tables.values():
        nn.init.normal_(table.weight, std=0.3)
    return tables


def _ratings(seed: int) -> tuple[Tensor, Tensor]:
    """Pairs of users and items, and ratings that come of two tastes."""
    tastes = torch.randn(54, 2, generator=_generator(0))
    pairs = torch.randperm(24 * 30, generator=_generator(seed))[:64]
    users, items = pairs // 30, pairs % 30
    return torch.stack([users, items], 1), (tastes[users] * tastes[24 + items]).sum(1)


def tables_in_a_dictionary(seed: int) -> Case:
    """The embeddings lie in a plain dictionary, so that the model has but one parameter, the bias."""
    return made(seed, lambda: Factorisation(_tables()), _ratings(seed))


def tables_in_a_dictionary_cured(seed: int) -> Case:
    """The embeddings lie in an nn.ModuleDict."""
    return made(seed, lambda: Factorisation(nn.ModuleDict(_tables())), _ratings(seed))


class Counter(nn.Module):
    """A small convolutional network that counts the blobs in an image, and may round its answer."""

    def __init__(self, rounds: bool, width: int = 16) -> None:
        super().__init__()
        self.rounds = rounds
        layers: list[nn.Module] = []
        for before, after in ((1, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width * 16, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The number of blobs, for each image."""
        number: Tensor = self.body(x)
        return number.round() if self.rounds else number


def _blobs(seed: int, batch: int = 32, size: int = 32) -> tuple[Tensor, Tensor]:
    """Grey images with none to nine bright blobs, and their number."""
    generator = _generator(seed)
    numbers = torch.arange(batch) % 10
    places = size * torch.rand(batch, 9, 2, generator=generator)
    axis = torch.arange(size)
    distances = (axis[:, None] - places[:, :, :1, None]) ** 2 + (axis - places[:, :, 1:, None]) ** 2
    shown = (torch.arange(9) < numbers[:, None])[:, :, None, None]
    pictures = (shown * torch.exp(-distances / 6)).sum(1, keepdim=True)
    return 2 * pictures + 0.1 * torch.randn(batch, 1, size, size, generator=generator), numbers[:, None].float()


def counts_rounded(seed: int) -> Case:
    """The answer is rounded to a whole number in the network itself: no gradient goes through."""
    return made(seed, lambda: Counter(rounds=True), _blobs(seed))


def counts_rounded_cured(seed: int) -> Case:
    """The answer isn't rounded."""
    return made(seed, lambda: Counter(rounds=False), _blobs(seed))


def _lorenz(state: Tensor, time: float, step: float = 0.05) -> Tensor:
    """The state of Lorenz's weather after a time, by the method of Runge and Kutta; in units of 10."""

    def change(at: Tensor) -> Tensor:
        x, y, z = at.unbind(-1)
        return torch.stack([10 * (y - x), 28 * x - y - 10 * x * z, 10 * x * y - 8 / 3 * z], -1)

    for _ in range(round(time / step)):
        first = change(state)
        second = change(state + step / 2 * first)
        third = change(state + step / 2 * second)
        fourth = change(state + step * third)
        state = state + step / 6 * (first + 2 * second + 2 * third + fourth)
    return state


class Forecaster(nn.Module):
    """A network that finds the state of the weather from instruments, and a simulator that goes on from there."""

    def __init__(self, time: float, features: int = 12, width: int = 64) -> None:
        super().__init__()
        self.time = time
        self.find = nn.Sequential(
            nn.Linear(features, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The state after the time."""
        middle = torch.tensor([0.0, 0.0, 2.4], device=x.device)
        found: Tensor = self.find(x)
        return _lorenz(middle + found, self.time)


def _weather(seed: int, time: float, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Readings of twelve instruments of states on the attractor, and the states after the time."""
    generator = _generator(seed)
    now = _lorenz(torch.randn(batch, 3, generator=generator) + torch.tensor([0.0, 0.0, 2.4]), 5.0)
    instruments = torch.randn(3, 12, generator=_generator(0))
    readings = ((now - torch.tensor([0.0, 0.0, 2.4])) @ instruments).tanh()
    return readings + 0.01 * torch.randn(batch, 12, generator=generator), _lorenz(now, time)


def weather_simulated_too_long(seed: int) -> Case:
    """The loss is behind 15 units of simulated time, in which chaos makes errors grow a millionfold."""
    return made(seed, lambda: Forecaster(15.0), _weather(seed, 15.0))


def weather_simulated_too_long_cured(seed: int) -> Case:
    """The loss is behind 0.5 units of simulated time."""
    return made(seed, lambda: Forecaster(0.5), _weather(seed, 0.5))


def _critic(bends: bool) -> nn.Module:
    """A critic of states and actions: four linear layers, with or without ReLU between them."""
    layers: list[nn.Module] = []
    for before in (10, 128, 128):
        layers += [nn.Linear(before, 128), nn.ReLU()] if bends else [nn.Linear(before, 128)]
    return nn.Sequential(*layers, nn.Linear(128, 1))


def _values(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """States (eight numbers) with actions (two), and the value: the less, the farther the action is from the best."""
    best = torch.randn(8, 2, generator=_generator(0)) / math.sqrt(8)
    generator = _generator(seed)
    states = torch.randn(batch, 8, generator=generator)
    actions = 2 * torch.rand(batch, 2, generator=generator) - 1
    values = -((actions - (states @ best).tanh()) ** 2).sum(1, keepdim=True)
    return torch.cat([states, actions], 1), (values - values.mean()) / values.std()


def critic_without_act(seed: int) -> Case:
    """A critic of states and actions, as deep deterministic policy gradients need it, without activations."""
    return made(seed, lambda: _critic(bends=False), _values(seed))


def critic_without_act_cured(seed: int) -> Case:
    """ReLU after each hidden layer."""
    return made(seed, lambda: _critic(bends=True), _values(seed))


SICK_TENTH: dict[str, Sick] = {
    "inpainting_of_gated_convolutions": Sick(
        inpainting_of_gated_convolutions,
        "vanishing",
        inpainting_of_gated_convolutions_cured,
        "batch norm after every gated convolution",
    ),
    "shrunk_by_weight_decay": Sick(
        shrunk_by_weight_decay, ("vanishing", "collapsed"), shrunk_by_weight_decay_cured, "weight decay of 1e-4"
    ),
    "clean_vector_from_predicted_noise": Sick(
        clean_vector_from_predicted_noise,
        "exploding",
        clean_vector_from_predicted_noise_cured,
        "predict the clean vector itself",
    ),
    "crosses_of_raw_counts": Sick(
        crosses_of_raw_counts, "exploding", crosses_of_raw_counts_cured, "standardised logarithms of the counts"
    ),
    "slots_start_the_same": Sick(
        slots_start_the_same, "collapsed", slots_start_the_same_cured, "a learned start for each slot"
    ),
    "sensors_scaled_by_a_glitch": Sick(
        sensors_scaled_by_a_glitch,
        ("collapsed", "vanishing"),
        sensors_scaled_by_a_glitch_cured,
        "mend the faulty reading before scaling",
    ),
    "tables_in_a_dictionary": Sick(
        tables_in_a_dictionary, "dead", tables_in_a_dictionary_cured, "nn.ModuleDict for the embeddings"
    ),
    "counts_rounded": Sick(counts_rounded, "dead", counts_rounded_cured, "no rounding in the network"),
    "weather_simulated_too_long": Sick(
        weather_simulated_too_long,
        ("shattered", "exploding"),
        weather_simulated_too_long_cured,
        "a short simulation before the loss",
    ),
    "critic_without_act": Sick(critic_without_act, "linear", critic_without_act_cured, "ReLU after each hidden layer"),
}


# --- the healthy ----------------------------------------------------------------------------------------------------


class MemoryNetwork(nn.Module):
    """An end-to-end memory network of three hops: a story and a question, as a dictionary, and the answer."""

    def __init__(self, words: int = 24, width: int = 40, hops: int = 3, sentences: int = 8, answers: int = 6) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(words, width, padding_idx=0) for _ in range(hops + 1))
        self.times = nn.ParameterList(0.1 * torch.randn(sentences, width) for _ in range(hops + 1))
        for table in self.tables:
            nn.init.normal_(cast(nn.Embedding, table).weight[1:], std=0.3)
        self.head = nn.Linear(width, answers)

    def forward(self, story: Tensor, question: Tensor) -> Tensor:
        """The scores of the answers, from `story` (batch, sentence, word) and `question` (batch, word)."""
        asked = self.tables[0](question).sum(1)
        for hop in range(len(self.tables) - 1):
            keys = self.tables[hop](story).sum(2) + self.times[hop]
            values = self.tables[hop + 1](story).sum(2) + self.times[hop + 1]
            shares = (keys @ asked[:, :, None]).softmax(1)
            asked = asked + (shares * values).sum(1)
        out: Tensor = self.head(asked)
        return out


def memory_network(seed: int) -> Case:
    """A memory network: who is where at the end of a short story. Its inputs are a dictionary."""
    generator = _generator(seed)
    people = torch.randint(4, (32, 8), generator=generator)
    places = torch.randint(6, (32, 8), generator=generator)
    asked = people.gather(1, torch.randint(8, (32, 1), generator=generator))
    last = ((people == asked) * torch.arange(1, 9)).argmax(1, keepdim=True)
    verbs = torch.randint(20, 23, (32, 8), generator=generator)
    story = torch.stack([1 + people, verbs, 10 + places, torch.zeros_like(people)], 2)
    question = torch.cat([torch.full((32, 1), 23), 1 + asked], 1)
    with seeded(seed):
        model = MemoryNetwork().train()
    return _with_parts(model, {"story": story, "question": question}, places.gather(1, last)[:, 0])


class PointerNetwork(nn.Module):
    """Reads a set with an LSTM, then points at its elements one after the other: (batch, turn, element)."""

    def __init__(self, features: int = 2, width: int = 64, turns: int = 4) -> None:
        super().__init__()
        self.turns = turns
        self.start = nn.Parameter(torch.zeros(width))
        self.embed = nn.Linear(features, width)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTMCell(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.query = nn.Linear(width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the elements, at each turn."""
        embedded = self.embed(x)
        states, (hidden, cell) = self.encoder(embedded)
        keys, state, given = self.key(states), (hidden[-1], cell[-1]), self.start.expand(len(x), -1)
        turns = []
        for _ in range(self.turns):
            state = self.decoder(given, state)
            scores = self.score((keys + self.query(state[0])[:, None]).tanh())
            given = (scores.softmax(1) * embedded).sum(1)
            turns.append(scores[:, :, 0])
        return torch.stack(turns, 1)


def pointer_network(seed: int) -> Case:
    """A pointer network that finds the four nearest of seven points in order."""
    points = torch.randn(32, 7, 2, generator=_generator(seed))
    return made(seed, PointerNetwork, (points, points.norm(dim=2).argsort(1)[:, :4]))


class EquivariantLayer(nn.Module):
    """A layer of an E(n)-equivariant graph network, on complete graphs."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.message = nn.Sequential(nn.Linear(2 * width + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.gate = nn.Linear(width, 1)
        self.move = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1, bias=False))
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        nn.init.xavier_uniform_(cast(nn.Linear, self.move[2]).weight, gain=0.001)

    def forward(self, atoms: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """The atoms' features and places after the layer."""
        count = atoms.shape[1]
        apart = places[:, :, None] - places[:, None]
        squares = (apart**2).sum(-1, keepdim=True)
        here, there = atoms[:, :, None].expand(-1, -1, count, -1), atoms[:, None].expand(-1, count, -1, -1)
        messages = self.message(torch.cat([here, there, squares], -1))
        messages = messages * self.gate(messages).sigmoid() * (1 - torch.eye(count, device=atoms.device))[:, :, None]
        moved = places + (apart / (1 + (squares + 1e-8).sqrt()) * self.move(messages)).mean(2)
        return atoms + self.update(torch.cat([atoms, messages.sum(2) / math.sqrt(count)], -1)), moved


class EquivariantNetwork(nn.Module):
    """Three equivariant layers, and a sum over atoms; kinds and places of the atoms come as a list."""

    def __init__(self, width: int = 40, layers: int = 3) -> None:
        super().__init__()
        self.embed = nn.Embedding(4, width)
        self.layers = nn.ModuleList(EquivariantLayer(width) for _ in range(layers))
        self.head = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, kinds: Tensor, places: Tensor) -> Tensor:
        """The energy, for each molecule."""
        atoms = self.embed(kinds)
        for layer in self.layers:
            atoms, places = layer(atoms, places)
        out: Tensor = self.head(atoms).mean(1)
        return out


def equivariant_network(seed: int) -> Case:
    """An E(n)-equivariant graph network for energies of molecules. Its inputs are a list: kinds, and places."""
    generator = _generator(seed)
    kinds = torch.randint(4, (32, 8), generator=generator)
    places = 1.2 * torch.randn(32, 8, 3, generator=generator)
    charges = torch.tensor([-1.0, -0.3, 0.4, 1.0])[kinds]
    energies = (charges[:, :, None] * charges[:, None] / (0.5 + torch.cdist(places, places))).sum((1, 2))
    with seeded(seed):
        model = EquivariantNetwork().train()
    return _with_parts(model, [kinds, places], ((energies - energies.mean()) / energies.std())[:, None])


class DiffusionBlock(nn.Module):
    """A transformer block of a DiT: shift, scale and gate of both branches come from the time, at first all zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """The patches, after attention and a perceptron."""
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = self.modulate(F.silu(time))[:, None].chunk(6, 2)
        normed = self.norms[0](x) * (1 + scale) + shift
        x = x + gate * self.attention(normed, normed, normed, need_weights=False)[0]
        out: Tensor = x + gate_mlp * self.mlp(self.norms[1](x) * (1 + scale_mlp) + shift_mlp)
        return out


class DiffusionTransformer(nn.Module):
    """A small DiT for flow matching: its inputs are a list of noisy images and times, its last layer starts at zero."""

    def __init__(self, width: int = 96, layers: int = 3, patch: int = 4) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.places = nn.Parameter(0.02 * torch.randn(16, width))
        self.time = nn.Sequential(nn.Linear(16, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(DiffusionBlock(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3 * patch * patch)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        """The velocity, for each pixel."""
        turns = time[:, None] * 2.0 ** torch.arange(8, device=time.device)
        condition = self.time(torch.cat([turns.sin(), turns.cos()], 1))
        x = self.embed(noisy).flatten(2).transpose(1, 2) + self.places
        for block in self.blocks:
            x = block(x, condition)
        patches = self.head(self.norm(x)).transpose(1, 2).unflatten(2, (4, 4))
        return F.pixel_shuffle(patches, self.patch)


def diffusion_transformer(seed: int) -> Case:
    """A DiT with adaLN-Zero, which learns the velocity from images to noise. Its inputs are a list."""
    clean, _ = images(seed, 32, 16, noise=0.1)
    generator = _generator(seed + 1)
    noise = torch.randn(clean.shape, generator=generator)
    time = 0.1 + 0.8 * torch.rand(32, generator=generator)
    shares = time[:, None, None, None]
    with seeded(seed):
        model = DiffusionTransformer().train()
    return _with_parts(model, [(1 - shares) * clean + shares * noise, time], noise - clean)


class Equilibrium(nn.Module):
    """A deep equilibrium network: twelve turns to the fixed point without gradient, then one turn with it."""

    def __init__(self, features: int = 32, width: int = 64, turns: int = 12) -> None:
        super().__init__()
        self.turns = turns
        self.inject = nn.Linear(features, width)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.head = nn.Linear(width, CLASSES)

    def turn(self, state: Tensor, injected: Tensor) -> Tensor:
        """The state after one more turn."""
        out: Tensor = self.norms[1](F.relu(state + self.norms[0](injected + self.mix(state))))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        injected = self.inject(x)
        with torch.no_grad():
            state = torch.zeros_like(injected)
            for _ in range(self.turns):
                state = self.turn(state, injected)
        out: Tensor = self.head(self.turn(state, injected))
        return out


def deep_equilibrium(seed: int) -> Case:
    """A deep equilibrium network with a gradient through its last turn only, as is usual."""
    return made(seed, Equilibrium, rows(seed))


def _sparsemax(scores: Tensor) -> Tensor:
    """The nearest point of the simplex: like softmax, but most of it is exactly zero."""
    ordered = scores.sort(1, descending=True).values
    sums = ordered.cumsum(1) - 1
    ranks = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    kept = (ranks * ordered > sums).sum(1, keepdim=True)
    return (scores - sums.gather(1, kept - 1) / kept).clamp(min=0)


class GatedPair(nn.Module):
    """Two layers of TabNet's feature transformer, with gated linear units and halved variance."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(before, 2 * width, bias=False), nn.BatchNorm1d(2 * width), nn.GLU())
        self.second = nn.Sequential(nn.Linear(width, 2 * width, bias=False), nn.BatchNorm1d(2 * width), nn.GLU())

    def forward(self, x: Tensor) -> Tensor:
        """The features after both layers."""
        x = self.first(x)
        out: Tensor = (x + self.second(x)) * math.sqrt(0.5)
        return out


class TabNet(nn.Module):
    """TabNet: at each of three steps a sparse mask chooses the columns that are looked at."""

    def __init__(self, features: int = 32, width: int = 24, steps: int = 3, relaxed: float = 1.5) -> None:
        super().__init__()
        self.width, self.relaxed = width, relaxed
        self.norm = nn.BatchNorm1d(features)
        self.shared = GatedPair(features, 2 * width)
        self.own = nn.ModuleList(GatedPair(2 * width, 2 * width) for _ in range(steps + 1))
        self.masks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, features, bias=False), nn.BatchNorm1d(features)) for _ in range(steps)
        )
        self.head = nn.Linear(width, CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        x = self.norm(x)
        prior = torch.ones_like(x)
        attended = self.own[0](self.shared(x))[:, self.width :]
        decided = torch.zeros_like(attended)
        for own, choose in zip(self.own[1:], self.masks, strict=True):
            mask = _sparsemax(prior * choose(attended))
            prior = prior * (self.relaxed - mask)
            features = own(self.shared(mask * x))
            decided = decided + F.relu(features[:, : self.width])
            attended = features[:, self.width :]
        out: Tensor = self.head(decided)
        return out


def tab_net(seed: int) -> Case:
    """TabNet, with sparsemax masks."""
    return made(seed, TabNet, rows(seed, 64))


class TimeMix(nn.Module):
    """RWKV's mixing over time: a decaying average of values, weighted by exponential keys, behind a gate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.decay = nn.Parameter(torch.linspace(-5, 1, width))
        self.bonus = nn.Parameter(torch.full((width,), math.log(0.3)))
        self.shares = nn.Parameter(torch.linspace(0, 1, width).expand(3, width).clone())
        self.key, self.value, self.gate, self.out = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """What each step draws from itself and those before."""
        before = F.pad(x, (0, 0, 1, -1))
        mixed = [x * share + before * (1 - share) for share in self.shares]
        keys, values, gates = self.key(mixed[0]), self.value(mixed[1]), self.gate(mixed[2]).sigmoid()
        length = x.shape[1]
        steps = torch.arange(length, device=x.device)
        age = (steps[:, None] - steps - 1)[:, :, None]
        fading = torch.where(age < 0, self.bonus, -age.clamp(min=0) * self.decay.exp())
        fading = fading.masked_fill(age < -1, -math.inf)
        weights = (fading + keys[:, None]).softmax(2)
        out: Tensor = self.out(gates * (weights * values[:, None]).sum(2))
        return out


class ChannelMix(nn.Module):
    """RWKV's perceptron: squared ReLU, behind a gate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.linspace(0, 1, width).expand(2, width).clone())
        self.key = nn.Linear(width, 3 * width, bias=False)
        self.value = nn.Linear(3 * width, width, bias=False)
        self.gate = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The features of each step, mixed."""
        before = F.pad(x, (0, 0, 1, -1))
        keyed, gated = (x * share + before * (1 - share) for share in self.shares)
        out: Tensor = self.gate(gated).sigmoid() * self.value(F.relu(self.key(keyed)) ** 2)
        return out


class ReceptanceModel(nn.Module):
    """An RWKV language model of three blocks."""

    def __init__(self, width: int = 48, blocks: int = 3) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Embedding(VOCABULARY, width), nn.LayerNorm(width))
        self.mixes = nn.ModuleList((TimeMix if i % 2 == 0 else ChannelMix)(width) for i in range(2 * blocks))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * blocks))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, VOCABULARY, bias=False))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        x = self.embed(text)
        for mix, norm in zip(self.mixes, self.norms, strict=True):
            x = x + mix(norm(x))
        out: Tensor = self.head(x)
        return out


def receptance_model(seed: int) -> Case:
    """RWKV as a language model."""
    return made(seed, ReceptanceModel, tokens(seed))


class NoisyLinear(nn.Module):
    """A linear layer with learned, factorised noise on its weights, for exploration."""

    def __init__(self, before: int, after: int, noise: float = 0.5) -> None:
        super().__init__()
        bound = 1 / math.sqrt(before)
        self.weight = nn.Parameter(torch.empty(after, before).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(after).uniform_(-bound, bound))
        self.weight_noise = nn.Parameter(torch.full((after, before), noise * bound))
        self.bias_noise = nn.Parameter(torch.full((after,), noise * bound))

    def forward(self, x: Tensor) -> Tensor:
        """The layer with fresh noise."""
        given, taken = (torch.randn(size, device=x.device) for size in (self.weight.shape[1], self.weight.shape[0]))
        given, taken = given.sign() * given.abs().sqrt(), taken.sign() * taken.abs().sqrt()
        weight = self.weight + self.weight_noise * taken[:, None] * given
        return F.linear(x, weight, self.bias + self.bias_noise * taken)


class DistributionalCritic(nn.Module):
    """C51 with noisy layers: scores of 21 returns for each of four actions, (batch, action, return)."""

    def __init__(self, features: int = 8, width: int = 96) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(features, width), nn.ReLU(), NoisyLinear(width, width), nn.ReLU(), NoisyLinear(width, 4 * 21)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the returns, for each action."""
        out: Tensor = self.body(x).unflatten(1, (4, 21))
        return out


def distributional_critic(seed: int) -> Case:
    """A distributional critic with noisy layers, whose targets are the bins of the returns."""
    states = torch.randn(64, 8, generator=_generator(seed))
    returns = states @ torch.randn(8, 4, generator=_generator(0)) / math.sqrt(8)
    return made(seed, DistributionalCritic, (states, (10 + 5 * returns).round().clamp(0, 20).long()))


class BoxFinder(nn.Module):
    """A small DETR: convolutions, a transformer, and two learned queries, each of which finds the box of an object."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, width)):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.backbone = nn.Sequential(*layers, nn.Conv2d(width, width, 1))
        self.places = nn.Parameter(torch.rand(64, width))
        self.queries = nn.Parameter(torch.randn(2, width))
        self.transformer = nn.Transformer(width, 4, 1, 2, 2 * width, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """The middle, height and width of each box, as shares of the image: (batch, object, 4)."""
        seen = self.backbone(x).flatten(2).transpose(1, 2) + self.places
        out: Tensor = self.head(self.transformer(seen, self.queries.expand(len(x), -1, -1)))
        return out


def box_finder(seed: int) -> Case:
    """A small DETR, for the boxes of a red and a blue rectangle."""
    generator = _generator(seed)
    middles = 0.25 + 0.5 * torch.rand(32, 2, 2, generator=generator)
    extents = 0.15 + 0.35 * torch.rand(32, 2, 2, generator=generator)
    axis = (torch.arange(32) + 0.5) / 32
    inside = (axis - middles[..., None]).abs() < extents[..., None] / 2
    shown = (inside[:, :, 0, :, None] & inside[:, :, 1, None, :]).float()
    colours = torch.tensor([[1.5, -0.5, -0.5], [-0.5, -0.5, 1.5]])
    pictures = torch.einsum("bohw,oc->bchw", shown, colours) + 0.2 * torch.randn(32, 3, 32, 32, generator=generator)
    return made(seed, BoxFinder, (pictures, torch.cat([middles, extents], 2)))


class Snake(nn.Module):
    """The activation x + sin(a x)^2 / a, with a learned frequency for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The activated signal."""
        return x + (self.frequency * x).sin() ** 2 / (self.frequency + 1e-6)


class SoundCodec(nn.Module):
    """A codec of sound: weight-normed convolutions, and codes of finite levels with a straight-through gradient."""

    def __init__(self, width: int = 24, codes: int = 8, levels: int = 9) -> None:
        super().__init__()
        self.furthest = (levels - 1) / 2
        self.encoder = nn.Sequential(
            weight_norm(nn.Conv1d(1, width, 7, padding=3)),
            Snake(width),
            weight_norm(nn.Conv1d(width, 2 * width, 4, 2, 1)),
            Snake(2 * width),
            weight_norm(nn.Conv1d(2 * width, codes, 4, 2, 1)),
        )
        self.decoder = nn.Sequential(
            weight_norm(nn.ConvTranspose1d(codes, 2 * width, 4, 2, 1)),
            Snake(2 * width),
            weight_norm(nn.ConvTranspose1d(2 * width, width, 4, 2, 1)),
            Snake(width),
            weight_norm(nn.Conv1d(width, 1, 7, padding=3)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The sound, from its codes."""
        bounded = self.furthest * self.encoder(x).tanh()
        codes = bounded + (bounded.round() - bounded).detach()
        out: Tensor = self.decoder(codes / self.furthest)
        return out


def sound_codec(seed: int) -> Case:
    """A codec of sounds of three tones each: the rounding of its codes is passed by a straight-through gradient."""
    generator = _generator(seed)
    pitches = 2 + 14 * torch.rand(32, 3, 1, generator=generator)
    phases = 2 * math.pi * torch.rand(32, 3, 1, generator=generator)
    sound = (pitches * torch.linspace(0, 2 * math.pi, 128) + phases).sin().mean(1, keepdim=True)
    return made(seed, SoundCodec, (sound / sound.std(), sound / sound.std()))


HEALTHY_TENTH: dict[str, Callable[[int], Case]] = {
    "memory_network": memory_network,
    "pointer_network": pointer_network,
    "equivariant_network": equivariant_network,
    "diffusion_transformer": diffusion_transformer,
    "deep_equilibrium": deep_equilibrium,
    "tab_net": tab_net,
    "receptance_model": receptance_model,
    "distributional_critic": distributional_critic,
    "box_finder": box_finder,
    "sound_codec": sound_codec,
}
