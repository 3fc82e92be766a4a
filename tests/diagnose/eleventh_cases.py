"""Ten healthy networks and ten sick ones, each with its cure, of kinds a diagnosis has not met yet."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, made, rows, seeded, tokens
from sick import Sick
from torch import Tensor, nn


def _several(seed: int, build: Callable[[], nn.Module], inputs: Any, targets: Tensor) -> Case:
    """Build a model that takes several inputs from a seed, and join it to its batch."""
    with seeded(seed):
        model = build()
    return Case(model.train(), inputs, targets)


def _generator(seed: int) -> torch.Generator:
    """A source of random numbers for data."""
    return torch.Generator().manual_seed(seed)


def _standardised(values: Tensor) -> Tensor:
    """Values of mean 0 and variance 1 over the whole batch."""
    return (values - values.mean()) / values.std()


# ---------------------------------------------------------------------------------------------------- the healthy ones


class InputConvex(nn.Module):
    """An input-convex network: convex in its input, for the weights between its hidden layers are kept positive."""

    def __init__(self, features: int = 8, width: int = 48, layers: int = 3) -> None:
        super().__init__()
        self.first = nn.Linear(features, width)
        self.raw = nn.ParameterList(nn.Parameter(torch.randn(width, width)) for _ in range(layers))
        self.passed = nn.ModuleList(nn.Linear(features, width) for _ in range(layers))
        self.last_raw = nn.Parameter(torch.randn(width))
        self.tilt = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The height of a convex function at each point."""
        z = F.softplus(self.first(x))
        for raw, passed in zip(self.raw, self.passed, strict=True):
            z = F.softplus(z @ F.softplus(raw) / len(raw) + passed(x))
        out: Tensor = z @ F.softplus(self.last_raw) / len(self.last_raw) + self.tilt(x).squeeze(-1)
        return out


def input_convex(seed: int) -> Case:
    """An input-convex network that learns a convex potential, standardised."""
    generator = _generator(seed)
    x = torch.randn(64, 8, generator=generator)
    planes = torch.randn(12, 8, generator=_generator(0))
    potential = (x @ planes.T).amax(1) + 0.2 * (x * x).sum(1)
    return made(seed, InputConvex, (x, _standardised(potential)))


