"""What the functions of the theory accept, and what they call it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Depths = NDArray[np.int64]


def depths(depth: ArrayLike) -> Depths:
    """Whole numbers of layers, 0 or more."""
    layers = np.asarray(depth)
    if layers.dtype.kind not in "iu" and not (layers.dtype.kind == "f" and all(map(float.is_integer, layers.flat))):
        raise ValueError(f"depth={depth}: a number of layers is whole")
    if np.any(layers < 0):
        raise ValueError(f"depth={depth}: a number of layers is 0 or more")
    return layers.astype(np.int64)


def one_depth(depth: int) -> int:
    """One whole number of layers, 0 or more."""
    if np.ndim(depth) != 0:
        raise ValueError(f"depth={depth}: one number of layers is needed")
    return int(depths(depth))


def widths(width: ArrayLike) -> Array:
    """Numbers of units, 1 or more."""
    units = np.asarray(width, dtype=np.float64)
    if np.any(~(units >= 1)):
        raise ValueError(f"width={width}: a layer needs 1 unit or more")
    return units


def batches(inputs: ArrayLike) -> Array:
    """Numbers of inputs that a unit is centred over, 3 or more, perhaps infinite."""
    batch = np.asarray(inputs, dtype=np.float64)
    if np.any(~(batch >= 3)):
        raise ValueError(f"inputs={inputs}: centring needs 3 inputs or more, since 2 become mirror images")
    return batch


def normalised_batches(inputs: ArrayLike) -> Array:
    """Sizes of a batch over which batch norm divides, 4 or more, perhaps infinite."""
    batch = np.asarray(inputs, dtype=np.float64)
    if np.any(~(batch >= 4)):
        raise ValueError(f"inputs={inputs}: with batch norm the gradient has a finite variance for 4 inputs or more")
    return batch


def correlations(cosine: ArrayLike) -> Array:
    """Correlations, between -1 and 1."""
    c = np.asarray(cosine, dtype=np.float64)
    if np.any(~(np.abs(c) <= 1)):
        raise ValueError(f"cosine={cosine}: a correlation lies between -1 and 1")
    return c


def scale(name: str, value: float) -> float:
    """A positive, finite factor."""
    if not (np.ndim(value) == 0 and np.isfinite(value) and value > 0):
        raise ValueError(f"{name}={value}: a scale is positive and finite")
    return float(value)


def shares(name: str, value: ArrayLike) -> Array:
    """Coefficients of a highway network's skip, between 0 and 1."""
    kept = np.asarray(value, dtype=np.float64)
    if np.any(~((kept >= 0) & (kept <= 1))):
        raise ValueError(
            f"{name}={value}: highway coefficients need 0 <= {name} <= 1, since gamma1^2 + gamma2^2 = 1 keeps "
            "the variance"
        )
    return kept
