r"""What should come out: closed forms and recursions, in NumPy and float64.

``depth`` counts the gated layers between the neuron and the output, and may be an array everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


class Moments(NamedTuple):
    """Second moments of the gradients at two inputs, over random weights.

    Attributes
    ----------
    variance : ndarray
        $C(i) = E[\\nabla_i^2]$, dimensionless (the neuron's own gradient is 1).
    covariance : ndarray
        $C(i, j) = E[\\nabla_i \\nabla_j]$ for two typical inputs.
    correlation : ndarray
        $R(i, j) = C(i, j) / \\sqrt{C(i) C(j)}$.
    """

    variance: Array
    covariance: Array
    correlation: Array


def plain(depth: ArrayLike, inputs: ArrayLike = np.inf) -> Moments:
    r"""Theorem 1: gradients of a plain rectifier network with weight variance $2/N$.

    $C(i) = 1$ and $C(i, j) = (2q)^L$, where $q$ is the co-activation of two typical inputs:
    $q = 1/4$, hence $2^{-L}$, when the gates of the two inputs are independent.

    Centring on the mean over a batch of $M$ inputs makes two preactivations correlate by $-1/(M-1)$, so that
    $q = 1/4 - \arcsin(1/(M-1)) / (2\pi)$ from the second gated layer on: the theorem is the limit of large $M$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of gated layers between the neuron and the output.
    inputs : array_like of float
        Number $M \ge 3$ of inputs the network is centred on; infinite gives the paper's theorem.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is negative or not whole, or ``inputs`` is below 3.

    References
    ----------
    Balduzzi et al. (2017), Theorem 1. Derived in the chapter *Theorem 1: plain networks*.
    """
    layers = _depths(depth)
    batch = np.asarray(inputs, dtype=np.float64)
    if np.any(~(batch >= 3)):
        raise ValueError(f"inputs={inputs}: centring needs 3 inputs or more, since 2 become mirror images of each other")
    first = np.where(layers > 0, 0.5, 1.0)  # the first layer is not centred: there the gates are independent
    later = (0.5 - np.arcsin(1 / (batch - 1)) / np.pi) ** np.maximum(layers - 1, 0)
    covariance = first * later
    return Moments(np.ones_like(covariance), covariance, covariance)


class ArcCosine(NamedTuple):
    r"""One rectifier layer of infinite width, seen by two inputs at angle $\theta$.

    Attributes
    ----------
    cosine : ndarray
        Correlation of the next preactivations, $(\sin\theta + (\pi - \theta)\cos\theta)/\pi$.
    tangent : ndarray
        Factor by which the layer multiplies the correlation of gradients, $1 - \theta/\pi$.
    coactivation : ndarray
        Probability that a unit is active at both inputs, $(\pi - \theta)/(2\pi)$.
    """

    cosine: Array
    tangent: Array
    coactivation: Array


def arc_cosine(cosine: ArrayLike) -> ArcCosine:
    r"""Arc-cosine maps of values, tangents and gates of a He-initialised rectifier layer.

    Parameters
    ----------
    cosine : array_like of float
        Correlation $\cos\theta$ of the two preactivations that enter the layer, in $[-1, 1]$.

    Returns
    -------
    ArcCosine
        Dimensionless, each field with the shape of ``cosine``.

    Raises
    ------
    ValueError
        If a cosine lies outside $[-1, 1]$.

    References
    ----------
    Cho and Saul (2009). Derived in the chapter *Who is active with whom*.
    """
    c = _correlations(cosine)
    angle = np.arccos(c)
    active_at_both = (np.pi - angle) / np.pi
    value = np.sin(angle) / np.pi + active_at_both * c
    return ArcCosine(np.clip(value, -1, 1), active_at_both, active_at_both / 2)


def cosines(depth: int, cosine: ArrayLike = 0.0) -> Array:
    r"""Correlation of the preactivations of two inputs, layer by layer, in an uncentred plain network.

    Parameters
    ----------
    depth : int
        Number of gated layers.
    cosine : array_like of float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    ndarray, shape (depth + 1, ...)
        Entry ``l`` is the correlation that enters gated layer ``l + 1``; the first is ``cosine`` itself.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole, or a cosine lies outside $[-1, 1]$.

    References
    ----------
    Cho and Saul (2009). Used in the chapters *Who is active with whom* and *Theorem 1: plain networks*.
    """
    trajectory = [_correlations(cosine)]
    for _ in range(_one_depth(depth)):
        trajectory.append(arc_cosine(trajectory[-1]).cosine)
    return np.stack(trajectory)


def plain_uncentred(depth: ArrayLike, cosine: float = 0.0) -> Moments:
    r"""Gradients of a plain network of infinite width without centring: a power law, not Theorem 1.

    $R = \prod_{l=1}^{L} (1 - \theta_l/\pi)$ with the angles of the arc-cosine recursion; for large $L$,
    $\theta_l \sim 3\pi/l$ and $R \sim \mathrm{const} \cdot L^{-3}$.

    Parameters
    ----------
    depth : array_like of int
        Number of gated layers.
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        If a depth is negative or not whole, or the cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Theorem 1: plain networks*.
    """
    layers = _depths(depth)
    factors = arc_cosine(cosines(int(np.max(layers, initial=0)), cosine)).tangent
    product = np.concatenate([[1.0], np.cumprod(factors)])[layers]
    return Moments(np.ones_like(product), product, product)


def plain_centred(depth: ArrayLike, width: ArrayLike, inputs: ArrayLike = np.inf) -> Moments:
    r"""Gradients of a centred plain network of finite width: Theorem 1 and its first correction.

    To first order in $1/N$, gates remember the layers before through the correlation $r$ of two preactivations and
    the covariances $c$ of preactivations with tangents. With $T = E[\nabla_i \nabla_j]$, $A = E[c_{ii} c_{jj}]$,
    $B = E[c_{ij} c_{ji}] = E[r\, \nabla_i \nabla_j]$ and $\mu = 1 - 1/\pi$, one layer makes of them

    $$T' = 2qT + (A + 2B)/\pi, \quad A' = \mu A + \kappa T, \quad B' = B/(4\mu) + \kappa T, \quad
      \kappa = \frac{1}{2(\pi - 1)N},$$

    from $T = 1$, $A = B = 0$. Neglected: order $1/N^2$ and $1/(NM)$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of gated layers between the neuron and the output.
    width : array_like of int
        Units $N \ge 1$ of every layer; infinite gives :func:`plain`.
    inputs : array_like of float
        Number $M \ge 3$ of inputs the network is centred on.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is negative or not whole, a width is below 1, or ``inputs`` is below 3.

    References
    ----------
    The book's own; derived in the chapter *Theorem 1: plain networks*.
    """
    layers, units, batch = np.broadcast_arrays(_depths(depth), _widths(width), plain(0, inputs).variance * inputs)
    mu, source = 1 - 1 / np.pi, 1 / (2 * (np.pi - 1) * units)
    t, a, b = np.ones(layers.shape), np.zeros(layers.shape), np.zeros(layers.shape)
    covariance = t
    for layer in range(1, int(layers.max(initial=0)) + 1):
        kept = plain(layer, batch).covariance / plain(layer - 1, batch).covariance
        t, a, b = kept * t + (a + 2 * b) / np.pi, mu * a + source * t, b / (4 * mu) + source * t
        covariance = np.where(layers >= layer, t, covariance)
    return Moments(np.ones_like(covariance), covariance, covariance)


def plain_batch_norm(depth: ArrayLike, inputs: ArrayLike = np.inf) -> Moments:
    r"""Gradients of a plain network of infinite width with batch norm, its statistics held constant.

    Each normalisation divides the gradient by the standard deviation of a centred rectifier, so the variance grows:
    $C(i) = (\pi/(\pi - 1))^{L-1}$ for many inputs. The correlation is that of :func:`plain`. For $M$ inputs the
    factor is $M\pi/((M-3)(\pi-1))$ at the first normalisation and $(M-1)/(2(M-3)v)$ at each later one, with
    $v = (1 - 1/M)(1/2 - k)$ and $k$ the mean product of two rectified preactivations of correlation $-1/(M-1)$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of gated layers; all but the first are normalised.
    inputs : array_like of float
        Size $M \ge 4$ of the batch; with 3 the variance is infinite.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is negative or not whole, or ``inputs`` is below 4.

    References
    ----------
    Yang et al. (2019) for many inputs; the book's own for a finite batch. Derived in the chapter
    *Theorem 1: plain networks*.
    """
    layers, batch = _depths(depth), np.asarray(inputs, dtype=np.float64)
    if np.any(~(batch >= 4)):
        raise ValueError(f"inputs={inputs}: with batch norm the gradient has a finite variance for 4 inputs or more")
    product = arc_cosine(-1 / (batch - 1)).cosine / 2
    first = np.pi / ((1 - 3 / batch) * (np.pi - 1))
    later = (1 - 1 / batch) / ((1 - 3 / batch) * 2 * (1 - 1 / batch) * (0.5 - product))
    variance = np.where(layers > 1, first * later ** np.maximum(layers - 2, 0), 1.0)
    correlation = plain(layers, inputs).correlation
    return Moments(variance, variance * correlation, correlation)


def scalar_covariance(first: ArrayLike, second: ArrayLike, depth: int) -> Array:
    r"""Covariance of $f'(x)$ and $f'(x')$ for a scalar network of infinite width, without centring.

    It is the mixed derivative $\partial^2 K_L(x, x') / \partial x\, \partial x'$ of the kernel, which starts as
    $K_0 = x x' + 1$ and passes the arc-cosine map at every gated layer. The product of the tangent maps would not
    do: here the tangent of a unit is correlated with its value.

    Parameters
    ----------
    first, second : array_like of float
        Scalar inputs $x$ and $x'$, in any shapes that broadcast.
    depth : int
        Number of gated layers.

    Returns
    -------
    ndarray
        Squared slope, in units of the input weight variance; 1 where $x = x'$.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole.

    References
    ----------
    The book's own; derived in the chapter *Theorem 1: plain networks*.
    """
    layers = _one_depth(depth)
    x, y = np.broadcast_arrays(np.asarray(first, np.float64), np.asarray(second, np.float64))
    qx, qy, qx_x, qy_y = x**2 + 1, y**2 + 1, 2 * x, 2 * y  # K(x, x) and K(y, y): the same at every depth
    k, k_x, k_y, k_xy = x * y + 1, y + 0.0, x + 0.0, np.ones_like(x)
    same = x == y
    for _ in range(layers):
        root = np.where(same, 1.0, np.sqrt(np.maximum(qx * qy - k**2, np.finfo(float).tiny)))
        angle = np.arctan2(root, k)
        f_k, f_kk, f_qq = 1 - angle / np.pi, 1 / (np.pi * root), 1 / (4 * np.pi * root)
        f_qx, f_qy = root / (2 * np.pi * qx), root / (2 * np.pi * qy)
        f_qxk, f_qyk = -k / (2 * np.pi * qx * root), -k / (2 * np.pi * qy * root)
        k_xy = f_qq * qx_x * qy_y + f_qxk * qx_x * k_y + f_qyk * qy_y * k_x + f_kk * k_x * k_y + f_k * k_xy
        k, k_x, k_y = root / np.pi + f_k * k, f_qx * qx_x + f_k * k_x, f_qy * qy_y + f_k * k_y
    return np.where(same, 1.0, k_xy)


def centred_coactivation(inputs: ArrayLike) -> Array:
    r"""Co-activation when each unit is centred over $M$ alike inputs, $1/4 - \arcsin(1/(M-1))/(2\pi)$.

    Parameters
    ----------
    inputs : array_like of float
        Number $M \ge 3$ of inputs; infinite gives 1/4.

    Returns
    -------
    ndarray
        Share of pairs of inputs, with the shape of ``inputs``.

    Raises
    ------
    ValueError
        If ``inputs`` is below 3.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    batch = np.asarray(inputs, dtype=np.float64)
    if np.any(~(batch >= 3)):
        raise ValueError(f"inputs={inputs}: centring needs 3 inputs or more, since 2 become mirror images")
    return 0.25 - np.arcsin(1 / (batch - 1)) / (2 * np.pi)


def constant_units(cosine: float, inputs: int) -> float:
    r"""Share of units that are on for every input or for none, $2 \int \Phi(\tau s)^M \varphi(s)\,ds$.

    Any two of the $M$ preactivations of a unit have correlation $c$, and $\tau^2 = c/(1 - c)$.

    Parameters
    ----------
    cosine : float
        Correlation $c$, in $[0, 1)$.
    inputs : int
        Number $M \ge 1$ of inputs.

    Returns
    -------
    float
        Between $2^{1-M}$ (independent inputs) and 1.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    if not 0 <= cosine < 1:
        raise ValueError(f"cosine={cosine}: what many inputs share is between 0 (nothing) and 1, excluded")
    if inputs < 1:
        raise ValueError(f"inputs={inputs}: 1 or more is needed")
    shared, step = np.linspace(-9, 9, 20_001, retstep=True)
    weight = step * np.exp(-(shared**2) / 2) / np.sqrt(2 * np.pi)
    return float(2 * weight @ ndtr(np.sqrt(cosine / (1 - cosine)) * shared) ** inputs)


def expected_runs(cosine: ArrayLike) -> float:
    r"""Mean number of runs of equal bits along a line of inputs, $1 + \sum_i \theta_{i,i+1}/\pi$.

    Parameters
    ----------
    cosine : array_like of float, shape (inputs - 1,)
        Correlations $\cos\theta_{i,i+1}$ of the preactivations of neighbours, in $[-1, 1]$.

    Returns
    -------
    float
        Runs per unit, between 1 (the unit never switches) and ``inputs``.

    Raises
    ------
    ValueError
        If a cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    return 1 + float(np.sum(1 - arc_cosine(cosine).tangent))


def centred_length(length: ArrayLike, inputs: float = np.inf) -> Array:
    r"""What centring does to one input whose length differs, $a^2 \to (\pi a^2 - 2a + 1)/(\pi - 1)$.

    One rectifier layer sees orthogonal inputs, one of length $a$ and the other $M - 1$ of length 1, and is centred
    over them.

    Parameters
    ----------
    length : array_like of float
        $a \ge 0$.
    inputs : float
        Number $M \ge 3$ of inputs; the formula above is the limit of large $M$.

    Returns
    -------
    ndarray
        Squared length of that input relative to each of the others, after the layer.

    Raises
    ------
    ValueError
        If an argument is outside what is allowed.

    References
    ----------
    The book's own; derived in the chapter *Who is active with whom*.
    """
    a, others = np.asarray(length, dtype=np.float64), inputs - 1
    if np.any(~(a >= 0)):
        raise ValueError(f"length={length}: a length is not negative")
    if not inputs >= 3:
        raise ValueError(f"inputs={inputs}: centring needs 3 inputs or more, since 2 become mirror images")
    if np.isinf(inputs):
        return (np.pi * a**2 - 2 * a + 1) / (np.pi - 1)
    with_mean = (a**2 + others * a / np.pi) / inputs  # twice E[h_1 m], where m is the mean of the rectified h
    other_with_mean = (1 + (others - 1 + a) / np.pi) / inputs
    mean = (with_mean + others * other_with_mean) / inputs
    return (a**2 - 2 * with_mean + mean) / (1 - 2 * other_with_mean + mean)


def grid_covariance(inputs: ArrayLike, depth: int, *, centred: bool) -> Array:
    r"""Covariance of the slopes $f'(x_i)$ on a whole grid, for scalar networks of infinite width, centred or not.

    A layer is three matrices: covariances of values $K$, of values with tangents $P_{ij} = E[z_i \dot z_j]$, and of
    tangents $Q$. With $r = \sqrt{K_{ii} K_{jj} - K_{ij}^2}$, $t = 1 - \theta/\pi$ and $p_i = P_{ii} / K_{ii}$, a
    rectifier with weight variance $2/N$ maps them to

    $$K t + r/\pi, \qquad P t + p_j r/\pi, \qquad
      Q t + \frac{P_{ii} P_{jj} + P_{ij} P_{ji} - K_{ij}(p_i P_{ij} + p_j P_{ji})}{\pi r}.$$

    Centring over the grid multiplies the rows of $K$ and $P$, and the columns of $K$, by $H = I - 1/M$.

    Parameters
    ----------
    inputs : array_like of float, shape (inputs,)
        Distinct scalar inputs.
    depth : int
        Number of gated layers.
    centred : bool
        Whether each unit is centred over the inputs from the second gated layer on.

    Returns
    -------
    ndarray, shape (inputs, inputs)
        Squared slope, in units of the input weight variance; 1 on the diagonal.

    Raises
    ------
    ValueError
        If ``depth`` is negative or not whole, or the inputs are not distinct numbers in one dimension.

    References
    ----------
    The book's own; derived in the chapter *Gradients as noise*.
    """
    x = np.asarray(inputs, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or len(np.unique(x)) < x.size or not np.all(np.isfinite(x)):
        raise ValueError(f"inputs: shape {x.shape}, but distinct finite numbers in one dimension are needed")
    same = np.eye(len(x), dtype=bool)
    k, p, q = np.outer(x, x) + 1, np.outer(x, np.ones_like(x)), np.ones((len(x), len(x)))
    for layer in range(1, int(_depths(depth)) + 1):
        if centred and layer > 1:
            k = k - k.mean(0)
            k, p = k - k.mean(1, keepdims=True), p - p.mean(0)
            scale = np.trace(k) / len(x)  # gates feel no common scale; without this, k would shrink with depth
            k, p = k / scale, p / np.sqrt(scale)
        kk, pp = np.diag(k), np.diag(p)
        root = np.sqrt(np.maximum(np.outer(kk, kk) - k**2, np.finfo(float).tiny))
        t = np.where(same, 1.0, 1 - np.arctan2(root, k) / np.pi)
        slopes = p * (pp / kk)[:, None]
        bend = np.outer(pp, pp) + p * p.T - k * (slopes + slopes.T)
        q = q * t + np.where(same, 0.0, bend / (np.pi * root))
        root = np.where(same, 0.0, root)
        k, p = k * t + root / np.pi, p * t + pp / kk * root / np.pi
    return q


def autocorrelation(covariance: ArrayLike, lags: int) -> Array:
    r"""Autocorrelation that a covariance matrix predicts, $E[\sum_i z_i z_{i+k}] / E[\sum_i z_i^2]$.

    $z$ is the curve less its mean over the grid, so its covariance is $H C H$ with $H = I - 1/M$. This is a ratio of
    expectations; the expectation of the ratio that one curve shows differs when a curve holds few independent pieces.

    Parameters
    ----------
    covariance : array_like, shape (inputs, inputs)
        Of the curve at each pair of points of an evenly spaced grid.
    lags : int
        Largest lag, in grid steps.

    Returns
    -------
    ndarray, shape (lags + 1,)
        Dimensionless; the first entry is 1.

    Raises
    ------
    ValueError
        If the matrix is not square, or ``lags`` is not between 0 and ``inputs - 1``.

    References
    ----------
    Balduzzi et al. (2017), Figure 2. Used in the chapter *Gradients as noise*.
    """
    c = np.asarray(covariance, dtype=np.float64)
    if c.ndim != 2 or c.shape[0] != c.shape[1]:
        raise ValueError(f"covariance: shape {c.shape}, but a square matrix is needed")
    if not 0 <= lags < len(c):
        raise ValueError(f"lags={lags}: with {len(c)} inputs, choose between 0 and {len(c) - 1}")
    centred = c - c.mean(0)
    centred = centred - centred.mean(1, keepdims=True)
    return np.array([np.trace(centred, k) for k in range(lags + 1)]) / np.trace(centred)


def plain_kurtosis(depth: ArrayLike, width: ArrayLike) -> Array:
    r"""Fluctuation of a plain network's squared gradient at finite width, exact at every width.

    For the gradients $g$ of all $N$ outputs,
    $E[\lVert g\rVert^4] / E[\lVert g\rVert^2]^2 = (1 + 2/N)(1 + 5/N)^L$.

    Parameters
    ----------
    depth : array_like of int
        Number of gated layers.
    width : array_like of int
        Units $N \ge 1$ of every hidden layer, and of the output.

    Returns
    -------
    ndarray
        Dimensionless; 1 would mean that every network has the same gradient norm.

    Raises
    ------
    ValueError
        If a depth is negative or not whole, or a width is below 1.

    References
    ----------
    The book's own; compare Hanin (2018). Derived in the chapter *Theorem 1: plain networks*.
    """
    layers, units = _depths(depth), _widths(width)
    return (1 + 2 / units) * (1 + 5 / units) ** layers


def _depths(depth: ArrayLike) -> NDArray[np.int64]:
    layers = np.asarray(depth)
    if layers.dtype.kind not in "iu" and not (layers.dtype.kind == "f" and all(map(float.is_integer, layers.flat))):
        raise ValueError(f"depth={depth}: a number of layers is whole")
    if np.any(layers < 0):
        raise ValueError(f"depth={depth}: a number of layers is 0 or more")
    return layers.astype(np.int64)


def _widths(width: ArrayLike) -> Array:
    units = np.asarray(width, dtype=np.float64)
    if np.any(~(units >= 1)):
        raise ValueError(f"width={width}: a layer needs 1 unit or more")
    return units


def _one_depth(depth: int) -> int:
    if np.ndim(depth) != 0:
        raise ValueError(f"depth={depth}: one number of layers is needed")
    return int(_depths(depth))


def _correlations(cosine: ArrayLike) -> Array:
    c = np.asarray(cosine, dtype=np.float64)
    if np.any(~(np.abs(c) <= 1)):
        raise ValueError(f"cosine={cosine}: a correlation lies between -1 and 1")
    return c