class NeuralAdditive(nn.Module):
    """A neural additive model: a small network of its own for every feature, and the scores are their sum."""

    def __init__(self, features: int = 16, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(features, width))
        self.first_bias = nn.Parameter(torch.randn(features, width))
        self.second = nn.Parameter(torch.randn(features, width, width) * math.sqrt(2 / width))
        self.second_bias = nn.Parameter(torch.zeros(features, width))
        self.shapes = nn.Parameter(torch.randn(features, width, CLASSES) / math.sqrt(features * width))
        self.bias = nn.Parameter(torch.zeros(CLASSES))
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row of the table."""
        hidden = F.relu(x.unsqueeze(-1) * self.first + self.first_bias)
        hidden = F.relu(torch.einsum("bfi,fij->bfj", hidden, self.second) + self.second_bias)
        out: Tensor = torch.einsum("bfi,fic->bc", self.dropout(hidden), self.shapes) + self.bias
        return out


def neural_additive(seed: int) -> Case:
    """A neural additive model on a table of 16 columns."""
    return made(seed, NeuralAdditive, rows(seed, batch=64, features=16))


class GatedResidual(nn.Module):
    """The gated residual network of the temporal fusion transformer, with a context or without."""

    def __init__(self, width: int, context: int = 0) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.context = nn.Linear(context, width, bias=False) if context else None
        self.second = nn.Linear(width, width)
        self.gate = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """The input, plus as much of the branch as its gate lets through."""
        hidden = self.first(x)
        if self.context is not None and context is not None:
            hidden = hidden + self.context(context)
        out: Tensor = self.norm(x + F.glu(self.gate(self.second(F.elu(hidden)))))
        return out


class VariableSelection(nn.Module):
    """Embeds each variable of a series, and weighs them by a softmax."""

    def __init__(self, variables: int, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(variables, width) * 0.5)
        self.shift = nn.Parameter(torch.randn(variables, width) * 0.5)
        self.weigh = nn.Linear(variables * width, variables)
        self.refine = GatedResidual(width)

    def forward(self, x: Tensor) -> Tensor:
        """One vector for each step."""
        embedded = x.unsqueeze(-1) * self.scale + self.shift
        weights = self.weigh(embedded.flatten(-2)).softmax(-1)
        out: Tensor = (self.refine(embedded) * weights.unsqueeze(-1)).sum(-2)
        return out


class FusionForecaster(nn.Module):
    """A small temporal fusion transformer: the past, what is known of the future, and the shop, by keyword."""

    def __init__(self, shops: int = 6, width: int = 32, ahead: int = 8) -> None:
        super().__init__()
        self.ahead = ahead
        self.shop = nn.Embedding(shops, width)
        self.past = VariableSelection(3, width)
        self.future = VariableSelection(2, width)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.gate = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.enrich = GatedResidual(width, context=width)
        self.attention = nn.MultiheadAttention(width, 4, dropout=0.1, batch_first=True)
        self.after = GatedResidual(width)
        self.head = nn.Linear(width, 1)

    def forward(self, past: Tensor, future: Tensor, shop: Tensor) -> Tensor:
        """The demand in the days ahead."""
        shops = self.shop(shop)
        before, ahead = self.past(past), self.future(future)
        state = (shops.unsqueeze(0), shops.unsqueeze(0))
        encoded, state = self.encoder(before, state)
        decoded, _ = self.decoder(ahead, state)
        steps = torch.cat([encoded, decoded], 1)
        steps = self.norm(torch.cat([before, ahead], 1) + F.glu(self.gate(steps)))
        steps = self.enrich(steps, shops.unsqueeze(1))
        length = steps.shape[1]
        hidden = torch.ones(length, length, dtype=torch.bool, device=steps.device).triu(1)[-self.ahead :]
        asked = steps[:, -self.ahead :]
        attended, _ = self.attention(asked, steps, steps, attn_mask=hidden, need_weights=False)
        out: Tensor = self.head(self.after(asked + attended)).squeeze(-1)
        return out


def fusion_forecaster(seed: int) -> Case:
    """A temporal fusion transformer that forecasts the demand of shops from three inputs."""
    generator = _generator(seed)
    days = torch.arange(32).float()
    shop = torch.randint(6, (32,), generator=generator)
    level = torch.randn(6, generator=_generator(0))[shop, None]
    phase = 6.28 * torch.rand(32, 1, generator=generator)
    week = torch.sin(2 * math.pi * days / 7 + phase)
    promoted = (torch.rand(32, 32, generator=generator) < 0.3).float()
    demand = level + week + promoted + 0.1 * torch.randn(32, 32, generator=generator)
    demand = _standardised(demand)
    clock = (days / 16 - 1).expand(32, -1)
    past = torch.stack([demand, promoted, clock], -1)[:, :24]
    future = torch.stack([promoted, clock], -1)[:, 24:]
    return _several(seed, FusionForecaster, {"past": past, "future": future, "shop": shop}, demand[:, 24:])


class FilmBlock(nn.Module):
    """A residual block of convolutions whose norm is scaled and shifted by a question."""

    def __init__(self, width: int, asked: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 1)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.film = nn.Linear(asked, 2 * width)

    def forward(self, x: Tensor, question: Tensor) -> Tensor:
        """The map, changed as the question asks."""
        x = F.relu(self.first(x))
        scale, shift = self.film(question)[..., None, None].chunk(2, 1)
        return x + F.relu((1 + scale) * self.norm(self.second(x)) + shift)


class FilmQuestions(nn.Module):
    """FiLM: a GRU reads the question and steers the convolutions that look at the picture."""

    def __init__(self, words: int = 12, width: int = 24, asked: int = 48) -> None:
        super().__init__()
        self.words = nn.Embedding(words, 24)
        self.reader = nn.GRU(24, asked, batch_first=True)
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.blocks = nn.ModuleList(FilmBlock(width + 2, asked) for _ in range(3))
        self.head = nn.Sequential(nn.Linear(width + 2, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, picture: Tensor, question: Tensor) -> Tensor:
        """The scores of the answers."""
        asked = self.reader(self.words(question))[0][:, -1]
        x = self.stem(picture)
        places = torch.linspace(-1, 1, x.shape[-1], device=x.device)
        down, across = torch.meshgrid(places, places, indexing="ij")
        x = torch.cat([x, torch.stack([down, across]).expand(len(x), -1, -1, -1)], 1)
        for block in self.blocks:
            x = block(x, asked)
        out: Tensor = self.head(x.amax((2, 3)))
        return out


def film_questions(seed: int) -> Case:
    """FiLM on pictures of two patterns: the question says whether the left or the right one is asked for."""
    generator = _generator(seed)
    coarse = torch.randn(CLASSES, 3, 3, 3, generator=_generator(0))
    patterns = F.interpolate(coarse, size=(32, 16), mode="bilinear")
    shown = torch.randint(CLASSES, (32, 2), generator=generator)
    pictures = torch.cat([patterns[shown[:, 0]], patterns[shown[:, 1]]], 3)
    pictures = pictures + 0.3 * torch.randn(pictures.shape, generator=generator)
    side = torch.randint(2, (32, 1), generator=generator)
    filler = torch.randint(2, 12, (32, 5), generator=generator)
    question = torch.cat([filler[:, :3], side, filler[:, 3:]], 1)
    return _several(seed, FilmQuestions, [pictures, question], shown.gather(1, side).squeeze(1))


class UnrolledShrinkage(nn.Module):
    """LISTA: ten steps of iterative soft thresholding, whose matrices and thresholds are learnt."""

    def __init__(self, dictionary: Tensor, layers: int = 10) -> None:
        super().__init__()
        bound = float(torch.linalg.matrix_norm(dictionary, 2) ** 2)
        atoms = dictionary.shape[1]
        inner = torch.eye(atoms) - dictionary.T @ dictionary / bound
        self.read = nn.ParameterList(nn.Parameter(dictionary.T / bound) for _ in range(layers))
        self.inner = nn.ParameterList(nn.Parameter(inner.clone()) for _ in range(layers))
        self.thresholds = nn.Parameter(torch.full((layers, atoms), 0.1 / bound))

    def forward(self, measured: Tensor) -> Tensor:
        """The sparse code of each measurement."""
        code = measured.new_zeros(len(measured), self.thresholds.shape[1])
        for read, inner, threshold in zip(self.read, self.inner, self.thresholds, strict=True):
            moved = measured @ read.T + code @ inner.T
            code = moved.sign() * F.relu(moved.abs() - threshold)
        return code


def unrolled_shrinkage(seed: int) -> Case:
    """Learned iterative soft thresholding, which finds sparse codes from half as many measurements."""
    generator = _generator(seed)
    dictionary = F.normalize(torch.randn(32, 64, generator=_generator(0)), dim=0)
    chosen = (torch.rand(64, 64, generator=generator) < 0.1).float()
    codes = 3 * chosen * torch.randn(64, 64, generator=generator)
    measured = codes @ dictionary.T + 0.02 * torch.randn(64, 32, generator=generator)
    return made(seed, lambda: UnrolledShrinkage(dictionary), (measured, codes))


class LongConvolution(nn.Module):
    """A Hyena operator: a gated causal convolution as long as the text, whose filter a small network makes."""

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 3 * width)
        self.short = nn.Conv1d(3 * width, 3 * width, 3, padding=2, groups=3 * width)
        self.filter = nn.Sequential(nn.Linear(9, 32), nn.GELU(), nn.Linear(32, width))
        self.skip = nn.Parameter(torch.ones(width))
        self.out = nn.Linear(width, width)
        time = torch.linspace(0, 1, length)[:, None]
        turns = 2 * math.pi * time * torch.arange(1, 5)
        self.register_buffer("places", torch.cat([time, turns.sin(), turns.cos()], 1))
        self.register_buffer("fading", torch.exp(-time * torch.linspace(1, 8, width)))

    def forward(self, x: Tensor) -> Tensor:
        """The mixed sequence."""
        length = x.shape[1]
        mixed = self.short(self.project(x).transpose(1, 2))[..., :length]
        value, first, second = mixed.chunk(3, 1)
        impulse = (self.filter(self.get_buffer("places")) * self.get_buffer("fading")).T
        signal = value * first
        spectrum = torch.fft.rfft(signal, n=2 * length) * torch.fft.rfft(impulse, n=2 * length)
        convolved = torch.fft.irfft(spectrum, n=2 * length)[..., :length] + self.skip[:, None] * signal
        out: Tensor = self.out((second * convolved).transpose(1, 2))
        return out


class HyenaModel(nn.Module):
    """A language model of long convolutions in place of attention."""

    def __init__(self, length: int = 24, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers))
        self.mixers = nn.ModuleList(LongConvolution(width, length) for _ in range(layers))
        self.feeds = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, VOCABULARY))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        x = self.token(text)
        for layer, (mixer, feed) in enumerate(zip(self.mixers, self.feeds, strict=True)):
            x = x + mixer(self.norms[2 * layer](x))
            x = x + feed(self.norms[2 * layer + 1](x))
        out: Tensor = self.head(x)
        return out


def long_convolutions(seed: int) -> Case:
    """A Hyena language model: causal convolutions by fast Fourier transform, and gates."""
    return made(seed, HyenaModel, tokens(seed))


class TriangleUpdate(nn.Module):
    """The triangle multiplication of AlphaFold: a pair is changed by all the triangles that it is a side of."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.sides, self.side_gates = nn.Linear(width, 2 * width), nn.Linear(width, 2 * width)
        self.gate, self.out = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.side_gates.bias, 1.0)
        nn.init.constant_(self.gate.bias, 1.0)

    def forward(self, pairs: Tensor) -> Tensor:
        """What is to be added to each pair."""
        normed = self.norm(pairs)
        left, right = (self.sides(normed) * self.side_gates(normed).sigmoid()).chunk(2, -1)
        triangles = torch.einsum("bikd,bjkd->bijd", left, right)
        out: Tensor = self.gate(normed).sigmoid() * self.out(self.after(triangles))
        return out


