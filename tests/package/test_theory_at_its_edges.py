"""Every function of the theory, found by its signature, at the edges of each argument: a number, or a refusal by name.

A new function is covered as soon as it is public; a new argument needs a line in ``EDGES``.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from shattered_lite import theory

CUBE = theory.Activation(lambda z: z**3, lambda z: 3 * z**2)
NAN = theory.Activation(lambda z: z * math.nan, lambda z: z)
GRID = [-1.0, 0.3, 0.8, 2.0]
STEP = theory.Step
CHAIN = [STEP(), STEP((0,), gain=2.0, back=2.0), STEP((1,), activation=theory.activation("relu"))]
ONES, EYE = np.ones((2, 2)), np.eye(2)

# An ordinary value of each argument, then its edges.
EDGES: dict[str, list] = {
    "depth": [3, 0, 1, 2, 500, 10_000, 10**6, [0, 10**5], [], [[0, 1], [2, 3]], 2.0, 10**6 + 1, 2**31, 2**63, 2.0**63],
    "width": [10, 1, 2, 1e4, 1e12, 1e300, math.inf, [], [1, 5, 7], 2**63, 0.5, 0],
    "batch_size": [8, 3, 4, 5, 7, 64, 1_000, 10**6, 1e7, 2**31, 2**63, 1e300, math.inf, 2, 0, 4.5, [], [4, 5, 6]],
    "inputs": [
        GRID, [0.5], [0.5, 0.6], [0.5, 0.5 + 1e-12, 1.0], [1e8, 2e8, -1e8], [1e50, 2e50, 0.0], [1e51, 0.0, 1.0],
        [0.5, 0.5], [], [[0.1, 0.2]], 3, np.linspace(-2, 2, 64),
    ],
    "alpha": [0.7, 1e-4, 1e-300, 1e4, 1e8, 1e100, 0, 1e101, 1e300, [1.0, 2.0]],
    "beta": [0.7, 10**400, 0, 0.0, 1e-300, 1e-8, 1e-4, 1e4, 1e8, 1e100, 1e101, 1e300, [1.0, 2.0]],
    "gamma1": [[0.5, 0.8, 0.9], 0, 1, 0.3, [], [0.0, 1.0], [1e-300], np.full(10**6, 0.999), [[0.5]], 1 + 1e-9],
    "cosine": [0.3, -1 + 1e-15, 1 - 1e-15, 1, 0, 1e-300, 0.99999999, [], [0.1, 0.2], [[-0.5]], 1 + 1e-9, -1],
    "length": [1.5, 0, 1, 1e-300, 1e100, 1e101, [], [1.0, 2.0]],
    "first": [0.5, 0, -3, 1e-300, 1e8, 1e100, 1e101, [], [0.5, 0.6], 0.625, 0.625 + 1e-12],
    "second": [0.625, 0, -3, 1e-300, 1e8, 1e100, 1e101, [], [[0.5], [0.6]]],
    "covariance": [[[2.0, 1.0], [1.0, 3.0]], [[1e100, 0.0], [0.0, 1e100]], [], [[]], [[0.1, 0.1], [0.1, 0.1]], 3],
    "lags": [1, 0, 2, 10**9, 2**63, 1.0, [1], []],
    "degree": [5, 0, 1, 2, 100, 101, 10**9, 2**63, 2.5, [1], []],
    "slope": [0.3, 0, 1, -1, 1e-300, 1e8, -1e100, 1e101, [0.1], []],
    "activation": ["relu", "gelu", CUBE, theory.leaky_relu(1.0), theory.leaky_relu(1e100), NAN, "swish", ["relu"], 3],
    "kinks": [None, (), [0.0], (2, -1.5, 2), 1e300, [[0.0]], math.inf, [math.inf], ["relu"]],
    "statistics": ["frozen", "differentiated", "moving", ["frozen"], 3],
    "centred": [True, False, "yes", 1],
    "normalised": [True, False, "yes", 1],
    "readout": [True, False, "yes", 1],
    "kept": [0.5, 0, 1, 1e-300, 1e100, 1e101, [1.0, 0.5, 0.0], [0.0, 1e100, 1e-100, 1.0], [1.0], [], [[1.0]]],
    "steps": [CHAIN, [STEP()], [], [STEP((0,))], [STEP(), STEP((-1,))], [3], 3],
    "squares": [{0: 1.0}, {0: 0.0}, {0: 1e-300}, {0: 1e100}, {0: 1e101}, {0: -1.0}, {0: [1.0]}, {0: "1"}, {}, 3],
    "output": [2, 0, 1, 3, -1, 2**63, 1.0, [1]],
    "start": [ONES, 0 * ONES, 1e100 * ONES, [[1.0]], [[1.0, 2.0]], [], 3],
    "covariances": [{1: EYE}, {0: EYE, 1: 1e100 * EYE}, {1: 0 * EYE}, {1: math.nan * EYE}, {1: [[1.0]]}, {1: 3}, 3],
    "added": [0.5, 0, 1, 1e-300, 1e100, 1e101, [1.0, 0.5, 0.0], [0.0, 1e100, 1e-100, 1.0], [1.0], [], [[1.0]]],
}  # fmt: skip
NONSENSE = [
    math.nan,
    [math.nan, 0.5],
    -math.inf,
    True,
    [True, False],
    "2",
    None,
    1j,
    [[1], [1, 2]],
    object(),
    -2.5,
    b"2",
]
FUNCTIONS = [getattr(theory, name) for name in theory.__all__ if inspect.isfunction(getattr(theory, name))]
# Where infinity is the value: the docstring says so, or the logarithm of a correlation that is exactly 0.
INFINITE = {("plain_kurtosis", "depth"), ("plain_uncentred", "cosine"), ("similarity", "cosine")}


def parameters(function: Callable) -> list[str]:
    return list(inspect.signature(function).parameters)


CASES = [(function, name) for function in FUNCTIONS for name in parameters(function)]


def call(function: Callable, **changed):
    ordinary = {name: EDGES[name][0] for name in parameters(function)}
    return function(**ordinary | changed)


def all_numbers(result) -> np.ndarray:
    if isinstance(result, theory.Activation):
        z = np.linspace(-3, 3, 7)
        return np.concatenate([result.value(z), result.slope(z)])
    parts = result if isinstance(result, tuple) else [result]
    return np.concatenate([np.ravel(np.asarray(part, dtype=np.float64)) for part in parts])


def a_number_or_a_refusal_by_name(function: Callable, name: str, value) -> bool:
    """Whether it was refused."""
    try:
        result = call(function, **{name: value})
    except ValueError as error:
        message = str(error)
        assert re.search(rf"\b{name}[=:]", message), message
        return True
    found = all_numbers(result)
    assert not np.isnan(found).any()
    assert np.isfinite(found).all() or (function.__name__, name) in INFINITE
    return False


@pytest.mark.parametrize(("function", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_every_edge_is_a_number_or_a_refusal_by_name(function: Callable, name: str) -> None:
    refused = [a_number_or_a_refusal_by_name(function, name, value) for value in EDGES[name]]
    assert not refused[0]  # the ordinary value


@pytest.mark.parametrize(("function", "name"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_nonsense_is_refused_by_name(function: Callable, name: str) -> None:
    for value in NONSENSE:
        meant = (value is True and name in ("centred", "normalised", "readout")) or (
            value == -2.5 and name in ("first", "second", "slope")
        )
        meant = meant or (value is None and name == "kinks")
        if not meant:
            assert a_number_or_a_refusal_by_name(function, name, value), value
