r"""Theorem 2, Theorem 3 as the paper idealises it, and Corollary 1: networks in which a skip keeps part of each layer.

All of them are one law. If the branch holds the share $w_l$ of the variance after layer $l$, and gates of two inputs
are fair and independent, that layer multiplies the correlation by $1 - w_l/2$.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from . import arguments
from .activity import leaning
from .arguments import MOST, Array
from .moments import Moments, deepest, of_layers


def residual(depth: ArrayLike, alpha: float = 1.0, beta: float = 1.0) -> Moments:
    r"""Theorem 2: gradients of a residual rectifier network without batch norm.

    $C(i) = (\alpha^2 (1 + \beta^2))^L$ and $C(i, j) = (\alpha^2 (1 + \beta^2/2))^L$; the paper's theorem,
    $2^L$, $(3/2)^L$ and $R = (3/4)^L$, is $\alpha = \beta = 1$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of residual layers between the neuron and the output.
    alpha, beta : float
        Scales of a layer, $\alpha (x + \beta W \rho(x))$: $\alpha > 0$; $\beta \ge 0$, with 0 the identity.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, ``alpha`` is not positive or ``beta`` is negative, or a scale
        exceeds $10^{100}$.

    References
    ----------
    Balduzzi et al. (2017), Theorem 2. Derived in the chapter *Theorem 2: residual networks*.
    """
    layers = arguments.depths(depth)
    a, b = arguments.alpha(alpha), arguments.beta(beta) ** 2
    return Moments((2 * np.log(a) + np.log1p(b)) * layers, np.log1p(-b / (1 + b) / 2) * layers)


def residual_uncentred(depth: ArrayLike, alpha: float = 1.0, beta: float = 1.0, cosine: float = 0.0) -> Moments:
    r"""Gradients of a residual network of infinite width with real gates and no normalisation: a power law.

    The correlation $c_l$ of the states obeys $c_l = c_{l-1} + w\,(J(c_{l-1}) - c_{l-1})$ with $J$ the
    arc-cosine map and $w = \beta^2/(1 + \beta^2)$, and $R = \prod_{l=1}^L (1 - w\, \theta_l/\pi) \sim c\,L^{-3}$, with
    $\theta_l = \arccos c_{l-1}$.

    Parameters
    ----------
    depth : array_like of int
        Number of residual layers.
    alpha, beta : float
        Scales of a layer, $\alpha > 0$ and $\beta \ge 0$.
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        As :func:`residual`, or if the cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Theorem 2: residual networks*.
    """
    layers = arguments.depths(depth)
    b = arguments.beta(beta) ** 2
    moments = leaning(layers, np.full(deepest(layers), b / (1 + b)), cosine)
    return moments._replace(log_variance=residual(layers, alpha, beta).log_variance)


def residual_layer_norm(depth: ArrayLike, beta: float = 1.0, cosine: float = 0.0) -> Moments:
    r"""Gradients of a residual network of infinite width with layer norm before each gate.

    Layer norm divides by the root of the second moment, $1 + \beta^2 (l - 1)$ at layer $l$, and does not centre over
    inputs. With $w_l = \beta^2/(1 + \beta^2 l)$ the recursion is that of :func:`residual_uncentred`;
    $C(i) = 1 + \beta^2 L$, and $R \sim c\,(\log L)^{-3}$.

    Parameters
    ----------
    depth : array_like of int
        Number of residual layers.
    beta : float
        Scale of a branch, 0 or more.
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        As :func:`residual`, or if the cosine lies outside $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Theorem 3: batch norm and beta*.
    """
    layers, b = arguments.depths(depth), arguments.beta(beta) ** 2
    shares = b / (1 + b * np.arange(1, deepest(layers) + 1))
    return leaning(layers, shares, cosine)._replace(log_variance=np.log1p(b * layers))


def residual_idealised(depth: ArrayLike, beta: float = 1.0) -> Moments:
    r"""Theorem 3: batch norm as the paper idealises it, a division by the root of the second moment.

    With $w_l = \beta^2/(1 + \beta^2 l)$, $C(i) = \prod_l (1 - w_l)^{-1} = 1 + \beta^2 L$ and

    $$R(i, j) = \prod_{l=1}^{L} \Big(1 - \frac{w_l}{2}\Big)
      = \frac{\Gamma(L + c + \frac12)\,\Gamma(c + 1)}{\Gamma(L + c + 1)\,\Gamma(c + \frac12)}, \qquad
      c = \frac{1}{\beta^2} .$$

    The paper counts one layer fewer, $C(i) = \beta^2 (L - 1) + 1$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of residual layers.
    beta : float
        Scale of a branch, 0 or more.

    Returns
    -------
    Moments
        Dimensionless, with the shape of ``depth``.

    Raises
    ------
    ValueError
        As :func:`residual`.

    References
    ----------
    Balduzzi et al. (2017), Theorem 3. Derived in the chapter *Theorem 3: batch norm and beta*.
    """
    layers, b = arguments.depths(depth), arguments.beta(beta) ** 2
    shares = b / (1 + b * np.arange(1, deepest(layers) + 1))
    correlation = of_layers(layers, np.zeros(len(shares)), np.log1p(-shares / 2))
    return correlation._replace(log_variance=np.log1p(b * layers))


def highway(depth: ArrayLike, gamma1: ArrayLike) -> Moments:
    r"""Corollary 1: gradients of a highway network, $x_l = \gamma_1 x_{l-1} + \gamma_2 W_l\, \rho(x_{l-1})$.

    With $\gamma_1^2 + \gamma_2^2 = 1$, $C(i) = 1$ and $R(i, j) = (\gamma_1^2 + \gamma_2^2/2)^L$.

    Parameters
    ----------
    depth : array_like of int
        Number $L \ge 0$ of layers.
    gamma1 : array_like of float
        Coefficient of the skip, in [0, 1]; broadcasts with ``depth``. For coefficients that differ from layer to
        layer, ask for depth 1 and multiply the correlations.

    Returns
    -------
    Moments
        Dimensionless, with the broadcast shape of the arguments.

    Raises
    ------
    ValueError
        If a depth is not a whole number from 0 to $10^6$, or a coefficient lies outside [0, 1].

    References
    ----------
    Balduzzi et al. (2017), Corollary 1. Derived in the chapter *Highway networks*.
    """
    layers, kept = arguments.broadcast(depth=arguments.depths(depth), gamma1=arguments.gammas(gamma1) ** 2)
    log_correlation: Array = np.log1p(-(1 - kept) / 2) * layers
    return Moments(np.zeros(np.shape(log_correlation)), log_correlation)


def highway_uncentred(gamma1: ArrayLike, cosine: float = 0.0) -> Moments:
    r"""Gradients after each layer of a highway network of infinite width with real gates, without centring.

    The recursion of :func:`residual_uncentred` with $w_l = 1 - \gamma_{1,l}^2$; $C(i) = 1$.

    Parameters
    ----------
    gamma1 : array_like of float, shape (depth,)
        Coefficient of each layer's skip, in [0, 1].
    cosine : float
        Correlation of the first preactivations; 0 for orthogonal inputs.

    Returns
    -------
    Moments
        Dimensionless, shape (depth + 1,): after 0, 1, ..., depth layers.

    Raises
    ------
    ValueError
        If a coefficient lies outside [0, 1], they are not a row of at most $10^6$, or the cosine lies outside
        $[-1, 1]$.

    References
    ----------
    The book's own; derived in the chapter *Highway networks*.
    """
    kept = arguments.gammas(gamma1)
    if kept.ndim != 1 or len(kept) > MOST:
        raise ValueError(
            f"gamma1: shape {kept.shape}, but one coefficient for each of at most {MOST:,} layers is needed"
        )
    return leaning(np.arange(len(kept) + 1, dtype=np.int64), 1 - kept**2, cosine)