class PairNetwork(nn.Module):
    """A small Evoformer without the alignment: distances between the residues of a chain."""

    def __init__(self, residues: int = 8, width: int = 24, layers: int = 3, reach: int = 8) -> None:
        super().__init__()
        self.reach = reach
        self.left, self.right = nn.Embedding(residues, width), nn.Embedding(residues, width)
        self.offset = nn.Embedding(2 * reach + 1, width)
        self.updates = nn.ModuleList(TriangleUpdate(width) for _ in range(layers))
        self.transitions = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def forward(self, chain: Tensor) -> Tensor:
        """The distance between each two residues."""
        place = torch.arange(chain.shape[1], device=chain.device)
        apart = (place[:, None] - place).clamp(-self.reach, self.reach) + self.reach
        pairs = self.left(chain)[:, :, None] + self.right(chain)[:, None] + self.offset(apart)
        for update, transition in zip(self.updates, self.transitions, strict=True):
            pairs = pairs + update(pairs)
            pairs = pairs + transition(pairs)
        out: Tensor = self.head(pairs).squeeze(-1)
        return out + out.transpose(1, 2)


def pair_updates(seed: int) -> Case:
    """Triangle updates on pairs of residues, which learn the distances within folded chains."""
    generator = _generator(seed)
    chain = torch.randint(8, (16, 14), generator=generator)
    heading = (torch.linspace(-1.5, 1.5, 8)[chain]).cumsum(1)
    places = torch.stack([heading.cos(), heading.sin()], -1).cumsum(1)
    distances = (places[:, :, None] - places[:, None]).norm(dim=-1)
    return made(seed, PairNetwork, (chain, _standardised(distances)))


