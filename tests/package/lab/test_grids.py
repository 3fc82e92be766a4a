"""Grids against what their docstrings say; no run is made, records are made up."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from shattered_lite import networks
from shattered_lite.lab import grids, records
from shattered_lite.lab.training import Record, Run

TUNED = {"figure_6": (198, 98, 50, 24, 6), "figure_6_small": (98, 24, 6, 198)}
RATES = {"figure_6": 4, "figure_6_small": 3}
equal_cost_width = cache(grids.equal_cost_width)


@pytest.fixture(autouse=True)
def count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of 198 layers are built to be counted: a second each, and every test asks for the same ones."""
    monkeypatch.setattr(grids._networks, "equal_cost_width", lambda run: equal_cost_width(replace(run, seed=0)))


def record(run: Run, accuracy: float = 0.5, loss: float = 1.0) -> Record:
    """What a run would leave."""
    return Record(run=run, losses=(loss,) * run.epochs, accuracies=(accuracy,) * run.epochs, seconds=1.0)


def of_one(runs: list[Run]) -> list[Run]:
    """The tuning runs of the first depth and network."""
    first = runs[0]
    return [run for run in runs if replace(run, learning_rate=first.learning_rate) == first]


@pytest.mark.parametrize("name", grids.GRIDS)
def test_every_run_is_unique(name: str) -> None:
    runs = grids.GRIDS[name]([])
    assert len({records.name(run) for run in runs}) == len(runs)


def test_the_digits_need_no_download_and_are_held_to_the_same_run() -> None:
    """Networks, depths and seeds in all combinations; nothing else differs."""
    runs = grids.digits()
    assert {run.data for run in runs} == {"digits"}
    combinations = {(grids.network_of(run, 32), run.depth, run.seed) for run in runs}
    names, depths, seeds = map(set, zip(*combinations, strict=True))
    assert len(runs) == len(combinations) == len(names) * len(depths) * len(seeds) == 3 * 2 * 3
    same = {"kind": "plain", "batch_norm": False, "beta": 1.0, "initializer": "he", "depth": 1, "seed": 0}
    assert len({replace(run, **same) for run in runs}) == 1
    assert grids.GRIDS["digits"]([]) == runs


def test_figure_5_trains_nothing_and_is_complete_from_the_start() -> None:
    runs = grids.figure_5()
    assert len(runs) == 10 * 6 * 4
    assert {run.epochs for run in runs} == {0}
    assert {run.minibatches for run in runs} == {30}
    assert {run.depth for run in runs} == {2, 4, 10, 24, 50, 100}
    assert {run.seed for run in runs} == set(range(10))
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)  # every kind and depth once before any twice
    assert grids.GRIDS["figure_5"]([record(runs[0])]) == runs


def test_figure_5_keeps_cosines_where_its_map_is_drawn() -> None:
    kept = [run for run in grids.figure_5() if run.cosines]
    assert {(grids.network_of(run, 8), run.depth, run.seed) for run in kept} == {
        (name, depth, 0)
        for name in ("plain, batch norm", "residual, batch norm", "residual, beta 0.1")
        for depth in (2, 10, 50)
    }
    assert len(kept) == 9


def test_between_the_grids_one_thing_changes_at_a_time_and_the_number_of_steps_never() -> None:
    runs = grids.figure_6_between([record(run) for run in grids.figure_6_between([])])
    assert len(runs) == 6 * 2 * (3 + len(grids.SEEDS))
    assert {(run.depth, run.images * run.epochs / run.batch_size) for run in runs} == {(24, 720)}
    assert {grids.network_of(run, 8) for run in runs} == {"plain, batch norm", "looks linear"}
    changes = [
        run
        for run in runs
        if (run.seed, run.kind, run.learning_rate) == (grids.TUNING_SEED, "plain", runs[0].learning_rate)
    ]
    fewest, more, once, *others = changes
    assert (fewest.images, more.images, once.images) == (1_000, 6_000, 36_000)
    assert others == [
        replace(once, width=32),
        replace(once, patch=2),
        replace(once, batch_size=250, epochs=5),
    ]


@pytest.mark.parametrize("name", TUNED)
def test_tuning_comes_first(name: str) -> None:
    runs = grids.GRIDS[name]([])
    assert len(runs) == len(TUNED[name]) * len(grids.NETWORKS) * RATES[name]
    assert all(run.held_out and run.seed == grids.TUNING_SEED for run in runs)
    assert tuple(dict.fromkeys(run.depth for run in runs)) == TUNED[name]
    assert grids.TUNING_SEED not in grids.SEEDS
    rates = sorted({run.learning_rate for run in runs})
    assert [b / a for a, b in pairwise(rates)] == pytest.approx([6] * (RATES[name] - 1))


@pytest.mark.parametrize("name", TUNED)
def test_final_runs_wait_until_their_tuning_is_complete(name: str) -> None:
    tuning = grids.GRIDS[name]([])
    found = [record(run) for run in of_one(tuning)]
    assert grids.GRIDS[name](found[:-1]) == tuning
    runs = grids.GRIDS[name](found)
    assert runs[: len(tuning)] == tuning
    final = runs[len(tuning) :]
    assert [run.seed for run in final] == list(grids.SEEDS)
    assert all(not run.held_out for run in final)
    assert len({replace(run, seed=1) for run in final}) == 1


