"""Grids against what their docstrings say; no run is made, records are made up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import torch

from shattered_lite import networks
from shattered_lite.lab import grids, records
from shattered_lite.lab.training import Record, Run, steps_tested

# Runs of these are still to be made.
UNFINISHED = {
    "figure_6_long",
}
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


def rung_of(run: Run) -> int:
    """On the ladder of step sizes, whose neighbours are a factor of three apart; 0 is 1e-6."""
    rung = round(math.log(run.learning_rate / 1e-6, 3))
    assert run.learning_rate == pytest.approx(1e-6 * 3**rung, rel=1e-6)
    return rung


def made_by(plan: Callable[[list[Record]], list[Run]], train: Callable[[Run], Record]) -> list[list[Run]]:
    """The plans of a sweep from the first to the last; what was made is planned ever after."""
    found: dict[Run, Record] = {}
    plans = []
    while not plans or set(plans[-1]) - found.keys():
        found |= {run: train(run) for run in (plans[-1] if plans else []) if run not in found}
        plans.append(plan([*found.values()]))
        assert len(set(plans[-1])) == len(plans[-1])
        assert found.keys() <= set(plans[-1])
    return plans


def peaked(peak: Callable[[Run], int], height: Callable[[Run], float]) -> Callable[[Run], Record]:
    """Training whose accuracy falls on either side of the best step size."""
    return lambda run: record(run, height(run) * 0.9 ** abs(rung_of(run) - peak(run)))


HEIGHTS = {
    "looks linear": 0.5, "residual, beta 0.1": 0.8, "residual, batch norm": 0.7, "plain, batch norm": 0.1,
    "looks linear, equal cost": 0.4, "crelu": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("peak", [0, 4, 8, 11, -2], ids=lambda peak: f"best at {peak}")
def test_the_long_grid_halves_its_choices(peak: int) -> None:
    """Longer training wants a step a rung smaller here: the winner is found where it lies, beyond the list too."""

    def height(run: Run) -> float:
        return HEIGHTS[grids.network_of(run, 32)] * (0.5 if run.held_out else 1)

    def best(run: Run) -> int:
        return peak - (run.epochs > 3)

    *_, runs = made_by(grids.figure_6_long, peaked(best, height))
    cells = {(depth, name) for depth in (24, 98) for name in HEIGHTS}
    cells |= {(198, name) for name in ("residual, beta 0.1", "residual, batch norm", "looks linear")}
    assert {(run.depth, grids.network_of(run, 32)) for run in runs} == cells
    for cell in cells:
        here = [run for run in runs if (run.depth, grids.network_of(run, 32)) == cell]
        tried = {epochs: [rung_of(run) for run in here if run.epochs == epochs] for epochs in (3, 10, 30)}
        assert set(tried[3]) == set(range(9)) | set(range(min(0, peak - 1), max(8, peak + 1) + 1))
        assert set(tried[10]) == {peak - 2, peak - 1, peak, peak + 1}
        assert tried[30] == [peak - 1] * 3
        assert [(run.held_out, run.seed) for run in here if run.epochs == 30] == [(False, seed) for seed in (1, 2, 3)]
        assert all(run.held_out and run.seed == grids.TUNING_SEED for run in here if run.epochs < 30)
    same = {"epochs": 3, "learning_rate": 1.0, "seed": 0, "held_out": True, "depth": 1, "width": 1}
    own = {"kind": "plain", "batch_norm": False, "beta": 1.0, "initializer": "he"}
    assert {replace(run, **same, **own) for run in runs} == {
        Run(
            **same, **own, batch_size=500, convolutional=True, patch=2, data="cifar10", augment=True, decay=True,
            precision="bfloat16",
        )
    }  # fmt: skip


def test_the_long_grid_begins_with_what_is_most_valuable() -> None:
    plans = made_by(grids.figure_6_long, peaked(lambda run: 4, lambda run: HEIGHTS[grids.network_of(run, 32)]))
    first = plans[0]
    assert [rung_of(run) for run in first[:9]] == list(range(9))
    assert len(first) == 2 * 6 * 9
    assert all(run.epochs == 3 and run.depth < 198 for run in first)
    stages = [(run.depth == 198, run.epochs, run.seed) for run in plans[-1]]
    order = [
        *[(False, epochs, 0) for epochs in (3, 10)], (False, 30, 1),
        *[(True, epochs, 0) for epochs in (3, 10)], (True, 30, 1),
        *[(deepest, 30, seed) for seed in (2, 3) for deepest in (False, True)],
    ]  # fmt: skip
    assert set(stages) == set(order)
    assert [stage for stage in dict.fromkeys(stages) if stage[2] < 2] == order[:6]
    assert all(seed < 2 for _, _, seed in stages[: -2 * 3 * 5])
    finals = [run for run in plans[-1] if run.epochs == 30]
    assert [run.depth for run in finals[:12]] == [98] * 6 + [24] * 6
    assert [grids.network_of(run, 32) for run in finals[:6]] == list(grids._long.NAMES)


def test_the_patient_grid_is_chosen_as_the_long_one() -> None:
    """At either data set, each network and depth: nine step sizes, three of them again, and five seeds of the best."""
    heights = HEIGHTS | {"linear": 0.3}
    plans = made_by(grids.figure_6_patient, peaked(lambda run: 4, lambda run: heights[grids.network_of(run, 8)]))
    *_, runs = plans
    by_data = {data: [run for run in runs if run.data == data] for data in ("digits", "cifar10")}
    assert [run.data for run in runs] == ["digits"] * len(by_data["digits"]) + ["cifar10"] * len(by_data["cifar10"])
    for found in by_data.values():
        cells = {(run.depth, grids.network_of(run, 8)) for run in found}
        assert cells == set(product((98, 24, 6), heights))
        passes = [(run.epochs, run.held_out) for run in found]
        assert {each: passes.count(each) // len(cells) for each in passes} == {
            (3, True): 9,
            (10, True): 3,
            (40, False): 5,
        }
        assert [run.seed > 1 for run in found] == sorted(run.seed > 1 for run in found)
        assert {(run.held_out, run.minibatches) for run in found} == {(True, 0), (False, 2)}
    same = {"epochs": 3, "learning_rate": 1.0, "seed": 0, "held_out": True, "depth": 1, "width": 1, "minibatches": 0}
    own = {"kind": "plain", "batch_norm": False, "beta": 1.0, "initializer": "he", "convolutional": True, "decay": True}
    assert {replace(run, **same, **own) for run in runs} == {
        Run(**same, **own, data="digits", batch_size=64),
        Run(**same, **own, data="cifar10", batch_size=50, patch=4, images=1_000),
    }


def test_a_ladder_has_ends() -> None:
    """Where the smallest step is always the best, the search ends at 1.2e-8; where the largest is, at 1.6."""
    for sign, end in ((-1, 1.2e-8), (1, 1.6)):
        *_, runs = made_by(grids.figure_6_long, lambda run, sign=sign: record(run, 0.5 + 0.01 * sign * rung_of(run)))
        (chosen,) = {run.learning_rate for run in runs if run.epochs == 30}
        assert chosen == pytest.approx(end, rel=0.03)


def racing(time: Callable[[Run], float]) -> Callable[[Run], Record]:
    """Training that reaches its target after so many steps, or runs out of them; the loss too is least at the peak."""

    def train(run: Run) -> Record:
        tests = [steps for steps in steps_tested(200) if steps <= 10 * run.epochs]
        curve = [0.1 if steps < time(run) else 0.95 for steps in tests]
        curve = curve[: curve.index(0.95) + 1 if 0.95 in curve else None]
        losses = (1 + abs(rung_of(run) - peak(run)),) * len(curve)
        return Record(run=run, losses=losses, accuracies=tuple(curve), seconds=1.0)

    return train


def peak(run: Run) -> int:
    """The best rung: that of the optimizer, and two lower at 4 layers."""
    return {"adam": 7, "sgd": 12}[run.optimizer] - 2 * (run.depth == 4)


FEW = ("plain, batch norm", "mirror at 45 degrees", "plain, backward kept")


@pytest.fixture
def few_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is made anew for each stage of each network: three of the nine are enough to see how."""
    monkeypatch.setattr(grids._times, "NAMES", FEW)