class Column(nn.Module):
    """A small convolutional network that gives all its layers."""

    def __init__(self, lateral: int = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.second = nn.Conv2d(16 + lateral, 32, 3, stride=2, padding=1)
        self.third = nn.Linear(32 + lateral, 32)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x: Tensor, beside: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Both hidden maps, averaged or not, and the scores."""
        first = F.relu(self.first(x))
        second = F.relu(self.second(first if beside is None else torch.cat([first, beside[0]], 1)))
        mean = second.mean((2, 3))
        hidden = F.relu(self.third(mean if beside is None else torch.cat([mean, beside[1]], 1)))
        return first, mean, self.head(hidden)


class ProgressiveColumns(nn.Module):
    """A progressive network: a new column beside a trained and frozen one, whose features it reads by adapters."""

    def __init__(self, old: Column, lateral: int = 8) -> None:
        super().__init__()
        self.old = old.requires_grad_(False)
        self.new = Column(lateral)
        self.adapt_first = nn.Conv2d(16, lateral, 1)
        self.adapt_second = nn.Linear(32, lateral)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes of the new task."""
        with torch.no_grad():
            first, mean, _ = self.old(x)
        beside = F.relu(self.adapt_first(first)), F.relu(self.adapt_second(mean))
        out: Tensor = self.new(x, beside)[2]
        return out


def _textures(seed: int, batch: int, kinds: int, size: int, world: int) -> tuple[Tensor, Tensor]:
    """Pictures of smooth patterns, one pattern for each class, and their classes; each world has its own patterns."""
    generator = _generator(seed)
    coarse = torch.randn(kinds, 3, 4, 4, generator=_generator(world))
    patterns = F.interpolate(coarse, size=(size, size), mode="bicubic")
    labels = (torch.arange(batch) % kinds)[torch.randperm(batch, generator=generator)]
    return patterns[labels] + 0.4 * torch.randn(batch, 3, size, size, generator=generator), labels


def progressive_columns(seed: int) -> Case:
    """A progressive network: its first column has learnt another task and is frozen."""

    def build() -> nn.Module:
        old = Column()
        pictures, labels = _textures(seed + 1000, 64, CLASSES, 16, world=11)
        optimiser = torch.optim.Adam(old.parameters(), 3e-3)
        for _ in range(120):
            optimiser.zero_grad()
            torch.autograd.backward(F.cross_entropy(old(pictures)[2], labels))
            optimiser.step()
        return ProgressiveColumns(old)

    return made(seed, build, _textures(seed, 32, CLASSES, 16, world=12))


class SharedEncoder(nn.Module):
    """ALBERT: small factorised embeddings, and one transformer layer that is used four times; padding is masked."""

    def __init__(self, length: int = 20, width: int = 64, turns: int = 4) -> None:
        super().__init__()
        self.turns = turns
        self.token = nn.Embedding(VOCABULARY + 1, 16, padding_idx=VOCABULARY)
        self.place = nn.Parameter(0.02 * torch.randn(length, 16))
        self.widen = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, width))
        self.layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.1, activation="gelu", batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, text: Tensor, padded: Tensor) -> Tensor:
        """The scores of the topics."""
        x = self.widen(self.token(text) + self.place)
        for _ in range(self.turns):
            x = self.layer(x, src_key_padding_mask=padded)
        kept = (~padded).unsqueeze(-1).float()
        out: Tensor = self.head((x * kept).sum(1) / kept.sum(1))
        return out