def test_every_depth_and_network_comes_once_before_any_comes_twice() -> None:
    tuning = grids.figure_6_small([])
    runs = grids.figure_6_small([record(run) for run in tuning])
    final = runs[len(tuning) :]
    assert len(final) == 4 * len(grids.NETWORKS) * len(grids.SEEDS)
    assert [run.seed for run in final] == sorted(run.seed for run in final)
    assert len({records.name(run) for run in runs}) == len(runs)


@pytest.mark.parametrize(
    ("accuracies", "losses", "best"),
    [
        ((0.1, 0.3, 0.2), (1.0, 2.0, 0.5), 1),  # accuracy counts, not loss
        ((0.3, 0.3, 0.1), (1.0, 0.9, 0.1), 1),  # where it ties, loss
        ((0.1, 0.1, 0.1), (math.nan, 9.0, math.nan), 1),  # a run that diverged comes last
        ((0.1, 0.1, 0.1), (math.nan, math.inf, 9.0), 2),
        ((0.2, 0.1, 0.1), (math.nan, 9.0, 9.0), 0),  # but only where accuracy ties
    ],
)
def test_the_rate_with_the_best_held_out_accuracy_is_chosen(accuracies, losses, best: int) -> None:
    tuning = grids.figure_6_small([])
    tried = of_one(tuning)
    found = [record(*each) for each in zip(tried, accuracies, losses, strict=True)]
    final = grids.figure_6_small(found)[len(tuning) :]
    assert {run.learning_rate for run in final} == {tried[best].learning_rate}


def test_accuracy_at_the_end_counts() -> None:
    tried = of_one(grids.figure_6_small([]))
    found = [
        replace(record(run), accuracies=(*(1 - last,) * (run.epochs - 1), last))
        for run, last in zip(tried, (0.1, 0.2, 0.3), strict=True)
    ]
    assert grids.figure_6_small(found)[-1].learning_rate == tried[2].learning_rate


@pytest.mark.parametrize("name", TUNED)
def test_a_run_knows_its_network(name: str) -> None:
    runs = grids.GRIDS[name]([])
    width = max(run.width for run in runs)
    for index, run in enumerate(runs):
        network = list(grids.NETWORKS)[index // RATES[name] % len(grids.NETWORKS)]
        assert grids.network_of(run, width) == network
        assert (run.width < width) == network.endswith("equal cost")


def test_records_are_found_by_depth_and_network_in_the_order_of_seeds() -> None:
    planned = {
        (depth, name): [grids.NETWORKS[name].run(depth=depth, width=8, seed=seed, data="cifar10") for seed in (1, 2, 3)]
        for depth in (6, 24)
        for name in ("looks linear, equal cost", "looks linear", "residual, beta 0.1")
    }
    shuffled = [record(runs[place]) for place in (2, 0, 1) for runs in planned.values()]
    found = grids.by_network(iter(shuffled))
    assert {group: [record.run for record in records] for group, records in found.items()} == planned
    assert grids.by_network([]) == {}


def test_a_network_of_no_grid_is_named() -> None:
    for run in (
        Run("plain", 6, width=8),
        Run("residual", 6, width=8, batch_norm=True, beta=0.5),
        Run("residual", 6, width=8, batch_norm=True, initializer="orthogonal"),
        Run("linear", 6, width=8),
        Run("crelu", 6, width=8, batch_norm=True, initializer="looks_linear"),
        Run("crelu", 6, width=6),
    ):
        with pytest.raises(ValueError, match=r"run=Run\(kind='.*none of the networks plain, batch norm, residual"):
            grids.network_of(run, 8)


@pytest.mark.parametrize("name", TUNED)
def test_equal_cost_is_equal_in_parameters_and_in_operations(name: str) -> None:
    """By a scan of all widths, with costs written out: a layer is 9 x inputs x outputs on its pixels."""

    def costs(run: Run, width: int, copies: int) -> tuple[int, int]:
        parts = [run.depth // 3, 2 * run.depth // 3 - run.depth // 3 - 1, run.depth - 2 * run.depth // 3 - 1]
        stem, head = 9 * 3 * run.patch**2 * width, 40 * width
        layers = [9 * copies * 4**stage * width**2 * count for stage, count in enumerate(parts)]
        between = [72 * copies * 4**stage * width**2 for stage in range(2)]
        pixels = (32 // run.patch) ** 2
        products = stem * pixels + head + sum(part * pixels // 4**stage for stage, part in enumerate(layers))
        products += sum(part * pixels // 4 ** (stage + 1) for stage, part in enumerate(between))
        return stem + width + sum(layers) + sum(between) + head, 2 * products

    for run in {replace(run, learning_rate=1.0) for run in grids.GRIDS[name]([]) if run.kind == "plain"}:
        with torch.device("meta"):
            network = networks.convolutional(
                "plain", depth=run.depth, width=run.width, input_shape=(3, 32, 32), out_features=10, patch=run.patch
            )
        target = costs(run, run.width, 1)
        assert target == (networks.parameters(network), networks.flops(network, (3, 32, 32)))
        best = {
            min(range(1, run.width), key=lambda width: abs(costs(run, width, 2)[which] - target[which]))
            for which in range(2)
        }
        assert best == {equal_cost_width(run)}


@pytest.mark.parametrize("table", sorted(records.FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_books_records_are_the_runs_of_their_grid(table: Path) -> None:
    """All that the grid asks for, given the others, as captions say; and none that is left from an earlier grid."""
    found = records.read(table)
    assert {each.run for each in found} == set(grids.GRIDS[table.stem](found))


def test_every_long_grid_is_recorded() -> None:
    assert {table.stem for table in records.FOLDER.glob("*.jsonl")} == grids.GRIDS.keys() - {"digits"}
