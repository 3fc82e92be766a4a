"""Measures of gradients against double loops over small tensors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from shattered_lite import structure

quick = settings(derandomize=True, deadline=None, max_examples=40)


def tensors(axes: int, smallest: int = 1):
    """Tensors whose last two axes have 2 to 5 entries, all of size about 1."""
    shapes = hnp.array_shapes(min_dims=axes, max_dims=axes, min_side=max(smallest, 2), max_side=5)
    entries = st.floats(-4, 4).map(lambda x: round(x, 3) + 0.5)
    return shapes.flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=entries)).map(torch.from_numpy)


def bits(axes: int):
    shapes = hnp.array_shapes(min_dims=axes, max_dims=axes, min_side=2, max_side=5)
    return shapes.flatmap(lambda shape: hnp.arrays(np.bool_, shape)).map(torch.from_numpy)


def pairs(inputs: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(inputs) for j in range(inputs) if i != j]


@quick
@given(tensors(3))
def test_covariance_by_loops(gradients: Tensor) -> None:
    networks, inputs, outputs = gradients.shape
    expected = torch.zeros(networks, inputs, inputs, dtype=torch.float64)
    for n, i, j, p in itertools.product(range(networks), range(inputs), range(inputs), range(outputs)):
        expected[n, i, j] += gradients[n, i, p] * gradients[n, j, p] / outputs
    torch.testing.assert_close(structure.covariance(gradients), expected)


@quick
@given(tensors(3))
def test_pair_moments_by_loops(gradients: Tensor) -> None:
    networks, inputs, outputs = gradients.shape
    expected = torch.zeros(networks, 2, dtype=torch.float64)
    for n, p in itertools.product(range(networks), range(outputs)):
        for i, j in pairs(inputs):
            expected[n, 0] += gradients[n, i, p] * gradients[n, j, p] / (outputs * len(pairs(inputs)))
        for i in range(inputs):
            expected[n, 1] += gradients[n, i, p] ** 2 / (outputs * inputs)
    torch.testing.assert_close(structure.pair_moments(gradients), expected)
    torch.testing.assert_close(structure.correlation(gradients), expected[:, 0].mean() / expected[:, 1].mean())


@quick
@given(tensors(3), st.floats(0.1, 10), st.randoms(use_true_random=False))
def test_correlation_ignores_scale_sign_and_order(gradients: Tensor, scale: float, random) -> None:
    order = list(range(gradients.shape[1]))
    random.shuffle(order)
    original = structure.correlation(gradients)
    torch.testing.assert_close(structure.correlation(-scale * gradients), original)
    torch.testing.assert_close(structure.correlation(gradients[:, order]), original)
    reordered = structure.covariance(gradients)[:, order][..., order]
    torch.testing.assert_close(structure.covariance(gradients[:, order]), reordered)
    torch.testing.assert_close(structure.covariance(scale * gradients), scale**2 * structure.covariance(gradients))


@quick
@given(tensors(2), st.integers(2, 5))
def test_equal_gradients_have_correlation_one(one_input: Tensor, inputs: int) -> None:
    gradients = one_input[:, None, :].expand(-1, inputs, -1)
    assert structure.correlation(gradients).item() == pytest.approx(1, abs=1e-12)


def test_correlation_of_white_noise_is_zero_within_its_error() -> None:
    networks, inputs = 4_000, 5
    noise = torch.randn(networks, inputs, 1, generator=torch.Generator().manual_seed(0))
    error = 1 / np.sqrt(networks * inputs * (inputs - 1) / 2)  # of a mean of that many uncorrelated products
    assert abs(structure.correlation(noise).item()) < 4 * error


@quick
@given(tensors(3))
def test_effective_rank_is_that_of_the_singular_values(gradients: Tensor) -> None:
    """Eigenvalues of the Gram matrix, by NumPy."""
    for found, matrix in zip(structure.effective_rank(gradients), gradients.numpy(), strict=True):
        eigenvalues = np.linalg.eigvalsh(matrix @ matrix.T)
        assert found.item() == pytest.approx(eigenvalues.sum() / eigenvalues.max(), rel=1e-9)
        assert 1 - 1e-12 <= found <= min(matrix.shape) + 1e-12


@quick
@given(tensors(2), st.integers(2, 5), st.floats(0.1, 10))
def test_parallel_and_orthogonal_gradients_have_known_ranks(rows: Tensor, inputs: int, scale: float) -> None:
    parallel = torch.arange(1.0, inputs + 1)[:, None] * rows[0]
    assert structure.effective_rank(parallel).item() == pytest.approx(1, rel=1e-9)
    lengths = rows[0].abs() + 0.1
    orthogonal = scale * torch.diag(lengths)
    expected = lengths.square().sum() / lengths.square().max()
    assert structure.effective_rank(orthogonal).item() == pytest.approx(expected.item(), rel=1e-9)


@quick
@given(tensors(3))
def test_mean_gradient_norm_by_loops(gradients: Tensor) -> None:
    networks, inputs, outputs = gradients.shape
    for n in range(networks):
        power = sum(gradients[n, i, p].item() ** 2 for i in range(inputs) for p in range(outputs)) / inputs
        mean = [sum(gradients[n, i, p].item() for i in range(inputs)) / inputs for p in range(outputs)]
        expected = np.sqrt(sum(entry**2 for entry in mean) / power)
        assert structure.mean_gradient_norm(gradients)[n].item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("function", [structure.effective_rank, structure.mean_gradient_norm])
def test_ranks_and_means_keep_float64_and_ignore_scale(function) -> None:
    gradients = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0))
    assert function(gradients).dtype == torch.float64
    torch.testing.assert_close(function(-1e-12 * gradients), function(gradients), rtol=1e-5, atol=0)


@pytest.mark.parametrize("function", [structure.effective_rank, structure.mean_gradient_norm])
def test_a_set_of_zero_gradients_has_neither_rank_nor_mean(function) -> None:
    gradients = torch.ones(3, 4, 2)
    gradients[1] = 0
    with pytest.raises(ValueError, match="gradients: every one is zero"):
        function(gradients)


@quick
@given(tensors(2))
def test_autocorrelation_by_loops(curves: Tensor) -> None:
    curves = curves + torch.arange(curves.shape[1])  # not constant, unless a row happens to undo the slope
    curves[:, 0] -= 20
    lags = curves.shape[1] - 1
    expected = torch.zeros(len(curves), lags + 1, dtype=torch.float64)
    for row, curve in enumerate(curves):
        z = [value - curve.mean() for value in curve]
        for k in range(lags + 1):
            expected[row, k] = sum(z[i] * z[i + k] for i in range(len(z) - k)) / sum(value**2 for value in z)
    torch.testing.assert_close(structure.autocorrelation(curves, lags), expected)


@quick
@given(tensors(2), st.floats(0.1, 10), st.floats(-10, 10))
def test_autocorrelation_ignores_scale_offset_and_direction(curves: Tensor, scale: float, offset: float) -> None:
    curves = curves + 20 * (torch.arange(curves.shape[1]) == 0)
    original = structure.autocorrelation(curves, 1)
    assert (original[:, 0] == 1).all()
    torch.testing.assert_close(structure.autocorrelation(scale * curves + offset, 1), original, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(structure.autocorrelation(curves.flip(1), 1), original, rtol=1e-9, atol=1e-9)


def test_autocorrelation_of_brown_and_white_noise() -> None:
    """Reference values for 256 points; four standard errors from the spread over curves."""
    steps = torch.randn(4_000, 256, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lags = [1, 2, 3, 5, 10, 15]
    brown = structure.autocorrelation(steps.cumsum(1), 15)[:, lags]
    error = brown.std(0) / np.sqrt(len(brown))
    reference = torch.tensor([0.970, 0.942, 0.914, 0.860, 0.738, 0.628], dtype=torch.float64)
    spread_of_20 = brown.std(0) / np.sqrt(20)  # the reference is itself a mean over 20 curves
    assert ((brown.mean(0) - reference).abs() < 4 * (error + spread_of_20)).all()
    white = structure.autocorrelation(steps, 15)[:, lags]
    expected = -torch.tensor([256 - k for k in lags], dtype=torch.float64) / 256 / 255  # removing the mean costs this
    assert ((white.mean(0) - expected).abs() < 4 * white.std(0) / np.sqrt(len(white))).all()


@quick
@given(bits(3))
def test_coactivation_by_loops(active: Tensor) -> None:
    networks, inputs, width = active.shape
    for n in range(networks):
        both = [active[n, i, k] and active[n, j, k] for i, j in pairs(inputs) for k in range(width)]
        assert structure.coactivation(active)[n].item() == pytest.approx(sum(map(bool, both)) / len(both), abs=1e-14)


def test_coactivation_of_constant_gates() -> None:
    gates = (torch.arange(8) < 4).expand(5, 8)
    assert structure.coactivation(gates) == 0.5
    assert structure.coactivation(torch.ones(3, 4, dtype=torch.bool)) == 1


@quick
@given(bits(3))
def test_contiguity_by_groups(active: Tensor) -> None:
    expected = [
        len(list(run))
        for network in active
        for unit in range(active.shape[2])
        for _, run in itertools.groupby(network[:, unit].tolist())
    ]
    found = structure.contiguity(active)
    assert found.tolist() == expected
    assert found.sum() == active.numel()
    assert structure.contiguity(~active).tolist() == expected


@pytest.mark.parametrize(
    "function",
    [
        structure.covariance,
        structure.pair_moments,
        structure.correlation,
        structure.effective_rank,
        structure.mean_gradient_norm,
    ],
)
@pytest.mark.parametrize("gradients", [torch.ones(3), torch.ones(0, 3, 2), torch.ones(4, 3, 0)])
def test_shapes_of_gradients_are_refused(function, gradients: Tensor) -> None:
    shape = str(tuple(gradients.shape)).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ValueError, match=rf"gradients: shape {shape}, but 2 axes or more, none empty"):
        function(gradients)


@pytest.mark.parametrize("function", [structure.pair_moments, structure.correlation])
def test_a_pair_needs_two(function) -> None:
    with pytest.raises(ValueError, match="gradients: 1 input, but a pair needs 2"):
        function(torch.ones(4, 1, 3))
    with pytest.raises(ValueError, match="active: 1 input, but a pair needs 2"):
        structure.coactivation(torch.ones(4, 1, 3, dtype=torch.bool))


def test_zero_gradients_have_no_correlation() -> None:
    with pytest.raises(ValueError, match="gradients: every one is zero"):
        structure.correlation(torch.zeros(4, 2, 3))


@pytest.mark.parametrize("lags", [-1, 8, 1.5, "1"])
def test_wrong_lags_are_refused(lags: object) -> None:
    with pytest.raises(ValueError, match=rf"lags={lags!r}: with 8 inputs, choose a whole number between 0 and 7"):
        structure.autocorrelation(torch.arange(8.0), lags)


@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3])
def test_a_constant_curve_is_refused(level: float) -> None:
    curves = torch.stack([torch.arange(7.0, dtype=torch.float64), torch.full((7,), level, dtype=torch.float64)])
    with pytest.raises(ValueError, match="curves: a constant curve"):
        structure.autocorrelation(curves, 2)
    with pytest.raises(ValueError, match=r"curves: shape \(\)"):
        structure.autocorrelation(torch.tensor(1.0), 0)


@pytest.mark.parametrize("function", [structure.coactivation, structure.contiguity])
def test_gates_are_bits(function) -> None:
    with pytest.raises(ValueError, match=r"active: dtype torch.float32, but torch.bool is needed"):
        function(torch.ones(4, 2))
    with pytest.raises(ValueError, match=r"active: shape \(4,\), but 2 axes"):
        function(torch.ones(4, dtype=torch.bool))


MEASURES = [
    structure.covariance,
    structure.pair_moments,
    structure.correlation,
    structure.effective_rank,
    structure.mean_gradient_norm,
    lambda curves: structure.autocorrelation(curves, 1),
]


@pytest.mark.parametrize("measure", MEASURES)
def test_gradients_of_one_network_are_measured_like_those_of_many(measure) -> None:
    """Two axes, as ``input_gradients`` returns them, are one network's."""
    gradients = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    alone, among = measure(gradients), measure(gradients[None])
    torch.testing.assert_close(alone, among.reshape(alone.shape))
    assert alone.dtype == torch.float64