def shared_encoder(seed: int) -> Case:
    """An ALBERT that tells topics apart; texts of several lengths, and the mask of their padding."""
    generator = _generator(seed)
    topics = torch.randn(CLASSES, VOCABULARY, generator=_generator(0)).mul(2).softmax(-1)
    labels = torch.randint(CLASSES, (32,), generator=generator)
    text = torch.multinomial(topics[labels], 20, replacement=True, generator=generator)
    lengths = torch.randint(8, 21, (32, 1), generator=generator)
    padded = torch.arange(20) >= lengths
    return _several(seed, SharedEncoder, [text.masked_fill(padded, VOCABULARY), padded], labels)


class ControlledEquation(nn.Module):
    """A neural controlled differential equation: a state that is driven by the changes of an irregular series."""

    def __init__(self, channels: int = 4, hidden: int = 24, width: int = 48) -> None:
        super().__init__()
        self.channels = channels
        self.begin = nn.Linear(channels, hidden)
        self.field = nn.Sequential(nn.Linear(hidden, width), nn.SiLU(), nn.Linear(width, hidden * channels), nn.Tanh())
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, times: Tensor, values: Tensor) -> Tensor:
        """The scores of the classes, from the state at the end."""
        path = torch.cat([times.unsqueeze(-1), values], -1)
        state = self.begin(path[:, 0])
        for change in path.diff(dim=1).unbind(1):
            slope = self.field(state).unflatten(-1, (-1, self.channels))
            state = state + (slope @ change.unsqueeze(-1)).squeeze(-1)
        out: Tensor = self.head(state)
        return out


def controlled_equation(seed: int) -> Case:
    """A neural controlled differential equation on series that are observed at irregular times."""
    generator = _generator(seed)
    labels = torch.arange(32) % CLASSES
    times = torch.rand(32, 20, generator=generator).sort(1).values
    turns = (1 + 2 * torch.rand(CLASSES, 3, generator=_generator(0)))[labels]
    phases = (6.28 * torch.rand(CLASSES, 3, generator=_generator(1)))[labels]
    values = torch.sin(2 * math.pi * times.unsqueeze(-1) * turns[:, None] + phases[:, None])
    values = values + 0.1 * torch.randn(values.shape, generator=generator)
    return _several(seed, ControlledEquation, [times, values], labels)


# ------------------------------------------------------------------------------------------------------- the sick ones


