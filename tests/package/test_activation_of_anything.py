"""One spelling of an activation: what names, functions, modules and NumPy make of it, in theory and sampler."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import special
from torch import nn

import shattered_lite as sl
from shattered_lite import theory

Z = np.concatenate([np.linspace(-9.7, 9.3, 401), [-30.0, 30.0]])
DENSITY = np.exp(-(Z**2) / 2) / math.sqrt(2 * math.pi)
SECH2 = 1 / np.cosh(Z) ** 2
SIGMOID = special.expit(Z)
CLOSED = {
    "tanh": (torch.tanh, np.tanh(Z), SECH2),
    "tanh, a module": (nn.Tanh(), np.tanh(Z), SECH2),
    "gelu": (F.gelu, Z * special.ndtr(Z), special.ndtr(Z) + Z * DENSITY),
    "silu": (nn.SiLU(), Z * SIGMOID, SIGMOID + Z * SIGMOID * special.expit(-Z)),
    "in place": (nn.SiLU(inplace=True), Z * SIGMOID, SIGMOID + Z * SIGMOID * special.expit(-Z)),
    "sine": (torch.sin, np.sin(Z), np.cos(Z)),
    "identity": (nn.Identity(), Z, np.ones_like(Z)),
    "leaky": (nn.LeakyReLU(0.2), np.where(Z > 0, Z, 0.2 * Z), np.where(Z > 0, 1, 0.2)),
}


@pytest.mark.parametrize("case", CLOSED)
def test_value_and_slope_in_closed_form(case: str) -> None:
    function, value, slope = CLOSED[case]
    found, given = theory.activation(function), Z.copy()
    np.testing.assert_allclose(found.value(given), value, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(found.slope(given), slope, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(given, Z)
    table = found.slope(Z[:400].reshape(20, 20))
    np.testing.assert_allclose(table.ravel(), slope[:400], rtol=1e-12, atol=1e-15)
    assert float(found.value(np.float64(0.3))) == pytest.approx(np.interp(0.3, Z[:401], value[:401]), abs=1e-3)


KINKS = {
    "leaky": (nn.LeakyReLU(0.2), [0.0]),
    "hardtanh": (nn.Hardtanh(), [-1.0, 1.0]),
    "hardswish": (F.hardswish, [-3.0, 3.0]),
    "shifted": (lambda z: torch.relu(z - 1.2345678901), [1.2345678901]),
    "three slopes": (lambda z: torch.relu(z + math.pi) - 0.01 * torch.relu(z - 1 / 3), [-math.pi, 1 / 3]),
    "steps": (lambda z: z + 0.3 * (z > math.e).to(z.dtype), [math.e]),  # the value jumps, the slope does not
    "hardshrink": (F.hardshrink, [-0.5, 0.5]),
    "steep": (lambda z: torch.tanh(200 * z), []),
    "cubic": (lambda z: z**3, []),
    "straight": (lambda z: 3 * z + 1, []),
    "parameters": (nn.PReLU(), [0.0]),
} | {
    f"smooth {each.__name__}": (each, [])
    for each in (torch.tanh, F.gelu, F.silu, F.mish, F.softplus, F.softsign, torch.sin, F.elu, torch.exp)
}


@pytest.mark.parametrize("case", KINKS)
def test_kinks_are_found_where_they_are_and_nowhere_else(case: str) -> None:
    function, kinks = KINKS[case]
    found = theory.activation(function).kinks
    assert len(found) == len(kinks)
    np.testing.assert_allclose(found, kinks, atol=2e-14)
    assert all(math.copysign(1, kink) > 0 for kink in found if kink == 0)


def test_kinks_that_are_given_are_taken() -> None:
    assert theory.activation(torch.tanh, kinks=[2, -1.5, 2]).kinks == (-1.5, 2.0)
    assert theory.activation("tanh", kinks=(0.5,)) == theory.ACTIVATIONS["tanh"]._replace(kinks=(0.5,))
    assert theory.activation("relu").kinks == (0.0,)


@pytest.mark.parametrize("rectifier", ["relu", torch.relu, F.relu, nn.ReLU(), nn.ReLU(inplace=True)])
def test_the_rectifier_is_one_however_it_is_spelt(rectifier) -> None:
    assert theory.activation(rectifier) is theory.ACTIVATIONS["relu"]


@pytest.mark.parametrize("name", ["gelu", "elu", "mish", "tanh"])
def test_the_averages_of_a_function_of_torch_are_those_of_its_name(name: str) -> None:
    function = getattr(F, name)
    np.testing.assert_allclose(theory.averages(function), theory.averages(name), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        theory.hermite_coefficients(function, degree=5), theory.hermite_coefficients(name, degree=5), atol=1e-12
    )
    ball, known = (theory.batch_averages(each, batch_size=8) for each in (function, name))
    np.testing.assert_allclose(ball, known, rtol=1e-9, atol=1e-12)


def test_a_module_stays_as_it_is_and_is_taken_as_it_was() -> None:
    module = nn.PReLU(init=0.5)
    before = copy.deepcopy(module.state_dict())
    found = theory.activation(module)
    sl.sample_gradients("plain", depth=2, width=4, inputs=torch.eye(3).double(), networks=2, activation=module)
    assert module.training
    assert module.weight.requires_grad
    assert module.weight.dtype == torch.float32
    assert module.weight.grad is None
    torch.testing.assert_close(module.state_dict(), before, rtol=0, atol=0)
    with torch.no_grad():
        module.weight.fill_(-1.0)
    np.testing.assert_array_equal(found.slope(np.array([-1.0, 2.0])), [0.5, 1.0])
    np.testing.assert_array_equal(theory.activation(module).slope(np.array([-1.0, 2.0])), [-1.0, 1.0])


def test_derivatives_are_there_where_torch_records_none() -> None:
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            np.testing.assert_allclose(theory.activation(torch.tanh).slope(np.zeros(2)), 1)
            sl.sample_gradients("plain", depth=2, width=4, inputs=torch.eye(3), networks=2, activation="mish")


REFUSED = {
    "unknown": ("swish", r"activation='swish': choose one of 'relu', .*, or give a function or module of torch, or an"),
    "a number": (3, r"activation=3: choose one of"),
    "a class": (nn.Mish, r"activation=<class .*Mish'>: a class; an instance of it is needed"),
    "of NumPy": (np.tanh, r"activation=<ufunc 'tanh'>: fails on a tensor .* an Activation\(value, slope\)"),
    "over entries": (nn.Softmax(-1), r"activation=Softmax\(dim=-1\): it must act on each entry alone"),
    "centring": (lambda z: z - z.mean(), r"activation=<function .*: it must act on each entry alone"),
    "sums": (lambda z: z.cumsum(0), r"activation=<function .*: it must act on each entry alone"),
    "two halves": (lambda z: torch.cat([z.relu(), (-z).relu()]), r"activation=.*must act on each entry alone"),
    "chance": (F.dropout, r"activation=.*dropout.*: it must act on each entry alone, and give the same each time"),
    "no number": (torch.sqrt, r"activation=.*sqrt.*: its value or slope at -10 is not finite"),
    "too large": (lambda z: torch.exp(z**3), r"activation=.*: its value or slope at .* is not finite"),
    "a Boolean": (lambda z: z > 0, r"activation=.*: fails on a tensor .*torch\.bool"),
    "no derivative": (lambda z: (z > 0).to(z.dtype), r"activation=.*: fails on .*autograd finds no derivative"),
    "no tensor": (lambda z: 1.0, r"activation=.*: fails on a tensor .*returns a float, not a tensor"),
    "channels": (nn.PReLU(5), r"activation=PReLU\(num_parameters=5\): fails on a tensor"),
    "half an activation": (theory.Activation(np.tanh, 1), r"activation=Activation\(.*: its slope fails on an array"),
    "of tensors": (theory.Activation(torch.tanh, np.cos), r"activation=Activation\(.*: its value fails on an array"),
    "not everywhere": (theory.Activation(np.tanh, lambda z: z * np.nan), r"its slope is not finite between -10 and 10"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_activation_is_refused(case: str) -> None:
    activation, message = REFUSED[case]
    callers = [
        lambda: theory.activation(activation),
        lambda: theory.averages(activation),
        lambda: theory.residual_batch_norm(3, activation=activation),
        lambda: sl.sample_gradients("plain", depth=2, width=4, inputs=torch.eye(3), networks=2, activation=activation),
    ]
    for caller in callers:
        with pytest.raises(ValueError, match=re.compile(message, re.DOTALL)):
            caller()


def test_what_lets_no_gradient_pass_or_has_no_averages_is_refused() -> None:
    with pytest.raises(ValueError, match=r"activation=.*sign.*: its slope is 0 wherever it has one"):
        theory.averages(torch.sign)
    root = theory.Activation(lambda z: np.sqrt(np.abs(z)), lambda z: np.sign(z) / np.sqrt(4 * np.abs(z)), (0.0,))
    with pytest.raises(
        ValueError, match=r"activation=.*: its averages over a standard normal, or a batch, do not exist"
    ):
        theory.averages(root)  # the mean of 1/|4 Z| is infinite


# Theory and sampler


def numpy_mish() -> theory.Activation:
    def value(z):
        return z * np.tanh(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0))

    return theory.Activation(value, lambda z: (value(z + 1e-5) - value(z - 1e-5)) / 2e-5)


MISHES = {"a name": "mish", "a module": nn.Mish(), "a function": F.mish, "converted": theory.activation(nn.Mish())}


@pytest.mark.parametrize("inputs", [torch.eye(5), torch.eye(5).double()], ids=["float32", "float64"])
def test_every_spelling_gives_the_same_gradients(inputs: torch.Tensor) -> None:
    def sample(activation) -> torch.Tensor:
        return sl.sample_gradients(
            "residual", depth=3, width=20, inputs=inputs, networks=30, normalisation="batch_norm",
            activation=activation, generator=torch.Generator().manual_seed(0),
        )  # fmt: skip

    one = sample("mish")
    assert one.dtype == inputs.dtype
    for each in MISHES.values():
        torch.testing.assert_close(sample(each), one, rtol=0, atol=0)
    torch.testing.assert_close(sample(numpy_mish()), one, rtol=2e-3, atol=1e-5)
    assert not torch.allclose(sample("silu"), one, rtol=1e-2)
    constant_slope = theory.Activation(lambda z: 2 * z, lambda z: 2.0)
    torch.testing.assert_close(sample(constant_slope), sample(lambda z: 2 * z), rtol=1e-5, atol=1e-6)


def test_another_slope_is_not_overlooked() -> None:
    """A value with a slope of the reader's own, such as that of a straight-through estimator."""
    for known in (theory.ACTIVATIONS["tanh"], theory.activation(nn.Mish())):
        through = known._replace(slope=np.ones_like)
        gradients = [
            sl.sample_gradients(
                "plain", depth=1, width=5, inputs=torch.eye(3), networks=4, activation=each,
                generator=torch.Generator().manual_seed(0),
            )
            for each in (through, "tanh", nn.Identity())
        ]  # fmt: skip
        assert not torch.allclose(gradients[0], gradients[1])
        torch.testing.assert_close(gradients[0], gradients[2])