def cell_of(run: Run) -> tuple[str, int, str]:
    return run.optimizer, run.depth, grids.network_of(run, 64)


def test_the_time_to_learn_is_that_of_nine_networks() -> None:
    names = {*grids.CONTROLS, "plain, batch norm", "looks linear", "residual, batch norm", "residual, beta 0.1"}
    runs = grids.time_to_learn([])
    assert all(run.held_out and run.seed not in grids.SEEDS and run.epochs == 32 for run in runs)
    expected = product(("adam",), (4, 8, 12, 16, 24, 32), names, (6, 7, 8), (0, 6, 7))
    assert {(*cell_of(run), rung_of(run), run.seed) for run in runs} == set(expected)


@pytest.mark.usefixtures("few_networks")
def test_the_time_to_learn_is_chosen_between_two_neighbours_and_never_dropped() -> None:
    """Times grow with depth, and by 1.5 for each rung beside the best; plain networks of 64 layers never get there."""

    def time(run: Run) -> float:
        slow = {"plain, batch norm": 20, "plain, backward kept": 10}.get(grids.network_of(run, 64), 1)
        if slow > 1 and run.depth == 64:
            return math.inf
        return 2 * slow * run.depth * 1.5 ** abs(rung_of(run) - peak(run))

    *_, runs = made_by(grids.time_to_learn, racing(time))
    depths = (4, 8, 12, 16, 24, 32, 48, 64)
    cells = {(optimizer, depth, name) for optimizer in ("adam", "sgd") for depth in depths for name in FEW}
    assert {cell_of(run) for run in runs} == cells
    for cell in cells:
        here = [run for run in runs if cell_of(run) == cell]
        final = [run for run in here if not run.held_out]
        assert [(run.seed, run.epochs) for run in final] == [(seed, 512) for seed in grids.SEEDS]
        (chosen,) = {rung_of(run) for run in final}
        longest = max(run.epochs for run in here if run.held_out)
        tried = {rung_of(run) for run in here if run.held_out and run.epochs == longest}
        assert {chosen - 1, chosen, chosen + 1} <= tried
        seeds = {(run.epochs, run.seed) for run in here if run.held_out}
        three = {(epochs, seed) for epochs in (32, 128) for seed in (0, 6, 7)}
        assert seeds == {each for each in three | {(512, 0)} if each[0] <= longest}
        fastest = min(time(run) for run in here)
        assert longest == next((epochs for epochs in (32, 128) if 10 * epochs >= fastest), 512)
        assert chosen == peak(here[0])
    same = {"epochs": 1, "learning_rate": 1.0, "seed": 0, "held_out": False, "depth": 2, "optimizer": "adam"}
    own = {"kind": "plain", "batch_norm": False, "beta": 1.0, "initializer": "he", "turn": 0.0, "backward": 1.0}
    assert {replace(run, **own, **same) for run in runs} == {
        Run(**own, **same, width=64, batch_size=100, images=1_000, minibatches=2, target=0.9)
    }