class HandPoints(nn.Module):
    """Finds four finger-tips: a heat map for each, the place of its peak, and a scale and shift to the hand's units."""

    def __init__(self, soft: bool, width: int = 24) -> None:
        super().__init__()
        self.soft = soft
        self.maps = nn.Sequential(
            nn.Conv2d(3, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 5, padding=2),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 4, 1),
        )
        self.scale = nn.Parameter(torch.ones(2))
        self.shift = nn.Parameter(torch.zeros(2))

    def forward(self, picture: Tensor) -> Tensor:
        """The places of the finger-tips, down and across."""
        maps = self.maps(picture)
        places = torch.linspace(-1.7, 1.7, maps.shape[-1], device=maps.device)
        grid = torch.cartesian_prod(places, places)
        flat = maps.flatten(2)
        found = flat.softmax(-1) @ grid if self.soft else grid[flat.argmax(-1)]
        return found * self.scale + self.shift


def _hand_points(seed: int, soft: bool) -> Case:
    """Pictures of four finger-tips, each of its colour."""
    generator = _generator(seed)
    colours = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0], [1.5, 1.5, 0.0]])
    places = torch.linspace(-1.7, 1.7, 20)
    tips = 3 * torch.rand(32, 4, 2, generator=generator) - 1.5
    down = torch.exp(-((places - tips[..., :1]) ** 2) / 0.08)
    across = torch.exp(-((places - tips[..., 1:]) ** 2) / 0.08)
    pictures = torch.einsum("bki,bkj,kc->bcij", down, across, colours)
    pictures = pictures + 0.1 * torch.randn(pictures.shape, generator=generator)
    return made(seed, lambda: HandPoints(soft), (pictures, tips))


class PictureAutoencoder(nn.Module):
    """A convolutional autoencoder of small drawings."""

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 4, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 4, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, 48),
        )
        self.decoder = nn.Sequential(
            nn.Linear(48, 32 * 16),
            nn.ReLU(),
            nn.Unflatten(1, (32, 4, 4)),
            nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
            last,
        )

    def forward(self, picture: Tensor) -> Tensor:
        """The picture again."""
        out: Tensor = self.decoder(self.encoder(picture))
        return out


def _strokes(seed: int, batch: int) -> Tensor:
    """White strokes on black, scaled to -1 to 1 as generative models have them."""
    generator = _generator(seed)
    places = torch.arange(16).float()
    ends = 2 + 12 * torch.rand(batch, 3, 2, 2, generator=generator)
    along = torch.linspace(0, 1, 16)[:, None]
    points = (ends[:, :, :1] * (1 - along) + ends[:, :, 1:] * along).flatten(1, 2)
    near = (points[..., :1] - places)[..., None] ** 2 + (points[..., 1:] - places)[..., None, :] ** 2
    return (2 * (near.amin(1) < 0.8).float() - 1).unsqueeze(1)


def _strokes_again(seed: int, last: Callable[[], nn.Module]) -> Case:
    """An autoencoder of strokes whose pixels lie between -1 and 1."""
    pictures = _strokes(seed, 32)
    return made(seed, lambda: PictureAutoencoder(last()), (pictures, pictures))


class FaceNetwork(nn.Module):
    """Recognises people by the cosine between a face and one vector for each of them."""

    def __init__(self, scale: float, people: int = 32) -> None:
        super().__init__()
        self.scale = scale
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 16, 64),
        )
        self.people = nn.Parameter(torch.randn(people, 64))

    def forward(self, face: Tensor) -> Tensor:
        """The scores of the people."""
        return self.scale * F.normalize(self.body(face), dim=1) @ F.normalize(self.people, dim=1).T


def _faces(seed: int, scale: float) -> Case:
    """Two faces of each of 32 people."""
    return made(seed, lambda: FaceNetwork(scale), _textures(seed, 64, 32, 16, world=21))


