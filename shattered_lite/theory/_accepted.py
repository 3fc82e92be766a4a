"""What only the theory accepts: arrays of depths, widths, sizes of a batch, correlations and coefficients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments import HIGHWAY, real, whole

Array = NDArray[np.float64]
Depths = NDArray[np.int64]
Accepts = Callable[[Array], NDArray[np.bool_]]

MOST = 10**6  # layers, or inputs of a batch: so far the functions are tested, and take seconds
TABLE = 10**8  # correlations in a table of layers and inputs: 0.8 GB
HUGE = 1e100  # sizes up to here can be squared, and multiplied by layers and inputs, in float64


def numbers(name: str, value: ArrayLike, accepts: Accepts, allowed: str) -> Array:
    """Real numbers, each of which is accepted; no words, no truth values, no ragged lists."""
    try:
        found = np.asarray(value)
    except ValueError:  # ragged
        found = np.asarray(None)
    if found.dtype.kind not in "iuf" or not np.all(accepts(found.astype(np.float64))):
        raise ValueError(f"{name}={value}: {allowed}")
    return found.astype(np.float64)


def broadcast(**arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """Arrays in their common shape."""
    try:
        return list(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name}: shape {array.shape}" for name, array in arrays.items())
        raise ValueError(f"{shapes}; these do not broadcast") from None


def depths(depth: ArrayLike, most: int = MOST) -> Depths:
    """Whole numbers of layers, 0 or more."""
    allowed = f"a number of layers is whole, from 0 to {most:,}"
    return numbers("depth", depth, lambda n: (n >= 0) & (n <= most) & (n == np.floor(n)), allowed).astype(np.int64)


def one_depth(depth: int, most: int = MOST) -> int:
    """One whole number of layers, 0 or more."""
    return whole("depth", depth, 0, most, f"a number of layers is whole, from 0 to {most:,}, and one is needed")


def widths(width: ArrayLike) -> Array:
    """Numbers of units, 1 or more, perhaps infinite."""
    return numbers("width", width, lambda n: n >= 1, "a layer needs 1 unit or more")


def batches(batch_size: ArrayLike) -> Array:
    """Numbers of inputs that a unit is centred over, 3 or more, perhaps infinite."""
    allowed = "centring needs 3 inputs or more, since 2 become mirror images"
    return numbers("batch_size", batch_size, lambda n: n >= 3, allowed)


def normalised_batch(batch_size: float) -> float:
    """Size of the batch over which batch norm divides: 4 or more, perhaps infinite."""
    allowed = (
        f"with batch norm the gradient has a finite variance for 4 inputs or more; above {MOST:,}, only inf is allowed"
    )
    return real("batch_size", batch_size, lambda n: n >= 4 and (n <= MOST or n == np.inf), allowed)


def correlations(cosine: ArrayLike) -> Array:
    """Correlations, between -1 and 1."""
    return numbers("cosine", cosine, lambda c: np.abs(c) <= 1, "a correlation lies between -1 and 1")


def one_correlation(cosine: float) -> float:
    """One correlation, between -1 and 1."""
    return real("cosine", cosine, lambda c: abs(c) <= 1, "a correlation lies between -1 and 1")


def finite(name: str, value: ArrayLike, most: float = HUGE) -> Array:
    """Numbers of any sign that can be squared."""
    return numbers(name, value, lambda x: np.abs(x) <= most, f"finite numbers, at most {most:g} in size, are needed")


def alpha(value: float) -> float:
    """Scale of a residual layer."""
    return real("alpha", value, lambda s: 0 < s <= HUGE, f"a scale is positive, and {HUGE:g} or less")


def beta(value: float) -> float:
    """Scale of a branch; 0 for a layer that is the identity."""
    return real("beta", value, lambda s: 0 <= s <= HUGE, f"a scale is 0 or more, and {HUGE:g} or less")


def squared_scales(name: str, value: ArrayLike, layers: int) -> Array:
    """Squared scales of skip or branch, one for each layer; one number stands for all."""
    allowed = f"squared scales are 0 or more, and {HUGE:g} or less"
    found = numbers(name, value, lambda s: (s >= 0) & (s <= HUGE), allowed)
    if found.ndim > 1 or (found.ndim == 1 and len(found) < layers):
        raise ValueError(f"{name}: shape {found.shape}, but one number, or one a layer, {layers:,} of them, is needed")
    return np.array(np.broadcast_to(found, layers) if found.ndim == 0 else found[:layers])


def gammas(gamma1: ArrayLike) -> Array:
    """Coefficients of a highway network's skip, between 0 and 1."""
    return numbers("gamma1", gamma1, lambda kept: (kept >= 0) & (kept <= 1), HIGHWAY)