@pytest.mark.usefixtures("few_networks")
def test_the_parts_of_the_time_to_learn_come_in_turn() -> None:
    plans = made_by(grids.time_to_learn, racing(lambda run: 10 + abs(rung_of(run) - peak(run))))
    assert {(run.optimizer, run.depth) for run in plans[0]} == {("adam", depth) for depth in (4, 8, 12, 16, 24, 32)}
    parts = [(run.optimizer, run.depth > 32) for run in plans[-1]]
    order = [("adam", False), ("adam", True), ("sgd", False), ("sgd", True)]
    assert list(dict.fromkeys(parts)) == order
    assert parts == sorted(parts, key=order.index)
    first = [run for run, part in zip(plans[-1], parts, strict=True) if part == order[0]]
    assert [(not run.held_out, run.seed) for run in first] == sorted((not run.held_out, run.seed) for run in first)


@pytest.mark.usefixtures("few_networks")
@pytest.mark.parametrize(
    ("plan", "changes", "depths"),
    [
        (grids.time_to_learn_wide, {"width": 256}, {4, 8, 16, 24, 32}),
        (grids.time_to_learn_mnist, {"data": "mnist", "target": 0.8}, {4, 8, 16, 24, 32}),
    ],
)
def test_wide_networks_and_those_of_mnist_learn_under_the_same_rules(
    plan: Callable, changes: dict[str, Any], depths: set[int]
) -> None:
    time = racing(lambda run: 10 + abs(rung_of(run) - peak(run)))
    (*_, usual), (*_, other) = (made_by(grid, time) for grid in (grids.time_to_learn, plan))
    assert {run.depth for run in other} == depths
    assert set(other) == {replace(run, **changes) for run in usual if run.optimizer == "adam" and run.depth in depths}


@pytest.mark.parametrize("table", sorted(records.FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_the_books_records_are_the_runs_of_their_grid(table: Path) -> None:
    """All that the grid asks for, given the others, as captions say; and none that is left from an earlier grid."""
    found = records.read(table)
    made, planned = {each.run for each in found}, set(grids.GRIDS[table.stem](found))
    assert made <= planned
    assert made == planned or table.stem in UNFINISHED


def test_every_long_grid_is_recorded() -> None:
    recorded = {table.stem for table in records.FOLDER.glob("*.jsonl")}
    assert recorded | UNFINISHED == grids.GRIDS.keys() - {"digits"}
