r"""Theorem 2, and Theorem 3 as the paper idealises it: residual networks, whose skips keep part of each layer.

All of them are one law. If the branch holds the share $w_l$ of the variance after layer $l$, and gates of two inputs
are fair and independent, that layer multiplies the correlation by $1 - w_l/2$.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from . import _accepted
from ._accepted import Array, Depths
from ._moments import Moments, deepest, of_layers
from ._similarity import similarity


def residual(depth: ArrayLike, *, alpha: float = 1.0, beta: float = 1.0) -> Moments:
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

    Examples
    --------
    >>> sl.theory.residual([1, 2, 3], beta=0.1).correlation.round(4)
    array([0.995 , 0.9901, 0.9852])
    """
    layers = _accepted.depths(depth)
    a, b = _accepted.alpha(alpha), _accepted.beta(beta) ** 2
    return Moments((2 * np.log(a) + np.log1p(b)) * layers, np.log1p(-b / (1 + b) / 2) * layers)


def residual_uncentred(depth: ArrayLike, *, alpha: float = 1.0, beta: float = 1.0, cosine: float = 0.0) -> Moments:
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

    Examples
    --------
    >>> sl.theory.residual_uncentred([1, 10, 100]).correlation.round(4)
    array([0.75  , 0.1402, 0.0012])
    """
    squared = _accepted.beta(beta) ** 2
    share = squared / (1 + squared)
    moments = similarity(depth, kept=1 - share, added=share, cosine=_accepted.one_correlation(cosine)).gradients
    return moments._replace(log_variance=residual(depth, alpha=alpha, beta=beta).log_variance)


def residual_layer_norm(depth: ArrayLike, *, beta: float = 1.0, cosine: float = 0.0) -> Moments:
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

    Examples
    --------
    >>> sl.theory.residual_layer_norm([1, 10, 100]).correlation.round(4)
    array([0.75  , 0.3943, 0.1985])
    """
    layers, squared = _accepted.depths(depth), _accepted.beta(beta) ** 2
    shares = _shares(layers, squared)
    moments = similarity(layers, kept=1 - shares, added=shares, cosine=_accepted.one_correlation(cosine)).gradients
    return moments._replace(log_variance=np.log1p(squared * layers))


def residual_idealised_batch_norm(depth: ArrayLike, *, beta: float = 1.0) -> Moments:
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

    Examples
    --------
    >>> sl.theory.residual_idealised_batch_norm([1, 10, 100]).correlation.round(4)
    array([0.75  , 0.3364, 0.1121])
    """
    layers, b = _accepted.depths(depth), _accepted.beta(beta) ** 2
    steps = np.log1p(-_shares(layers, b) / 2)
    correlation = of_layers(layers, np.zeros_like(steps), steps)
    return correlation._replace(log_variance=np.log1p(b * layers))


def _shares(layers: Depths, squared_beta: float) -> Array:
    r"""Shares $w_l$ of branches that divide by the root of the second moment, which grows by $\beta^2$ a layer."""
    return squared_beta / (1 + squared_beta * np.arange(1, deepest(layers) + 1, dtype=np.float64))