def test_correlation_of_one_network_by_loops() -> None:
    gradients = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    products = [sum(gradients[i] * gradients[j]).item() for i, j in pairs(5)]
    squares = [sum(row * row).item() for row in gradients]
    expected = np.mean(products) / np.mean(squares)
    assert structure.correlation(gradients).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float16, torch.bfloat16])
def test_no_dtype_wraps_or_overflows(measure, dtype: torch.dtype) -> None:
    gradients = torch.tensor([[200, 100, 40], [100, 200, 0], [8, 16, 224]])
    scale = 1 if not dtype.is_floating_point else 256  # the squares of 51,200 overflow float16
    torch.testing.assert_close(measure((scale * gradients).to(dtype)), measure((scale * gradients).double()))


@pytest.mark.parametrize("measure", MEASURES[2:])
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_ratios_know_no_scale_even_where_squares_are_no_numbers(measure, scale: float) -> None:
    gradients = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    torch.testing.assert_close(measure(scale * gradients), measure(gradients), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_entries_that_are_no_numbers_are_refused(measure, wrong: float) -> None:
    gradients = torch.ones(2, 3, 4)
    gradients[1, 2, 3] = wrong
    with pytest.raises(
        ValueError, match=r"(gradients|curves): dtype torch.float32, but finite real numbers are needed"
    ):
        measure(gradients)


@pytest.mark.parametrize("measure", MEASURES)
def test_what_is_no_tensor_of_real_numbers_is_refused(measure) -> None:
    with pytest.raises(ValueError, match=r"(gradients|curves): dtype torch.complex64, but finite real numbers"):
        measure(torch.ones(3, 2, dtype=torch.complex64))
    with pytest.raises(ValueError, match=r"(gradients|curves): ndarray, but a tensor is needed"):
        measure(np.ones((3, 2)))