def _plain(widths: list[int], act: Callable[[], nn.Module]) -> nn.Sequential:
    """Linear layers, and an activation after each but the last."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), act()]
    return nn.Sequential(*layers[:-1])


def _critic(seed: int, clipped: bool) -> Case:
    """The critic of a Wasserstein GAN on real strokes (1) and generated ones (-1)."""
    generator = _generator(seed)
    real = _strokes(seed, 16).flatten(1)
    rough = F.interpolate(torch.randn(16, 1, 6, 6, generator=generator), size=16, mode="bilinear")
    pictures = torch.cat([real, (2 * rough - 1).tanh().flatten(1)])
    order = torch.randperm(32, generator=generator)
    answers = torch.cat([torch.ones(16, 1), -torch.ones(16, 1)])

    def build() -> nn.Module:
        model = _plain([256] + [64] * 10 + [1], lambda: nn.LeakyReLU(0.2))
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, 0.2)
        if clipped:
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.clamp_(-0.01, 0.01)
        return model

    return made(seed, build, ((pictures - pictures.mean())[order], answers[order]))


def _colouriser(seed: int, initialise: Callable[[Tensor], Tensor]) -> Case:
    """Fourteen convolutions, without norms or biases, that colour grey pictures."""

    def build() -> nn.Module:
        widths = [1] + [24] * 13 + [3]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        for layer in model:
            if isinstance(layer, nn.Conv2d):
                initialise(layer.weight)
        return model

    grey = F.interpolate(torch.randn(16, 1, 3, 3, generator=_generator(seed)), size=12, mode="bicubic")
    colours = torch.cat([torch.sin(2 * grey), torch.cos(2 * grey), grey.abs()], 1)
    centred = colours - colours.mean((0, 2, 3), keepdim=True)
    return made(seed, build, (_standardised(grey), centred / centred.std((0, 2, 3), keepdim=True)))


def _score_critic(seed: int, points: float, offset: float) -> Case:
    """The usual critic of actor-critic, two layers of 64 tanh units, on the returns of a game."""
    generator = _generator(seed)
    states = torch.randn(64, 8, generator=generator)
    ways = torch.randn(8, 4, generator=_generator(0)) / 2
    worth = _standardised((states @ ways).tanh().sum(1) + 0.1 * torch.randn(64, generator=generator))
    returns = (offset + points * worth).unsqueeze(1)
    return made(seed, lambda: _plain([8, 64, 64, 1], nn.Tanh), (states, returns))


class DemandNetwork(nn.Module):
    """Convolutions over the days of a spare part's demand, for the kind of part."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(2, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv1d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * width, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, changes: Tensor) -> Tensor:
        """The demand of the next day."""
        out: Tensor = self.body(changes).squeeze(-1)
        return out


def _spare_parts(seed: int, relative: bool) -> Case:
    """Demand that is often next to nothing, given as its changes from day to day: relative ones, or differences."""
    generator = _generator(seed)
    days = torch.arange(34).float()
    level = 0.5 + torch.rand(64, 2, 1, generator=generator)
    swing = torch.sin(days * (0.3 + 0.5 * torch.rand(64, 2, 1, generator=generator)) + level * 9)
    demand = F.relu(level * swing + 0.1 * torch.randn(64, 2, 34, generator=generator))
    before, after = demand[..., :-2], demand[..., 1:-1]
    changes = (after - before) / (before + 1e-6) if relative else after - before
    return made(seed, DemandNetwork, (changes, _standardised(demand[:, 0, -1])))


class Probe(nn.Module):
    """A linear head on a frozen encoder."""

    def __init__(self, encoder: nn.Module, width: int, kinds: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.head = nn.Linear(width, kinds)

    def forward(self, picture: Tensor) -> Tensor:
        """The scores of the classes."""
        out: Tensor = self.head(self.encoder(picture))
        return out


def _twin_views(seed: int, apart: bool) -> Case:
    """A probe on an encoder that learnt to give two views of a picture one vector, and others another or not."""

    def build() -> nn.Module:
        encoder = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 16, 64),
        )
        pictures, _ = _textures(seed + 500, 64, 64, 16, world=31)
        optimiser = torch.optim.Adam(encoder.parameters(), 2e-3)
        for _ in range(80):
            optimiser.zero_grad()
            one, other = (encoder(pictures + 0.4 * torch.randn(pictures.shape)) for _ in range(2))
            likeness = F.normalize(one, dim=1) @ F.normalize(other, dim=1).T
            contrast = F.cross_entropy(5 * likeness, torch.arange(64))
            loss = contrast if apart else (one - other).square().mean()
            torch.autograd.backward(loss)
            optimiser.step()
        return Probe(encoder, 64, CLASSES)

    return made(seed, build, _textures(seed, 32, CLASSES, 16, world=32))


def _arm(seed: int, act: Callable[[], nn.Module]) -> Case:
    """The forward kinematics of an arm of three joints: angles to the place of its hand."""
    angles = math.pi * (2 * torch.rand(64, 3, generator=_generator(seed)) - 1)
    turned = angles.cumsum(1)
    reach = torch.tensor([1.0, 0.8, 0.5])
    hand = torch.stack([(reach * turned.cos()).sum(1), (reach * turned.sin()).sum(1)], 1)
    return made(seed, lambda: _plain([3, 64, 64, 64, 2], act), (angles, hand))


