r"""Theorem 3 with real batch norm, and plain networks with it: any activation, any batch, frozen or not.

Networks are infinitely wide. The $M$ values of a unit, centred and divided by their root mean square, are a uniformly
random point of the sphere of radius $\sqrt M$ in the $M - 1$ dimensions orthogonal to $(1, \dots, 1)$. Everything here
is an average over that sphere; for many inputs one coordinate is a standard normal and two are independent.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from .._arguments import one_of
from . import _accepted, _activations
from ._accepted import Array
from ._activations import Spelling
from ._averages import FARTHEST, averages, mean, must_be_finite
from ._moments import Moments, deepest, of_layers

Statistics = Literal["frozen", "differentiated"]
DEGREE = 40  # of the polynomials in which the average over a pair of inputs is expanded


class BatchAverages(NamedTuple):
    r"""Averages over normalised values $\hat z_i$, $\hat z_j$ of two inputs of a batch.

    Attributes
    ----------
    square, pair : float
        $E[\varphi(\hat z_i)^2]$ and $E[\varphi(\hat z_i)\, \varphi(\hat z_j)]$.
    square_slope, pair_slope : float
        The same of $\varphi'(\hat z)$.
    square_lever, pair_lever : float
        The same of $\hat z\, \varphi'(\hat z)$.

    Examples
    --------
    >>> few = sl.theory.batch_averages("relu", batch_size=16)
    >>> round(few.pair_slope / few.square_slope, 4)
    0.4788
    """

    square: float
    pair: float
    square_slope: float
    pair_slope: float
    square_lever: float
    pair_lever: float


def batch_averages(activation: Spelling = "relu", *, batch_size: float = np.inf) -> BatchAverages:
    r"""Averages of an activation over one and over two values of a batch.

    A pair is expanded in the orthogonal polynomials of the sphere, $E[f(\hat z_i) f(\hat z_j)] = \sum_k a_k^2\, P_k(r)$
    with $r = -1/(M-1)$ and $P_k(1) = 1$ (Gegenbauer; Hermite in the limit). Relative error about $10^{-6}$ for
    activations with kinks and 8 inputs, less for smooth ones and for more.

    Parameters
    ----------
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`.
    batch_size : float
        Size $M$ of the batch, from 4 to $10^6$, or infinite.

    Returns
    -------
    BatchAverages
        Dimensionless.

    Raises
    ------
    ValueError
        If :func:`activation` refuses it, an average is not finite, or ``batch_size`` is neither from 4 to $10^6$ nor
        infinite.

    References
    ----------
    Schoenberg (1942) for the expansion; the rest is the book's own. Derived in the chapter *What moves the index*.

    Examples
    --------
    >>> [round(sl.theory.batch_averages("gelu", batch_size=size).pair_slope, 4) for size in (8, 64, np.inf)]
    [0.2224, 0.2471, 0.25]
    """
    value, slope, kinks = _activations.activation(activation)

    def functions(z: Array) -> Array:
        steep = slope(z)
        return np.stack([value(z), steep, z * steep])

    batch = _accepted.normalised_batch(batch_size)
    if np.isinf(batch):

        def powers(z: Array) -> Array:
            f = functions(z)
            return np.concatenate([f, f**2])

        found = mean(powers, kinks)
        must_be_finite(activation, found)
        first, second = np.split(found, 2)
        return BatchAverages(*np.stack([second, first**2], axis=1).ravel().tolist())
    dimension = batch - 1
    radius = np.sqrt(dimension)
    density = 1 / (radius * special.beta(0.5, (dimension - 1) / 2))
    k = np.arange(1, DEGREE + 1)
    steps = np.sqrt(dimension * k * (k + dimension - 3) / ((2 * k + dimension - 2) * (2 * k + dimension - 4)))

    def polynomials(z: float) -> Array:
        p = np.ones(DEGREE + 1)
        p[1] = z
        for k in range(1, DEGREE):  # orthonormal: z p_k = c_{k+1} p_{k+1} + c_k p_{k-1}
            p[k + 1] = (z * p[k] - steps[k - 1] * p[k - 1]) / steps[k]
        return p

    def integrand(z: float) -> Array:
        weight: float = density * np.exp(special.xlog1py((dimension - 3) / 2, -(z**2) / dimension))
        f = functions(np.asarray(z))
        return weight * np.concatenate([f**2, np.outer(f, polynomials(z)).ravel()])

    end = min(radius, FARTHEST)
    inside = [kink for kink in (-6.0, *kinks, 6.0) if abs(kink) < end]
    found = integrate.quad_vec(integrand, -end, end, epsabs=1e-12, epsrel=1e-12, norm="max", points=inside)[0]
    must_be_finite(activation, found)
    coefficients = found[3:].reshape(3, -1)
    pairs = coefficients**2 @ (polynomials(-radius / dimension) / polynomials(radius))
    return BatchAverages(*np.stack([found[:3], pairs], axis=1).ravel().tolist())


def plain_batch_norm(
    depth: ArrayLike,
    *,
    batch_size: float = np.inf,
    activation: Spelling = "relu",
    statistics: Statistics = "frozen",
) -> Moments:
    r"""Gradients of a plain network of infinite width with batch norm before every gate but the first.

    For many inputs, with the statistics frozen, $C(i) = \frac{E[\varphi'^2]}{E[\varphi^2]}\, \chi^{L-1}$ and
    $R = s^L$ (see :class:`Averages`); for the rectifier $(\pi/(\pi-1))^{L-1}$ and $2^{-L}$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of gated layers; all but the first are normalised.
    batch_size : float
        Size $M$ of the batch, from 4 to $10^6$, or infinite; with 3 the variance is infinite.
    activation : str, Activation, nn.Module or callable
        As for :func:`activation`; weights have the variance $1/(N E[\varphi(Z)^2])$.
    statistics : {"frozen", "differentiated"}
        As for :func:`shattered_lite.sample_gradients`.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, ``batch_size`` neither from 4 to $10^6$ nor infinite, a name
        is unknown, or differentiated statistics of a linear network let nothing through.

    References
    ----------
    Yang et al. (2019) for many inputs; the book's own for a finite batch. Derived in the chapter
    *Theorem 1: plain networks*.

    Examples
    --------
    >>> sl.theory.plain_batch_norm([1, 5, 10]).variance.round(2)
    array([ 1.  ,  4.63, 31.46])
    >>> sl.theory.plain_batch_norm([1, 5, 10], activation=nn.Softplus()).correlation.round(4)
    array([0.8521, 0.4493, 0.2019])
    """
    return _batch_norm(depth, kept=0.0, added=1.0, batch_size=batch_size, activation=activation, statistics=statistics)


def residual_batch_norm(
    depth: ArrayLike,
    *,
    beta: float = 1.0,
    batch_size: float = np.inf,
    activation: Spelling = "relu",
    statistics: Statistics = "frozen",
) -> Moments:
    r"""Gradients of a residual network of infinite width with real batch norm, $x + \beta W \varphi(\mathrm{BN}(x))$.

    For many inputs, rectifiers and frozen statistics, with $u_l = \beta^2/(1 + (1 - 1/\pi)\,\beta^2 (l-1))$,
    $C(i) = \prod_l (1 + u_l) \sim L^{\pi/(\pi-1)}$ and
    $R = \prod_l (1 + u_l/2)/(1 + u_l) \sim L^{-\pi/(2(\pi-1))}$. For any activation $R \sim L^{-\kappa}$ with
    $\kappa$ its shattering index.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of residual layers; the first is not normalised.
    beta : float
        Scale of a branch, 0 or more.
    batch_size, activation, statistics
        As for :func:`plain_batch_norm`.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        As :func:`plain_batch_norm`, or if ``beta`` is negative or exceeds $10^{100}$.

    References
    ----------
    The book's own; derived in the chapters *Theorem 3: batch norm and beta*, *When the statistics move*, *One number
    for any activation* and, for finite batches, *What moves the index*.

    Examples
    --------
    >>> sl.theory.residual_batch_norm([1, 10, 50], beta=0.5, batch_size=128).correlation.round(4)
    array([0.9   , 0.4967, 0.1969])
    """
    squared = _accepted.beta(beta) ** 2
    return _batch_norm(
        depth, kept=1.0, added=squared, batch_size=batch_size, activation=activation, statistics=statistics
    )


def _batch_norm(
    depth: ArrayLike,
    *,
    kept: float,
    added: float,
    batch_size: float,
    activation: Spelling,
    statistics: Statistics,
) -> Moments:
    """Squared factors of skip and branch in; the recursion of the two chapters out."""
    one_of("statistics", statistics, Statistics)
    layers, batch = _accepted.depths(depth), _accepted.normalised_batch(batch_size)
    wide, average = averages(activation), batch_averages(activation, batch_size=batch)
    branch, alone = added / wide.square, 1 / batch
    centred = (1 - alone) * (kept + branch * wide.variance)  # variance of a unit over the inputs, after the first layer
    fed = branch * (1 - alone) * (average.square - average.pair)  # what each later layer adds to what it keeps
    later = np.arange(max(deepest(layers) - 1, 0))
    entering = centred + fed * later if kept else np.where(later > 0, fed, centred)
    gain = branch * (1 - alone) / ((1 - 3 * alone) * entering)  # E[1/deviation^2], of a chi-square
    own, across = (  # factors of variance and covariance in each layer, of which the first is not normalised
        np.concatenate([[kept + branch * first], kept + gain * slope])
        for first, slope in ((wide.square_slope, average.square_slope), (wide.mean_slope**2, average.pair_slope))
    )
    if statistics == "frozen":
        with np.errstate(divide="ignore"):  # an even activation leaves nothing
            moments = of_layers(layers, np.log(own), np.log(np.abs(across / own)))
        return moments._replace(sign=np.cumprod(np.append(1.0, np.where(across < 0, -1.0, 1.0)))[layers])
    if not kept and wide.decay > 1 - 1e-9:
        raise ValueError(
            f"activation={activation!r}: a linear one makes no difference between inputs, and nothing else passes"
        )
    spread = float(average.square_slope * (1 - alone) - average.square_lever * alone)
    lean = float(average.pair_slope + average.pair_lever) * alone
    ratios = [1.0, float(across[0] / own[0])]  # of covariance to variance
    for layer, factor in enumerate(gain.tolist(), start=1):
        passing = factor * (1 - ratios[-1])  # only what differs between inputs
        own[layer] = kept + passing * spread
        ratios.append((kept * ratios[-1] - passing * lean) / own[layer])
    correlation = np.array(ratios)[layers]
    with np.errstate(divide="ignore"):  # a plain network of infinitely many inputs
        logarithm = np.log(np.abs(correlation))
    moments = of_layers(layers, np.log(own), np.zeros_like(own))
    return moments._replace(log_correlation=logarithm, sign=np.where(correlation < 0, -1.0, 1.0))