@pytest.mark.parametrize("rectifier", [torch.relu, F.relu, nn.ReLU(), theory.activation(nn.ReLU()), "relu"])
def test_the_rectifier_takes_the_fast_way_and_may_toss_coins(rectifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_) -> None:
        pytest.fail("the rectifier is its gates")

    monkeypatch.setattr("shattered_lite._autograd.Elementwise.at", slow)
    drawn = [
        sl.sample_gradients(
            "plain", depth=2, width=5, inputs=torch.eye(3), networks=4, gates="independent",
            generator=torch.Generator().manual_seed(0), **law,
        )
        for law in ({}, {"activation": rectifier})
    ]  # fmt: skip
    torch.testing.assert_close(*drawn, rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"gates='independent', activation=.*coins take the rectifier's place"):
        sl.sample_gradients(
            "plain", depth=2, width=5, inputs=torch.eye(3), networks=4, gates="independent", activation="leaky_relu"
        )


@pytest.mark.parametrize("spelling", MISHES)
def test_theory_and_sampler_agree_on_mish(spelling: str) -> None:
    """Width 1,500: corrections of order 1/N are below the standard error of 40 networks."""
    mish, depths = MISHES[spelling], [1, 4]
    gradients = sl.sample_gradients(
        "residual", depth=depths, width=1_500, inputs=torch.eye(8), networks=40, normalisation="batch_norm",
        activation=mish, variance=1 / theory.averages(mish).square, method="gram",
        generator=torch.Generator().manual_seed(5),
    )  # fmt: skip
    predicted = theory.residual_batch_norm(depths, batch_size=8, activation=mish)
    for which, moments in enumerate(sl.structure.pair_moments(gradients)):
        sl.checks.agrees(moments[:, 1], predicted.variance[which], "variance")
        sl.checks.agrees(moments, predicted.correlation[which], "correlation")
