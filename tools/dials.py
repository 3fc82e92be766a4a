"""What dials get from Python: what the package computes better, and what was recorded."""

from functools import cache
from typing import Any

import numpy as np

import shattered_lite as sl
from shattered_lite.lab.training import steps_tested

SMOOTH = {"tanh": "tanh", "GELU": "gelu", "SiLU": "silu"}
HIGHEST = 100  # Hermite degree
INDEX: dict[str, str | sl.theory.Activation] = {
    "linear": sl.theory.leaky_relu(1.0),
    "GELU": "gelu",
    "tanh": "tanh",
    "rectifier": "relu",
}
TURNS = {"looks linear": 0, "mirror at 45 degrees": 45, "mirror at 90 degrees": 90}  # of networks, in degrees


@cache
def curve() -> dict[str, Any]:
    """Shares of the Hermite degrees of activations without a closed form."""
    shares = {}
    for name, activation in SMOOTH.items():
        squares = sl.theory.hermite_coefficients(activation, degree=HIGHEST) ** 2
        shares[name] = (squares / sl.theory.averages(activation).square).tolist()
    return {"shares": shares}


@cache
def index() -> dict[str, Any]:
    """The index of activations that a reader knows."""
    return {"known": {name: float(sl.theory.averages(given).shattering_index) for name, given in INDEX.items()}}


@cache
def mirror() -> dict[str, Any]:
    """Test accuracy of the network of middle speed among five, by turn and depth, after each number of steps."""
    runs: dict[int, dict[int, list[sl.lab.training.Record]]] = {turn: {} for turn in TURNS.values()}
    for record in sl.lab.records.read(sl.lab.records.FOLDER / "time_to_learn.jsonl"):
        turn = TURNS.get(sl.lab.grids.network_of(record.run, 64))
        if turn is not None and record.run.optimizer == "adam" and not record.run.held_out:
            runs[turn].setdefault(record.run.depth, []).append(record)
    curves = {
        str(turn): {str(depth): learning_curve(of_five) for depth, of_five in sorted(by_depth.items())}
        for turn, by_depth in runs.items()
    }
    return {"curves": curves}


def learning_curve(records: list[Any]) -> list[list[float]]:
    """Pairs of steps and accuracy, of the middle one."""
    times = [sl.lab.records.steps_to(record).reached for record in records]
    middle = records[int(np.argsort(times)[len(times) // 2])]
    pairs = zip(steps_tested(len(middle.accuracies)), middle.accuracies, strict=True)
    return [[steps, round(accuracy, 4)] for steps, accuracy in pairs if steps > 0]


STATES = {"curve": curve, "own-index": index, "mirror": mirror}