class LookingReader(nn.Module):
    """Flamingo: a frozen reader of text, between whose layers gated cross-attention looks at a picture."""

    def __init__(self, zeroed: bool, width: int = 48, layers: int = 3) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, width)
        self.read = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))
        self.requires_grad_(False)
        self.patches = nn.Linear(48, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.look = nn.ModuleList(nn.MultiheadAttention(width, 4, batch_first=True) for _ in range(layers))
        self.gates = nn.Parameter(torch.zeros(layers))
        if zeroed:
            for look in self.look:
                for parameter in look.get_submodule("out_proj").parameters():
                    nn.init.zeros_(parameter)

    def forward(self, picture: Tensor, text: Tensor) -> Tensor:
        """The scores of the answers."""
        seen = self.patches(F.unfold(picture, 4, stride=4).transpose(1, 2))
        x = self.token(text)
        for read, norm, look, gate in zip(self.read, self.norms, self.look, self.gates, strict=True):
            attended, _ = look(norm(x), seen, seen, need_weights=False)
            x = read(x + gate.tanh() * attended)
        out: Tensor = self.head(x.mean(1))
        return out


def _looking_reader(seed: int, zeroed: bool) -> Case:
    """Pictures, and a question to each that does not give its answer away."""
    pictures, labels = _textures(seed, 32, CLASSES, 16, world=41)
    text = torch.randint(VOCABULARY, (32, 6), generator=_generator(seed + 1))
    return _several(seed, lambda: LookingReader(zeroed), [pictures, text], labels)


HEALTHY_ELEVENTH: dict[str, Callable[[int], Case]] = {
    "input_convex": input_convex,
    "neural_additive": neural_additive,
    "fusion_forecaster": fusion_forecaster,
    "film_questions": film_questions,
    "unrolled_shrinkage": unrolled_shrinkage,
    "long_convolutions": long_convolutions,
    "pair_updates": pair_updates,
    "progressive_columns": progressive_columns,
    "shared_encoder": shared_encoder,
    "controlled_equation": controlled_equation,
}

SICK_ELEVENTH: dict[str, Sick] = {
    "finger_tips_by_argmax": Sick(
        lambda seed: _hand_points(seed, soft=False),
        "dead",
        lambda seed: _hand_points(seed, soft=True),
        "soft argmax, which lets the gradient through",
    ),
    "strokes_below_a_sigmoid": Sick(
        lambda seed: _strokes_again(seed, nn.Sigmoid),
        "dead",
        lambda seed: _strokes_again(seed, nn.Tanh),
        "tanh at the end, for pixels between -1 and 1",
    ),
    "faces_by_bare_cosine": Sick(
        lambda seed: _faces(seed, 1.0),
        ("dead", "vanishing"),
        lambda seed: _faces(seed, 16.0),
        "cosines multiplied by 16",
    ),
    "critic_clipped_at_0.01": Sick(
        lambda seed: _critic(seed, clipped=True),
        ("vanishing", "collapsed"),
        lambda seed: _critic(seed, clipped=False),
        "weights not clipped",
    ),
    "colouriser_without_norms": Sick(
        lambda seed: _colouriser(seed, lambda weight: nn.init.normal_(weight, 0.0, 0.02)),
        "vanishing",
        lambda seed: _colouriser(seed, lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu")),
        "He initialisation in place of the standard deviation of 0.02 that DCGAN uses beside batch norm",
    ),
    "critic_of_raw_scores": Sick(
        lambda seed: _score_critic(seed, 9000.0, 40000.0),
        "exploding",
        lambda seed: _score_critic(seed, 1.0, 0.0),
        "returns standardised",
    ),
    "spare_parts_in_relative_changes": Sick(
        lambda seed: _spare_parts(seed, relative=True),
        "exploding",
        lambda seed: _spare_parts(seed, relative=False),
        "differences in place of relative changes",
    ),
    "probe_on_twin_views": Sick(
        lambda seed: _twin_views(seed, apart=False),
        "collapsed",
        lambda seed: _twin_views(seed, apart=True),
        "the encoder trained with contrast to other pictures",
    ),
    "arm_without_act": Sick(
        lambda seed: _arm(seed, nn.Identity),
        "linear",
        lambda seed: _arm(seed, nn.ReLU),
        "a ReLU after each layer but the last",
    ),
    "flamingo_zero_twice": Sick(
        lambda seed: _looking_reader(seed, zeroed=True),
        "zero by design",
        lambda seed: _looking_reader(seed, zeroed=False),
        "only the gates at zero",
    ),
}
